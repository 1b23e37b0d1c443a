"""The state machine: what it tells whom, and that the order of events is kept."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.runtime.pipeline import Pipeline
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
    np.testing.assert_allclose(pipeline.trajectories["constant_velocity"].at(4 * FRAME).box, BOX + [40, 0, 0, 0], atol=1e-5)


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
