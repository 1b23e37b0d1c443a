"""The state machine: what it tells whom, and that the order of events is kept."""

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig, Status
from pvtpp.core.replay import replay
from pvtpp.core.state_machine import Pipeline
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.track import PropagatedBox
from pvtpp.tracker import TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([100.0, 100, 20, 20])


def started(names=("hold",), **options):
    pipeline = Pipeline({name: create(name) for name in names}, **options)
    pipeline.frame_arrived(0, 0, 0)
    pipeline.init(0, 0, 0, BOX)
    return pipeline


def test_from_the_first_box_on_there_is_an_answer():
    pipeline = started()
    assert pipeline.trajectories["hold"].at(5 * FRAME).box.tolist() == BOX.tolist()


def test_a_result_counts_from_the_next_prediction_on():
    pipeline = started()
    pipeline.tracker_started(FRAME, 1, FRAME)
    pipeline.tracker_finished(2 * FRAME, 1, FRAME, TrackerOutput(BOX + [30, 0, 0, 0]))
    assert pipeline.trajectories["hold"].evidence_ns == 0
    pipeline.predict(3 * FRAME)
    assert pipeline.trajectories["hold"].at(3 * FRAME).box[0] == 130
    assert pipeline.trajectories["hold"].evidence_ns == FRAME


def test_the_log_says_where_the_tracker_looks_so_that_it_replays():
    pipeline = started(("constant_velocity",), search_region="predicted", log=EventLog())
    for index in (1, 2):
        pipeline.tracker_started(index * FRAME, index, index * FRAME)
        pipeline.tracker_finished(index * FRAME, index, index * FRAME, TrackerOutput(BOX + [3 * index, 0, 0, 0]))
        pipeline.predict(index * FRAME)
    again = replay(pipeline.log, {"constant_velocity": create("constant_velocity")})
    assert again.rows == pipeline.log.rows


def test_the_search_region_is_none_of_the_pipelines_business_or_the_lead_predictors_box():
    assert started().tracker_started(FRAME, 1, FRAME) is None
    pipeline = started(("constant_velocity", "hold"), search_region="predicted")
    pipeline.tracker_finished(FRAME, 1, FRAME, TrackerOutput(BOX + [10, 0, 0, 0]))
    pipeline.predict(FRAME)
    np.testing.assert_allclose(pipeline.tracker_started(3 * FRAME, 3, 3 * FRAME), BOX + [30, 0, 0, 0], atol=1e-5)


def test_a_new_target_forgets_the_old_one():
    pipeline = started(("constant_velocity",))
    for i in (1, 2):
        pipeline.tracker_finished(i * FRAME, i, i * FRAME, TrackerOutput(BOX + [10 * i, 0, 0, 0]))
    pipeline.init(3 * FRAME, 3, 3 * FRAME, BOX + [0, 200, 0, 0])
    assert pipeline.trajectories["constant_velocity"].at(9 * FRAME).box.tolist() == [100, 300, 20, 20]


def test_a_late_result_for_an_older_frame_takes_its_place_in_time():
    pipeline = started(("constant_velocity",))
    for i in (2, 1):
        pipeline.tracker_finished(3 * FRAME, i, i * FRAME, TrackerOutput(BOX + [10 * i, 0, 0, 0]))
    pipeline.predict(3 * FRAME)
    np.testing.assert_allclose(
        pipeline.trajectories["constant_velocity"].at(4 * FRAME).box, BOX + [40, 0, 0, 0], atol=1e-5
    )


def test_without_a_log_a_long_run_keeps_nothing():
    pipeline = started()
    for i in range(1, 50):
        pipeline.frame_arrived(i, i, i)
        pipeline.predict(i)
    assert pipeline.log.rows == []


def test_time_going_backwards_is_refused():
    pipeline = started()
    pipeline.frame_arrived(5, 1, 5)
    with pytest.raises(InputError, match="t_ns=4 after one at t_ns=5"):
        pipeline.frame_arrived(4, 2, 4)


