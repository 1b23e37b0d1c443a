"""The matching rule: which answer counts for which frame at which permitted latency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.metrics import SIGMAS, curves
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.pairing import Pairs, pair, pair_offline, reported_lost
from pvtpp_benchmarks.simulation import simulate

FPS = 30.0
FRAME = 1e9 / FPS
MS = 10**6


def clip(frames, fps=FPS, world=None):
    xywh = np.column_stack(
        [10.0 * np.arange(frames) + 50, np.full(frames, 80.0), np.full(frames, 40.0), np.full(frames, 30.0)]
    )
    return VideoSequence("clip", xywh, world or fps, fps)


def run(sequence, processing, names=("hold",), **options):
    first = xywh_to_box(sequence.ground_truth_xywh[0])
    return simulate(sequence, Oracle(sequence), {n: create(n) for n in names}, processing, first_box=first, **options)


def answered(pairs, sequence, sigma):
    """The camera frame whose box (they differ by 10 px each) answers for every world frame at this sigma."""
    frames = np.full(int(pairs.frame.max()) + 1, -1)
    for frame, box, since in zip(pairs.frame, pairs.box, pairs.sigma):
        if since <= sigma:
            frames[frame] = round((box[0] - 70) / 10)
    return frames.tolist()


def test_a_real_time_tracker_is_always_one_frame_late_at_sigma_0():
    sequence = clip(12)
    pairs = pair(run(sequence, lambda frame: 20 * MS), "hold", sequence.world_t_ns, FPS)
    assert answered(pairs, sequence, 0.0) == [0, *range(11)]


def test_it_steps_up_at_sigma_equal_to_kappa_times_its_processing_time():
    sequence = clip(12)
    pairs = pair(run(sequence, lambda frame: 20 * MS), "hold", sequence.world_t_ns, FPS)
    assert answered(pairs, sequence, 0.59) == [0, *range(11)]
    assert answered(pairs, sequence, 0.6) == list(range(12))
    assert set(pairs.sigma) == {0.0, 0.6}


def test_the_papers_slow_tracker_answers_with_0_2_5_8():
    sequence = clip(13)
    pairs = pair(run(sequence, lambda frame: round(2.7 * FRAME)), "hold", sequence.world_t_ns, FPS)
    # Results for frames 2, 5, 8 are there after 5.4, 8.1 and 10.8 frame times.
    assert answered(pairs, sequence, 0.0) == [0, 0, 0, 0, 0, 0, 2, 2, 2, 5, 5, 8, 8]
    assert answered(pairs, sequence, 0.5) == [0, 0, 0, 0, 0, 2, 2, 2, 5, 5, 5, 8, 8]


def test_a_zero_latency_tracker_answers_every_frame_itself():
    sequence = clip(6)
    log = run(sequence, lambda frame: 0)
    assert answered(pair(log, "hold", sequence.world_t_ns, FPS), sequence, 0.98) == list(range(6))
    assert answered(pair_offline(log, np.arange(6)), sequence, 0.0) == list(range(6))


# Whole microseconds: what differs by less than a millionth of a frame is the same moment to the pairing.
@given(
    st.lists(st.integers(0, 120_000).map(lambda us: 1000 * us), min_size=2, max_size=40),
    st.sampled_from([10.0, 30.0]),
    st.integers(0, 50),
)
def test_the_pairing_equals_the_published_procedure(processing, fps, step):
    """The published evaluation advances to the next result while its time stamp is at most (f + sigma) / kappa."""
    sequence = clip(len(processing) * round(30 / fps), fps, 30.0)
    log = run(sequence, lambda frame: processing[frame])
    stamps = [0, *(row[1] for row in log.of_kind("result"))]
    frames = [0, *(row[2] for row in log.of_kind("result"))]
    sigma = step / 50
    expected = []
    for f in range(len(sequence.ground_truth_xywh)):
        # Half a nanosecond more than the moment itself: stamps are rounded to nanoseconds.
        due = (f + sigma) * 1e9 / 30 + 10
        newest = max(i for i, stamp in enumerate(stamps) if stamp <= due)
        expected.append(frames[newest] * sequence.stride)
    pairs = pair(log, "hold", sequence.world_t_ns, 30.0)
    assert answered(pairs, sequence, sigma) == expected


def test_a_prediction_is_evaluated_at_the_time_of_the_frame():
    sequence = clip(20)
    log = run(sequence, lambda frame: 50 * MS, ("constant_velocity",))
    pairs = pair(log, "constant_velocity", sequence.world_t_ns, FPS)
    later = pairs.frame > 8
    np.testing.assert_allclose(pairs.box[later, 0], 70 + 10 * pairs.frame[later], atol=1e-3)


def hand_made():
    """Two predictions and three results with boxes that tell them apart; the second prediction reaches frame 6 only."""
    log = EventLog()
    log.init(0, 0, 0, np.array([0.0, 0, 10, 10]))

    def trajectory(x, evidence, until=None):
        return Trajectory((evidence,), [[x, 0, 10, 10]], np.zeros((1, 4)), np.ones((1, 4)), evidence, "hold", until)

    log.trajectory(0, "p", trajectory(0, 0))
    for t, x, until in ((1.5, 100, None), (3.5, 200, round(6 * FRAME))):
        log.rows.append(["result", round(t * FRAME), int(t), round(int(t) * FRAME), [x + 50.0, 0, 10, 10], 1.0])
        log.trajectory(round((t + 0.2) * FRAME), "p", trajectory(x, round(int(t) * FRAME), until))
    return log


def test_the_papers_schedule_counts_only_predictions_made_for_the_frame_and_else_holds_the_result():
    times = np.rint(np.arange(9) * FRAME).astype(np.int64)
    pairs = pair(hand_made(), "p", times, FPS, "paper")
    at_zero = {int(f): b[0] for f, b, s in zip(pairs.frame, pairs.box, pairs.sigma) if s == 0}
    assert at_zero == {0: 0, 1: 0, 2: 100, 3: 100, 4: 200, 5: 200, 6: 200, 7: 250, 8: 250}
    # With more latency permitted, a frame may take what comes a little later.
    assert (1, 100.0, 0.7) in [(int(f), float(b[0]), float(s)) for f, b, s in zip(pairs.frame, pairs.box, pairs.sigma)]


@pytest.mark.parametrize("predictor", ["hold", "constant_velocity", "kalman"])
def test_both_schedules_agree_where_predictions_reach_every_frame_and_cost_nothing(predictor):
    sequence = clip(40)
    times = sequence.world_t_ns
    curves_ = []
    for schedule in ("async", "paper"):
        log = run(sequence, lambda frame: 50 * MS, (predictor,), schedule=schedule)
        pairs = pair(log, predictor, times, FPS, schedule)
        curves_.append(curves(pairs, sequence.ground_truth_xywh)["auc"].at(SIGMAS).tolist())
    assert curves_[0] == curves_[1]
    assert predictor != "hold" or curves_[1][-1] > curves_[1][0]


def test_the_async_schedule_takes_any_trajectory_from_the_moment_it_is_available():
    times = np.rint(np.arange(9) * FRAME).astype(np.int64)
    pairs = pair(hand_made(), "p", times, FPS)
    listed = [(int(f), float(b[0]), float(s)) for f, b, s in zip(pairs.frame, pairs.box, pairs.sigma)]
    assert listed == [
        (0, 0, 0),
        (1, 0, 0),
        (1, 100, 0.7),
        (2, 100, 0),
        (3, 100, 0),
        (3, 200, 0.7),
        (4, 200, 0),
        (5, 200, 0),
        (6, 200, 0),
        (7, 200, 0),
        (8, 200, 0),
    ]


def test_an_unknown_predictor_is_named_with_those_of_the_log():
    with pytest.raises(InputError, match="'kalman' in the log, it has: p"):
        pair(hand_made(), "kalman", np.array([0]), FPS)


def test_offline_evaluation_of_a_run_that_skipped_frames_is_refused():
    sequence = clip(12)
    with pytest.raises(InputError, match="0ms"):
        pair_offline(run(sequence, lambda frame: 50 * MS), np.arange(12))


def test_the_overlap_is_that_of_the_answer_at_permitted_latency_0():
    truth = np.array([[0.0, 0, 10, 10], [np.nan] * 4, [0, 0, 10, 10]])
    right, half, wrong = [5.0, 5, 10, 10], [10.0, 5, 10, 10], [50.0, 5, 10, 10]
    pairs = Pairs(np.array([0, 0, 1, 2, 2]), np.array([half, right, right, wrong, right]), np.array([0, 0.5, 0, 0, 1]))
    np.testing.assert_allclose(pairs.overlap(truth), [1 / 3, np.nan, 0])


def test_presence_is_lost_from_the_event_on_until_the_next():
    log, times = EventLog(), clip(6).world_t_ns
    assert reported_lost(log, times, FPS) is None
    log.presence(0, Presence.TRACKING)
    assert reported_lost(log, times, FPS).tolist() == [False] * 6
    # Within a millionth of a frame it is the same time, as for answers.
    log.presence(int(times[2]) + 10, Presence.LOST)
    log.presence(int(times[4]) + 1000, Presence.UNCERTAIN)
    assert reported_lost(log, times, FPS).tolist() == [False, False, True, True, True, False]
