"""The timing script runs and writes its figures with the hardware they were taken on."""

from __future__ import annotations

import json

import cv2

from pvtpp_benchmarks.speed import propagation_frame


def test_it_writes_figures_and_hardware(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(propagation_frame, "SIZES", ((320, 180),))
    monkeypatch.setattr(propagation_frame, "SHOWN", 4)
    threads = cv2.getNumThreads()
    try:
        assert propagation_frame.main(["--frames", "2", "--json", str(tmp_path / "figures.json")]) == 0
    finally:
        cv2.setNumThreads(threads)
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [row["late_frames"] for row in figures["rows"]] == list(propagation_frame.LATE)
    assert all(row["push_p50_ms"] > 0 for row in figures["rows"])
    assert figures["protocol"]["hardware"]["machine"]
    assert "320x180" in capsys.readouterr().out
