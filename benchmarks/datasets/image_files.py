"""Image files: their order in a folder, their pixels as 8 bits, and what their headers say."""

from __future__ import annotations

import os
import re
import struct
from decimal import Decimal
from typing import Any, BinaryIO, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.pixel_depth import Stretch

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
# What systems put into folders beside the names that begin with a dot.
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information")
# A name that is a number and nothing else, and a number inside a name (several dots: a date, a version).
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)
_RUN = re.compile(r"\d+(?:\.\d+)*")
# Markers of JPEG that begin a frame header, and those without a length.
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = {0x01, *range(0xD0, 0xD9)}


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none of the user's: hidden, or one that a system writes by itself."""
    return name.startswith(".") or name.lower() in _OF_THE_SYSTEM


def visible(folder: str) -> List[str]:
    """Names of the files and folders in `folder` that are not hidden, sorted."""
    return sorted(name for name in os.listdir(folder) if not is_hidden(name))


def list_images(folder: str) -> List[str]:
    """List the image files of a folder in the order of the numbers in their names.

    The ending and leading zeros make no difference. Numbers with a decimal point, such as times, count as decimals.

    Returns
    -------
    list of str
        Their paths.

    Raises
    ------
    InputError
        Where the order is not clear: one number twice, names with and without numbers, names of different make that
        come in another order as text.
    """
    names = [name for name in visible(folder) if name.lower().endswith(IMAGE_ENDINGS)]
    return [os.path.join(folder, name) for name in _ordered(names, folder)]


def _ordered(names: List[str], folder: str) -> List[str]:
    stems = {name: os.path.splitext(name)[0].lower() for name in names}
    numbered = [name for name in names if re.search(r"\d", stems[name])]
    if not numbered:
        return sorted(names, key=lambda name: (stems[name], name))
    if len(numbered) < len(names):
        bare = next(name for name in names if name not in numbered)
        raise _unclear(folder, numbered[0], bare, "one has a number and the other has none")
    parts = {name: tuple(int(digits) for digits in re.findall(r"\d+", stems[name])) for name in names}
    decimals: Dict[str, Tuple[Decimal, ...]] = {}
    if all(_NUMBER.fullmatch(stem) for stem in stems.values()):
        decimals = {name: (Decimal(stems[name]),) for name in names}
    elif len({_RUN.sub("#", stem) for stem in stems.values()}) == 1:
        decimals = {name: _decimals(stems[name]) for name in names}
    if not decimals:
        return _of_several_makes(names, stems, parts, folder)
    keys: Mapping[str, Tuple[Any, ...]] = parts
    by_parts, by_decimals = sorted(names, key=parts.__getitem__), sorted(names, key=decimals.__getitem__)
    if by_parts != by_decimals and len(set(decimals.values())) == len(names):
        # Such as 1.8, 1.9, 1.10: decimals are written with zeros at their end either all or none.
        padded = next((name for name in names if re.search(r"\.\d+0(?!\d)", stems[name])), None)
        if padded is not None:
            other = next(a if a != padded else b for a, b in zip(by_parts, by_decimals) if a != b)
            raise _unclear(folder, padded, other, "the numbers after the dot may be decimals or numbers of their own")
        keys = decimals
    ordered = sorted(names, key=keys.__getitem__)
    for one, other in zip(ordered, ordered[1:]):
        if keys[one] == keys[other]:
            raise _unclear(folder, one, other, "both have the same number")
    return ordered


def _decimals(stem: str) -> Tuple[Decimal, ...]:
    """The numbers in a name; where a number has several dots, as a date, each part is a number of its own."""
    runs = _RUN.findall(stem)
    texts = [text for run in runs for text in (run.split(".") if run.count(".") > 1 else [run])]
    return tuple(map(Decimal, texts))


def _of_several_makes(
    names: List[str], stems: Mapping[str, str], parts: Mapping[str, Tuple[int, ...]], folder: str
) -> List[str]:
    """Order names that differ in more than their numbers: as text, where their numbers do not speak against it."""
    first_of: Dict[Tuple[int, ...], str] = {}
    for name in names:
        if first_of.setdefault(parts[name], name) != name:
            raise _unclear(folder, first_of[parts[name]], name, "both have the same number")
    as_text = sorted(names, key=lambda name: (stems[name], name))
    by_number = sorted(names, key=lambda name: _natural(stems[name]))
    for one, other in zip(as_text, by_number):
        if one != other:
            raise _unclear(folder, one, other, "they differ in more than a number")
    return as_text


