"""Boxes drawn on frames, and frames written to a video file."""

from __future__ import annotations

import os
from typing import Callable, Iterable, Mapping, Optional, Tuple

import cv2
import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp_benchmarks.report.video_encoders import Encoder, open_encoder

Colour = Tuple[int, int, int]

# Okabe and Ito's palette, BGR: also distinct for colour-blind readers, and on grass, soil and asphalt.
TRUTH: Colour = (255, 255, 255)
STALE: Colour = (0, 120, 255)
PREDICTED: Colour = (255, 210, 60)
INK: Colour = (20, 20, 20)
"""Behind a box, one pixel wider on each side, so that it is seen on any ground."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_boxes(
    image: np.ndarray, boxes: Mapping[str, Tuple[Optional[np.ndarray], Colour]], caption: str = ""
) -> np.ndarray:
    """Draw boxes, a legend of their labels, and a caption along the bottom.

    Parameters
    ----------
    image
        Shape ``(height, width, 3)``, uint8, BGR. It is not changed.
    boxes
        By label the box ``[cx, cy, w, h]`` in pixels and its colour (BGR), drawn in this order. For an absent box (None
        or NaN) the sign in the legend is hollow.
    caption
        The text along the bottom.

    Returns
    -------
    ndarray
        A copy of the image with the drawing.
    """
    drawn = image.copy()
    scale = max(image.shape[1], 320) / 640
    thick = max(1, round(2 * scale))
    present = {label: box is not None and bool(np.isfinite(box).all()) for label, (box, _) in boxes.items()}
    for width, dark in ((thick + 2, True), (thick, False)):
        for label, (box, colour) in boxes.items():
            if present[label]:
                draw_box(drawn, np.asarray(box, dtype=float), INK if dark else colour, width)
    if boxes:
        _legend(drawn, {label: (present[label], colour) for label, (_, colour) in boxes.items()}, scale)
    if caption:
        size = 0.5 * scale
        (_, text), below = cv2.getTextSize(caption, _FONT, size, 1)
        top = drawn.shape[0] - text - below - round(8 * scale)
        _shade(drawn, 0, top, drawn.shape[1], drawn.shape[0])
        _text(drawn, caption, (round(10 * scale), drawn.shape[0] - below - round(3 * scale)), size)
    return drawn


def draw_box(image: np.ndarray, box: np.ndarray, colour: Colour, thick: int) -> None:
    """Draw one box.

    Parameters
    ----------
    image
        Shape ``(height, width, 3)``, uint8, BGR; it is drawn on.
    box
        ``[cx, cy, w, h]``, pixels, finite. It may lie outside the image.
    colour
        BGR.
    thick
        Width of its line, pixels.
    """
    corners = np.clip([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2], -10000, 10000)
    low, high = np.round((corners - 0.5) * 16).astype(int).tolist()
    cv2.rectangle(image, tuple(low), tuple(high), colour, thick, cv2.LINE_AA, 4)


def write_video(
    path: str, frames: Iterable[np.ndarray], fps: float, warn: Optional[Callable[[str], None]] = None
) -> int:
    """Write frames as an MP4 file, whole or not at all.

    The file is H.264 (yuv420p), which browsers play, where there is an encoder for it (`video_encoders`). Otherwise it
    is MPEG-4 Part 2 (mp4v), which players show and browsers do not. An odd width or height grows by one pixel, a copy
    of the last.

    Parameters
    ----------
    path
        The file to write; its name ends in ``.mp4``.
    frames
        Images of one size, shape ``(height, width, 3)``, uint8, BGR.
    fps
        Frames per second, above 0 and at most 1000.
    warn
        Called with a line where the file will not play in browsers; None: not said.

    Returns
    -------
    int
        The number of frames.

    Raises
    ------
    InputError
        For no frames, frames of different sizes, another rate, or where the file cannot be written.
    """
    if not path.endswith(".mp4"):
        raise InputError(f"{path}: a video's name must end in .mp4")
    if not 0 < fps <= 1000:
        raise InputError(f"{path}: video rate is {fps!r}, allowed is above 0 and at most 1000 frames per second")
    with whole_file(path, keep_extension=True) as part:
        return _encode(path, part, frames, fps, warn)


def _encode(
    path: str, part: str, frames: Iterable[np.ndarray], fps: float, warn: Optional[Callable[[str], None]]
) -> int:
    encoder: Optional[Encoder] = None
    shape, count = None, 0
    try:
        for frame in frames:
            if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or (shape and frame.shape != shape):
                expected = f"uint8 {shape} as the first" if shape else "uint8 (height, width, 3)"
                raise InputError(f"{path}: video frame {count} is {frame.dtype} {frame.shape}, expected {expected}")
            even = _of_even_size(frame)
            if encoder is None:
                shape = frame.shape
                encoder = open_encoder(path, part, fps, even.shape[1], even.shape[0])
                if warn and not encoder.in_browsers:
                    warn(f"{path}: encoded as mp4v, which browsers do not play; for H.264 install ffmpeg or PyAV (av)")
            encoder.write(even)
            count += 1
    except BaseException:
        if encoder is not None:
            encoder.abort()
        raise
    if encoder is None:
        raise InputError(f"{path}: a video of no frames")
    encoder.close()
    if not _has_index(part, count):
        raise InputError(f"{path}: the encoder wrote an incomplete video; is the disk full?")
    return count


def _of_even_size(image: np.ndarray) -> np.ndarray:
    """The image, C-contiguous, with its last row or column repeated where their number is odd (yuv420p has 2 x 2)."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(image)


def _has_index(part: str, frames: int) -> bool:
    """Whether the file ends with the index of an MP4 (``moov``), which is written last.

    OpenCV reports no error when the disk is full.
    """
    with open(part, "rb") as file:
        file.seek(max(os.path.getsize(part) - 4096 - 64 * frames, 0))
        end = file.read()
    start = end.rfind(b"moov") - 4
    return start >= 0 and 8 < int.from_bytes(end[start : start + 4], "big") <= len(end) - start


def _legend(image: np.ndarray, labels: Mapping[str, Tuple[bool, Colour]], scale: float) -> None:
    size, pad, line = 0.45 * scale, round(8 * scale), round(20 * scale)
    swatch = round(14 * scale)
    wide = max(cv2.getTextSize(label, _FONT, size, 1)[0][0] for label in labels)
    _shade(image, 0, 0, swatch + wide + 3 * pad, len(labels) * line + pad)
    for row, (label, (present, colour)) in enumerate(labels.items()):
        middle = pad // 2 + line * row + line // 2
        corner, opposite = (pad, middle - swatch // 3), (pad + swatch, middle + swatch // 3)
        cv2.rectangle(image, corner, opposite, colour, -1 if present else 1)
        _text(image, label, (2 * pad + swatch, middle + round(5 * scale)), size)


def _shade(image: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    window = image[max(top, 0) : bottom, max(left, 0) : right]
    window[:] = cv2.addWeighted(window, 0.35, np.full_like(window, 20), 0.65, 0)


def _text(image: np.ndarray, text: str, at: Tuple[int, int], size: float) -> None:
    cv2.putText(image, text, at, _FONT, size, (245, 245, 245), 1, cv2.LINE_AA)
