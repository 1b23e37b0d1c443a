"""What a run is known by, and what it cannot be on the wall clock."""

import unicodedata

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.spec import RunSpec, safe_name

WALL = {"dataset": "d", "tracker": "t", "processing": "measured", "clock": "wall"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"processing": "47ms"}, "processing is '47ms', on the wall clock it can only be 'measured'"),
        ({"schedule": "paper"}, "schedule is 'paper'"),
        ({"predictor_ns": 5}, "predictor_ns is 5"),
        ({"propagation_core": "shared"}, "propagation_core is 'shared'"),
        ({"clock": "sundial"}, "clock is 'sundial', allowed is one of: simulated, wall"),
        ({"clock": "simulated"}, "'measured' is not one of"),
    ],
)
def test_on_the_wall_clock_everything_takes_what_it_takes(change, words):
    assert RunSpec(**WALL).processing_ms == 0
    with pytest.raises(InputError, match=words):
        RunSpec(**{**WALL, **change})


def test_with_presence_on_the_leading_predictor_steers_and_is_part_of_what_a_log_is_known_by():
    off, on = RunSpec("d", "t", "0ms"), RunSpec("d", "t", "0ms", presence="on")
    assert off.facts()["presence"] == "off" and "predictors" not in off.facts() and not off.steered
    assert on.facts()["presence"] == "on" and on.facts()["predictors"] == ["hold", ""] and on.steered
    assert on.folder() != off.folder() and "hold-presence" in on.folder()
    assert len(RunSpec("d", "t", "0ms", ("hold", "kalman"), presence="on").split()) == 2
    assert len(RunSpec("d", "t", "0ms", ("hold", "kalman")).split()) == 1
    with pytest.raises(InputError, match="presence is 'maybe', allowed is one of: off, on"):
        RunSpec("d", "t", "0ms", presence="maybe")


def test_a_recorded_median_stands_for_the_times_and_is_no_fact():
    recorded = RunSpec("d", "t", "bench:gone.json", recorded_ms=41.5)
    assert recorded.processing_ms == 41.5 and "recorded_ms" not in recorded.facts()
    for wrong in ("41", -1, float("nan")):
        with pytest.raises(InputError, match="recorded_ms is .*, allowed is None or a number from 0"):
            RunSpec("d", "t", "47ms", recorded_ms=wrong)


def test_the_schedule_of_the_paper_knows_no_ego_motion_and_no_propagation():
    assert RunSpec("d", "t", "0ms", ego_motion="gyro").ego_motion == "gyro"
    with pytest.raises(InputError, match="schedule 'paper' knows no ego motion and no propagation, use 'async'"):
        RunSpec("d", "t", "0ms", ego_motion="gyro", schedule="paper")
    with pytest.raises(InputError, match="use 'async'"):
        RunSpec("d", "t", "0ms", propagation="optical_flow", schedule="paper")


def test_the_folder_of_the_logs_names_the_clock():
    simulated = RunSpec("d", "t", "0ms").folder()
    assert RunSpec(**WALL).folder() != simulated and "wall" in RunSpec(**WALL).folder()


def test_names_of_files_are_one_for_each_name_and_lead_nowhere():
    names = ["..", ".", "", "a/b", "a\\b", "a:b", "a b", "A b", "a-b", ".a", "a.", "-a", "con.txt", "e\u0301", "\xe9"]
    names += ["a-b-0123abcd", "x" * 81, "x" * 82, "\udcff"]
    made = [safe_name(name) for name in names]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in made}) == len(names)
    for name in made:
        assert name and name[0] != "." and not set(name) & set("/\\: ") and len(name.encode()) < 100
    assert [safe_name(name) for name in ("car_1", "car-1", "uav0000.a", "x" * 80)] == [
        "car_1", "car-1", "uav0000.a", "x" * 80
    ]  # fmt: skip


def test_zero_latency_runs_do_not_depend_on_the_online_settings():
    def zero(**settings):
        spec, predictors = next(make_grid("d", "t", **settings).cells())
        assert predictors == (None,)
        return spec.facts()

    online = [
        {"propagation": "none"}, {"propagation": "optical_flow", "propagation_processing": "9ms"},
        {"processing": "85ms"}, {"predictors": "kalman", "predictor_processing": "7ms"},
        {"search_region": ["predicted", "last"]}, {"schedule": ["paper"], "propagation": "none"},
        {"propagation_core": "shared"}, {"presence": "on"}, {"presence": "off"}, {"ego_motion": "gyro"},
        {"clock": "wall"},
    ]  # fmt: skip
    assert all(zero(**settings) == zero() for settings in online)