@pytest.mark.parametrize("box", [[np.nan, 0, 1, 1], [0, 0, 0, 1], [0, 0, 1]])
def test_a_bad_first_box_is_refused_and_starts_nothing(box):
    pipeline = Pipeline({"hold": create("hold")})
    with pytest.raises(InputError, match="first box"):
        pipeline.init(0, 0, 0, box)
    with pytest.raises(InputError, match="no target"):
        pipeline.predict(1)


def test_wrong_settings_are_refused_with_the_valid_ones():
    with pytest.raises(InputError, match="last, predicted"):
        Pipeline({"hold": create("hold")}, search_region="everywhere")
    with pytest.raises(InputError, match="at least one predictor"):
        Pipeline({})


def tracked(pipeline, index, shift=0.0, similarity=1.0):
    """One frame, tracked in no time; what the tracker was told about where to look."""
    t_ns = index * FRAME
    pipeline.frame_arrived(t_ns, index, t_ns)
    told = pipeline.tracker_started(t_ns, index, t_ns)
    pipeline.tracker_finished(t_ns, index, t_ns, TrackerOutput(BOX + [shift, 0, 0, 0], 1.0, similarity=similarity))
    pipeline.predict(t_ns)
    return told


def judged(**options):
    return started(status=PresenceConfig(lost_after=2, found_after=2), log=EventLog(), **options)


def test_nobody_judges_unless_asked_and_a_target_given_is_followed():
    assert started().status is None and judged().status is Status.TRACKING
    pipeline = judged()
    pipeline.reset(5)
    assert pipeline.status is None and pipeline.trajectories == {}
    with pytest.raises(InputError, match="no target"):
        pipeline.predict(6)


def test_misses_are_no_evidence_and_two_of_them_lose_the_target():
    pipeline = judged()
    tracked(pipeline, 1, shift=2)
    tracked(pipeline, 2, shift=80, similarity=0.1)
    assert pipeline.status is Status.UNCERTAIN and pipeline.evidence_box()[0] == 102
    tracked(pipeline, 3, shift=90, similarity=0.1)
    assert pipeline.status is Status.LOST and pipeline.evidence_box()[0] == 102
    assert pipeline.trajectories["hold"].evidence_ns == FRAME


def test_what_was_carried_since_the_first_miss_is_forgotten_with_the_loss():
    pipeline = judged()
    tracked(pipeline, 1)
    pipeline.propagated(FRAME, FRAME, [PropagatedBox(i * FRAME, BOX + [i, 0, 0, 0], 0.9) for i in (2, 3, 4)])
    tracked(pipeline, 3, similarity=0.1)
    assert pipeline.evidence_box()[0] == 104
    tracked(pipeline, 5, similarity=0.1)
    assert pipeline.evidence_box()[0] == 102
    assert pipeline.propagated(6 * FRAME, FRAME, [PropagatedBox(6 * FRAME, BOX + [60, 0, 0, 0], 0.9)])
    assert pipeline.evidence_box()[0] == 102


def test_a_lost_target_is_looked_for_elsewhere_and_found_by_two_good_results():
    pipeline = judged()
    assert tracked(pipeline, 1) is None
    looked = [tracked(pipeline, i, similarity=0.1) for i in range(2, 32)]
    assert looked[0] is None and looked[1].tolist() == BOX.tolist()
    places = {tuple(look[:2]) for look in looked[2:]}
    assert len(places) > 4 and all(look[2:].tolist() == [20, 20] for look in looked[1:])
    tracked(pipeline, 32, shift=30)
    assert pipeline.status is Status.LOST
    assert tracked(pipeline, 33, shift=31)[0] == 130
    assert pipeline.status is Status.TRACKING and pipeline.anchor()[1][0] == 131
    assert tracked(pipeline, 34, shift=32) is None


def test_a_doubtful_result_is_followed_as_long_as_it_gets_warmer():
    pipeline = judged()
    for i, similarity in enumerate([1, 0, 0], 1):
        tracked(pipeline, i, similarity=float(similarity))
    tracked(pipeline, 4, shift=50, similarity=0.55)
    assert tracked(pipeline, 5, shift=55, similarity=0.65)[0] == 150
    assert tracked(pipeline, 6, shift=56, similarity=0.6)[0] == 155
    assert tracked(pipeline, 7, similarity=0.1)[0] not in (150, 155, 156)
    assert pipeline.status is Status.LOST


