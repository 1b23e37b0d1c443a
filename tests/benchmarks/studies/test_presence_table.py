"""The table of presence pools frames of all camera rates, and compares clip by clip."""

import numpy as np
import pytest

from pvtpp_benchmarks.studies.presence_table import compared, difference, main, pooled, summary


def losses(frames, lost, said, right, late_said, late_right):
    return {
        "frames": frames,
        "lost": lost,
        "said": said,
        "right": right,
        "said_in_time": late_said,
        "right_in_time": late_right,
        "precision": right / said if said else None,
        "recall": right / lost if lost else None,
        "precision_in_time": late_right / late_said if late_said else None,
        "recall_in_time": late_right / lost if lost else None,
    }


def test_frames_of_all_camera_rates_are_pooled_as_if_they_were_one():
    made = pooled([losses(100, 20, 10, 8, 18, 16), losses(300, 40, 60, 30, 50, 35), losses(50, 0, 0, 0, 0, 0)])
    assert (made["frames"], made["lost"], made["said"]) == (450, 60, 70)
    assert made["precision"] == pytest.approx(38 / 70, abs=1e-3) and made["recall"] == pytest.approx(38 / 60, abs=1e-3)
    assert made["precision_in_time"] == pytest.approx(51 / 68, abs=1e-3)
    assert made["recall_in_time"] == pytest.approx(51 / 60, abs=1e-3)
    assert pooled([losses(9, 0, 0, 0, 0, 0)])["recall"] is None


def test_a_difference_is_of_the_same_clips_and_names_the_ends():
    made = difference({"a": 0.5, "b": 0.7, "c": 0.6}, {"a": 0.6, "b": 0.5, "c": 0.6})
    assert made["mean"] == pytest.approx(0.1 / 3, abs=1e-4)
    assert made["worst"] == ["a", -0.1] and made["best"] == ["b", 0.2]
    low, high = made["interval"]
    assert low <= made["mean"] <= high


def test_the_default_is_compared_with_presence_off_with_hold_with_pvt_and_with_zero_latency():
    def runs(value):
        row = {"per_sequence": {"a": value, "b": value}, "outages": {}, "losses": None}
        return summary([row])

    found = {"zero latency": runs(0.8), "20 ms hold": runs(0.5), "20 ms off": runs(0.7), "20 ms on": runs(0.6)}
    found["20 ms pvt"] = runs(0.55)
    made = compared(found, ["20ms"])["20ms"]
    assert made["kept"] == 0.75
    assert np.isclose(made["on - off"]["mean"], -0.1) and np.isclose(made["on - hold"]["mean"], 0.1)
    assert np.isclose(made["on - pvt"]["mean"], 0.05)


def test_a_curve_is_the_mean_over_the_clips_of_all_camera_rates():
    def row(value, *clips):
        return {"per_sequence": dict.fromkeys(clips, 0.5), "outages": {}, "curve": {"auc": [value, 2 * value]}}

    assert summary([row(0.3, "a", "b"), row(0.45, "c")])["curve"] == [0.35, 0.7]
    assert summary([{**row(0.3, "a"), "curve": None}])["curve"] is None


def test_a_place_without_data_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 2 and "uav-mini" in capsys.readouterr().err
