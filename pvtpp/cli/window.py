"""The window of `pvtpp track`: the target is drawn there, and what is known of it shown."""

from __future__ import annotations

import os
import sys
import threading
from typing import Iterable, Iterator, Tuple

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.cli.frame_records import FrameRecord, draw
from pvtpp.errors import InputError
from pvtpp.tracker import Frame

TITLE = "pvtpp track"


def opens() -> bool:
    """Open it; False where there is no display, or no window in this OpenCV."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    import cv2

    try:
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL)
    except cv2.error:
        return False
    return True


def drawn_box(image: np.ndarray) -> np.ndarray:
    """The target as the user draws it on the image, ``[cx, cy, w, h]`` in pixels; InputError where none was drawn."""
    import cv2

    left, top, width, height = cv2.selectROI(TITLE, image, showCrosshair=False)
    if not (width and height):
        raise InputError("no target was drawn; draw it with the mouse and press Enter, or give --box X,Y,W,H")
    return xywh_to_box(np.array([left, top, width, height], dtype=np.float64))


def shown(records: Iterable[Tuple[Frame, FrameRecord]], over: threading.Event) -> Iterator[np.ndarray]:
    """The drawn images, as they are shown in the window; q there ends it."""
    import cv2

    for frame, record in records:
        image = draw(frame.image, record)
        cv2.imshow(TITLE, image)
        if cv2.waitKey(1) & 0xFF in (ord("q"), 27):
            over.set()
        yield image
