"""The window of `pvtpp track`: the user draws the target there, and its predicted box is shown."""

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
    """Open it; returns False where there is no display, or this OpenCV has no windows."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    import cv2

    try:
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL)
    except cv2.error:
        return False
    return True


def drawn_box(image: np.ndarray) -> np.ndarray:
    """Let the user draw the target: ``[cx, cy, w, h]``, pixels. Raises InputError where none was drawn."""
    import cv2

    left, top, width, height = cv2.selectROI(TITLE, image, showCrosshair=False)
    if not (width and height):
        raise InputError("no target was drawn; draw it with the mouse and press Enter, or give --box X,Y,W,H")
    return xywh_to_box(np.array([left, top, width, height], dtype=np.float64))


def shown(records: Iterable[Tuple[Frame, FrameRecord]], over: threading.Event) -> Iterator[np.ndarray]:
    """Show and yield the drawn images; the keys q and escape end it."""
    import cv2

    for frame, record in records:
        image = draw(frame.image, record)
        cv2.imshow(TITLE, image)
        if cv2.waitKey(1) & 0xFF in (ord("q"), 27):
            over.set()
        yield image
