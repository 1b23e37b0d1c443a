"""The simulated clock: every cost is charged, nothing sees the future, and the tracker takes the newest frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.camera_motion import Gyro
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.replay import replay
from pvtpp.core.simulator import Costs, Simulator
from pvtpp.core.state_machine import StateMachine
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.propagation import Carried
from pvtpp.tracker import Frame, TrackerOutput

MS = 10**6
FRAME = 33 * MS
BOX = np.array([100.0, 100, 20, 20])


class Scripted:
    """A tracker that finds the target 5 px further right in each frame, with the similarities that the test says."""

    def __init__(self, similarities=(None,)):
        self.similarities, self.inits, self.tracked, self.searched = similarities, [], [], []

    def init(self, frame, box):
        self.inits.append((frame.index, box.tolist()))

    def track(self, frame, search_box=None):
        self.tracked.append(frame.index)
        self.searched.append(search_box)
        similarity = self.similarities[frame.index % len(self.similarities)]
        return TrackerOutput(BOX + [5.0 * frame.index, 0, 0, 0], 1.0, similarity=similarity)


class Stepping:
    """A propagator that measures `steps` steps for each box that it moves between frames that it was given."""

    def __init__(self, steps=1):
        self.steps, self.known = steps, []

    def push(self, frame, region):
        self.known.append(frame.t_ns)

    def carry(self, box, from_ns, to_ns):
        if from_ns not in self.known or to_ns not in self.known:
            return Carried(np.asarray(box), 0.0, 0)
        return Carried(np.asarray(box) + [(to_ns - from_ns) / FRAME, 0, 0, 0], 0.8, self.steps)


def run(frames, costs, tracker=None, names=("hold",), propagator=None, gyro=None, samples=(), **config):
    """`frames` are a number of frames at a steady rate, or their capture times."""
    times = [index * FRAME for index in range(frames)] if isinstance(frames, int) else frames
    predictors = {name: create(name) for name in names}
    core = CoreConfig(propagation=propagator is not None, one_core=costs.one_core, **config)
    machine = StateMachine(predictors, core, EventLog(), gyro)
    simulator = Simulator(machine, tracker or Scripted(), predictors, costs, propagator)
    simulator.run([Frame(index, t_ns) for index, t_ns in enumerate(times)], BOX, samples)
    return machine.log


def taken(log):
    return [(row[2], row[1]) for row in log.of_kind("track")]


def constant(tracker_ns, **costs):
    return Costs(lambda number: tracker_ns, **costs)


# Costs


def test_the_tracker_takes_what_its_costs_say_the_start_included():
    numbers = []

    def cost(number):
        numbers.append(number)
        return (40 + number) * MS

    log = run(6, Costs(cost))
    # The start takes until 40 ms, when frame 1 has come; its 41 ms end at 81 ms, when frame 2 has.
    assert log.of_kind("initialised") == [["initialised", 40 * MS]]
    assert taken(log)[:2] == [(1, 40 * MS), (2, 81 * MS)]
    assert [row[1] for row in log.of_kind("result")][:2] == [81 * MS, 123 * MS]
    assert numbers[:3] == [0, 1, 2]


def test_costs_are_counted_from_the_first_frame_whatever_its_number():
    numbers, predictors = [], {"hold": create("hold")}
    machine = StateMachine(predictors)
    costs = Costs(lambda number: numbers.append(number) or MS)
    Simulator(machine, Scripted(), predictors, costs).run([Frame(70 + i, i * FRAME) for i in range(3)], BOX)
    assert numbers == [0, 1, 2]


@pytest.mark.parametrize("schedule", ["async", "paper"])
def test_a_predictors_cost_delays_what_follows_by_that_cost(schedule):
    log = run(12, constant(50 * MS, predictor=7 * MS), schedule=schedule)
    results, made = log.of_kind("result"), log.of_kind("trajectory")
    # The first trajectory is the first box; the second is predicted while the tracker starts.
    assert [row[1] for row in made[:2]] == [0, 7 * MS]
    assert [row[1] for row in made[2:]] == [row[1] + 7 * MS for row in results]
    arrived = [row[1] for row in log.of_kind("frame")]
    for (_, begun), result in zip(taken(log)[1:], results):
        assert begun == result[1] + 7 * MS or begun in arrived


def test_the_published_schedule_takes_the_frame_before_it_predicts():
    costs = constant(50 * MS, predictor=40 * MS)
    # The result of frame 1 is there at 100 ms, as is frame 3; predicting takes until 140 ms, when frame 4 has come.
    assert (3, 140 * MS) in taken(run(9, costs, schedule="paper"))
    assert (4, 140 * MS) in taken(run(9, costs, schedule="async"))


def test_every_measured_step_is_charged():
    # One step for the new frame, two for the box that is propagated to it.
    log = run(10, constant(10**10, step=3 * MS), propagator=Stepping(2))
    arrived = [row[1] for row in log.of_kind("frame")[1:]]
    assert [row[1] - t_ns for row, t_ns in zip(log.of_kind("propagated"), arrived)] == [9 * MS] * 9


def test_a_propagator_that_is_slower_than_the_camera_takes_the_newest_frame_when_it_is_free():
    log = run(10, constant(10**10, step=25 * MS), propagator=Stepping(1))
    # Two steps take 50 ms: of frames at 33, 66, 99 ms it takes those at 33 and 66 (at 83 ms), then that at 132 ms.
    assert [row[2] // FRAME for row in log.of_kind("propagate") if row[2] is not None][:5] == [0, 1, 2, 4, 5]


def test_on_its_own_core_propagation_does_not_delay_the_tracker_and_on_a_shared_one_it_does():
    alone = run(60, constant(50 * MS))
    own = run(60, constant(50 * MS, step=5 * MS), propagator=Stepping())
    shared = run(60, constant(50 * MS, step=5 * MS, one_core=True), propagator=Stepping())
    assert taken(own) == taken(alone)
    assert len(taken(shared)) < len(taken(alone))
    # A frame that arrives while the tracker works takes 10 ms of it: a step for the frame, and one for the box.
    begun, done = shared.of_kind("track")[3], shared.of_kind("result")[3]
    arrived = [row for row in shared.of_kind("frame") if begun[1] < row[1] <= done[1]]
    assert arrived and done[1] - begun[1] >= 50 * MS + 10 * MS * (len(arrived) - 1)


def test_on_one_core_the_time_of_all_stages_adds_up():
    # The tracker begins with frame 1 as it arrives, and so does propagation: 2 steps of 4 ms.
    log = run(2, constant(20 * MS, step=4 * MS, one_core=True), propagator=Stepping())
    assert taken(log) == [(1, 33 * MS)]
    assert log.of_kind("propagated")[0][1] == 41 * MS
    assert log.of_kind("result")[0][1] == 33 * MS + 8 * MS + 20 * MS
    # What a prediction takes comes on top.
    log = run(2, constant(20 * MS, step=4 * MS, predictor=3 * MS, one_core=True), propagator=Stepping())
    assert log.of_kind("result")[0][1] == 33 * MS + 8 * MS + 20 * MS + 3 * MS


def test_a_tracker_that_looks_where_propagation_says_waits_for_it():
    log = run(40, constant(50 * MS, step=4 * MS), propagator=Stepping(), search_region="predicted")
    results = [row[1] for row in log.of_kind("result")]
    assert all(begun >= result + 4 * MS for result, (_, begun) in zip(results, taken(log)[1:]))


def test_the_tracker_waits_no_longer_than_it_may():
    log = run(30, constant(10 * MS, predictor=150 * MS), wait_s=0.06)
    waited = [begun - result[1] for result, (_, begun) in zip(log.of_kind("result"), taken(log)[1:])]
    assert max(waited) == 60 * MS and len(log.of_kind("time")) >= len(waited) - 1
    log = run(30, constant(10 * MS, predictor=150 * MS), schedule="paper", wait_s=0.06)
    assert log.of_kind("time") == []
    assert replay(run(30, constant(10 * MS, predictor=150 * MS)), {"hold": create("hold")}).of_kind("time")


def test_with_propagation_the_evidence_is_one_frame_old_whatever_the_trackers_speed():
    for step_ns in (0, 2 * MS):
        log = run(60, constant(165 * MS, step=step_ns), propagator=Stepping())
        made = [row for row in log.of_kind("trajectory") if row[1] <= 59 * FRAME]
        assert max(row[1] - row[3] for row in made) <= FRAME + 4 * step_ns


def test_at_equal_times_a_frame_arrives_before_a_stage_is_done():
    log = run(8, constant(FRAME))
    assert taken(log) == [(index, index * FRAME) for index in range(1, 8)]
    log = run(8, constant(2 * FRAME))
    assert taken(log) == [(2, 2 * FRAME), (4, 4 * FRAME), (6, 6 * FRAME), (7, 8 * FRAME)]


# What it needs


def test_a_machine_with_propagation_needs_a_propagator():
    machine = StateMachine({"hold": create("hold")}, CoreConfig(propagation=True))
    with pytest.raises(InputError, match="needs a propagator"):
        Simulator(machine, Scripted(), {"hold": create("hold")}, constant(0))


def test_a_tracker_that_answers_something_else_is_named():
    class Wrong(Scripted):
        def track(self, frame, search_box=None):
            return BOX

    with pytest.raises(InputError, match=r"Wrong.track\(\) returned .* expected a TrackerOutput"):
        run(3, constant(0), Wrong())


def test_the_tracker_is_called_as_the_log_says():
    tracker = Scripted()
    log = run(20, constant(50 * MS), tracker, ("constant_velocity",), search_region="predicted")
    assert tracker.inits == [(0, BOX.tolist())]
    assert tracker.tracked == [row[2] for row in log.of_kind("track")]
    assert [box.tolist() for box in tracker.searched] == [row[4] for row in log.of_kind("track")]


def test_samples_of_the_gyro_are_handed_over_as_they_become_known():
    camera = Gyro([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    samples = [(measured + 40 * MS, measured, np.array([0, 0.2, 0])) for measured in range(-60 * MS, 200 * MS, 7 * MS)]
    log = run(8, constant(50 * MS), names=("constant_velocity",), gyro=camera, samples=samples)
    rows = log.of_kind("gyro")
    assert [row[2] for row in rows] == [measured for _, measured, _ in samples]
    assert [row[1] for row in rows] == [max(known, 0) for known, _, _ in samples]
    assert any(row[-1] is True for row in log.of_kind("trajectory"))
    assert replay(log, {"constant_velocity": create("constant_velocity")}).rows == log.rows


# Whatever the times and costs


def check_that_nothing_sees_the_future(log, schedule, one_core, cost):
    """Go through the rows in order, with what has arrived and become known by then."""
    arrived, known, previous, newest_when_done, begun = [], set(), -1, None, 0
    assert [row[1] for row in log.rows] == sorted(row[1] for row in log.rows)
    for kind, t_ns, *rest in log.rows:
        if kind == "frame":
            assert rest[1] == t_ns
            arrived.append(rest[1])
            known |= {rest[1]} if not known else set()
        elif kind == "track":
            captured = rest[1]
            assert captured <= t_ns and captured > previous
            assert captured in ((arrived[-1], newest_when_done) if schedule == "paper" else (arrived[-1],))
            previous, begun = captured, t_ns
        elif kind == "result":
            assert rest[1] == previous
            took, charged = t_ns - begun, cost(rest[0])
            assert took >= charged if one_core else took == charged
            known.add(rest[1])
            newest_when_done = arrived[-1]
        elif kind == "propagated":
            captured = [box[0] for box in rest[1]]
            assert set(captured) <= set(arrived) and captured == sorted(captured)
            known |= set(captured)
        elif kind == "trajectory":
            assert rest[1] in known and rest[1] <= t_ns


frame_times = st.lists(st.integers(1, 120 * MS), min_size=1, max_size=40).map(
    lambda intervals: [0, *np.cumsum(intervals).tolist()]
)
tracker_costs = st.lists(st.one_of(st.just(0), st.integers(0, 150 * MS)), min_size=1, max_size=9)


@settings(max_examples=150)
@given(
    frame_times,
    tracker_costs,
    st.sampled_from([0, MS, 30 * MS]),
    st.sampled_from([0, MS, 150 * MS]),
    st.booleans(),
    st.sampled_from(["async", "paper", "propagation"]),
    st.sampled_from(["last", "predicted"]),
    st.one_of(st.none(), st.lists(st.sampled_from([1.0, 0.9, 0.6, 0.1, 0.0]), min_size=1, max_size=30)),
)
def test_whatever_the_times_and_costs_nothing_sees_the_future_and_the_log_replays_to_the_bit(
    times, costs, step, predictor, one_core, kind, search_region, similarities
):
    names = ("constant_velocity", "hold")
    schedule = "paper" if kind == "paper" else "async"

    def cost(number):
        return costs[number % len(costs)]

    log = run(
        times,
        Costs(cost, step, predictor, one_core),
        Scripted(similarities or (None,)),
        names,
        Stepping() if kind == "propagation" else None,
        schedule=schedule,
        search_region=search_region,
        presence=None if similarities is None else PresenceConfig(),
    )
    check_that_nothing_sees_the_future(log, schedule, one_core, cost)
    assert len(log.of_kind("frame")) == len(times)
    again = replay(log, {name: create(name) for name in names})
    assert again.rows == log.rows and again.meta == log.meta


@given(frame_times, tracker_costs)
def test_without_propagation_the_run_equals_the_rule_itself(times, costs):
    log = run(times, Costs(lambda number: costs[number % len(costs)]))
    expected, free, newest = [], costs[0], 0
    while True:
        here = max(index for index, t_ns in enumerate(times) if t_ns <= free)
        if here == newest:
            if newest + 1 == len(times):
                break
            here, free = newest + 1, times[newest + 1]
        newest = here
        expected.append((newest, free))
        free += costs[newest % len(costs)]
    assert taken(log) == expected


class Astray(Stepping):
    """It moves boxes as the target moves, but across a gap it finds something else beside, and is sure of it."""

    def carry(self, box, from_ns, to_ns):
        between = [t_ns for t_ns in self.known if from_ns <= t_ns <= to_ns]
        gap = any(later - earlier > 10 * FRAME for earlier, later in zip(between, between[1:]))
        moved = 5.0 * (len(between) - 1) + 60 * gap
        return Carried(np.asarray(box) + [moved, 0, 0, 0], 0.8, self.steps)


@pytest.mark.parametrize("silent", [20, 60])
@pytest.mark.parametrize("tracker_ms", [20, 50, 90])
def test_what_is_propagated_across_a_silence_is_uncertain_until_the_tracker_has_looked(silent, tracker_ms):
    times = [index * FRAME for index in range(60 + silent) if not 30 <= index < 30 + silent]
    costs = Costs(lambda frame: tracker_ms * MS, step=2 * MS)
    tracker = Scripted([1.0])
    log = run(times, costs, tracker, propagator=Astray(), search_region="predicted", presence=PresenceConfig())
    available, table = log.trajectories("hold")
    states = log.of_kind("presence")
    answered = set()
    for now in range(10 * FRAME, times[-1], MS):
        newest = np.searchsorted(available, now, side="right") - 1
        state = [row[2] for row in states if row[1] <= now][-1]
        shown = np.searchsorted(times, now, side="right") - 1
        wrong = abs(table.boxes(np.array([newest]), np.array([now]))[0, 0] - 100 - 5 * shown) > 40
        assert not (wrong and state == "TRACKING"), f"{(now - (30 + silent) * FRAME) / MS:g} ms after the silence"
        answered.add((wrong, state))
    # The wrong evidence was there, and tracking went on.
    assert (True, "UNCERTAIN") in answered and (False, "TRACKING") in answered and states[-1][2] == "TRACKING"
    assert replay(log, {"hold": create("hold")}).rows == log.rows


# Others in the same world


def test_what_a_driver_has_done_happens_at_its_time_between_the_machines_events():
    predictors, seen = {"hold": create("hold")}, []
    machine = StateMachine(predictors, log=EventLog())
    simulator = Simulator(machine, Scripted(), predictors, constant(40 * MS))

    def look(t_ns):
        trajectory = machine.trajectories["hold"]
        seen.append((t_ns, trajectory.evidence_ns))
        if t_ns < 200 * MS:
            simulator.call(t_ns + 50 * MS, look)
        return []

    simulator.call(50 * MS, look)
    simulator.run([Frame(index, index * FRAME) for index in range(10)], BOX)
    # Answers come at 80, 120, 160 and 200 ms; at equal times the driver comes before a stage that is done.
    assert seen == [(50 * MS, 0), (100 * MS, FRAME), (150 * MS, 2 * FRAME), (200 * MS, 3 * FRAME)]


def test_what_follows_from_a_drivers_own_event_is_executed():
    predictors = {"hold": create("hold")}
    machine, tracker = StateMachine(predictors, log=EventLog()), Scripted()
    simulator = Simulator(machine, tracker, predictors, constant(40 * MS))
    frames = [Frame(index, index * FRAME) for index in range(10)]
    simulator.call(100 * MS, lambda t_ns: machine.init(t_ns, frames[3], BOX))
    simulator.run(frames, BOX)
    assert [index for index, _ in tracker.inits] == [0, 3]
