"""The simulated clock: the published matching, no look into the future, every cost charged, always an end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.datasets.sequence import Sequence
from benchmarks.oracle import Oracle
from benchmarks.processing import parse
from benchmarks.simulation import simulate
from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.tracker import TrackerOutput

FPS = 30.0
MS = 10**6


def clip(frames, fps=FPS, world=None):
    xywh = np.column_stack([10.0 * np.arange(frames) + 50, np.full(frames, 80.0), np.full(frames, 40.0), np.full(frames, 30.0)])
    return Sequence("clip", xywh, world or fps, fps)


def run(sequence, processing, **options):
    predictors = {name: create(name) for name in options.pop("names", ("hold",))}
    options.setdefault("first_box", xywh_to_box(sequence.ground_truth_xywh[0]))
    return simulate(sequence, options.pop("tracker", Oracle(sequence)), predictors, processing, **options)


def starts(log):
    return [row[2] for row in log.of_kind("start")]


def test_the_papers_example_processes_frames_0_2_5_8_10():
    log = run(clip(11), lambda frame: round(2.7e9 / FPS))
    assert [0, *starts(log)] == [0, 2, 5, 8, 10]


@pytest.mark.parametrize("milliseconds", [0, 1, 20, 33])
def test_a_tracker_faster_than_the_camera_waits_for_each_frame_and_ends(milliseconds):
    log = run(clip(40), parse(f"{milliseconds}ms").start("clip"))
    assert starts(log) == list(range(1, 40))
    for row in log.of_kind("start"):
        assert row[1] == row[3]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.99, [1, 2, 3, 4]), (1.0, [1, 2, 3, 4]), (1.01, [1, 2, 3, 4]), (2.0, [2, 4])]
)
def test_at_just_under_and_over_a_frame_time_no_frame_is_lost_or_gained(share, expected):
    log = run(clip(5), lambda frame: round(share * 1e9 / FPS))
    assert starts(log) == expected


@pytest.mark.parametrize("schedule", ["async", "paper"])
def test_a_predictors_cost_delays_what_follows_by_that_cost(schedule):
    without = run(clip(30), lambda frame: 50 * MS, schedule=schedule)
    with_cost = run(clip(30), lambda frame: 50 * MS, schedule=schedule, predictor_ns=7 * MS)
    free, charged = without.of_kind("start"), with_cost.of_kind("start")
    # Both begin their first pass when the first box has been processed.
    assert free[0][1] == charged[0][1] == 50 * MS
    assert charged[1][1] == free[1][1] + 7 * MS
    results = with_cost.of_kind("result")
    made = with_cost.of_kind("trajectory")[1:]
    assert [row[1] for row in made] == [row[1] + 7 * MS for row in results]


def test_the_papers_schedule_takes_the_frame_before_it_predicts():
    # The result of frame 1 is there at 100 ms, as is frame 3; predicting takes until 140 ms, when frame 4 has come.
    log = run(clip(9), lambda frame: 50 * MS, schedule="paper", predictor_ns=40 * MS)
    at_100 = next(row for row in log.of_kind("start") if row[1] == 140 * MS)
    assert at_100[2] == 3
    log = run(clip(9), lambda frame: 50 * MS, schedule="async", predictor_ns=40 * MS)
    assert next(row for row in log.of_kind("start") if row[1] == 140 * MS)[2] == 4


def brute_force(times, processing):
    """Step through every nanosecond-stamped moment by the rule itself: when free, take the newest frame not yet taken."""
    passes, free, taken = [], times[0] + processing[0], 0
    while True:
        here = [i for i, t in enumerate(times) if t <= free]
        newest = here[-1]
        if newest == taken:
            later = [i for i in range(len(times)) if i > taken]
            if not later:
                return passes
            newest, free = later[0], times[later[0]]
        passes.append((newest, free, free + processing[newest]))
        taken, free = newest, free + processing[newest]


@given(st.lists(st.integers(0, 150 * MS), min_size=1, max_size=60), st.sampled_from([10.0, 30.0, 60.0]))
def test_the_simulation_equals_a_brute_force_one(processing, fps):
    sequence = clip(len(processing), fps)
    log = run(sequence, lambda frame: processing[frame])
    began = [(row[2], row[1]) for row in log.of_kind("start")]
    ended = [row[1] for row in log.of_kind("result")]
    expected = brute_force(sequence.camera_t_ns.tolist(), processing)
    assert [(frame, begin, end) for (frame, begin), end in zip(began, ended)] == expected


@given(
    st.lists(st.integers(0, 150 * MS), min_size=2, max_size=40), st.sampled_from(["async", "paper"]), st.integers(0, 30 * MS)
)
def test_nothing_is_used_before_it_is_available(processing, schedule, predictor_ns):
    sequence = clip(len(processing))
    names = ("kalman", "hold")
    log = run(
        sequence,
        lambda frame: processing[frame],
        schedule=schedule,
        predictor_ns=predictor_ns,
        search_region="predicted",
        names=names,
    )
    assert [row[1] for row in log.rows] == sorted(row[1] for row in log.rows)
    arrived, known, trajectories = set(), {0}, []
    for row in log.rows:
        if row[0] == "frame":
            assert row[1] == row[3]
            arrived.add(row[2])
        elif row[0] == "start":
            assert row[2] in arrived
            assert row[4] is not None
        elif row[0] == "result":
            known.add(row[3])
        elif row[0] == "trajectory":
            assert row[3] in known and row[3] <= row[1]
            trajectories.append(row)


def test_a_run_is_deterministic_and_starts_where_it_is_told():
    sequence = clip(50)
    one, other = (run(sequence, parse("47ms").start("clip"), start=20, first_box=[250.0, 95, 40, 30]) for _ in range(2))
    assert one.rows == other.rows
    assert one.rows[0][:4] == ["frame", *[int(sequence.camera_t_ns[20]) if i != 1 else 20 for i in range(3)]]
    assert min(starts(one)) > 20


def test_a_slow_camera_shows_only_its_own_frames():
    sequence = clip(61, fps=10.0, world=30.0)
    assert len(sequence) == 21
    log = run(sequence, parse("20ms").start("clip"))
    assert starts(log) == list(range(1, 21))
    assert np.diff([row[3] for row in log.of_kind("start")]).min() == 100 * MS


def test_a_trackers_search_region_follows_the_lead_predictor():
    class Recorder(Oracle):
        seen = None

        def track(self, frame, search_box=None):
            self.seen = search_box
            return super().track(frame, search_box)

    sequence = clip(30)
    tracker = Recorder(sequence)
    run(sequence, lambda frame: 50 * MS, tracker=tracker)
    assert tracker.seen is None
    run(sequence, lambda frame: 50 * MS, tracker=tracker, names=("constant_velocity",), search_region="predicted")
    last = xywh_to_box(sequence.ground_truth_xywh[-1])
    np.testing.assert_allclose(tracker.seen, last, atol=1e-3)


def test_a_tracker_that_answers_nonsense_is_reported():
    class Broken(Oracle):
        def track(self, frame, search_box=None):
            return TrackerOutput(np.array([np.nan, 0, 1, 1]))

    sequence = clip(5)
    with pytest.raises(InputError, match="not finite"):
        run(sequence, lambda frame: 0, tracker=Broken(sequence))


@pytest.mark.parametrize(("option", "words"), [({"schedule": "now"}, "async, paper"), ({"start": 9}, "0..4")])
def test_bad_options_are_refused_with_the_allowed_values(option, words):
    with pytest.raises(InputError, match=words):
        run(clip(5), lambda frame: 0, **option)
