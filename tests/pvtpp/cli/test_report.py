"""``pvtpp report``: from results and from logs, what it refuses, and the walk of the documentation."""

import csv
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from pvtpp.cli.main import main
from pvtpp_benchmarks.report.video_encoders import h264

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def replayed(tmp_path, clips, results, monkeypatch):
    """A working folder with a result file of a replayed tracker."""
    monkeypatch.chdir(tmp_path)
    command = "replay --dataset folder --root clips --results results/MyTracker --processing 47ms --json mine.json"
    assert main([*shlex.split(command), "--predictors", "hold,kalman"]) == 0
    return tmp_path


def summary(folder):
    (path,) = (folder / "parts").glob("summary-*.csv")
    return list(csv.DictReader(path.open(encoding="utf-8")))


def test_a_result_file_becomes_a_page_with_its_numbers(replayed, capsys):
    assert main(["report", "mine.json", "--out", "report", "--title", "Mine"]) == 0
    assert capsys.readouterr().out.startswith("report/index.html: the report; ")
    rows = json.loads(Path("mine.json").read_text())["rows"]
    assert [float(line["AUC"]) for line in summary(replayed / "report")] == [row["auc"] for row in rows]
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "<h1>Mine</h1>" in page and "replay:MyTracker" in page
    for fact in ("digest", "processors", "numpy", "CPUExecutionProvider"):
        assert fact in page


def test_logs_are_scored_and_give_the_rows_that_score_gives(tmp_path, clips, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = ["--dataset", "folder", "--root", "clips"]
    run = ["run", *data, "--tracker", "csrt", "--processing", "47ms", "--predictors", "hold,kalman"]
    assert main([*run, "--search-region", "last", "--propagation", "none", "--presence", "off"]) == 0
    assert main(["score", "runs", *data, "--json", "scored.json"]) == 0
    assert main(["report", "runs", *data, "--out", "report", "--videos"]) == 0
    rows = json.loads(Path("scored.json").read_text())["rows"]
    kept = json.loads(Path("report/results.json").read_text())
    assert kept["rows"] == rows and kept["protocol"]["data"]["sequences"] == 2
    videos = sorted(Path("report/videos").iterdir())
    assert [video.name for video in videos] == ["clips-csrt-47ms-left.mp4", "clips-csrt-47ms-right.mp4"]
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert page.count('class="film"') == 4 and 'href="videos/clips-csrt-47ms-left.mp4"' in page
    said = capsys.readouterr().err
    assert "video 2/2" in said and ("browsers do not play" in said) == (h264() is None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.json"], "missing.json: cannot read"),
        (["clips/left/groundtruth.txt"], "event logs, which need --dataset and --root to be scored"),
        (["nowhere"], "nowhere: no such file or folder of event logs"),
        (["clips"], "clips: no event logs (.jsonl) there"),
        (["mine.json", "--videos"], "--videos: applies to event logs, and RUNS has only results: mine.json"),
        (["mine.json", "--root", "clips"], "--root: applies to event logs, and RUNS has only results: mine.json"),
        (["mine.json", "--mode", "elae"], "--mode: applies to event logs"),
        (["mine.json", "--box-file", "boxes.txt"], "--box-file: applies to event logs"),
        (["empty.json"], "empty.json: a result without rows, there is nothing to report"),
        (["broken.json"], "broken.json: not the JSON of a result"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_before_anything_is_written(replayed, capsys, arguments, message):
    Path("empty.json").write_text(json.dumps({"protocol": {}, "rows": []}))
    Path("broken.json").write_text("{")
    assert main(["report", *arguments, "--out", "report"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pvtpp report: error: ") and message in line
    assert not Path("report/index.html").exists()


def walk():
    """The trackers and the commands of the walk in the documentation."""
    text = (ROOT / "docs" / "how-to" / "evaluate.md").read_text(encoding="utf-8")
    text = text.split("### From nothing to a report of two own trackers")[1].split("\n## ")[0]
    (trackers,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return trackers, [line for block in blocks for line in block.splitlines()]


def test_the_walk_of_the_documentation_ends_in_a_report_of_two_own_trackers(tmp_path, clips, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trackers, commands = walk()
    Path("my_trackers.py").write_text(trackers)
    assert len(commands) == 5
    try:
        for command in commands:
            program, *arguments = shlex.split(command)
            assert program == "pvtpp" and main(arguments) == 0, capsys.readouterr().err
    finally:
        sys.modules.pop("my_trackers", None)
    lines = summary(tmp_path / "report")
    assert {line["tracker"] for line in lines} == {"my_trackers:Template", "my_trackers:MeanShift"}
    assert {line["predictor"] for line in lines} == {"zero latency", "hold", "kalman:pvt", "ensemble"}
    assert all(line["n"] == "2" for line in lines)
    template = {
        line["predictor"]: line for line in lines if line["tracker"].endswith("Template") and line["ms"] != "20.0"
    }
    assert float(template["zero latency"]["AUC"]) > 0.8 > float(template["hold"]["AUC"])
    assert float(template["ensemble"]["to hold"]) > 0.1
    # Two clips, two trackers, two processing times and the run of zero latency.
    assert len(list(Path("report-with-videos/videos").iterdir())) == 12


def test_what_is_no_result_leaves_no_folder(tmp_path, capsys):
    (tmp_path / "none.json").write_text('{"rows": 3}')
    assert main(["report", str(tmp_path / "none.json"), "--out", str(tmp_path / "report")]) == 2
    assert "not the JSON of a result" in capsys.readouterr().err and not (tmp_path / "report").exists()
