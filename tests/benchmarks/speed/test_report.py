"""The timing script of reports: a report of its size, and figures that are written."""

import json

import pytest

from pvtpp_benchmarks.speed import report


@pytest.mark.real_data
def test_it_writes_figures_and_hardware(tmp_path, data_root, capsys, monkeypatch):
    monkeypatch.setattr(report, "CLIPS", 2)
    monkeypatch.setattr(report, "TIMES", ("47ms",))
    annotations = data_root / "annotations" / "uav_annos.tar.xz"
    assert report.main([str(annotations), "--json", str(tmp_path / "figures.json")]) == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["protocol"]["hardware"]["machine"]
    assert figures["files"] > 20 and 0 < figures["page_mb"] < figures["all_mb"] < 15
    assert "1 trackers x 4 predictors x 2 clips" in capsys.readouterr().out
