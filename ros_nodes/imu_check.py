"""Checks that the gyro measures how the camera turns: now and then it is compared with two images, in a thread."""

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
"""Of one core, at most: a slow one compares fewer images."""
KEPT = 60


class Pair(NamedTuple):
    """Two frames in a row, and what the gyro says of the time between them.

    Attributes
    ----------
    number
        Counts the pairs, from 1.
    before, after
        The frames.
    target_xywh
        The target in `before`, ``[left, top, w, h]`` in pixels, which is not compared; None without a target.
    gyro
        The gyro.
    measured
        The camera's rotation vector between the frames as the gyro measured it, ``(3,)``, radians.
    """

    number: int
    before: Frame
    after: Frame
    target_xywh: Optional[np.ndarray]
    gyro: Gyro
    measured: np.ndarray


class RotationCheck:
    """Compares the rotation that images show with the gyro's.

    Parameters
    ----------
    on_error
        Called, in the thread that compares, with what comparing raises.
    clock
        Seconds; paces the comparisons.

    Attributes
    ----------
    agreement
        Of gyro and images, as the newest comparisons have it.
    trusted
        Whether to use the gyro. It stays as it was while the camera turns too little to say.
    compared
        How many pairs of images were compared.
    """

    def __init__(self, on_error: Callable[[Exception], None], clock: Callable[[], float] = time.monotonic):
        self._on_error, self._clock = on_error, clock
        self._lock = threading.Lock()
        self._pairs: Mailbox[Pair] = Mailbox()
        # Numbers of the newest pair that was left for the thread, and of the newest that it is done with.
        self._left = self._done = 0
        self.begin(None)
        self._thread = threading.Thread(target=self._work, name="pvtpp rotation", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether no images wait to be compared."""
        return self._done == self._left

    @property
    def assessment(self) -> str:
        """``unknown`` as long as there was too little rotation, ``agrees``, or what is wrong, as in `Agreement`."""
        return self.agreement.assessment

    def begin(self, gyro: Optional[Gyro]) -> None:
        """Compare with this gyro from now on; None: there is none."""
        with self._lock:
            self._gyro = gyro
            self._frames: Deque[Frame] = deque(maxlen=3)
            self._rows: Deque[Tuple[np.ndarray, np.ndarray]] = deque(maxlen=KEPT)
            self._next = -np.inf
            self.agreement, self.trusted, self.compared = Agreement("unknown", 0.0), True, 0

    def frame_arrived(self, frame: Frame, live: LiveTracker) -> None:
        """Take a frame; microseconds. While the camera does not turn, no images are compared.

        Parameters
        ----------
        frame
            The newest frame.
        live
            It knows where the target is.
        """
        with self._lock:
            gyro, frames = self._gyro, self._frames
            frames.append(frame)
            if gyro is None or len(frames) < 3 or self._clock() < self._next:
                return
            # The newest frame's samples may still be on their way.
            before, after, _ = frames
        measured = gyro.turn(before.t_ns, after.t_ns)
        if measured is None or np.linalg.norm(measured) <= LEAST_TURN:
            return
        target = live.predict(before.t_ns)
        self._left += 1
        target_xywh = None if target is None else box_to_xywh(target.box)
        self._pairs.put(Pair(self._left, before, after, target_xywh, gyro, measured))

    def close(self, timeout: float = 2.0) -> None:
        """End the thread."""
        self._pairs.close()
        self._thread.join(timeout)

    def _work(self) -> None:
        while self._pairs.wait():
            pair = self._pairs.pop()
            if pair is None:
                continue
            begin = self._clock()
            try:
                self._compare(pair)
            except Exception as error:
                self._on_error(error)
            end = self._clock()
            self._next = end + max(PERIOD_S, (end - begin) / SHARE)
            self._done = pair.number

    def _compare(self, pair: Pair) -> None:
        images: Tuple[Any, Any] = (pair.before.image, pair.after.image)
        seen = rotation_between(*images, pair.gyro.camera_matrix, pair.target_xywh)
        with self._lock:
            if pair.gyro is not self._gyro:
                return
            self.compared += 1
            if seen is not None:
                self._rows.append((seen, pair.measured))
                self._assess()

    def _assess(self) -> None:
        seen, measured = (np.array(each) for each in zip(*self._rows))
        # What stays the same may be flight past the ground as well as rotation; what swings is rotation.
        self.agreement = compare(seen - seen.mean(axis=0), measured - measured.mean(axis=0))
        if self.assessment != "unknown":
            self.trusted = self.assessment == "agrees"
