"""The timing script of crops: both ways cut the same crop, and figures are written."""

from __future__ import annotations

import json

import cv2
import numpy as np

from pvtpp_benchmarks.speed import crop


def test_both_ways_cut_the_same_crop():
    image = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    fill, out = (120.0, 121.0, 122.0), np.empty((255, 255, 3), np.uint8)
    for x, y in ((320.0, 180.0), (3.0, 180.0), (636.0, 358.0)):
        assert np.array_equal(crop.ours(out)(image, x, y, 200, fill), crop.padded(image, x, y, 200, fill))


def test_it_writes_figures_and_hardware(tmp_path, capsys):
    threads = cv2.getNumThreads()
    try:
        assert crop.main(["--repeats", "1", "--json", str(tmp_path / "figures.json")]) == 0
    finally:
        cv2.setNumThreads(threads)
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert {row["place"] for row in figures["rows"]} == set(crop.PLACES)
    assert figures["protocol"]["hardware"]["machine"]
    assert "times faster" in capsys.readouterr().out
