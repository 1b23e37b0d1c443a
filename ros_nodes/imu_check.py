"""Whether the gyro tells how the camera turns: now and then two images are held against it, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Callable, Deque, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.camera_motion import Gyro
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.live.mailbox import Mailbox
from pvtpp.rotation_check import LEAST_TURN, Agreement, compare, rotation_between
from pvtpp.tracker import Frame

PERIOD_S = 0.2
SHARE = 0.05
"""Of one core, at most: on a slow one there are fewer looks."""
KEPT = 60


class Pair(NamedTuple):
    """Two frames in a row, `target_xywh` in the first of them, and what `gyro` measured between them."""

    before: Frame
    after: Frame
    target_xywh: Optional[np.ndarray]
    gyro: Gyro
    measured: np.ndarray


class RotationWatch:
    """`agreement`: of gyro and images, as the newest looks have it. `trusted`: whether to believe the gyro, which stays as it
    was while the camera turns too little to tell. `looks` counts pairs of images. What a look raises goes to `on_error`."""

    def __init__(self, on_error: Callable[[Exception], None]):
        self._on_error = on_error
        self._lock = threading.Lock()
        self._pairs: Mailbox[Pair] = Mailbox()
        self.begin(None)
        self._thread = threading.Thread(target=self._work, name="pvtpp rotation", daemon=True)
        self._thread.start()

    def begin(self, gyro: Optional[Gyro]) -> None:
        """From now on it is this gyro; None: there is none to look at."""
        with self._lock:
            self._gyro = gyro
            self._frames: Deque[Frame] = deque(maxlen=3)
            self._rows: Deque[Tuple[np.ndarray, np.ndarray]] = deque(maxlen=KEPT)
            self._next = 0.0
            self.agreement, self.trusted, self.looks = Agreement("unknown", 0.0), True, 0

    def frame_arrived(self, frame: Frame, live: LiveTracker) -> None:
        """Takes microseconds; of a camera that does not turn no images are looked at."""
        with self._lock:
            gyro, frames = self._gyro, self._frames
            frames.append(frame)
            if gyro is None or len(frames) < 3 or time.monotonic() < self._next:
                return
            # The newest frame's samples may still be on their way.
            before, after, _ = frames
        measured = gyro.turn(before.t_ns, after.t_ns)
        if measured is None or np.linalg.norm(measured) <= LEAST_TURN:
            return
        target = live.predict(before.t_ns)
        self._pairs.put(Pair(before, after, None if target is None else box_to_xywh(target.box), gyro, measured))

    def close(self, timeout: float = 2.0) -> None:
        self._pairs.close()
        self._thread.join(timeout)

    def _work(self) -> None:
        while self._pairs.wait():
            pair = self._pairs.pop()
            if pair is None:
                continue
            begin = time.perf_counter()
            try:
                self._look(pair)
            except Exception as error:
                self._on_error(error)
            self._next = time.monotonic() + max(PERIOD_S, (time.perf_counter() - begin) / SHARE)

    def _look(self, pair: Pair) -> None:
        images: Tuple[Any, Any] = (pair.before.image, pair.after.image)
        seen = rotation_between(*images, pair.gyro.camera_matrix, pair.target_xywh)
        with self._lock:
            if pair.gyro is not self._gyro:
                return
            self.looks += 1
            if seen is not None:
                self._rows.append((seen, pair.measured))
                self._judge()

    def _judge(self) -> None:
        seen, measured = (np.array(each) for each in zip(*self._rows))
        # What stays the same may be flight past the ground as well as rotation; what swings is rotation.
        self.agreement = compare(seen - seen.mean(axis=0), measured - measured.mean(axis=0))
        if self.agreement.assessment != "unknown":
            self.trusted = self.agreement.assessment == "agrees"
