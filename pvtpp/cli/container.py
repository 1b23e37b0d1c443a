"""Whether a video file was cut off: whether its own structure goes on beyond its end."""

from __future__ import annotations

import os
from typing import BinaryIO, Optional, Tuple

MATROSKA = b"\x1a\x45\xdf\xa3"
SEGMENT = 0x18538067
"""Identifier of the element that holds all of a Matroska file but its header."""
MOST_BOXES = 100_000
"""Top-level boxes of an MP4 file that are looked at; fragmented ones have one or two a second."""


def is_cut_off(path: str) -> bool:
    """Whether the file ends before the end that its container states.

    AVI (RIFF), MP4 and MOV (ISO 14496-12), Matroska and WebM (RFC 8794) state it; any other file counts as whole.
    """
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            start = file.read(12)
            if start[:4] == b"RIFF":
                return 8 + int.from_bytes(start[4:8], "little") > size
            if start[:4] == MATROSKA:
                return _matroska_ends(file) > size
            if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
                return _boxes_end(file, size) > size
    except (OSError, ValueError):
        pass
    return False


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last top-level box ends, bytes."""
    end = 0
    for _ in range(MOST_BOXES):
        if end >= size:
            break
        file.seek(end)
        head = file.read(16)
        if len(head) < 8:
            # The name and the size of a box are cut off.
            return size + 1
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0:
            # To the end of the file, wherever that is.
            return size
        if length < 8:
            raise ValueError("no box")
        end += length
    return end


def _matroska_ends(file: BinaryIO) -> int:
    """Where the first segment ends, bytes; 0 where it does not say."""
    place = 0
    for _ in range(16):
        name, place = _number(file, place, keep_marker=True)
        length, place = _number(file, place, keep_marker=False)
        if name is None:
            return 0
        if name == SEGMENT:
            return 0 if length is None else place + length
        if length is None:
            return 0
        place += length
    return 0


def _number(file: BinaryIO, place: int, keep_marker: bool) -> Tuple[Optional[int], int]:
    """Read a number of variable length at `place`; None for one that is missing or unknown; and the place after it."""
    file.seek(place)
    first = file.read(1)
    if not first or not first[0]:
        return None, place
    length = 9 - first[0].bit_length()
    data = first + file.read(length - 1)
    value = int.from_bytes(data, "big")
    below = value & ((1 << 7 * length) - 1)
    if keep_marker:
        return value, place + length
    # All ones: unknown, as where the file was written to a pipe.
    return (None if below == (1 << 7 * length) - 1 else below), place + length
