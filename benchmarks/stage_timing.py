"""Processing time of every stage of a tracker and a predictor on this machine, one frame after the other.

The stages of a tracker that is built on engines are found by observing the engines (`pvtpp.inference.observed`): the
time before the first engine of a frame is ``crop``, each engine has its own name, and the time after the last one is
``decode``. For any other tracker only ``track`` as a whole is known.
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
"""Frames that are tracked before the measurement begins."""
INITS = 5
"""Measured initialisations: a tracker computes its template only once per target."""
AHEAD_NS = 50_000_000
"""Nanoseconds from the capture of a frame to the time for which the trajectory is evaluated."""


class EngineCalls:
    """Keeps the engine calls of the current frame; `pvtpp.inference.observed` reports them to `record`."""

    def __init__(self) -> None:
        self.calls: List[Call] = []

    def record(self, call: Call) -> None:
        """Add a call."""
        self.calls.append(call)

    def taken(self) -> List[Call]:
        """The calls since this method was last called, in order."""
        calls, self.calls = self.calls, []
        return calls


def measure(
    tracker: Tracker, predictor: Predictor, sequence: VideoSequence, frames: int, engine_calls: EngineCalls
) -> Dict[str, np.ndarray]:
    """Measure the processing time of each stage.

    The clip is played forwards and backwards in turn, so that the target never jumps. Images are decoded beforehand.

    Parameters
    ----------
    tracker, predictor
        What is measured.
    sequence
        A clip of at least two frames with images.
    frames
        Number of measured frames, from 1.
    engine_calls
        The calls of the tracker's engines, if these are observed; else an empty one.

    Returns
    -------
    dict
        Seconds of each stage, shape ``(samples,)``, in the order of the stages. ``observe`` is the predictor's
        `encode`, ``at`` is one evaluation of the trajectory.

    Raises
    ------
    InputError
        For too few frames.
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
        for call in engine_calls.taken():
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
        updated = clock()
        trajectory = predictor.predict(track)
        predicted = clock()
        trajectory.at(frame.t_ns + AHEAD_NS)
        answered = clock()
        calls = engine_calls.taken()
        if number <= WARM_UP:
            continue
        if calls:
            add("crop", calls[0].begin - begin)
            for call in calls:
                add(call.name, call.end - call.begin)
            add("decode", tracked - calls[-1].end)
        add("track", tracked - begin)
        add("observe", observed - tracked)
        add("predict", predicted - updated)
        add("at", answered - predicted)
    return {stage: np.array(values) for stage, values in seconds.items()}


def summary(seconds: Dict[str, np.ndarray]) -> Dict[str, Dict[str, Any]]:
    """Number of samples, median, 95th and 99th percentile and maximum of each stage, in milliseconds."""
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


def frame_parts(seconds: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the stages that a tracked frame consists of, with a time for every frame; else ``track`` as a whole.

    Parameters
    ----------
    seconds
        As `measure` returns them.
    """
    names = list(seconds)
    if "crop" in names:
        parts = {name: seconds[name] for name in names[names.index("crop") : names.index("decode") + 1]}
        # An engine that does not run on every frame has fewer times than there are frames.
        if all(len(times) == len(seconds["track"]) for times in parts.values()):
            return parts
    return {"track": seconds["track"]}


def _there_and_back(number: int, count: int) -> int:
    """Index of the image for frame `number` of a clip of `count` images that is played forwards and backwards."""
    return abs((number + count - 1) % (2 * count - 2) - (count - 1))
