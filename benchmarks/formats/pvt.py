"""PVT_pp's raw results: a pickle for each sequence, with the answers of an online run and when each was there.

Without a predictor `results_raw`, `timestamps`, `input_fidx`, `runtime`; with one `results_raw_t`, `timestamps_t`,
`input_fidx_t`, `runtime_all`, `eta`, and `results_raw_p`: `boxes_eva` and `time` by the number of the frame, as text.
Boxes are left, top, width and height; those of `boxes_co`, which are centres, are not read.
"""

from __future__ import annotations

import os
import pickle
from typing import Any, Dict, Iterable, List, Mapping, Optional

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp_benchmarks.formats.format import Asked, Format, Found, check_name, files_of
from pvtpp_benchmarks.formats.online_run import OnlineRun, Predicted
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes
from pvtpp_benchmarks.formats.unpickle import as_array, read_pickle
from pvtpp_benchmarks.metrics import SIGMAS

PLAIN = ("results_raw", "timestamps", "input_fidx", "runtime")
WITH_PREDICTOR = ("results_raw_t", "timestamps_t", "input_fidx_t", "runtime_all")
PROTOCOL = 3
"""Of the pickles written: PVT_pp runs on Python 3.8."""


def find(root: str) -> Found:
    """List ``SEQ.pkl``."""
    return files_of(root, ".pkl")


def read_run(root: str, path: str, asked: Asked) -> OnlineRun:
    """Read one run."""
    content = read_pickle(path)
    keys = WITH_PREDICTOR if WITH_PREDICTOR[0] in content else PLAIN
    missing = [key for key in keys if key not in content]
    if missing:
        raise InputError(f"{path}: no {', '.join(missing)} in it, it has: {_listed(content)}")
    boxes, times, frames, runtime = (content[key] for key in keys)
    predicted = content.get("results_raw_p") if keys is WITH_PREDICTOR else None
    return OnlineRun(
        _boxes(boxes, keys[0], path),
        _whole(frames, keys[2], path),
        _numbers(times, keys[1], path),
        _numbers(runtime, keys[3], path),
        _predictions(predicted, path),
        int(_numbers([content.get("eta", 0)], "eta", path)[0]),
        path,
    )


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read one run and match it with the frames of the sequence, at the 51 permitted latencies."""
    run = read_run(root, path, asked)
    if asked.clip is None:
        raise InputError(f"{path}: a run does not say how many frames there were; name the data set")
    truth = asked.clip.ground_truth_xywh
    if run.frame[-1] >= len(truth):
        raise InputError(
            f"{path}, row {len(run.frame)} of frame: {int(run.frame[-1])}, the sequence has {len(truth)} frames"
        )
    return run.matched(len(truth), asked.clip.world_fps, SIGMAS.tolist())


def _listed(keys: Iterable[str]) -> str:
    return " ".join(", ".join(keys)[:200].split()) or "nothing"


def _boxes(value: Any, key: str, path: str) -> np.ndarray:
    rows = list(value.array) if hasattr(value, "array") else value
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{path}: {key} is no list of boxes")
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(as_array(row))
            if found[-1].shape != (4,):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"{path}, row {number} of {key}: not four numbers 'left, top, width, height'") from None
    return np.array(found)


def _numbers(value: Any, key: str, path: str) -> np.ndarray:
    try:
        numbers = as_array(value)
        if numbers.ndim != 1:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{path}: {key} is no list of numbers") from None
    return numbers


def _whole(value: Any, key: str, path: str) -> np.ndarray:
    numbers = _numbers(value, key, path)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.isfinite(numbers) & (numbers == np.rint(numbers)) & (numbers >= 0) & (numbers < 1 << 31))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(f"{path}, row {row + 1} of {key}: {numbers[row]}, expected the number of a frame")
    return numbers.astype(np.int64)


def _predictions(value: Any, path: str) -> Optional[Predicted]:
    if value is None:
        return None
    boxes, times = (value.get(key, {}) if isinstance(value, dict) else None for key in ("boxes_eva", "time"))
    if not isinstance(boxes, dict) or not isinstance(times, dict):
        raise InputError(f"{path}: results_raw_p is no dictionary with boxes_eva and time by frame")
    late = [key for key in boxes if key not in times]
    if late:
        raise InputError(f"{path}: results_raw_p has a box for frame {late[0]!r} and no time")
    wrong = [key for key in boxes if not (isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10)]
    if wrong:
        raise InputError(f"{path}: results_raw_p has a box for {wrong[0]!r}, which is no number of a frame")
    if not boxes:
        return None
    keys = sorted(boxes, key=int)
    return Predicted(
        np.array([int(key) for key in keys], dtype=np.int64),
        _boxes([boxes[key] for key in keys], "boxes_eva", path),
        _numbers([times[key] for key in keys], "time", path),
    )


def write_run(root: str, runs: Mapping[str, OnlineRun]) -> List[str]:
    """Write ``SEQ.pkl``, of the kind without a predictor where a run has no predictions."""
    paths = []
    for name, run in runs.items():
        paths.append(os.path.join(root, f"{check_name(name)}.pkl"))
        lists: List[Any] = [list(run.xywh), run.available_s.tolist(), run.frame.tolist(), run.runtime_s.tolist()]
        content: Dict[str, Any] = dict(zip(PLAIN if run.predicted is None else WITH_PREDICTOR, lists))
        if run.predicted is not None:
            keys = [str(frame) for frame in run.predicted.frame.tolist()]
            given = {"boxes_eva": dict(zip(keys, run.predicted.xywh))}
            content["results_raw_p"] = {**given, "time": dict(zip(keys, run.predicted.available_s.tolist()))}
            content["eta"] = run.horizon
        with whole_file(paths[-1]) as part, open(part, "wb") as file:
            pickle.dump(content, file, protocol=PROTOCOL)
    return paths


FORMAT = Format(
    "pvt",
    "SEQ.pkl with results_raw, timestamps, input_fidx, runtime (PVT_pp's raw results)",
    find,
    read,
    read_run=read_run,
    write_run=write_run,
    matched=True,
)
