"""A result as CSV and as LaTeX: the numbers of the rows, readable by others."""

import csv
import re

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.report.latex import escape
from pvtpp_benchmarks.result import Result

CLIPS = [VideoSequence(f"clip_{step}", np.array([[step * i, 20.0, 60, 50] for i in range(60)])) for step in (1, 5)]


@pytest.fixture(scope="module")
def result():
    settings = {"processing": ["47ms", "85ms"], "predictors": ["hold", "kalman"], "propagation": "none"}
    return Result(tuple(evaluate(CLIPS, make_grid("my_data", "oracle", presence="on", **settings), Oracle)))


def lines(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_of_csv_holds_the_figures_of_a_row(result, tmp_path):
    path = str(tmp_path / "rows.csv")
    result.to_csv(path)
    found = lines(path)
    assert len(found) == len(result.rows)
    for line, row in zip(found, result.rows):
        assert (line["tracker"], line["predictor"]) == ("oracle", row["predictor"] or "")
        assert float(line["auc"]) == row["auc"] and float(line["auc_ci95.low"]) == row["auc_ci95"][0]
        assert float(line["outages.outage_s.longest"]) == row["outages"]["outage_s"][1]
        if row["latency"]:
            assert float(line["latency.worst_ms"]) == row["latency"]["worst_ms"]
            assert float(line["coverage.centre.90"]) == row["coverage"]["centre"]["90"]
            assert "the predictor" in line["charged.not_charged"].split("; ")
        assert not {"curve", "plots", "per_sequence", "auc_ci95", "latency"} & set(line)


def test_by_sequence_there_is_a_line_for_each_clip_of_a_row(result, tmp_path):
    path = str(tmp_path / "clips.csv")
    result.to_csv(path, by="sequence")
    found = lines(path)
    assert len(found) == len(CLIPS) * len(result.rows)
    for line in found:
        same = [
            r
            for r in result.rows
            if (r["predictor"] or "", r["processing"] or "") == (line["predictor"], line["processing"])
        ]
        assert float(line["auc"]) == same[0]["by_sequence"][line["sequence"]]["auc"]
    old = Result(tuple({k: v for k, v in row.items() if k != "by_sequence"} for row in result.rows))
    old.to_csv(path, by="sequence")
    assert [line["sequence"] for line in lines(path)][:2] == ["clip_1", "clip_5"]
    with pytest.raises(InputError, match="by is 'clip', expected one of: row, sequence"):
        result.to_csv(path, by="clip")


def test_latex_has_a_table_for_each_block_with_the_cells_of_the_text_table(result, tmp_path):
    path = tmp_path / "table.tex"
    result.to_latex(str(path))
    text, blocks = path.read_text(), result.table().split("\n\n")
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == len(blocks) == 2
    assert r"my\_data" in text and "my_data" not in text.replace(r"\_", "")
    body = re.search(r"\\midrule\n(.*?)\\bottomrule", text, re.S).group(1).splitlines()
    for line, printed in zip(body, blocks[0].splitlines()[3:]):
        cells = [cell.strip() for cell in line[: -len(r"\\")].split("&")]
        assert " ".join(cells).split() == printed.replace("_", r"\_").split()


def test_what_latex_would_read_as_a_command_is_escaped():
    assert escape(r"a_b & 50% {x} \y ~ ^ $ #") == (
        r"a\_b \& 50\% \{x\} \textbackslash{}y \textasciitilde{} \textasciicircum{} \$ \#"
    )


def test_a_file_that_cannot_be_written_is_named(result, tmp_path):
    for write in (result.to_csv, result.to_latex):
        with pytest.raises(InputError, match="nowhere.*cannot write"):
            write(str(tmp_path / "nowhere" / "file"))
