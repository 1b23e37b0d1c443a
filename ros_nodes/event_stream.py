"""The event log as it is written, handed from under the live tracker's lock to a thread that has time to publish it."""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional

from pvtpp.camera_motion import GyroConfig
from pvtpp.core.event_log import FORMAT, VERSION

KEPT = 10_000
BEFORE_KEPT = 2048
"""Frames and gyro samples before a target; it may be given on an image that is some seconds old."""
GYRO_NS = round(GyroConfig.reach_s * 1e9)
"""A sample of so long before an image may still say how the camera turned then."""
CAPTURED = {"frame": (3, 0), "gyro": (2, GYRO_NS)}
"""Rows that matter to a target that is given later: the column of their time of capture, and how much earlier than the
target's image they may be, nanoseconds."""


class Event(NamedTuple):
    """One line of the log of one target.

    Attributes
    ----------
    target_id
        Of the target.
    number
        Counts the lines of this log from 0, its header.
    row
        The event; None for the header.
    meta
        What the header says; empty for events.
    """

    target_id: int
    number: int
    row: Optional[list]
    meta: Dict[str, Any]


class EventStream:
    """Makes a log for each target of the rows of one live tracker after the other.

    A log begins with its header. Then come the frames from the one on which the target was given, which may be in the
    past, and the gyro's samples since then, then the ``init`` and what follows. Rows before the first target belong to
    no log. An ``init`` that corrects the target (`correct`) is a row of the same log.

    Parameters
    ----------
    publish
        Called with every event, in order, in a thread of its own. Should it fall `KEPT` events behind, some are left
        out, which the numbers show.
    on_error
        Called with what `publish` raises.

    Attributes
    ----------
    target_id
        Of the newest target; counts from 1, 0 before the first.
    meta
        What the headers of logs say at present.
    """

    def __init__(self, publish: Callable[[Event], None], on_error: Callable[[Exception], None]):
        self._publish, self._on_error = publish, on_error
        self._waiting: Deque[Event] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._number = 0
        # Whether rows belong to a log.
        self._logging = False
        self._before: Deque[list] = deque(maxlen=BEFORE_KEPT)
        # The capture time of the `init` that corrects the target.
        self._correction_ns: Optional[int] = None
        self.target_id = 0
        self.meta: Dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, name="pvtpp events", daemon=True)
        self._thread.start()

    def begin(self, meta: Dict[str, Any]) -> None:
        """Take rows of another live tracker from now on: no log goes on, and what came before belongs to none.

        Parameters
        ----------
        meta
            What the headers of its logs say; read when a header is published.
        """
        with self._changed:
            self._before.clear()
            self._logging, self.meta = False, meta

    def correct(self, capture_ns: int) -> None:
        """Take the ``init`` on the frame captured then, if it comes next, for a correction: no new target, no new log.

        Parameters
        ----------
        capture_ns
            The capture time, nanoseconds.
        """
        with self._changed:
            self._correction_ns = capture_ns

    def put(self, row: list) -> None:
        """Take a row of the event log; microseconds."""
        with self._changed:
            if row[0] == "init":
                corrects, self._correction_ns = self._correction_ns == row[3], None
                if not (corrects and self._logging):
                    self._begin_log(row[3])
            elif row[0] in CAPTURED:
                self._before.append(row)
            if self._logging:
                self._add(row)
                self._changed.notify()

    def close(self, timeout: float = 2.0) -> None:
        """Publish what waits, and end the thread."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join(timeout)

    def _begin_log(self, capture_ns: int) -> None:
        self.target_id += 1
        self._number, self._logging = 0, True
        self._add(None)
        for row in self._before:
            at, early_ns = CAPTURED[row[0]]
            if row[at] >= capture_ns - early_ns:
                self._add(row)

    def _add(self, row: Optional[list]) -> None:
        if len(self._waiting) < KEPT:
            self._waiting.append(
                Event(self.target_id, self._number, row, {**self.meta, "part": True} if row is None else {})
            )
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


class LogFeed:
    """What connects the event log of one live tracker with the stream: its `put` is the log's sink.

    For a moment two live trackers may be at work. Rows wait here until `open`, then go to the stream, and are dropped
    after `close`, so that no log holds rows of both.

    Parameters
    ----------
    stream
        Where the rows go.

    Attributes
    ----------
    meta
        What the headers of this live tracker's logs say; set it before `open`.
    """

    def __init__(self, stream: EventStream):
        self._stream = stream
        self._lock = threading.Lock()
        self._waiting: Optional[List[list]] = []
        self._closed = False
        self.meta: Dict[str, Any] = {}

    def put(self, row: list) -> None:
        """Take a row; microseconds."""
        with self._lock:
            if self._closed:
                return
            if self._waiting is None:
                self._stream.put(row)
            else:
                self._waiting.append(row)

    def open(self) -> None:
        """Let the stream have what waits and what comes; the feed before must be closed."""
        with self._lock:
            self._stream.begin(self.meta)
            waiting, self._waiting = self._waiting or [], None
            for row in waiting:
                self._stream.put(row)

    def close(self) -> None:
        """Drop what comes from now on."""
        with self._lock:
            self._closed = True


def line(event: Event) -> str:
    """Write the event as a line of the log's file."""
    if event.row is None:
        return json.dumps({"format": FORMAT, "version": VERSION, "meta": event.meta})
    return json.dumps(event.row, separators=(",", ":"), allow_nan=False)
