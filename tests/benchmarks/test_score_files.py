"""Scoring result files without a run: the same as the simulated run of a replayed tracker, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.formats import SequenceBoxes
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.score_files import matched_pairs, replay_pairs, score_files, seen_frames
from pvtpp_benchmarks.simulation import simulate
from pvtpp_trackers.replay import ReplayTracker


def clip(frames=60, camera=30.0, seed=0, name="walk"):
    rng = np.random.default_rng(seed)
    boxes = rng.normal(scale=[3, 3, 0.1, 0.1], size=(frames, 4)).cumsum(axis=0) + [300, 200, 60, 50]
    return VideoSequence(name, boxes, 30.0, camera)


def answers(sequence, seed=1):
    shown = sequence.ground_truth_xywh[:: sequence.stride]
    return shown + np.random.default_rng(seed).normal(scale=3, size=shown.shape)


FRAME_NS = 33_333_333
TIMES = st.one_of(
    st.integers(0, 200_000_000), st.integers(0, 5).map(lambda k: k * FRAME_NS), st.sampled_from([FRAME_NS + 1])
)


@settings(max_examples=60)
@given(st.lists(TIMES, min_size=1, max_size=12), st.integers(1, 40), st.sampled_from([30.0, 10.0]))
def test_the_pairs_are_those_of_the_simulated_run(times, frames, camera):
    sequence = clip(frames, camera)
    rows = answers(sequence)

    def processing(frame):
        return times[frame % len(times)]

    first = xywh_to_box(sequence.ground_truth_xywh[0])
    log = simulate(sequence, ReplayTracker(rows), {"hold": create("hold")}, processing, first_box=first)
    expected = pair(log, "hold", sequence.world_t_ns, sequence.world_fps)
    found = replay_pairs(SequenceBoxes(rows), sequence, processing)
    np.testing.assert_array_equal(found.frame, expected.frame)
    np.testing.assert_array_equal(found.sigma, expected.sigma)
    np.testing.assert_array_equal(found.box, expected.box)


def test_a_frame_that_arrives_as_the_tracker_gets_free_is_seen():
    seen, available = seen_frames(np.array([0, 10, 20, 30, 40]), lambda frame: 20)
    assert seen.tolist() == [0, 2, 4] and available.tolist() == [0, 40, 60]
    seen, available = seen_frames(np.array([0, 10, 20, 30, 40]), lambda frame: 0)
    assert seen.tolist() == [0, 1, 2, 3, 4] and available.tolist() == [0, 10, 20, 30, 40]


def test_a_target_that_was_not_found_stays_at_its_last_box():
    sequence, rows = clip(8), answers(clip(8))
    rows[[0, 1, 5]] = np.nan
    rows[6] = [1, 2, 0, 4]
    pairs = replay_pairs(SequenceBoxes(rows), sequence, lambda frame: 0)
    boxes = pairs.box[pairs.sigma == 0]
    expected = [sequence.ground_truth_xywh[0]] * 2 + [rows[2], rows[3], rows[4], rows[4], rows[4], rows[7]]
    np.testing.assert_array_equal(boxes, xywh_to_box(np.array(expected)))


def test_rows_are_those_of_a_replay(tmp_path):
    clips = [clip(50, seed=1, name="one"), clip(70, seed=2, name="two")]
    results = {each.name: SequenceBoxes(answers(each)) for each in clips}
    options = {"processing": "47ms", "predictors": "hold", "offline": False, "mode": ["elae", "otb"]}
    expected = evaluate(clips, make_grid("walks", "mine", **options), lambda c: ReplayTracker(results[c.name].xywh[0]))
    found = score_files("mine", results, clips, "walks", "47ms", ("elae", "otb"))
    for row, wanted in zip(found, expected):
        # Files say nothing of sigma and of when each answer was there.
        for part in ("coverage", "latency"):
            assert row.pop(part) is None and wanted.pop(part) is not None
        for each in (*row["by_sequence"].values(), *wanted["by_sequence"].values()):
            each.pop("unpredictability")
        assert {**row, "version": wanted["version"], "presence": wanted["presence"]} == wanted


def test_boxes_of_other_lengths_and_latencies_are_refused():
    with pytest.raises(InputError, match="boxes: 7 rows for the 8 frames of walk"):
        replay_pairs(SequenceBoxes(np.ones((7, 4))), clip(8), lambda frame: 0)
    with pytest.raises(InputError, match="boxes: 7 rows for the 8 frames of walk"):
        matched_pairs(SequenceBoxes(np.ones((2, 7, 4)), None, (0.0, 0.5)), clip(8))
    with pytest.raises(InputError, match=r"permitted latencies \[0.5, 1.0\], expected rising from 0"):
        matched_pairs(SequenceBoxes(np.ones((2, 8, 4)), None, (0.5, 1.0)), clip(8))
