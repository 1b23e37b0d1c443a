"""`--clock wall`: the live tracker on sequences at their frame rate, one run at a time, scored by the same protocol."""

import json

import pytest

from pvtpp.cli.main import main
from pvtpp_benchmarks import machine_lock


@pytest.fixture(autouse=True)
def own_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_lock, "lock_path", lambda: str(tmp_path / "lock"))


def arguments(command, clips, tmp_path, *more):
    data = ["--dataset", "folder", "--root", str(clips), "--logs", str(tmp_path / "runs"), "--clock", "wall"]
    return [command, *data, "--tracker", "kcf", "--predictors", "hold,kalman", *more]


def rows(path):
    return json.loads(path.read_text())["rows"]


def test_eval_on_the_wall_clock_says_so_in_its_rows_and_score_finds_the_same(clips, tmp_path, capsys):
    settings = ("--propagation", "none,optical_flow", "--search-region", "last")
    assert main(arguments("eval", clips, tmp_path, *settings, "--json", str(tmp_path / "eval.json"))) == 0
    assert "clock wall" in capsys.readouterr().out
    made = rows(tmp_path / "eval.json")
    assert [(row["clock"], row["predictor"]) for row in made] == [
        ("simulated", None), ("wall", "hold"), ("wall", "kalman"), ("wall", "hold"), ("wall", "kalman")
    ]  # fmt: skip
    assert all(row["processing"] == "measured" and row["processing_ms"] > 0 for row in made[1:])
    scored = ["score", str(tmp_path / "runs"), "--dataset", "folder", "--root", str(clips)]
    assert main([*scored, "--json", str(tmp_path / "score.json")]) == 0
    again = [row for row in rows(tmp_path / "score.json") if row["clock"] == "wall"]
    assert sorted(row["auc"] for row in again) == sorted(row["auc"] for row in made[1:])


def test_logs_of_run_are_kept_and_replay_to_the_bit(clips, tmp_path, capsys):
    for expected in ("2 of them new", "0 of them new"):
        assert main(arguments("run", clips, tmp_path, "--search-region", "predicted", "--predictors", "kalman")) == 0
        assert expected in capsys.readouterr().out
    logs = [str(path) for path in (tmp_path / "runs").rglob("*.jsonl")]
    assert main(["replay", *logs]) == 0
    assert capsys.readouterr().out.count("the same") == 2


def test_replay_notices_a_log_that_its_pipeline_would_not_have_written(clips, tmp_path, capsys):
    assert main(arguments("run", clips, tmp_path)) == 0
    path = next((tmp_path / "runs").rglob("*.jsonl"))
    lines = path.read_text().splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith('["trajectory"') and i > len(lines) // 2)
    row = json.loads(lines[number])
    row[7][0] += 1.0
    lines[number] = json.dumps(row)
    path.write_text("\n".join(lines) + "\n")
    assert main(["replay", str(path)]) == 1
    assert "OTHERS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--workers", "2"), "--workers 2"),
        (("--processing", "47ms"), "--processing 47ms"),
        (("--propagation-processing", "1ms"), "--propagation-processing 1ms"),
        (("--schedule", "paper"), "schedule is 'paper'"),
        (("--propagation-core", "shared"), "propagation_core is 'shared'"),
    ],
)
def test_what_has_no_meaning_on_the_wall_clock_is_refused(more, words, clips, tmp_path, capsys):
    assert main(arguments("run", clips, tmp_path, *more)) == 2
    assert words in capsys.readouterr().err


def test_a_second_run_on_the_wall_clock_is_refused_while_one_is_under_way(clips, tmp_path, capsys):
    with machine_lock.exclusive_machine():
        assert main(arguments("run", clips, tmp_path)) == 2
    assert "another run on the wall clock" in capsys.readouterr().err
    assert main(arguments("run", clips, tmp_path)) == 0
