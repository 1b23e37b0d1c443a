"""The simulated clock: the published matching, no look into the future, every cost charged, always an end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.boxes import xywh_to_box
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.tracker import TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.simulation import Propagation, simulate

FPS = 30.0
MS = 10**6


def clip(frames, fps=FPS, world=None):
    xywh = np.column_stack(
        [10.0 * np.arange(frames) + 50, np.full(frames, 80.0), np.full(frames, 40.0), np.full(frames, 30.0)]
    )
    return VideoSequence("clip", xywh, world or fps, fps)


def run(sequence, processing, **options):
    predictors = {name: create(name) for name in options.pop("names", ("hold",))}
    options.setdefault("first_box", xywh_to_box(sequence.ground_truth_xywh[0]))
    return simulate(sequence, options.pop("tracker", Oracle(sequence)), predictors, processing, **options)


def starts(log):
    return [row[2] for row in log.of_kind("track")]


def test_the_papers_example_processes_frames_0_2_5_8_10():
    log = run(clip(11), lambda frame: round(2.7e9 / FPS))
    assert [0, *starts(log)] == [0, 2, 5, 8, 10]


@pytest.mark.parametrize("milliseconds", [0, 1, 20, 33])
def test_a_tracker_faster_than_the_camera_waits_for_each_frame_and_ends(milliseconds):
    log = run(clip(40), parse(f"{milliseconds}ms").start("clip"))
    assert starts(log) == list(range(1, 40))
    for row in log.of_kind("track"):
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
    free, charged = without.of_kind("track"), with_cost.of_kind("track")
    # Both begin their first pass when the first box has been processed.
    assert free[0][1] == charged[0][1] == 50 * MS
    assert charged[1][1] == free[1][1] + 7 * MS
    results = with_cost.of_kind("result")
    # The first box stands until it has been predicted from, which is charged too.
    made = with_cost.of_kind("trajectory")
    assert [row[1] for row in made] == [0, 7 * MS, *(row[1] + 7 * MS for row in results)]


def test_the_papers_schedule_takes_the_frame_before_it_predicts():
    # The result of frame 1 is there at 100 ms, as is frame 3; predicting takes until 140 ms, when frame 4 has come.
    log = run(clip(9), lambda frame: 50 * MS, schedule="paper", predictor_ns=40 * MS)
    at_100 = next(row for row in log.of_kind("track") if row[1] == 140 * MS)
    assert at_100[2] == 3
    log = run(clip(9), lambda frame: 50 * MS, schedule="async", predictor_ns=40 * MS)
    assert next(row for row in log.of_kind("track") if row[1] == 140 * MS)[2] == 4


def brute_force(times, processing):
    """Step through every moment by the rule itself: when free, take the newest frame not yet taken."""
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
    began = [(row[2], row[1]) for row in log.of_kind("track")]
    ended = [row[1] for row in log.of_kind("result")]
    expected = brute_force(sequence.camera_t_ns.tolist(), processing)
    assert [(frame, begin, end) for (frame, begin), end in zip(began, ended)] == expected


@given(
    st.lists(st.integers(0, 150 * MS), min_size=2, max_size=40),
    st.sampled_from(["async", "paper"]),
    st.integers(0, 30 * MS),
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
        elif row[0] == "track":
            assert row[2] in arrived
            assert row[4] is not None
        elif row[0] == "result":
            known.add(row[3])
        elif row[0] == "trajectory":
            assert row[3] in known and row[3] <= row[1]
            trajectories.append(row)


def test_a_run_is_deterministic_and_starts_at_the_frame_asked_for():
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
    assert np.diff([row[3] for row in log.of_kind("track")]).min() == 100 * MS


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


class Steady:
    """A propagator that carries every box 10 px to the right per 30 fps frame, one measured step for each carry."""

    def push(self, frame, region):
        pass

    def carry(self, box, from_ns, to_ns):
        return Carried(np.asarray(box) + [10 * (to_ns - from_ns) * FPS / 1e9, 0, 0, 0], 1.0, 1)


def steady(step_ns=0, core="own"):
    return Propagation(Steady(), step_ns, core)


def test_with_propagation_the_evidence_is_one_frame_old_whatever_the_trackers_speed():
    sequence = clip(60)
    end = sequence.camera_t_ns[-1]
    for step_ns in (0, 2 * MS):
        log = run(sequence, lambda frame: 165 * MS, propagation=steady(step_ns))
        oldest = max(row[1] - row[3] for row in log.of_kind("trajectory") if row[1] <= end)
        assert oldest <= 1e9 / FPS + 4 * step_ns


def test_every_measured_step_of_propagation_is_charged():
    # One step for the new frame, one for the carry; a result on its own core re-carries to the three newest frames.
    log = run(clip(10), lambda frame: 1000 * MS, propagation=steady(step_ns=3 * MS))
    frames = log.of_kind("frame")[1:]
    assert [row[1] - frame[1] for row, frame in zip(log.of_kind("propagated"), frames)] == [6 * MS] * 9


def test_on_its_own_core_propagation_does_not_delay_the_tracker_and_on_a_shared_one_it_does():
    alone = run(clip(60), lambda frame: 50 * MS).of_kind("track")
    own = run(clip(60), lambda frame: 50 * MS, propagation=steady(5 * MS)).of_kind("track")
    shared = run(clip(60), lambda frame: 50 * MS, propagation=steady(5 * MS, "shared"))
    assert own == alone
    assert len(shared.of_kind("track")) < len(alone)
    # A pass of 50 ms in which frames arrived takes 10 ms longer for each.
    begun, done = shared.of_kind("track")[3], shared.of_kind("result")[3]
    arrived = [row for row in shared.of_kind("frame") if begun[1] < row[1] <= done[1]]
    assert done[1] - begun[1] >= 50 * MS + 10 * MS * (len(arrived) - 1)


def test_a_tracker_that_looks_at_the_propagated_box_waits_for_it():
    log = run(clip(40), lambda frame: 50 * MS, propagation=steady(4 * MS), search_region="predicted")
    results = [row[1] for row in log.of_kind("result")]
    starts_ns = [row[1] for row in log.of_kind("track")]
    assert all(start >= result + 4 * MS for result, start in zip(results, starts_ns[1:]))


def test_the_papers_schedule_has_no_fast_steady():
    with pytest.raises(InputError, match="async"):
        run(clip(5), lambda frame: 0, schedule="paper", propagation=steady())
    with pytest.raises(InputError, match="own, shared"):
        steady(core="both")


def test_a_run_with_propagation_replays_to_the_bit():
    log = run(clip(60), lambda frame: 85 * MS, propagation=steady(3 * MS), names=("kalman", "hold"))
    assert replay(log, {"kalman": create("kalman"), "hold": create("hold")}).rows == log.rows


def test_a_run_with_a_lost_target_that_returns_replays_to_the_bit():
    xywh = clip(90).ground_truth_xywh.copy()
    xywh[20:60] = np.nan
    sequence = VideoSequence("gap", xywh)
    log = run(
        sequence,
        lambda frame: 40 * MS,
        propagation=steady(2 * MS),
        search_region="predicted",
        presence=PresenceConfig(),
        names=("kalman", "hold"),
        first_box=xywh_to_box(xywh[0]),
    )
    changes = [row[2] for row in log.of_kind("presence")]
    assert "LOST" in changes and changes[0] == "TRACKING" and "TRACKING" in changes[changes.index("LOST") :]
    assert replay(log, {"kalman": create("kalman"), "hold": create("hold")}).rows == log.rows
