"""The table of the propagation: rows by name, runs that rows share, paired shares, and requirements."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_benchmarks.studies import propagation_table
from pvtpp_benchmarks.studies.propagation_report import KEPT, RESAMPLES, ZERO, Cell, bars, markdown, summary
from pvtpp_benchmarks.studies.propagation_table import DEFAULT, ROWS, Row, specs


def test_rows_are_read_from_their_names():
    assert Row.parse("hold") == Row("hold")
    assert Row.parse("kalman:pvt@predicted") == Row("kalman:pvt", "predicted")
    assert Row.parse("propagation+motion@predicted/shared") == Row("motion", "predicted", "optical_flow", "shared")
    assert Row.parse("propagation+hold/presence") == Row("hold", "last", "optical_flow", "own", "on")
    assert Row.parse("propagation+motion:runs/motion.onnx").predictor == "motion:runs/motion.onnx"
    assert DEFAULT in ROWS and all(Row.parse(name) for name in ROWS)


@pytest.mark.parametrize("text", ["", "propagation+", "hold/shared", "motion@elsewhere"])
def test_a_row_of_another_form_is_refused(text):
    with pytest.raises(InputError, match="of the form"):
        Row.parse(text)


def test_rows_that_do_not_steer_the_tracker_share_a_run():
    names = (
        "hold",
        "motion",
        "kalman:pvt@predicted",
        "propagation+hold",
        "propagation+motion",
        "propagation+motion@predicted",
        "motion/presence",
    )
    made = list(specs({name: Row.parse(name) for name in names}, RunSpec("d", "t", "47ms")))
    assert [tuple(served) for _, served in made] == [
        ("hold", "motion"),
        ("kalman:pvt@predicted",),
        ("propagation+hold", "propagation+motion"),
        ("propagation+motion@predicted",),
        ("motion/presence",),
    ]
    both, motion = ("hold", "motion"), ("motion",)
    assert [spec.predictors for spec, _ in made] == [both, ("kalman:pvt",), both, motion, motion]
    assert [spec.propagation_ns for spec, _ in made] == [0, 0, 2_500_000, 2_500_000, 0]


def cell(time="20ms", group="bar", **by_row):
    """Clips of very different difficulty; every row keeps the same share of zero latency in each run."""
    levels = {"easy": 0.9, "hard": 0.3}
    curves = {
        row: {
            clip: np.outer(level * kept * np.linspace(1, 0.8, 16), np.ones(len(SIGMAS)))
            for clip, level in levels.items()
        }
        for row, kept in {ZERO: 1.0, **by_row}.items()
    }
    return Cell(group, "t", time, curves)


def test_shares_are_paired_clip_by_clip_and_run_by_run():
    made = cell(hold=0.8)
    share, (low, high) = made.share("hold")
    assert share == pytest.approx(0.8) and low == pytest.approx(0.8) and high == pytest.approx(0.8)
    assert np.ptp(made.resampled("hold")) > 0.1 and made.resampled("hold").shape == (RESAMPLES,)


def test_clips_may_have_different_numbers_of_runs():
    zero = {"a": np.ones((16, 51)), "b": np.full((8, 51), 0.5)}
    made = Cell("bar", "t", "20ms", {ZERO: zero, "hold": {"a": np.ones((16, 51)), "b": np.zeros((8, 51))}})
    assert made.auc("hold") == 0.5 and made.share("hold")[0] == pytest.approx(2 / 3)
    assert set(np.round(made.resampled("hold"), 6)) == {0.0, 0.5, 1.0}


def test_the_requirements_are_shares_the_best_other_row_and_the_worst_clip():
    fast = cell(hold=0.90, **{"propagation+hold": 0.97, DEFAULT: 0.985})
    found = bars([fast, cell("165ms", hold=0.4, **{DEFAULT: 0.85})], DEFAULT)
    assert [(bar["bar"], bar["met"]) for bar in found] == [
        ("20ms: share of zero latency kept", True),
        ("20ms: AUC above the best other row, propagation+hold", True),
        ("20ms: AUC above hold, worst clip (hard)", True),
        ("165ms: share of zero latency kept", False),
        ("165ms: AUC above the best other row, hold", True),
    ]
    assert found[0]["required"] == KEPT["20ms"] and found[3]["measured"] == pytest.approx(0.85)
    worse = bars([cell(hold=0.99, **{DEFAULT: 0.95})], DEFAULT)
    assert worse[2]["measured"] == pytest.approx(-0.04 * 0.9 * 0.9) and not worse[2]["met"]
    assert bars([cell(group="S0601", hold=0.9, **{DEFAULT: 0.5})], DEFAULT) == []


def test_the_table_and_the_summary_hold_every_row_of_every_time():
    cells = [cell(time, hold=0.9, **{DEFAULT: 0.99}) for time in KEPT]
    text = markdown(cells, bars(cells, DEFAULT))
    assert "| row | 20ms | 47ms | 85ms | 165ms |" in text and text.count(f"| {DEFAULT} |") == 1
    assert text.count("(99.0 % [99.0, 99.0])") == 4
    row = summary(cells[0])["rows"][DEFAULT]
    assert row["runs"] == 32 and len(row["curve"]) == 51 and row["per_clip"]["hard"] < row["per_clip"]["easy"]
    json.dumps(summary(cells[0]), allow_nan=False)


@pytest.mark.real_data
def test_one_command_makes_the_table_and_continues_from_its_logs(data_root, weights_root, tmp_path, capsys):
    target = tmp_path / "table.json"
    arguments = [str(data_root / "uav-mini"), "--groups", "S0601", "--times", "165ms", "--trackers", "nanotrack-v3"]
    arguments += ["--only", "hold,propagation+hold", "--logs", str(tmp_path / "logs"), "--json", str(target)]
    arguments += ["--starts", "1", "--draws", "2", "--version", "test"]
    assert propagation_table.main(arguments) == 0
    logs = {path: path.stat().st_mtime_ns for path in (tmp_path / "logs").rglob("*.jsonl")}
    rows = json.loads(target.read_text())["cells"][0]["rows"]
    assert list(rows) == [ZERO, "hold", "propagation+hold"] and rows["hold"]["runs"] == 2 and len(logs) == 6
    assert "S0601" in capsys.readouterr().out
    assert propagation_table.main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in logs} == logs
