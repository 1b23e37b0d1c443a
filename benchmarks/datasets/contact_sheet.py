"""Contact sheets: frames of every sequence with their boxes, to see whether boxes and images belong together."""

from __future__ import annotations

import os
from typing import Any, List, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp_benchmarks.datasets.dataset import Dataset
from pvtpp_benchmarks.datasets.sequence import VideoSequence

FRAMES = 6
SEQUENCES_ON_A_SHEET = 24
ENDINGS = (".png", ".jpg", ".jpeg")
_WIDTH, _FRAME, _CLOSE, _TEXT = 240, 160, 120, 20
"""Pixels: width of a tile, heights of the whole frame, of what is round the box, and of a line of text."""
_CLOSE_UP = 3.0
"""What is shown round the box, in sizes of the box."""
_GREEN, _WHITE, _GREY = (0, 255, 0), (255, 255, 255), (48, 48, 48)


def check_ending(path: str) -> None:
    """Raise InputError for a sheet that is no picture file by its ending."""
    if not path.lower().endswith(ENDINGS):
        raise InputError(f"{path}: a contact sheet is a picture, expected one of the endings {', '.join(ENDINGS)}")


def write_contact_sheets(dataset: Dataset, path: str, frames: int = FRAMES) -> List[str]:
    """Draw frames with boxes, spread evenly over each sequence: above the whole frame, below what is round the box.

    Parameters
    ----------
    dataset
        The sequences. One that cannot be read has a line of text that says why.
    path
        The picture to write, ``.png`` or ``.jpg``. After `SEQUENCES_ON_A_SHEET` sequences the next sheet begins:
        ``sheet-2.png`` after ``sheet.png``.
    frames
        Frames of each sequence.

    Returns
    -------
    list of str
        The paths of the sheets.

    Raises
    ------
    InputError
        For another ending, and where a sheet cannot be written.
    """
    import cv2

    check_ending(path)
    stem, ending = os.path.splitext(path)
    written: List[str] = []
    for start in range(0, len(dataset.names), SEQUENCES_ON_A_SHEET):
        names = dataset.names[start : start + SEQUENCES_ON_A_SHEET]
        sheet = np.concatenate([_row(dataset, name, frames) for name in names])
        place = f"{stem}-{len(written) + 1}{ending}" if written else path
        fine, data = cv2.imencode(ending, sheet)
        if not fine:
            raise InputError(f"{place}: OpenCV cannot write this kind of picture")
        with whole_file(place, make_folder=False) as part, open(part, "wb") as file:
            file.write(data.tobytes())
        written.append(place)
    return written


def _row(dataset: Dataset, name: str, frames: int) -> np.ndarray:
    """One sequence as a strip of shape ``(height, width, 3)``, uint8."""
    strip = np.zeros((_TEXT + _FRAME + _CLOSE, frames * _WIDTH, 3), np.uint8)
    try:
        sequence = dataset[name]
    except InputError as error:
        _write(strip, (4, 14), f"{name}: {error}")
        return strip
    _write(strip, (4, 14), f"{name}, {len(sequence)} frames")
    chosen = np.unique(np.linspace(0, len(sequence) - 1, frames).round().astype(int))
    for column, index in enumerate(chosen.tolist()):
        place = strip[:, column * _WIDTH : (column + 1) * _WIDTH]
        _draw(sequence, index, place[_TEXT : _TEXT + _FRAME], place[_TEXT + _FRAME :])
    return strip


def _draw(sequence: VideoSequence, index: int, frame: np.ndarray, close: np.ndarray) -> None:
    """Draw camera frame `index` into the two tiles."""
    box, text = sequence.ground_truth_xywh[index * sequence.stride], str(index + 1)
    image = _blank(sequence)
    if sequence.image_paths is not None:
        try:
            image = sequence.frame(index).image
        except InputError:
            text += " cannot be read"
    height, width = image.shape[:2]
    here = box if np.isfinite(box).all() else None
    _show(image, (width / 2, height / 2), min(_WIDTH / width, _FRAME / height), here, frame)
    if here is None:
        text += " absent"
    else:
        left, top, w, h = here
        scale = min(max(min(_WIDTH / w, _CLOSE / h) / _CLOSE_UP, 1e-3), 64.0)
        # Boxes that lie beyond all reason are shown as nothing, not as an error.
        centre = np.clip([left + w / 2, top + h / 2], -1e5, 1e5).tolist()
        _show(image, (centre[0], centre[1]), scale, here, close)
    _write(frame, (4, 14), text)


def _blank(sequence: VideoSequence) -> np.ndarray:
    """A grey image for a sequence without images: of their size, or so that all boxes lie inside."""
    size = sequence.size
    if size is None:
        ends = np.nanmax(sequence.ground_truth_xywh[:, :2] + sequence.ground_truth_xywh[:, 2:], axis=0, initial=1.0)
        size = (int(min(ends[0], 4096)) + 1, int(min(ends[1], 4096)) + 1)
    return np.full((size[1], size[0], 3), _GREY, np.uint8)


def _show(
    image: np.ndarray, centre: Tuple[float, float], scale: float, xywh: Optional[np.ndarray], tile: np.ndarray
) -> None:
    """Draw the image, scaled so that `centre` comes to the middle of the tile, and the box on it."""
    import cv2

    height, width = tile.shape[:2]
    offset = np.array([width / 2 - centre[0] * scale, height / 2 - centre[1] * scale])
    # Pixel centres lie at halves; OpenCV counts them as whole numbers.
    moved = offset + 0.5 * scale - 0.5
    how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_LINEAR
    matrix = np.array([[scale, 0, moved[0]], [0, scale, moved[1]]])
    tile[:] = cv2.warpAffine(image, matrix, (width, height), flags=how)
    if xywh is not None:
        corners = np.concatenate([xywh[:2], xywh[:2] + xywh[2:]]) * scale + np.tile(offset, 2)
        left, top, right, bottom = np.clip(np.rint(corners), -1000, 1000).astype(int).tolist()
        drawn = np.ascontiguousarray(tile)
        cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), _GREEN, 1)
        tile[:] = drawn


def _write(tile: np.ndarray, at: Tuple[int, int], text: str) -> None:
    import cv2

    drawn: Any = np.ascontiguousarray(tile)
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(drawn, plain, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(drawn, plain, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _WHITE, 1, cv2.LINE_AA)
    tile[:] = drawn
