"""The study of all trackers runs what is asked for, keeps the other rows, and says what the default misses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pvtpp_benchmarks.results_pages.trackers import bar, clips, leads
from pvtpp_benchmarks.studies import tracker_table
from pvtpp_benchmarks.studies.tracker_table import DEFAULT, HOLD, PVT, TIMES, ZERO, cell, gathered, main, reaches
from pvtpp_benchmarks.synthetic import AerialClip, render

ROOT = Path(__file__).resolve().parents[3]
JSON = ROOT / "benchmarks" / "studies" / "tracker_table.json"


def entry(default=(0.62, 0.61, 0.6), hold=0.5, pvt=0.55, zero=0.6):
    """A tracker on two clips, one .1 above the mean and one below."""

    def two(mean):
        return cell({"a": mean + 0.1, "b": mean - 0.1})

    times = {time: {HOLD: two(hold), PVT: two(pvt), DEFAULT: two(mean)} for time, mean in zip(TIMES, default)}
    protocol = {"hardware": {"machine": "a processor"}}
    return {"own": "10ms", "protocol": protocol, ZERO: two(zero), "times": {**times, "10ms": times[TIMES[0]]}}


def test_all_clips_are_in_the_json_file_and_means_are_theirs():
    for name, each in json.loads(JSON.read_text(encoding="utf-8"))["trackers"].items():
        for found in (each[ZERO], *(found for cells in each["times"].values() for found in cells.values())):
            assert len(found["clips"]) == 12, name
            assert found["auc"] == pytest.approx(sum(found["clips"].values()) / 12, abs=2e-4)


def test_rows_of_all_camera_rates_are_one_mean_over_clips():
    def row(predictor, ms, **clips):
        return {"predictor": predictor, "processing_ms": ms, "per_sequence": clips}

    rows = [row(None, 0.0, a=0.8), row(None, 0.0, b=0.6, c=0.4), row(HOLD, 47.0, a=0.2), row(HOLD, 47.0, b=0.4, c=0.6)]
    made = gathered(rows)
    assert made[ZERO] == {"auc": 0.6, "clips": {"a": 0.8, "b": 0.6, "c": 0.4}}
    assert made["times"] == {"47ms": {HOLD: {"auc": 0.4, "clips": {"a": 0.2, "b": 0.4, "c": 0.6}}}}


def test_what_the_default_misses_is_named():
    assert reaches(entry()) == []
    assert reaches(entry(default=(0.57, 0.61, 0.49))) == ["hold at 165 ms", "PVT at 165 ms", "95.0 % kept at 47 ms"]
    content = {"trackers": {"csrt": entry(default=(0.57, 0.61, 0.6), pvt=0.58)}}
    assert bar(content) == ["* `csrt` misses it: PVT at 47 ms, 95.0 % kept at 47 ms."]
    assert "| `csrt` | 85 ms | +.110 [+.110, +.110] | +.030 [+.030, +.030] | a +.110 | 101.7 % |" in leads(content)
    assert re.search(r"^\| a \| \.700 \| \.600 / \.600 / \.600 \|", "\n".join(clips(content)), re.MULTILINE)


def test_rows_of_other_trackers_are_kept(tmp_path, monkeypatch):
    file = tmp_path / "table.json"
    file.write_text(json.dumps({"mode": "otb", "trackers": {"csrt": entry()}}))
    monkeypatch.setattr(tracker_table, "measure", lambda clips, name, own, logs: entry())
    monkeypatch.setattr(tracker_table, "load", lambda *arguments: [])
    assert main([str(tmp_path), "--trackers", "vittrack", "--json", str(file)]) == 0
    assert set(json.loads(file.read_text())["trackers"]) == {"csrt", "vittrack"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}", "--json", "{folder}/bad.json"], "not a file of this study"),
        (["{folder}", "--trackers", "dog", "--json", "{folder}/none.json"], "--trackers names 'dog', allowed: nano"),
        (["{folder}", "--json", "{folder}/none.json"], "uav-mini"),
    ],
)
def test_what_cannot_be_run_is_one_line(arguments, message, tmp_path, capsys):
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(SystemExit) as ended:
        main([each.format(folder=tmp_path) for each in arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_tracker_is_run_and_its_logs_are_read_again(tmp_path, monkeypatch):
    pytest.importorskip("cv2")
    monkeypatch.setattr(tracker_table, "TIMES", ("165ms",))
    clip = render(AerialClip(seed=9, width=320, height=180, seconds=1.5, occlusions=()))
    one, two = (tracker_table.measure([clip], "kcf", "30ms", str(tmp_path / "logs")) for _ in range(2))
    assert one["times"] == two["times"] and set(one["times"]) == {"30ms", "165ms"}
    slow = one["times"]["165ms"]
    assert slow[DEFAULT]["auc"] > slow[PVT]["auc"] > slow[HOLD]["auc"] and one[ZERO]["auc"] > slow[HOLD]["auc"]
