"""How much of the truth sigma's bounds hold: whatever the study's file holds."""

import pytest
from committed_results import committed, rows_of, text_of

from pvtpp_benchmarks.results_pages import sigma


@pytest.fixture
def content():
    return committed(sigma.SOURCE)


def test_a_fit_with_other_settings_is_said(content):
    content["settings"].update(presence="on", starts=2, margins=[1.3, 1.15])
    said = text_of(sigma.settings(content))
    assert said.startswith("Presence on, 2 starts in each clip") and "margins 1.3 for the centre and 1.15 for" in said


def test_shares_are_those_of_the_file(content):
    test = content["counted"]["nanotrack-v3, uav-mini/test"]["as published"]
    test["all"]["clips_mean"]["47ms"]["size"] = [0.123, 0.456]
    rows = rows_of(sigma.coverage(content))
    place = [row[0] for row in rows].index("`uav-mini/test`")
    assert rows[place + 1][1:4:2] == ["size", "12 / 46"]


def test_a_clip_has_the_mean_of_its_times(content):
    clip = content["counted"]["nanotrack-v3, uav-mini/test"]["as published"]["all"]["clips"]["Biker"]
    for time, share in (("20ms", 0.2), ("47ms", 0.4), ("85ms", 0.6), ("165ms", 0.8)):
        clip[time]["centre"] = [share, 1.0]
    (row,) = [row for row in rows_of(sigma.clips(content)) if row[0] == "Biker"]
    assert row[2] == "50 / 100"


def test_every_other_tracker_that_was_counted_has_a_row(content):
    content["counted"]["another, uav-mini/train"] = content["counted"]["kcf, uav-mini/train"]
    assert [row[0].split("`")[1] for row in rows_of(sigma.others(content))] == ["kcf", "csrt", "another"]


def test_the_weights_are_those_of_the_code(content):
    content["in the code"]["size"]["drop"] = 2.5
    rows = {row[0]: row[2:] for row in rows_of(sigma.weights(content))}
    assert rows["`drop`"][1] == "2.5" and len(rows) == len(content["in the code"]["size"])
