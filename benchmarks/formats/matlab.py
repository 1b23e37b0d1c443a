"""MATLAB result sets of the OTB and UAV toolkits: ``SEQ_TRACKER.mat`` with boxes and the mean frame rate.

The variable `results` is a cell with a struct of `res` (rows of left, top, width, height), `fps`, `type`, `len` and the
first frame. Files of version 5 to 7 are read, with SciPy, which is an extra (``pvtpp[matlab]``). `fps` is read as the
time 1 / fps of every frame.
"""

from __future__ import annotations

import os
from typing import Any, List, Mapping

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp_benchmarks.formats.format import Asked, Format, Found, check_name, files_of, one_repetition
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes, one_time

VARIABLE = "results"


def _scipy(place: str) -> Any:
    try:
        import scipy.io
    except ImportError:
        raise InputError(
            f"{place}: MATLAB files need SciPy, which is not installed here; pip install 'pvtpp[matlab]'"
        ) from None
    return scipy.io


def find(root: str) -> Found:
    """List ``SEQ_TRACKER.mat``; TRACKER is the folder's name, or what all files end in."""
    files = files_of(root, ".mat")
    tracker = "_" + os.path.basename(os.path.abspath(root))
    if not all(name.endswith(tracker) for name in files):
        endings = {name.rpartition("_")[2] for name in files}
        tracker = f"_{endings.pop()}" if len(endings) == 1 and len(files) > 1 else ""
    return {name[: len(name) - len(tracker)]: path for name, path in files.items()}


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read one file."""
    io = _scipy(path)
    try:
        content = io.loadmat(path, variable_names=[VARIABLE])
    # What it raises for a broken file is not documented.
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path}: cannot be read as a MATLAB file ({why})") from None
    if VARIABLE not in content:
        raise InputError(f"{path}: no variable {VARIABLE!r}")
    struct = content[VARIABLE]
    # A cell of one struct, or the struct itself; each is an array of one.
    while isinstance(struct, np.ndarray) and struct.dtype == object and struct.size == 1:
        struct = struct.flat[0]
    if not isinstance(struct, np.ndarray) or struct.dtype.names is None or struct.size != 1:
        raise InputError(f"{path}: {VARIABLE!r} is no cell with one struct")
    if "res" not in struct.dtype.names:
        raise InputError(f"{path}: {VARIABLE!r} has no field 'res', it has: {', '.join(struct.dtype.names)}")
    kind = _field(struct, "type")
    if kind is not None and kind.size == 1 and str(kind.flat[0]) != "rect":
        raise InputError(f"{path}: boxes of type {str(kind.flat[0])!r}, 'rect' can be read")
    rows = _numbers(struct, "res", path)
    if rows.ndim != 2 or rows.shape[1] != 4 or len(rows) == 0:
        raise InputError(f"{path}: 'res' has shape {rows.shape}, expected (frames, 4)")
    said = _field(struct, "len")
    if said is not None and said.size == 1 and said.flat[0] != len(rows):
        raise InputError(f"{path}: {len(rows)} rows, but its 'len' says {said.flat[0]}")
    if _field(struct, "fps") is None:
        return SequenceBoxes(rows, source=path)
    fps = _numbers(struct, "fps", path)
    if fps.size != 1 or not 0 < fps.flat[0] < np.inf:
        raise InputError(f"{path}: 'fps' is {fps.ravel()[:4].tolist()}, expected one finite number above 0")
    return SequenceBoxes(rows, one_time(1 / float(fps.flat[0]), len(rows)), source=path)


def _field(struct: np.ndarray, name: str) -> Any:
    names = struct.dtype.names or ()
    value = struct[name].flat[0] if name in names else None
    return value if isinstance(value, np.ndarray) and value.size else None


def _numbers(struct: np.ndarray, name: str, path: str) -> np.ndarray:
    value = _field(struct, name)
    if value is None or value.dtype.kind not in "iuf":
        raise InputError(f"{path}: {name!r} is no array of numbers")
    return value.astype(np.float64)


def write(root: str, results: Mapping[str, SequenceBoxes]) -> List[str]:
    """Write ``SEQ_TRACKER.mat`` of version 5, with the mean frame rate where times are known."""
    io, tracker = _scipy(root), os.path.basename(os.path.abspath(root))
    paths = []
    for name, boxes in results.items():
        rows = one_repetition(name, boxes, FORMAT.name).xywh[0]
        struct = {"type": "rect", "res": rows, "len": len(rows), "annoBegin": 1, "startFrame": 1}
        if boxes.seconds is not None:
            mean = float(np.nanmean(boxes.seconds)) if np.isfinite(boxes.seconds).any() else 0.0
            if mean <= 0:
                raise InputError(f"{name}: the mean of its times is {mean:g} s, which is no frame rate")
            struct["fps"] = 1 / mean
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = struct
        paths.append(os.path.join(root, f"{check_name(name)}_{tracker}.mat"))
        with whole_file(paths[-1]) as part, open(part, "wb") as file:
            io.savemat(file, {VARIABLE: cell})
    return paths


FORMAT = Format("matlab", "SEQ_TRACKER.mat with a struct of res and fps (UAV toolkits)", find, read, write)
