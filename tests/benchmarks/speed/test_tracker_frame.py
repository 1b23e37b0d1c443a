"""The timing script runs every tracker of its list and writes its figures with the hardware they were taken on."""

from __future__ import annotations

import json

import cv2
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.mark.real_data
def test_it_writes_figures_and_hardware(weights_root, tmp_path, monkeypatch, capsys):
    from pvtpp_benchmarks.speed import tracker_frame

    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
    threads = cv2.getNumThreads()
    try:
        arguments = ["--frames", "2", "--weights", str(weights_root), "--json", str(tmp_path / "figures.json")]
        assert tracker_frame.main(arguments) == 0
    finally:
        cv2.setNumThreads(threads)
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert set(figures["trackers"]) == {"nanotrack-v1", "nanotrack-v2", "nanotrack-v3", "vittrack"}
    for each in figures["trackers"].values():
        assert each["rows"]["frame"]["p50_ms"] > 0 and each["rows"]["bare"]["p50_ms"] > 0
    assert figures["protocol"]["hardware"]["machine"]
    assert "ratio of the medians" in capsys.readouterr().out


def test_an_unknown_tracker_is_refused_before_anything_is_timed(capsys):
    from pvtpp_benchmarks.speed import tracker_frame

    with pytest.raises(SystemExit):
        tracker_frame.main(["--trackers", "csrt"])
    assert "--trackers names 'csrt', allowed: nanotrack-v3" in capsys.readouterr().err
