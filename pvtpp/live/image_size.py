"""Frames whose images are of another size than those before."""

from __future__ import annotations

from typing import Optional, Tuple

import numpy as np

from pvtpp.tracker import Frame


def size_of(frame: Frame) -> Optional[Tuple[int, int]]:
    """Return width and height of the frame's image; None where it has none, or none that can be read."""
    try:
        height, width = frame.image.shape[:2]
    except Exception:
        # Who needs the image will say what is wrong with it.
        return None
    return width, height


def scaled(frame: Frame, size: Tuple[int, int]) -> Frame:
    """Return the frame with its image in another size (width and height), scaled when somebody asks for it."""
    if size_of(frame) == size:
        return frame

    def load() -> np.ndarray:
        import cv2

        return cv2.resize(frame.image, size)

    return Frame(frame.index, frame.t_ns, load, frame.source)