def _natural(stem: str) -> List[Tuple[int, str]]:
    """Sorting key that compares digits as numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", stem)]


def _unclear(folder: str, one: str, other: str, reason: str) -> InputError:
    return InputError(
        f"{folder}: the order of the images is not clear, {one} or {other} first: {reason}; "
        "expected names that differ in one number"
    )


def decode(path: str) -> np.ndarray:
    """Decode an image file without changing its pixels' type.

    Returns
    -------
    ndarray
        Shape ``(height, width, 3)``, BGR, of the type that the file has. An alpha channel is left out, a grey image has
        three equal channels.

    Raises
    ------
    InputError
        If the file is missing or cannot be decoded.
    """
    import cv2

    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot read image ({error.strerror or error})") from None
    image, reason = None, ""
    try:
        # Floating-point values, which TIFF may hold, are refused in any other way of reading.
        tiff = data[:4].tobytes() in (b"II*\0", b"MM\0*")
        flags = cv2.IMREAD_UNCHANGED if tiff else cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
        image = cv2.imdecode(data, flags) if data.size else None
    except cv2.error as error:
        reason = f", {error.err or error}"
    if image is None:
        raise InputError(f"{path}: not an image that OpenCV can decode ({data.size} bytes{reason})")
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, axis=2)
    return np.asarray(image[:, :, :3])


def read_image(path: str) -> np.ndarray:
    """Read one image file on its own; `ImageReader` reads those of a sequence, all by the same levels.

    Returns
    -------
    ndarray
        Shape ``(height, width, 3)``, uint8, BGR. More than 8 bits a value are stretched by the image's own levels
        (`pvtpp.pixel_depth`).

    Raises
    ------
    InputError
        If the file is missing or cannot be decoded.
    """
    return ImageReader([path]).read(0)


class ImageReader:
    """Reads the images of one sequence. Can be sent to other processes.

    Images of more than 8 bits a value are stretched by the levels of the sequence's first image (`pvtpp.pixel_depth`).

    Parameters
    ----------
    paths
        The image files, in order.
    """

    def __init__(self, paths: Sequence[str]):
        self._paths = paths
        self._stretch: Optional[Tuple[np.dtype, Stretch]] = None

    def read(self, index: int) -> np.ndarray:
        """Read image `index`.

        Returns
        -------
        ndarray
            Shape ``(height, width, 3)``, uint8, BGR.

        Raises
        ------
        InputError
            If the file is missing or cannot be decoded, or its values have another number of bits than the first
            image's.
        """
        path = self._paths[index]
        image = decode(path)
        if image.dtype == np.uint8:
            return image
        if self._stretch is None:
            first = image if path == self._paths[0] else decode(self._paths[0])
            try:
                self._stretch = (first.dtype, Stretch.of(first))
            except InputError as error:
                raise InputError(f"{self._paths[0]}: {error}") from None
        depth, stretch = self._stretch
        if image.dtype != depth:
            raise InputError(f"{path}: the values are {image.dtype}, those of the first image {self._paths[0]} {depth}")
        return stretch(image)


class Header(NamedTuple):
    """What the first bytes of an image file say.

    Attributes
    ----------
    width, height
        Size in pixels as stored, before a rotation that the file may ask for.
    bits
        Bits a value.
    alpha
        Whether there is an alpha channel.
    """

    width: int
    height: int
    bits: int
    alpha: bool


def read_header(path: str) -> Optional[Header]:
    """Read the header of a PNG, JPEG or BMP file; None for any other or damaged file."""
    try:
        with open(path, "rb") as file:
            return _header(file)
    except (OSError, struct.error):
        return None


def _header(file: BinaryIO) -> Optional[Header]:
    start = file.read(26)
    if start[:8] == b"\x89PNG\r\n\x1a\n" and start[12:16] == b"IHDR":
        width, height, bits, colour = struct.unpack(">IIBB", start[16:26])
        return Header(width, height, bits, colour in (4, 6))
    if start[:2] == b"BM":
        (width, height) = struct.unpack("<ii", start[18:26])
        return Header(width, abs(height), 8, False)
    if start[:2] != b"\xff\xd8":
        return None
    file.seek(2)
    while True:
        mark, kind = struct.unpack(">BB", file.read(2))
        while kind == 0xFF:
            (kind,) = struct.unpack(">B", file.read(1))
        if mark != 0xFF:
            return None
        if kind in _JPEG_BARE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if kind in _JPEG_FRAMES:
            bits, height, width = struct.unpack(">BHH", file.read(5))
            return Header(width, height, bits, False)
        file.seek(max(length - 2, 0), os.SEEK_CUR)
