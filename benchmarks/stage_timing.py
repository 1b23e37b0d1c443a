"""What every stage of a tracker and a predictor takes on this machine, one frame after the other, nothing else running.

A tracker built on engines is looked into by watching these (`pvtpp.inference.observed`): what passes before the first engine
of a frame is ``crop``, each engine goes by its name, and what follows the last is ``decode``. Of any other tracker the
whole ``track`` is known.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.inference.observed import Call
from pvtpp.predictors import Predictor
from pvtpp.track import Track
from pvtpp.tracker import Frame, Tracker
from pvtpp_benchmarks.datasets.sequence import VideoSequence

WARM_UP = 10
INITS = 5
"""Of the first box, at least: the template is computed once a target."""
AHEAD_NS = 50_000_000


class Watch:
    """Keeps the engine calls of the frame at hand; `watch` is what `pvtpp.inference.observed` wants."""

    def __init__(self) -> None:
        self.calls: List[Call] = []

    def watch(self, call: Call) -> None:
        self.calls.append(call)

    def taken(self) -> List[Call]:
        """The calls since the last time, in order."""
        calls, self.calls = self.calls, []
        return calls


def measure(
    tracker: Tracker, predictor: Predictor, sequence: VideoSequence, frames: int, watch: Watch
) -> Dict[str, np.ndarray]:
    """Seconds of each stage, in the order in which they happen, over `frames` frames; of the engines that `watch` sees.

    The clip is played to its end and back again, so that the target never jumps; images are decoded beforehand.
    ``observe`` is the predictor's `encode`, ``at`` one question to the trajectory.
    """
    if frames < 1 or len(sequence) < 2:
        raise InputError(
            f"{sequence.name}: timing needs 1 frame or more of a clip of at least 2, got {frames} of {len(sequence)}"
        )
    images = [sequence.frame(index).image for index in range(min(len(sequence), frames + WARM_UP))]
    first = xywh_to_box(sequence.ground_truth_xywh[0])
    seconds: Dict[str, List[float]] = {}

    def add(stage: str, taken: float) -> None:
        seconds.setdefault(stage, []).append(taken)

    clock = time.perf_counter
    for _ in range(INITS):
        begin = clock()
        tracker.init(Frame(0, 0, images[0]), first)
        add("init", clock() - begin)
        for call in watch.taken():
            add(call.name, call.end - call.begin)
    period = max(1, round(1e9 / sequence.camera_fps))
    track = Track().with_result(0, first)
    for number in range(1, frames + WARM_UP + 1):
        frame = Frame(number, number * period, images[_there_and_back(number, len(images))])
        begin = clock()
        output = tracker.track(frame)
        tracked = clock()
        encoding = predictor.encode(output)
        observed = clock()
        track = track.with_result(frame.t_ns, output.box, output.score, encoding)
        anchored = clock()
        trajectory = predictor.predict(track)
        predicted = clock()
        trajectory.at(frame.t_ns + AHEAD_NS)
        answered = clock()
        calls = watch.taken()
        if number <= WARM_UP:
            continue
        if calls:
            add("crop", calls[0].begin - begin)
            for call in calls:
                add(call.name, call.end - call.begin)
            add("decode", tracked - calls[-1].end)
        add("track", tracked - begin)
        add("observe", observed - tracked)
        add("predict", predicted - anchored)
        add("at", answered - predicted)
    return {stage: np.array(values) for stage, values in seconds.items()}


def summary(seconds: Dict[str, np.ndarray]) -> Dict[str, Dict[str, Any]]:
    """Samples, median, 95th and 99th percentile and maximum of each stage, milliseconds."""
    measures: Dict[str, Callable[[np.ndarray], float]] = {
        "median_ms": np.median,
        "p95_ms": lambda values: np.percentile(values, 95),
        "p99_ms": lambda values: np.percentile(values, 99),
        "max_ms": np.max,
    }
    return {
        stage: {"samples": len(values), **{name: round(float(of(values)) * 1e3, 4) for name, of in measures.items()}}
        for stage, values in seconds.items()
    }


def _there_and_back(number: int, count: int) -> int:
    return abs((number + count - 1) % (2 * count - 2) - (count - 1))
