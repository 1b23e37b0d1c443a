"""The event log as it is written, handed from under the live tracker's lock to a thread that has time to publish it."""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, NamedTuple, Optional

from pvtpp.camera_motion import GyroConfig
from pvtpp.core.event_log import FORMAT, VERSION

KEPT = 10_000
BEFORE_KEPT = 2048
"""Frames and gyro samples before a target; it may be given on an image that is some seconds old."""
GYRO_NS = round(GyroConfig.reach_s * 1e9)
"""A sample of so long before an image may still say how the camera turned then."""
CAPTURED = {"frame": (3, 0), "gyro": (2, GYRO_NS)}
"""Rows that matter to a target that is given later: where their time of capture stands, and how much earlier they may be."""


class Event(NamedTuple):
    """Row `number` of the log of the target with this id; `row` is None for the log's header."""

    target_id: int
    number: int
    row: Optional[list]


class EventStream:
    """`put` is the sink of an event log: a log for each target, each with its header first, then the frames from the one on
    which the target was given, which may be in the past, and the gyro's samples since then, then the `init` and what follows.

    `publish` is called with every event, in order, in a thread of its own; what it raises goes to `on_error`. Should it fall
    `KEPT` events behind, some are left out, which the numbers show.
    """

    def __init__(self, publish: Callable[[Event], None], on_error: Callable[[Exception], None]):
        self._publish, self._on_error = publish, on_error
        self._waiting: Deque[Event] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._number = 0
        self._before: Deque[list] = deque(maxlen=BEFORE_KEPT)
        self.target_id = 0
        self._thread = threading.Thread(target=self._run, name="pvtpp events", daemon=True)
        self._thread.start()

    def put(self, row: list) -> None:
        """Takes microseconds. What comes before the first target is nobody's."""
        with self._changed:
            if row[0] == "init":
                self._begin(row[3])
            elif row[0] in CAPTURED:
                self._before.append(row)
            if self.target_id:
                self._add(row)
                self._changed.notify()

    def forget(self) -> None:
        """What came before belongs to another live tracker, or to another time."""
        with self._changed:
            self._before.clear()

    def close(self, timeout: float = 2.0) -> None:
        """Publish what waits, and end the thread."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join(timeout)

    def _begin(self, capture_ns: int) -> None:
        self.target_id += 1
        self._number = 0
        self._add(None)
        for row in self._before:
            at, early_ns = CAPTURED[row[0]]
            if row[at] >= capture_ns - early_ns:
                self._add(row)

    def _add(self, row: Optional[list]) -> None:
        if len(self._waiting) < KEPT:
            self._waiting.append(Event(self.target_id, self._number, row))
        self._number += 1

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._over)
                if not self._waiting:
                    return
                event = self._waiting.popleft()
            try:
                self._publish(event)
            except Exception as error:
                self._on_error(error)


def line(event: Event, meta: Dict[str, Any]) -> str:
    """The event as the log's file has it."""
    if event.row is None:
        return json.dumps({"format": FORMAT, "version": VERSION, "meta": meta})
    return json.dumps(event.row, separators=(",", ":"), allow_nan=False)
