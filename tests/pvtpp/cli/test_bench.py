"""Timing from the command line: a table, a JSON that says on what, and that JSON as the times of a simulation."""

import json

import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp_benchmarks import machine_lock, stage_suite
from pvtpp_benchmarks.contributed import name_of, read_all
from pvtpp_benchmarks.processing import parse


@pytest.fixture(autouse=True)
def own_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_lock, "lock_path", lambda: str(tmp_path / "lock"))


def test_the_json_says_what_was_timed_on_what_and_is_a_processing_time(clips, tmp_path, capsys):
    path = tmp_path / "bench.json"
    arguments = ["bench", "--tracker", "kcf", "--predictor", "kalman", "--frames", "5", "--json", str(path)]
    assert main([*arguments, "--dataset", "folder", "--root", str(clips), "--sequence", "right"]) == 0
    content = json.loads(path.read_text())
    assert {"versions", "hardware"} <= set(content["protocol"]) and {"before", "after"} == set(content["power"])
    assert (content["tracker"], content["sequence"], content["export"]) == ("kcf", "right", None)
    assert list(content["stages"]) == ["init", "track", "observe", "predict", "at"]
    assert len(content["frame_s"]) == 6 and list(content["stage_s"]) == ["track"]
    assert parse(f"bench:{path}").median_ms() == pytest.approx(content["stages"]["track"]["median_ms"], abs=1e-3)
    assert "median ms" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--tracker NAME, or --weights"),
        (["--weights", "nowhere"], "nowhere: no exported network"),
        (["--tracker", "kcf", "--dataset", "folder"], "--dataset needs --root"),
        (["--tracker", "kcf", "--root", "data"], "--root and --sequence need --dataset"),
        (["--tracker", "kcf", "--sequence", "S0601"], "--root and --sequence need --dataset"),
        (["--tracker", "kcf", "--frames", "0"], "got 0"),
        (["--tracker", "kcf", "--backend", "tensorrt"], "backend"),
        (["--tracker", "kcf", "--json", "/nowhere/at/all.json"], "/nowhere/at/all.json"),
        (["--tracker", "kcf", "--contribute"], "--tracker with --contribute: the suite says what is timed"),
        (["--contribute", "/proc/results"], "--contribute: cannot make the folder"),
    ],
)
def test_bad_input_gets_one_clear_line(options, words, capsys):
    assert main(["bench", *options]) == 2
    assert words in capsys.readouterr().err


def test_two_timings_do_not_share_a_machine(capsys):
    with machine_lock.exclusive_machine():
        assert main(["bench", "--tracker", "kcf", "--frames", "2"]) == 2
    assert "under way" in capsys.readouterr().err


def test_a_contributed_result_is_written_where_it_belongs_and_serves_as_a_board(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stage_suite, "TRACKERS", ("kcf",))
    assert main(["bench", "--contribute", str(tmp_path / "results"), "--frames", "4"]) == 0
    (content,) = read_all(tmp_path / "results")
    path = tmp_path / "results" / name_of(content)
    assert str(path) in capsys.readouterr().out
    assert parse(f"board:{path}#kcf").median_ms() == pytest.approx(np.median(content["trackers"]["kcf"]["frame_ms"]))


def test_the_engines_of_a_tracker_are_stages_that_make_up_its_frames(weights_root, tmp_path):
    path = tmp_path / "bench.json"
    for name in ("nanotrack-v3", "nanotrack-v1"):
        assert main(["bench", "--tracker", name, "--frames", "6", "--json", str(path)]) == 0
        content = json.loads(path.read_text())
        assert list(content["stage_s"]) == ["crop", "search", "head", "decode"]
        whole = np.sum(list(content["stage_s"].values()), axis=0)
        assert (whole <= np.array(content["frame_s"][1:]) + 1e-6).all() and (whole > 0).all()