def test_should_the_loss_be_a_mistake_the_tracker_goes_on_by_itself_every_now_and_then():
    pipeline = judged()
    tracked(pipeline, 1)
    looked = [tracked(pipeline, i, shift=10.0 * i, similarity=0.1) for i in range(2, 12)]
    # The first look after the loss is at the second miss; the answer to a look on the own way is where the next one goes.
    assert looked[2][0] == 130 and looked[6][0] == 140


def test_a_lost_target_is_looked_for_in_the_size_it_had_before_anybody_doubted():
    pipeline = judged()
    t_ns = FRAME
    for size, similarity in ((24.0, 1.0), (12.0, 0.6), (9.0, 0.1), (9.0, 0.1)):
        pipeline.tracker_finished(t_ns, 1, t_ns, TrackerOutput([100, 100, size, size], 1.0, similarity=similarity))
        t_ns += FRAME
    pipeline.predict(t_ns)
    own, *others = [pipeline.tracker_started(t_ns, 9, t_ns)[2:].tolist() for _ in range(3)]
    assert own == [9, 9] and others == [[24, 24]] * 2


def test_where_it_is_found_its_track_begins_anew():
    pipeline = judged(names=("constant_velocity",))
    for i, similarity in enumerate([1, 1, 0, 0, 0, 1, 1], 1):
        tracked(pipeline, i, shift=300.0 + i if i > 3 else 0.0, similarity=float(similarity))
    np.testing.assert_allclose(
        pipeline.trajectories["constant_velocity"].at(8 * FRAME).box, BOX + [308, 0, 0, 0], atol=1e-6
    )


def test_a_lost_target_coasts_to_rest_while_its_sigma_grows():
    pipeline = judged(names=("constant_velocity",))
    for i in range(1, 6):
        tracked(pipeline, i, shift=5.0 * i)
    going = pipeline.trajectories["constant_velocity"].at(60 * FRAME)
    for i in (6, 7):
        tracked(pipeline, i, similarity=0.0)
    coasted = pipeline.trajectories["constant_velocity"]
    soon, late = coasted.at(8 * FRAME), coasted.at(600 * FRAME)
    assert coasted.at(60 * FRAME).box[0] < going.box[0] - 100
    assert abs(late.velocity[0]) < 1e-3 and late.sigma[0] > soon.sigma[0] > 0


def test_time_alone_makes_the_status_worse_at_an_event_and_for_who_asks_between():
    pipeline = judged()
    config = PresenceConfig()
    tracked(pipeline, 1)
    unsure, lost = (FRAME + round(s * 1e9) + 1 for s in (config.uncertain_s, config.lost_s))
    assert pipeline.status_at(2 * FRAME) is Status.TRACKING
    assert pipeline.status_at(unsure) is Status.UNCERTAIN and pipeline.status_at(lost) is Status.LOST
    assert pipeline.status is Status.TRACKING
    pipeline.frame_arrived(lost, 70, lost)
    assert pipeline.status is Status.LOST
    assert [row[2] for row in pipeline.log.of_kind("status")] == ["TRACKING", "LOST"]


@pytest.mark.parametrize("search_region", ["last", "predicted"])
def test_a_run_with_a_loss_a_return_and_a_reset_replays_to_the_bit(search_region):
    pipeline = judged(names=("kalman", "hold"), search_region=search_region)
    for i, similarity in enumerate([1, 1, 0.6, 0, 0, 0, 0, 0, 1, 1, 1], 1):
        tracked(pipeline, i, shift=7.0 * i, similarity=float(similarity))
    pipeline.reset(12 * FRAME)
    pipeline.frame_arrived(13 * FRAME, 13, 13 * FRAME)
    pipeline.init(13 * FRAME, 13, 13 * FRAME, BOX)
    tracked(pipeline, 14)
    log = pipeline.log
    assert {row[2] for row in log.of_kind("status")} == {"TRACKING", "UNCERTAIN", "LOST"}
    log.meta["search_region"] = search_region
    assert replay(log, {name: create(name) for name in ("kalman", "hold")}).rows == log.rows
