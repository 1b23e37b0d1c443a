"""The state machine, driven by hand: reports of what failed, came late, or was not asked for."""

import pytest
from by_hand import BOX, FRAME, PROPAGATOR, RIGHT, TRACKER, ByHand, Reader, started

from pvtpp.core.commands import Encode, Init, Predict, Propagate, TrackFrame
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput


def test_a_tracker_that_cannot_start_leaves_no_target():
    hand = ByHand()
    hand.frame(0)
    hand.init(0)
    hand.failed(Init)
    assert not hand.machine.active and hand.machine.trajectories == {}
    assert hand.log.rows[-1] == ["failed", 0, "Init"]
    # The prediction that was still made is of no use.
    hand.predicted()
    assert hand.machine.trajectories == {}
    hand.frame(1)
    assert [type(each) for each in hand.init(1)] == [Predict, Init]


def test_after_a_frame_that_the_tracker_fails_on_it_takes_the_next_one():
    hand = started()
    hand.frame(1)
    assert hand.failed(TrackFrame) == []
    hand.frame(2)
    assert hand.at_work() == 2
    hand.frame(3)
    assert [type(each) for each in hand.failed(TrackFrame)] == [TrackFrame] and hand.at_work() == 3
    hand.tracked()
    hand.settle()
    assert hand.trajectory().evidence_ns == 3 * FRAME


@pytest.mark.parametrize("search_region", ["last", "predicted"])
def test_where_propagation_fails_the_result_stands_for_itself_and_the_next_frame_is_tried(search_region):
    hand = started(propagation=True, search_region=search_region)
    hand.frame(1)
    hand.settle()
    hand.tracked(BOX + [30, 0, 0, 0])
    hand.failed(Propagate)
    assert PROPAGATOR not in hand.todo
    hand.predicted()
    assert hand.trajectory().evidence_ns == FRAME and hand.trajectory().at(FRAME).box[0] == 130
    hand.frame(2)
    assert hand.at_work() == 2
    hand.settle()
    assert hand.trajectory().evidence_ns == 2 * FRAME


def test_where_encoding_fails_the_prediction_is_made_without():
    reader = Reader()
    hand = started({"reader": reader})
    hand.frame(1)
    hand.tracked()
    hand.failed(Encode)
    hand.predicted()
    assert reader.seen[-1] == ("encoding of 100", None)
    assert hand.trajectory().evidence_ns == FRAME


def test_where_predicting_fails_the_old_trajectory_stands_and_the_tracker_goes_on():
    hand = started(search_region="predicted")
    hand.frame(1)
    hand.tracked()
    hand.frame(2)
    hand.failed(Predict)
    assert hand.at_work() == 2 and hand.trajectory().evidence_ns == 0
    hand.tracked()
    hand.settle()
    assert hand.trajectory().evidence_ns == 2 * FRAME


@pytest.mark.parametrize("propagation", [False, True])
@pytest.mark.parametrize("gone", ["replaced", "reset"])
def test_reports_for_a_target_that_is_gone_free_their_stage_and_change_nothing(gone, propagation):
    hand = started({"reader": Reader()}, propagation=propagation)
    hand.frame(1)
    hand.settle()
    hand.tracked()
    hand.frame(2)
    stale, rows = dict(hand.todo), len(hand.log.rows)
    if gone == "reset":
        hand.asked(hand.machine.reset(hand.now))
    else:
        # On the same frame, so that the capture time does not distinguish the targets.
        hand.init(2, BOX + [0, 200, 0, 0])
    before = dict(hand.machine.trajectories)
    reports = {TrackFrame: hand.tracked, Propagate: hand.propagated, Encode: hand.encoded, Predict: hand.predicted}
    for command in stale.values():
        reports[type(command)]()
        assert hand.machine.trajectories == before
    done = [row[2] for row in hand.log.rows[rows:] if row[0] == "done"]
    assert sorted(done) == sorted(type(command).__name__ for command in stale.values())
    assert hand.machine.counts["late_reports"] == int(TRACKER in stale)
    if gone == "replaced":
        hand.settle()
        hand.initialised()
        assert hand.trajectory().at(2 * FRAME).box.tolist() == [100, 300, 20, 20]


def test_the_start_on_a_target_that_is_gone_is_late_too():
    hand = ByHand()
    hand.frame(0)
    hand.init(0)
    hand.init(0, BOX + RIGHT)
    (asked,) = hand.initialised()
    assert isinstance(asked, Init) and asked.target == 2 and hand.machine.counts["late_reports"] == 1


def test_a_report_that_was_not_asked_for_is_refused_and_changes_nothing():
    hand = started()
    hand.frame(1)
    asked, rows = hand.todo[TRACKER], list(hand.log.rows)
    twin = TrackFrame(*asked)
    for wrong in (twin, Init(1, Frame(0, 0), BOX)):
        with pytest.raises(InputError, match="not what the tracker was asked to do"):
            hand.machine.failed(hand.now, wrong)
    with pytest.raises(InputError, match="Predict is not what the predictor was asked to do"):
        hand.machine.predicted(hand.now, Predict(1, 1, {}), {})
    assert hand.log.rows == rows
    hand.tracked()
    with pytest.raises(InputError, match="TrackFrame is not"):
        hand.machine.tracked(hand.now, asked, TrackerOutput(BOX))
