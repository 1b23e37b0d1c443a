"""The trackers that come with OpenCV: no weights, no inference runtime.

`csrt` is the accurate one, `kcf` the fast one with a fixed size, `mil` the oldest.
"""

from __future__ import annotations

import ctypes
import os
from functools import partial
from typing import Any, Callable, Optional, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike, as_box, require_in_image, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_trackers.registry import register

FACTORIES = {"csrt": "TrackerCSRT_create", "kcf": "TrackerKCF_create", "mil": "TrackerMIL_create"}
Factory = Tuple[Callable[[], Any], bool]
"""Makes a tracker of OpenCV's; whether it takes whole pixels only."""
SEED = 0
LEAST = {"mil": 5.0}
"""Pixels of the target that a tracker needs in each direction, where that is more than one."""


class OpenCVTracker:
    """One of OpenCV's own trackers.

    It gives no score: 1, or 0 with the last box when it reports a loss. It takes no search region, so `search_box` is
    ignored.

    CSRT and KCF repeat bit for bit with any number of OpenCV's threads (which are left as they are). MIL draws its
    features from C's ``rand`` and its samples from OpenCV's generator: `init` seeds both, and a run repeats unless
    another thread draws from them too.

    Parameters
    ----------
    kind
        Its name, for messages.
    factory
        What makes the tracker, and whether it takes whole pixels only.
    """

    takes_search_box = False

    def __init__(self, kind: str, factory: Factory):
        self._create, self._whole_pixels = factory
        self._kind = kind
        self._tracker: Any = None
        self._box: Optional[np.ndarray] = None

    def init(self, frame: Frame, box: ArrayLike) -> None:
        """Start on `box`, ``[cx, cy, w, h]`` in pixels.

        Raises
        ------
        InputError
            If less than a pixel of the box is inside the image, or OpenCV cannot start on it.
        """
        import cv2

        image, box = frame.image, as_box(box, "first box")
        height, width = image.shape[:2]
        # On less MIL looks for features for ever.
        require_in_image(box, (width, height), f"{self._kind}: first box", LEAST.get(self._kind, 1.0))
        left, top, right, bottom = np.clip(
            [box[0] - box[2] / 2, box[1] - box[3] / 2, box[0] + box[2] / 2, box[1] + box[3] / 2],
            0,
            [width, height, width, height],
        )
        if self._kind == "mil":
            _seed()
        self._tracker, self._box = self._create(), box
        try:
            started = self._tracker.init(image, self._rectangle(left, top, right - left, bottom - top))
        except cv2.error as error:
            self._tracker = None
            reason = " ".join(str(error).split())
            raise InputError(f"{self._kind} cannot start on box {box.tolist()}: {reason}") from None
        if started is False:
            raise InputError(f"{self._kind} cannot start on box {box.tolist()} in the {width} x {height} image")

    def track(self, frame: Frame, search_box: Optional[ArrayLike] = None) -> TrackerOutput:
        """The result for `frame`; `search_box` is ignored."""
        import cv2

        if self._tracker is None or self._box is None:
            raise InputError("track() called before init()")
        image = frame.image
        try:
            found, xywh = self._tracker.update(image)
        except cv2.error:
            # Near the image border CSRT and KCF fail an assertion instead of reporting a loss.
            found, xywh = False, None
        if not found or not (np.isfinite(xywh).all() and min(xywh[2:]) > 0):
            return TrackerOutput(self._box, 0.0)
        output = TrackerOutput(xywh_to_box(xywh), self._score())
        self._box = output.box
        return output

    def _score(self) -> float:
        """Score of a result that was found."""
        return 1.0

    def _rectangle(self, *xywh: float) -> Tuple[float, ...]:
        return tuple(int(round(float(value))) if self._whole_pixels else float(value) for value in xywh)


def _seed() -> None:
    import cv2

    cv2.setRNGSeed(SEED)
    # Without a C library to call (Windows) MIL stays random.
    if os.name == "posix":
        ctypes.CDLL(None).srand(SEED)


def _factory(kind: str) -> Factory:
    """The function that makes this tracker, and whether it takes integer boxes only.

    From 4.5.1 on the functions in `cv2` itself do. Those in `cv2.legacy`, like all older ones, keep fractions, so they
    are preferred.
    """
    import cv2

    name = FACTORIES[kind]
    legacy: Optional[Callable[[], Any]] = getattr(getattr(cv2, "legacy", None), name, None)
    if legacy is not None:
        return legacy, False
    current = getattr(cv2, name, None)
    if current is None:
        raise InputError(
            f"OpenCV {cv2.__version__} here is built without {kind}; "
            "pip install 'opencv-contrib-python>=4.5,<5' (and uninstall opencv-python)"
        )
    return current, hasattr(cv2, "TrackerMIL_Params")


def _classic(kind: str) -> OpenCVTracker:
    """The tracker of this kind; InputError if this OpenCV was built without it."""
    return OpenCVTracker(kind, _factory(kind))


for _kind in FACTORIES:
    register(_kind)(partial(_classic, _kind))
