"""The VOT toolkit: one region per frame as text or binary, the processing time of each frame beside them.

A region is a rectangle, a polygon or a mask, of which the upright box around it is taken, or a special one, one number:
1 where the tracker was given the target, 0 unknown, 2 lost. A special region is read as not found. The first frame is
written as 1, so the box that was given is not in the files.

Binary files, little-endian: int16 version 1, uint32 number of regions, then for each uint8 kind and its numbers. Kind 0
special: uint32 code. 1 rectangle: 4 float32. 2 polygon: uint16 n, 2n float32. 3 mask: int16 left and top, uint16 width,
height and n, then n uint16 of run lengths. 4 point: 2 float32.
"""

from __future__ import annotations

import math
import os
import struct
from typing import List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import read_text, whole_file
from pvtpp_benchmarks.datasets.box_files import first_line, write_text
from pvtpp_benchmarks.formats.format import Asked, Format, Found, check_name, nested_files, repetitions
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes

VERSION = 1
_NOWHERE = [math.nan] * 4
GIVEN, UNKNOWN = 1, 0


def find(root: str) -> Found:
    """List ``SEQ/SEQ_001.bin``, and ``SEQ/SEQ_001.txt`` whose first row is a special region or a mask."""
    return {name: path for name, path in nested_files(root, (".bin", ".txt")).items() if _begins_special(path)}


