"""Tables of the interfaces: what misleads is named, and noise is not a gain."""

from __future__ import annotations

import json
from pathlib import Path

from pvtpp_benchmarks.results_pages.interfaces import clicks, mavlink, ros_latency

ROOT = Path(__file__).resolve().parents[3]


def content(path):
    return json.loads((ROOT / path).read_text())


def test_clips_on_which_a_click_is_worse_than_the_square_are_named():
    study = content("benchmarks/studies/point_selection.json")
    for row in study["iou"]["generated"]:
        if row["clip"] == "seed 3" and not row["beside"]:
            row.update(motion=0.25, square=0.5)
    assert "seed 3 (.250 against .500)" in " ".join(clicks(study))


def test_a_node_that_seems_faster_than_nothing_adds_nothing():
    (line,) = [line for line in ros_latency(content("ros_nodes/latency_study.json")) if "adds" in line]
    assert line == "| the node adds, median | 0.9 ms | 0.0 ms |"


def test_the_last_line_is_the_mean_over_clips():
    study = content("benchmarks/studies/mavlink_boxes.json")
    for row in study["rows"]:
        row.update(received=10, received_iou=0.5, simulator_iou=0.25, without_lead_iou=0.125)
    assert "| mean over clips | 80 | .500 | .250 | .125 |" in mavlink(study)
