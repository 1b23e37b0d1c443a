"""Event logs of this project as a format: what was there at each permitted latency, or the run itself."""

from __future__ import annotations

import os
from typing import Tuple

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.core.event_log import EventLog, read_meta
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats.format import Asked, Format, Found
from pvtpp_benchmarks.formats.online_run import OnlineRun, Predicted
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes, one_time
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.scoring import find_logs

HOLD = "hold"


def find(root: str) -> Found:
    """List the logs under `root` of whole sequences: of their first start and draw.

    Raises
    ------
    InputError
        For two logs of one sequence: they are of two settings.
    """
    if not any(name.endswith(".jsonl") for _, _, files in os.walk(root) for name in files):
        return {}
    found: Found = {}
    for path in find_logs([root]):
        meta = read_meta(path)
        name = meta.get("sequence")
        if not isinstance(name, str) or meta.get("start_number", 0) or meta.get("draw", 0):
            continue
        if name in found:
            raise InputError(f"{found[name]} and {path}: two logs of {name}; name the folder of one setting")
        found[name] = path
    return found


def _read(path: str, asked: Asked) -> Tuple[EventLog, VideoSequence, str]:
    """Read a log; returns the clip that it is of and whose answers are asked for, too."""
    if asked.clip is None:
        raise InputError(f"{path}: a log does not hold the times of the world's frames; name the data set")
    log = EventLog.read(path)
    clip, first = asked.clip, next((row for row in log.rows if row[0] == "init"), None)
    if first is None or first[2] != 0:
        raise InputError(f"{path}: the target was not given in the first frame, so there is no box for it")
    if log.meta.get("truth", clip.digest()) != clip.digest():
        raise InputError(f"{path}: made on another sequence called {clip.name} (boxes or frame rates differ)")
    there = log.predictors
    if not asked.predictor and len(there) != 1:
        raise InputError(f"{path}: answers of {', '.join(there) or 'no predictor'}; choose one with --predictor")
    predictor = asked.predictor or there[0]
    if predictor not in there:
        raise InputError(f"{path}: no answers of {predictor!r}, it has: {', '.join(there)}")
    return log, clip, predictor


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read what was there for each world frame at each of the 51 permitted latencies."""
    log, clip, predictor = _read(path, asked)
    pairs = pair(log, predictor, clip.world_t_ns, clip.world_fps, log.meta.get("schedule", "async"))
    xywh, frames = box_to_xywh(pairs.box), len(clip.world_t_ns)
    first = np.searchsorted(pairs.frame, np.arange(frames))
    # Pairs of one frame lie together, by sigma: a frame's answer is the last one whose sigma is not above.
    rows = [xywh[first + _count(pairs.frame, pairs.sigma <= sigma, frames) - 1] for sigma in SIGMAS]
    return SequenceBoxes(np.array(rows), one_time(_runtimes(log).mean(), frames), tuple(SIGMAS.tolist()), source=path)


def _count(frame: np.ndarray, chosen: np.ndarray, frames: int) -> np.ndarray:
    return np.bincount(frame[chosen], minlength=frames)


def _runtimes(log: EventLog) -> np.ndarray:
    """Seconds from the start to the end of initialising and of each result, in the order of the results."""
    found, began = [], 0
    for row in log.rows:
        if row[0] in ("init", "track"):
            began = row[1]
        elif row[0] in ("initialised", "result"):
            found.append((row[1] - began) / 1e9)
    return np.array(found)


def read_run(root: str, path: str, asked: Asked) -> OnlineRun:
    """Read the run: the tracker's results, and of a predictor what was there for each frame at permitted latency 0."""
    log, clip, predictor = _read(path, asked)
    if log.of_kind("reset") or len(log.of_kind("init")) > 1:
        raise InputError(f"{path}: the target was given anew or forgotten in the run, which a pickle cannot say")
    results = log.of_kind("init", "result")
    boxes = box_to_xywh(np.array([row[4] for row in results], dtype=np.float64))
    began = results[0][1]
    done = next((row[1] for row in log.rows if row[0] == "initialised"), began)
    available = np.array([done - began, *(row[1] - began for row in results[1:])]) / 1e9
    frame = np.array([row[2] for row in results], dtype=np.int64) * clip.stride
    runtime = _runtimes(log)[: len(results)]
    # Without cost of its own `hold` adds nothing to the results.
    plain = predictor == HOLD and not log.meta.get("predictor_ns")
    predicted = None if plain else _predicted(log, clip, predictor)
    return OnlineRun(boxes, frame, available, runtime, predicted, source=path)


def _predicted(log: EventLog, clip: VideoSequence, predictor: str) -> Predicted:
    times = clip.world_t_ns
    pairs = pair(log, predictor, times, clip.world_fps, log.meta.get("schedule", "async"))
    first = np.diff(pairs.frame, prepend=-1) > 0
    available, _ = log.trajectories(predictor)
    newest = np.maximum(np.searchsorted(available, times, side="right") - 1, 0)
    there = np.minimum(available[newest], times)
    # The first frame's box was given.
    frames = np.arange(1, len(times))
    return Predicted(frames, box_to_xywh(pairs.box[first])[1:], (there[1:] - times[0]) / 1e9)


FORMAT = Format("logs", "event logs (.jsonl) of one run of each sequence", find, read, read_run=read_run, matched=True)
