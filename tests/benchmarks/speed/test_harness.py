"""What the harness costs is measured with a tracker that costs nothing, on both clocks."""

import json

import numpy as np

from pvtpp_benchmarks.speed import harness


def test_the_null_tracker_answers_every_frame_with_the_first_box():
    clip, tracker = harness.clip(5), harness.Null()
    box = np.array([50.0, 40, 20, 10])
    tracker.init(clip.frame(0), box)
    assert all((tracker.track(clip.frame(i)).box == box).all() for i in range(1, 5))


def test_both_clocks_are_measured_and_written(tmp_path, capsys):
    path = tmp_path / "harness.json"
    assert harness.main(["--frames", "40", "--fps", "200", "--repeats", "1", "--json", str(path)]) == 0
    printed, content = capsys.readouterr().out, json.loads(path.read_text())
    assert {"versions", "hardware", "commit"} <= set(content["protocol"])
    rows = content["rows"]
    assert [row["clock"] for row in rows] == ["simulated"] * 3 + ["wall"] * 3
    assert [row["predictor"] for row in rows[:3]] == list(harness.PREDICTORS)
    for row in rows:
        assert row["run_us"] > 0
        if row["clock"] == "simulated":
            assert 0 < row["score_us"] and 0 < row["score_with_details_us"]
        else:
            assert 0 < row["results"] <= 40 and 0 < row["result_median_us"] <= row["result_worst_us"]
    assert printed.count("simulated") == 3 and "with details" in printed


def test_a_file_that_cannot_be_written_is_found_before_the_work(tmp_path, capsys):
    try:
        harness.main(["--json", str(tmp_path / "nowhere" / "x.json")])
    except SystemExit as stopped:
        assert stopped.code == 2
    assert "cannot be written" in capsys.readouterr().err
