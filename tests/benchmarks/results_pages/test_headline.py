"""The headline: what latency costs, what is kept, and the curves, over all clips."""

import re

import numpy as np
import pytest
from committed_results import ROOT, committed, rows_of, text_of

from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.results_pages import headline


def test_what_is_kept_is_the_mean_over_clips_divided_by_that_of_zero_latency():
    runs = committed(headline.PRESENCE)["as they are"]["runs"]
    found = headline.kept(runs, "85ms", "hold")
    mean = {name: np.mean(list(runs[name]["clips"].values())) for name in ("85 ms hold", "zero latency")}
    assert found.share == pytest.approx(mean["85 ms hold"] / mean["zero latency"])
    assert found.ends[0] < found.share < found.ends[1]
    assert headline.Kept(0.514, [0.37, 0.668]).text() == "51 % [37, 67]"


def test_the_lead_counts_the_clips_on_which_the_default_is_ahead():
    content = committed(headline.PRESENCE)
    runs = content["as they are"]["runs"]
    assert headline.lead(runs, "85ms", "hold")["ahead"] == 12
    runs["85 ms on"]["clips"]["Biker"] = 0.0
    found, over_pvt = (headline.lead(runs, "85ms", over) for over in ("hold", "pvt"))
    assert (found["ahead"], found["clips"], found["worst"][0]) == (11, 12, "Biker")
    said = text_of(headline.bullets(content))
    assert "on 11 of 12 clips" in said
    assert all(f"by {each['mean']:.3f}".replace("0.", ".") in said for each in (found, over_pvt))


def test_three_bullets_each_with_an_interval_and_no_line_of_a_list_by_chance():
    lines = headline.bullets(committed(headline.PRESENCE))
    starts = [number for number, line in enumerate(lines) if line.startswith("* ")]
    items = [text_of(lines[begin:end]) for begin, end in zip(starts, [*starts[1:], len(lines)])]
    assert len(items) == 3 and all(re.search(r"\[[^]]+, [^]]+\]", item) for item in items)
    assert all(len(line) <= 120 for line in lines)
    # A line that begins with one of these would be a list in the list.
    assert not [line for line in lines if re.match(r"\s+([-+*]|\d+\.) ", line)]


@pytest.mark.real_data
def test_camera_rates_are_those_of_the_clips(data_root):
    rates = {clip.name: clip.camera_fps for clip in load("uav-mini", str(data_root / "uav-mini"), "test")}
    assert {name for name, fps in rates.items() if fps == 10.0} == set(headline.TEN_FPS)
    assert [row[0] for row in rows_of(headline.rates(committed(headline.PRESENCE)))] == [
        "camera of 30 fps, 6 clips",
        "camera of 10 fps, 6 clips",
        "without S0601 and truck2, 10 clips",
    ]


def test_a_curve_begins_with_the_auc_of_the_table():
    for name, run in committed(headline.PRESENCE)["as they are"]["runs"].items():
        assert run["curve"] is None if name == headline.ZERO else run["curve"][0] == pytest.approx(run["auc"], abs=1e-3)


def test_the_picture_has_a_panel_for_each_time_and_names_every_curve():
    text = headline.drawn(ROOT)
    for time in ("20 ms", "47 ms", "85 ms", "165 ms"):
        assert f"nanotrack-v3, {time} a frame</text>" in text
    assert all(f">{label}</text>" in text for label in headline.CURVES.values())