def _begins_special(path: str) -> bool:
    if path.endswith(".bin"):
        return True
    first = first_line(path)
    return len(first.replace(",", " ").split()) == 1 or first.startswith("m") or first.count(",") > 3


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read all repetitions of one sequence, and their times where there are any."""
    files = repetitions(path)
    rows = [_read_binary(file) if file.endswith(".bin") else _read_text(file) for file in files]
    for file, each in zip(files, rows):
        if len(each) != len(rows[0]):
            raise InputError(f"{file}: {len(each)} regions, the first repetition has {len(rows[0])}")
    times = [_read_times(f"{os.path.splitext(file)[0]}_time.value", len(rows[0])) for file in files]
    known = [each for each in times if each is not None]
    return SequenceBoxes(np.array(rows), np.array(known) if known else None, source=path)


def _read_text(path: str) -> List[List[float]]:
    lines = read_text(path).rstrip().splitlines()
    if not lines:
        raise InputError(f"{path}: no regions; expected one per frame")
    return [_parse(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]


def _parse(line: str, where: str) -> List[float]:
    mask = line.startswith("m")
    try:
        numbers = list(map(float, line[mask:].split(",")))
    except ValueError:
        numbers = []
    count = len(numbers)
    if mask and count >= 4:
        return _mask(numbers[:4], where)
    if count == 1 and not mask:
        return list(_NOWHERE)
    if count == 4 and not mask:
        return numbers
    if count >= 6 and count % 2 == 0 and not mask:
        return _around(numbers)
    raise InputError(f"{where}: {line[:80]!r} is no region: a rectangle, polygon, mask or one number")


def _mask(box: List[float], where: str) -> List[float]:
    _, _, width, height = box
    if width < 0 or height < 0:
        raise InputError(f"{where}: a mask of {width:g} x {height:g} pixels")
    return box if width > 0 and height > 0 else list(_NOWHERE)


def _around(corners: Sequence[float]) -> List[float]:
    x, y = corners[::2], corners[1::2]
    return [min(x), min(y), max(x) - min(x), max(y) - min(y)]


def _read_binary(path: str) -> List[List[float]]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from None
    place = 0

    def take(form: str, row: int) -> Tuple:
        nonlocal place
        size = struct.calcsize(form)
        if place + size > len(data):
            raise InputError(f"{path}, row {row}: the file ends in the middle, after {len(data)} bytes")
        values = struct.unpack_from(form, data, place)
        place += size
        return values

    version, count = take("<hI", 0)
    if version != VERSION:
        raise InputError(f"{path}: version {version} of VOT's binary regions, {VERSION} can be read")
    # Each region takes five bytes or more: a count beyond that is found before anything is made of it.
    if count == 0 or count > len(data) // 5:
        raise InputError(f"{path}: {count} regions in {len(data)} bytes")
    rows = []
    for row in range(1, count + 1):
        (kind,) = take("<B", row)
        if kind == 0:
            take("<I", row)
            rows.append(list(_NOWHERE))
        elif kind == 1:
            rows.append(list(take("<4f", row)))
        elif kind == 2:
            (corners,) = take("<H", row)
            numbers = take(f"<{2 * corners}f", row)
            if corners < 3:
                raise InputError(f"{path}, row {row}: a polygon of {corners} corners")
            rows.append(_around(numbers))
        elif kind == 3:
            *box, runs = take("<hhHHH", row)
            take(f"<{runs}H", row)
            rows.append(_mask(list(map(float, box)), f"{path}, row {row}"))
        elif kind == 4:
            take("<2f", row)
            rows.append(list(_NOWHERE))
        else:
            raise InputError(f"{path}, row {row}: region of kind {kind}, allowed are 0 to 4")
    if place != len(data):
        raise InputError(f"{path}: {len(data) - place} bytes after its {count} regions")
    return rows


def _read_times(path: str, frames: int) -> Optional[np.ndarray]:
    if not os.path.isfile(path):
        return None
    lines = read_text(path).splitlines()
    try:
        seconds = [float(line) if line.strip() not in ("", "None") else math.nan for line in lines]
    except ValueError:
        number, line = next((n, line) for n, line in enumerate(lines, start=1) if not _is_number(line))
        raise InputError(f"{path}, line {number}: {line[:80]!r} is not a number of seconds") from None
    if len(seconds) != frames:
        raise InputError(f"{path}: times of {len(seconds)} frames for regions of {frames}")
    return np.array(seconds)


def _is_number(line: str) -> bool:
    try:
        return line.strip() in ("", "None") or bool(float(line) + 1)
    except ValueError:
        return False


def _write(root: str, results: Mapping[str, SequenceBoxes], binary: bool) -> List[str]:
    paths = []
    for name, boxes in results.items():
        if boxes.sigmas is not None and len(boxes.xywh) > 1:
            raise InputError(f"{name}: {len(boxes.xywh)} permitted latencies, the format vot holds one")
        for number, xywh in enumerate(boxes.xywh.tolist(), start=1):
            stem = os.path.join(root, check_name(name), f"{name}_{number:03d}")
            paths.append(f"{stem}.bin" if binary else f"{stem}.txt")
            (_write_binary if binary else _write_text)(paths[-1], xywh)
            if boxes.seconds is not None:
                seconds = boxes.seconds[min(number, len(boxes.seconds)) - 1].tolist()
                write_text(f"{stem}_time.value", "".join("\n" if v != v else f"{v:.8f}\n" for v in seconds))
    return paths


def _special(row: int, xywh: List[float]) -> Optional[int]:
    return GIVEN if row == 0 else UNKNOWN if xywh[0] != xywh[0] else None


def _write_text(path: str, rows: List[List[float]]) -> None:
    lines = []
    for row, xywh in enumerate(rows):
        code = _special(row, xywh)
        lines.append(f"{code}\n" if code is not None else ",".join(f"{value:.4f}" for value in xywh) + "\n")
    write_text(path, "".join(lines))


def _write_binary(path: str, rows: List[List[float]]) -> None:
    parts = [struct.pack("<hI", VERSION, len(rows))]
    for row, xywh in enumerate(rows):
        code = _special(row, xywh)
        try:
            parts.append(struct.pack("<BI", 0, code) if code is not None else struct.pack("<B4f", 1, *xywh))
        except OverflowError:
            raise InputError(f"{path}, row {row + 1}: {xywh} is beyond 32-bit numbers") from None
    with whole_file(path) as part, open(part, "wb") as file:
        file.write(b"".join(parts))


def write_text_files(root: str, results: Mapping[str, SequenceBoxes]) -> List[str]:
    """Write ``SEQ/SEQ_001.txt`` with four decimals and ``SEQ/SEQ_001_time.value``."""
    return _write(root, results, binary=False)


def write_binary_files(root: str, results: Mapping[str, SequenceBoxes]) -> List[str]:
    """Write ``SEQ/SEQ_001.bin`` in 32-bit numbers and ``SEQ/SEQ_001_time.value``."""
    return _write(root, results, binary=True)


FORMAT = Format(
    "vot", "SEQ/SEQ_001.txt (or .bin), one region per frame; SEQ_001_time.value", find, read, write_text_files
)


def find_binary(root: str) -> Found:
    """List ``SEQ/SEQ_001.bin``."""
    return nested_files(root, (".bin",))


BINARY = Format(
    "vot-bin", "SEQ/SEQ_001.bin, one region per frame; SEQ_001_time.value", find_binary, read, write_binary_files
)
