"""What is written in a format reads back: boxes, times, repetitions, permitted latencies, as far as it holds them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp_benchmarks.formats import SequenceBoxes, read_results, recognise, write_results
from pvtpp_benchmarks.formats.format import Asked
from pvtpp_benchmarks.formats.online_run import OnlineRun, Predicted
from pvtpp_benchmarks.formats.pvt import FORMAT as PVT
from pvtpp_benchmarks.metrics import SIGMAS

NAMES = st.text("abcXYZ019-_", min_size=1, max_size=12).filter(lambda name: not name.endswith(("_time", "_001")))
PIXELS = st.floats(-5000, 5000, allow_subnormal=False)
BOX = st.tuples(PIXELS, PIXELS, st.floats(0.01, 5000), st.floats(0.01, 5000))
# What each format keeps: decimals of pixels (None: every bit), repetitions, whether a frame may be without a target.
KEEPS = {
    "otb": (None, False),
    "got10k": (3, True),
    "pytracking": (0, False),
    "vot": (4, True),
    "vot-bin": (3, True),
    "matlab": (None, False),
}
TIMED = {"got10k", "pytracking", "vot", "vot-bin"}


@st.composite
def boxes(draw, repeated, timed=True):
    count = draw(st.integers(1, 3)) if repeated else 1
    frames = draw(st.integers(2, 5))
    row = st.one_of(BOX, st.just((np.nan,) * 4))
    xywh = draw(st.lists(st.lists(row, min_size=frames, max_size=frames), min_size=count, max_size=count))
    seconds = draw(
        st.none() | st.lists(st.floats(0.001, 2), min_size=count * frames, max_size=count * frames)
        if timed
        else st.none() | st.floats(0.001, 2).map(lambda value: [value] * frames)
    )
    return SequenceBoxes(np.array(xywh), None if seconds is None else np.reshape(seconds, (-1, frames)))


@pytest.mark.parametrize("form", KEEPS)
@settings(max_examples=25)
@given(data=st.data())
def test_boxes_times_and_repetitions_read_back(form, data):
    if form == "matlab":
        pytest.importorskip("scipy.io")
    decimals, repeated = KEEPS[form]
    results = data.draw(st.dictionaries(NAMES, boxes(repeated, form in TIMED), min_size=1, max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        root = str(Path(folder, "Tracker"))
        write_results(root, results, form)
        assert recognise(root).name == form
        again = read_results(root, form=form)
    assert set(again) == set(results)
    for name, expected in results.items():
        found, wanted = again[name], expected.xywh.copy()
        if form.startswith("vot"):
            # The first frame says that the box was given, and not which.
            wanted[:, 0] = np.nan
        if decimals is None:
            np.testing.assert_array_equal(found.xywh, wanted)
        else:
            np.testing.assert_allclose(found.xywh, wanted, atol=0.51 * 10.0**-decimals, rtol=1e-12)
        # Files of boxes alone lose the times.
        assert (found.seconds is None) == (expected.seconds is None or form == "otb")
        if found.seconds is not None:
            seconds = expected.seconds if form in TIMED else expected.seconds.mean(axis=1, keepdims=True)
            np.testing.assert_allclose(found.seconds, np.broadcast_to(seconds, found.seconds.shape), atol=1e-8)


@settings(max_examples=5)
@given(data=st.data())
def test_elae_folders_read_back_to_the_bit(data):
    frames = data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    xywh = rng.normal(size=(51, frames, 4)) * 10.0 ** data.draw(st.integers(-3, 4))
    seconds = data.draw(st.floats(0.001, 2))
    with tempfile.TemporaryDirectory() as folder:
        given_boxes = SequenceBoxes(xywh, np.full(frames, seconds), tuple(SIGMAS.tolist()))
        write_results(folder, {"car": given_boxes}, "elae")
        assert recognise(folder).name == "elae"
        assert sorted(path.name for path in Path(folder).iterdir() if path.is_dir())[:3] == ["0.0", "0.02", "0.04"]
        assert float(Path(folder, "Speed.txt").read_text()) == pytest.approx(1 / seconds)
        found = read_results(folder)["car"]
    np.testing.assert_array_equal(found.xywh, xywh)
    assert found.sigmas == given_boxes.sigmas
    np.testing.assert_allclose(found.seconds, seconds)


@st.composite
def runs(draw):
    count = draw(st.integers(1, 6))
    frame = np.cumsum([0, *draw(st.lists(st.integers(1, 9), min_size=count - 1, max_size=count - 1))])
    times = np.cumsum(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)))
    xywh = np.array(draw(st.lists(BOX, min_size=count, max_size=count)))
    predicted = draw(st.dictionaries(st.integers(0, 50), st.tuples(BOX, st.floats(0, 5)), max_size=5))
    made = None
    if predicted:
        keys = sorted(predicted)
        values = [predicted[key] for key in keys]
        made = Predicted(np.array(keys), np.array([box for box, _ in values]), np.array([t for _, t in values]))
    horizon = draw(st.integers(0, 9)) if made else 0
    return OnlineRun(xywh, frame, times, np.full(count, 0.1), made, horizon)


@settings(max_examples=30)
@given(given_runs=st.dictionaries(NAMES, runs(), min_size=1, max_size=3))
def test_runs_read_back_from_pickles_to_the_bit(given_runs):
    with tempfile.TemporaryDirectory() as folder:
        PVT.write_run(folder, given_runs)
        assert recognise(folder).name == "pvt"
        again = {name: PVT.read_run(folder, path, Asked()) for name, path in PVT.find(folder).items()}
    assert set(again) == set(given_runs)
    for name, run in given_runs.items():
        for field in ("xywh", "frame", "available_s", "runtime_s"):
            np.testing.assert_array_equal(getattr(again[name], field), getattr(run, field))
        assert again[name].horizon == run.horizon
        assert (again[name].predicted is None) == (run.predicted is None)
        if run.predicted is not None:
            for found, wanted in zip(again[name].predicted, run.predicted):
                np.testing.assert_array_equal(found, wanted)
