"""Replay: the same events give the same trajectories; what depends on another predictor has to run again."""

import numpy as np
import pytest

from pvtpp.boxes import xywh_to_box
from pvtpp.core import commands
from pvtpp.core.commands import Encode, Init, Predict, Propagate, Propagation, TrackFrame
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import StateMachine
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.simulation import simulate


def recorded(names, search_region="last", schedule="async"):
    rng = np.random.default_rng(3)
    xywh = np.cumsum(rng.normal(scale=[3, 3, 0.2, 0.2], size=(60, 4)), axis=0) + [300, 200, 40, 30]
    sequence = VideoSequence("walk", xywh)
    return simulate(
        sequence,
        Oracle(sequence, noise=0.02),
        {name: create(name) for name in names},
        lambda frame: 51_000_000 + frame,
        predictor_ns=1_000_000,
        schedule=schedule,
        search_region=search_region,
        first_box=xywh_to_box(xywh[0]),
    )


@pytest.mark.parametrize("schedule", ["async", "paper"])
@pytest.mark.parametrize("search_region", ["last", "predicted"])
def test_a_replayed_log_is_the_same_log_to_the_bit(search_region, schedule):
    names = ("kalman", "hold", "constant_velocity")
    log = recorded(names, search_region, schedule)
    assert replay(log, {name: create(name) for name in names}).rows == log.rows


def test_a_predictor_that_the_run_did_not_have_is_evaluated_from_its_log():
    log = recorded(("hold",))
    assert replay(log, {"kalman": create("kalman")}).rows == recorded(("kalman",)).rows


def test_where_the_tracker_would_have_looked_elsewhere_it_has_to_run_again():
    with pytest.raises(InputError, match="has to run again"):
        replay(recorded(("hold",), "predicted"), {"constant_velocity": create("constant_velocity")})


def test_a_predictor_that_reads_features_is_refused_for_a_log_has_none():
    with pytest.raises(InputError, match="joint: reads the tracker's features.* has to run again"):
        replay(recorded(("hold",)), {"hold": create("hold"), "joint": create("joint")})


def test_an_unknown_event_is_refused():
    log = recorded(("hold",))
    log.rows.append(["explosion", 10**12])
    with pytest.raises(InputError, match="explosion"):
        replay(log, {"hold": create("hold")})


FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])


class Reader:
    reads_features = True

    def encode(self, output):
        return output.box[0]

    def predict(self, track):
        return create("constant_velocity").predict(track)


def recorded_with_slow_encoding(encoding_fails=False):
    """Results come while the encoder is at the first of them; the tracker does not wait for it."""
    predictors = {"reader": Reader()}
    machine = StateMachine(predictors, CoreConfig(propagation=True), EventLog())
    asked = {}

    def ask(made):
        asked.update({type(command): command for command in made})

    def encode(t_ns):
        command = asked.pop(Encode)
        if encoding_fails:
            ask(machine.failed(t_ns, command))
        else:
            ask(machine.encoded(t_ns, command, commands.encode(predictors, command)))

    def predict(t_ns):
        command = asked.pop(Predict)
        ask(machine.predicted(t_ns, command, commands.predict(predictors, command)))

    ask(machine.init(0, Frame(0, 0), BOX))
    ask(machine.initialised(0, asked.pop(Init)))
    for index in range(1, 6):
        t_ns = index * FRAME
        ask(machine.frame_arrived(t_ns, Frame(index, t_ns)))
        ask(machine.propagated(t_ns, asked.pop(Propagate), Propagation()))
        command = asked.pop(TrackFrame)
        ask(machine.tracked(t_ns, command, TrackerOutput(BOX + [10 * index, 0, 0, 0])))
        ask(machine.propagated(t_ns, asked.pop(Propagate), Propagation()))
        if index == 3:
            encode(t_ns)
    while Encode in asked or Predict in asked:
        encode(6 * FRAME) if Encode in asked else predict(6 * FRAME)
    return machine.log


@pytest.mark.parametrize("encoding_fails", [False, True])
def test_where_the_recorded_predictors_took_time_to_encode_others_predict_from_the_same_results(encoding_fails):
    log = recorded_with_slow_encoding(encoding_fails)
    again = replay(log, {"constant_velocity": create("constant_velocity")})
    rows = [[*row[:2], "constant_velocity", *row[3:]] if row[0] == "trajectory" else row for row in log.rows]
    assert again.rows == rows and again.rows[-1][3] == 5 * FRAME


def test_predictors_that_encode_where_the_recorded_ones_did_not_get_the_same_trajectories():
    class Silent:
        """It does not say whether it reads features, so it is asked to encode."""

        def encode(self, output):
            return output.box[0]

        def predict(self, track):
            assert None not in track.encodings
            return create("constant_velocity").predict(track)

    log = recorded(("constant_velocity",))
    again = replay(log, {"silent": Silent()})
    assert len(again.of_kind("encoded")) == len(log.of_kind("result")) + 1
    made, expected = (each.of_kind("trajectory")[1:] for each in (again, log))
    assert [row[3:] for row in made] == [row[3:] for row in expected]


def test_frames_are_known_by_their_capture_time_though_their_numbers_begin_anew():
    machine = StateMachine({"hold": create("hold")}, log=EventLog())
    for index, t_ns in ((0, 0), (1, FRAME), (0, 2 * FRAME), (1, 3 * FRAME)):
        machine.frame_arrived(t_ns, Frame(index, t_ns))
    predict, init = machine.init(3 * FRAME, Frame(1, FRAME), BOX)
    machine.initialised(3 * FRAME, init)
    (track,) = machine.predicted(3 * FRAME, predict, commands.predict({"hold": create("hold")}, predict))
    assert track.frame.t_ns == 3 * FRAME
    machine.tracked(4 * FRAME, track, TrackerOutput(BOX))
    assert replay(machine.log, {"hold": create("hold")}).rows == machine.log.rows


@pytest.mark.parametrize("kind", ["initialised", "result", "track"])
def test_a_log_that_does_not_fit_together_is_refused(kind):
    log = recorded(("hold",))
    number = next(number for number, row in enumerate(log.rows) if row[0] == kind)
    del log.rows[number]
    if kind == "track":
        # The tracker takes frames by the rules, so what is missing is only seen where the rows are compared.
        assert replay(log, {"hold": create("hold")}).rows != log.rows
        return
    with pytest.raises(InputError, match="would not have"):
        replay(log, {"hold": create("hold")})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (["failed", 10**12, "Dance"], "unknown command 'Dance'"),
        (
            ["failed", 10**12, "Propagate"],
            "'failed' at t_ns=1000000000000: these predictors would not have asked for it",
        ),
        (["propagate", 10**12, None], "would not have asked for it"),
        (["track", 10**12, 99, 10**11, None], "frame 99: these predictors would not have let the tracker take it"),
    ],
)
def test_an_event_that_cannot_have_followed_is_refused(row, words):
    log = recorded(("hold",))
    log.rows.append(row)
    with pytest.raises(InputError, match=words):
        replay(log, {"hold": create("hold")})
