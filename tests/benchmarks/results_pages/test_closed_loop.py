"""Tables and the picture of closed loops say what is in the study's file, losses among it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from pvtpp_benchmarks.results_pages.closed_loop import RATES, SOURCE, hidden, leads, rates
from pvtpp_benchmarks.results_pages.closed_loop_picture import closed_loop

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def content():
    return json.loads((ROOT / SOURCE).read_text())


def row_of(content, variant, motion="linear", processing="85ms", gain_is="shared", occlusions=0):
    (found,) = [
        row
        for row in content["rows"]
        if (row["variant"], row["motion"], row["processing"], row["gain_is"], row["occlusions"])
        == (variant, motion, processing, gain_is, occlusions)
    ]
    return found


def checkout(folder, content):
    """A folder with this content of the study and the committed one of the other."""
    (folder / SOURCE).parent.mkdir(parents=True)
    (folder / SOURCE).write_text(json.dumps(content))
    shutil.copy(ROOT / RATES, folder / RATES)
    return folder


def test_a_lead_is_from_the_least_to_the_most_of_all_cases(content):
    row_of(content, "default")["mse_mrad2"] = 2 * row_of(content, "stale")["mse_mrad2"]
    (line,) = [line for line in leads(content) if line.startswith("| default | stale boxes |")]
    assert line.startswith("| default | stale boxes | -100 to ")


def test_a_target_that_is_held_is_not_called_lost(content):
    row_of(content, "imu", occlusions=2).update(lost=0, mse_mrad2=12.0, time_to_loss_s=8.0)
    (line,) = [line for line in hidden(content) if line.startswith("| linear | 85 ms |")]
    assert line.endswith("| 12, not lost |") and line.count("lost at") == 3


def test_a_gain_at_which_the_target_is_lost_has_no_error(content, tmp_path):
    for row in content["gains"]:
        if (row["variant"], row["processing"], row["gain"]) == ("default", "85ms", 9.0):
            row["lost"] = 1
    lines = rates(checkout(tmp_path, content))
    (line,) = [line for line in lines if line.startswith("| default | unknown | nothing |")]
    assert line.split(" | ")[-2] == "lost"


def test_the_picture_names_every_variant_motion_and_loss(content, tmp_path):
    row_of(content, "stale", motion="curved")["lost"] = 1
    drawn = closed_loop(checkout(tmp_path, content))
    titles = re.findall(r"<title>([^<]+)</title>", drawn)
    assert len(titles) == 32
    for variant in ("stale boxes", "PVT&#x27;s Kalman filter", "default", "default + IMU"):
        for motion in ("linear", "curved", "weaving", "evasive"):
            assert sum(title.startswith(f"{variant}, {motion}: ") for title in titles) == 2
    lost = [title for title in titles if title.startswith("stale boxes, curved")]
    assert all(title.endswith("(lost)") for title in lost)
