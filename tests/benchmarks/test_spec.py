"""What a run is known by, and what it cannot be on the wall clock."""

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.spec import RunSpec, single_predictor_specs

WALL = {"dataset": "d", "tracker": "t", "processing": "measured", "clock": "wall"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"processing": "47ms"}, "processing is '47ms', on the wall clock it can only be 'measured'"),
        ({"schedule": "paper"}, "schedule is 'paper'"),
        ({"predictor_ns": 5}, "predictor_ns is 5"),
        ({"propagation_core": "shared"}, "propagation_core is 'shared'"),
        ({"clock": "sundial"}, "unknown clock 'sundial', expected one of: simulated, wall"),
        ({"clock": "simulated"}, "'measured' is not one of"),
    ],
)
def test_on_the_wall_clock_everything_takes_what_it_takes(change, words):
    assert RunSpec(**WALL).processing_ms == 0
    with pytest.raises(InputError, match=words):
        RunSpec(**{**WALL, **change})


def test_where_results_are_judged_the_leading_predictor_steers_and_where_not_old_logs_stay_valid():
    off, on = RunSpec("d", "t", "0ms"), RunSpec("d", "t", "0ms", status="on")
    assert "status" not in off.facts() and "predictors" not in off.facts()
    assert on.facts()["status"] == "on" and on.facts()["predictors"] == ["hold", ""]
    assert on.folder() != off.folder() and "hold-status" in on.folder()
    assert len(single_predictor_specs(RunSpec("d", "t", "0ms", ("hold", "kalman"), status="on"))) == 2
    with pytest.raises(InputError, match="unknown status 'maybe', expected one of: off, on"):
        RunSpec("d", "t", "0ms", status="maybe")


def test_a_recorded_median_stands_for_the_times_and_is_no_fact():
    recorded = RunSpec("d", "t", "bench:gone.json", recorded_ms=41.5)
    assert recorded.processing_ms == 41.5 and "recorded_ms" not in recorded.facts()
    for wrong in ("41", -1, float("nan")):
        with pytest.raises(InputError, match="recorded_ms must be 0 or more milliseconds"):
            RunSpec("d", "t", "47ms", recorded_ms=wrong)


def test_the_schedule_of_the_paper_knows_no_ego_motion():
    assert RunSpec("d", "t", "0ms", ego_motion="gyro").ego_motion == "gyro"
    with pytest.raises(InputError, match="schedule 'paper' knows no ego motion, use 'async'"):
        RunSpec("d", "t", "0ms", ego_motion="gyro", schedule="paper")


def test_the_clock_is_told_apart_in_the_folder_of_the_logs():
    simulated = RunSpec("d", "t", "0ms").folder()
    assert RunSpec(**WALL).folder() != simulated and "wall" in RunSpec(**WALL).folder()
