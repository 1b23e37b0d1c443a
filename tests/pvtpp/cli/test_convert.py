"""`pvtpp convert`, and `pvtpp replay` of result files with times: whole chains on the command line."""

import json

import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp_benchmarks.formats import read_results


@pytest.fixture
def data(clips):
    return ["--dataset", "folder", "--root", str(clips)]


def test_boxes_are_converted_and_the_format_is_recognised(results, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["convert", str(results), str(out), "--to", "got10k"]) == 0
    assert capsys.readouterr().out == "2 sequences from otb to got10k: 2 files\n"
    assert main(["convert", str(out), str(tmp_path / "again"), "--from", "got10k", "--to", "otb"]) == 0
    for name, boxes in read_results(str(tmp_path / "again")).items():
        np.testing.assert_array_equal(boxes.xywh, read_results(str(results))[name].xywh)


def test_logs_become_an_elae_folder_that_scores_as_they_do(results, data, tmp_path, capsys):
    replay = ["replay", *data, "--mode", "elae"]
    made = ["--processing", "70ms", "--predictors", "hold,kalman", "--no-offline", "--logs", str(tmp_path / "runs")]
    assert main([*replay, "--results", str(results), *made, "--json", str(tmp_path / "a.json")]) == 0
    convert = ["convert", str(tmp_path / "runs"), str(tmp_path / "elae"), "--to", "elae", *data]
    assert main(convert) == 2
    assert "answers of hold, kalman; choose one with --predictor" in capsys.readouterr().err
    assert not (tmp_path / "elae").exists()
    assert main([*convert, "--predictor", "kalman"]) == 0
    assert len(list((tmp_path / "elae").glob("*/*.txt"))) == 51 * 2
    assert main([*replay, "--results", str(tmp_path / "elae"), "--json", str(tmp_path / "b.json")]) == 0
    logged, scored = (json.loads((tmp_path / name).read_text())["rows"] for name in ("a.json", "b.json"))
    expected = next(row for row in logged if row["predictor"] == "kalman")
    for measure in ("auc", "mauc", "dp20", "mdp", "curve", "per_sequence"):
        assert scored[0][measure] == expected[measure]
    # One permitted latency of it, as plain box files.
    assert (
        main([*convert[:2], str(tmp_path / "half"), "--to", "otb", *data, "--predictor", "kalman", "--sigma", "0.5"])
        == 0
    )
    half = read_results(str(tmp_path / "half"))["left"].xywh[0]
    np.testing.assert_array_equal(half, read_results(str(tmp_path / "elae"))["left"].xywh[25])


def test_what_a_format_cannot_say_is_refused_in_one_line(results, data, tmp_path, capsys):
    for arguments, expected in [
        ([str(results), "--to", "elae"], "boxes before any latency; e-LAE folders hold what was there"),
        ([str(results), "--to", "pvt"], "the format otb does not say when each answer was there"),
        ([str(results), "--to", "word"], "format 'word' cannot be written, allowed is one of:"),
        ([str(results), "--to", "otb", "--root", "x"], "a data set needs both"),
        ([str(tmp_path), "--to", "otb"], "no result files"),
    ]:
        assert main(["convert", arguments[0], str(tmp_path / "out"), *arguments[1:]]) == 2
        error = capsys.readouterr().err
        assert expected in error and error.count("\n") == 1, error
        assert not (tmp_path / "out").exists()


def test_a_folder_is_not_converted_onto_itself(results, capsys):
    before = {path.name: path.read_text() for path in results.iterdir()}
    assert main(["convert", str(results), f"{results}/../MyTracker", "--to", "pytracking"]) == 2
    assert "the folder that is read; name another one" in capsys.readouterr().err
    assert {path.name: path.read_text() for path in results.iterdir()} == before


def test_recorded_times_of_result_files_are_charged(results, data, tmp_path, capsys):
    timed = tmp_path / "timed" / "MyTracker"
    for name, ms in (("left", 40), ("right", 70)):
        (timed / name).mkdir(parents=True)
        (timed / name / f"{name}_001.txt").write_text((results / f"{name}.txt").read_text())
        (timed / name / f"{name}_time.txt").write_text(f"{ms / 1e3}\n" * 24)
    replay = ["replay", *data, "--predictors", "hold", "--no-offline", "--logs", str(tmp_path / "runs")]
    written = ["--json", str(tmp_path / "out.json")]
    assert main([*replay, *written, "--results", str(timed), "--processing", "recorded,40ms"]) == 0
    recorded, plain = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert recorded["per_sequence"]["left"] == plain["per_sequence"]["left"]
    assert recorded["per_sequence"]["right"] < plain["per_sequence"]["right"]
    capsys.readouterr()
    assert main([*replay, "--results", str(results), "--processing", "recorded"]) == 2
    assert "no times, only boxes; results:DIR needs files that hold both" in capsys.readouterr().err
    one_setting = next((tmp_path / "runs").iterdir())
    assert main([*replay, "--results", str(one_setting)]) == 2
    assert "event logs, not result files; `pvtpp score` scores them" in capsys.readouterr().err
