"""The text of processing times that toolkits write beside boxes: seconds, a line per frame, a column per repetition."""

from __future__ import annotations

import os
from typing import List, Optional

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import read_text


def read_times(path: str, frames: int) -> Optional[np.ndarray]:
    """Read seconds per frame, a column for each repetition, shape ``(repetitions, frames)``; None without a file."""
    if not os.path.isfile(path):
        return None
    columns = 0
    rows: List[List[float]] = []
    for number, line in enumerate(read_text(path).rstrip().splitlines(), start=1):
        try:
            rows.append(list(map(float, line.replace(",", " ").split())))
        except ValueError:
            raise InputError(f"{path}, line {number}: {line[:80]!r} is not seconds, a column per repetition") from None
        columns = columns or len(rows[0])
        if len(rows[-1]) != columns or columns == 0:
            raise InputError(f"{path}, line {number}: {len(rows[-1])} numbers, the first line has {columns}")
    if len(rows) != frames:
        raise InputError(f"{path}: times of {len(rows)} frames for boxes of {frames}")
    return np.array(rows).T
