"""Every stage is timed, and the stages of a frame add up to the whole."""

import time

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.inference.observed import observed
from pvtpp.predictors import create
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.stage_timing import INITS, EngineCalls, measure, summary


class Waits:
    """An engine that takes so many seconds."""

    inputs = outputs = (TensorSpec("x", (1,), np.dtype(np.float32)),)

    def __init__(self, seconds):
        self.seconds = seconds

    def run(self, inputs):
        time.sleep(self.seconds)
        return dict(inputs)


class Slow:
    """A tracker of two engines, with work before, between and after them."""

    def __init__(self, engines):
        self.engines, self.shown = engines, []

    def init(self, frame, box):
        self.box = box
        self.engines["template"].run({})

    def track(self, frame, search_box=None):
        self.shown.append(int(frame.image[0, 0, 0]))
        time.sleep(0.003)
        self.engines["search"].run({})
        self.engines["head"].run({})
        time.sleep(0.002)
        return TrackerOutput(self.box, 0.9)


class Clip(VideoSequence):
    def frame(self, index):
        return Frame(index, index, np.full((8, 8, 3), index, np.uint8))


@pytest.fixture
def clip():
    return Clip("clip", np.array([[1.0 + i, 2, 4, 4] for i in range(6)]))


def test_every_stage_has_its_own_time(clip):
    calls = EngineCalls()
    engines = {"template": Waits(0.001), "search": Waits(0.004), "head": Waits(0.001)}
    tracker = Slow(observed(engines, calls.record))
    seconds = measure(tracker, create("kalman"), clip, 20, calls)
    assert list(seconds) == [
        "init",
        "template",
        "crop",
        "search",
        "head",
        "decode",
        "track",
        "observe",
        "predict",
        "at",
    ]
    assert {name: len(values) for name, values in seconds.items() if name not in ("init", "template")} == dict.fromkeys(
        ("crop", "search", "head", "decode", "track", "observe", "predict", "at"), 20
    )
    assert len(seconds["template"]) == len(seconds["init"]) == INITS
    for stage, least in (("crop", 0.003), ("search", 0.004), ("head", 0.001), ("decode", 0.002)):
        assert seconds[stage].min() >= least
    parts = sum(seconds[stage] for stage in ("crop", "search", "head", "decode"))
    assert (parts <= seconds["track"] + 1e-9).all()


def test_the_target_never_jumps(clip):
    tracker = Slow({name: Waits(0) for name in ("template", "search", "head")})
    measure(tracker, create("hold"), clip, 12, EngineCalls())
    assert set(np.abs(np.diff(tracker.shown))) == {1} and set(tracker.shown) == set(range(6))


def test_a_tracker_without_engines_is_timed_as_a_whole(clip):
    tracker = Slow({name: Waits(0) for name in ("template", "search", "head")})
    found = summary(measure(tracker, create("hold"), clip, 3, EngineCalls()))
    assert list(found) == ["init", "track", "observe", "predict", "at"]
    row = found["track"]
    assert row["samples"] == 3 and 5 <= row["median_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["max_ms"]


def test_too_few_frames_are_refused(clip):
    with pytest.raises(InputError, match="got 0 of 6"):
        measure(Slow({}), create("hold"), clip, 0, EngineCalls())
