"""The study of the propagation runs on real clips and writes what it prints."""

from __future__ import annotations

import json

import pytest

from pvtpp_benchmarks.studies import propagation_carry


@pytest.mark.real_data
def test_it_compares_the_ways_by_number_of_frames_and_by_quality(data_root, tmp_path, capsys):
    target = tmp_path / "figures.json"
    arguments = [
        str(data_root / "uav-mini"),
        "--clips",
        "Crossing",
        "--starts",
        "3",
        "--frames",
        "2",
        "--json",
        str(target),
    ]
    assert propagation_carry.main(arguments) == 0
    figures = json.loads(target.read_text())
    assert [(row["clip"], row["frames"]) for row in figures["iou"]] == [
        ("Crossing", 1), ("mean", 1), ("Crossing", 2), ("mean", 2)
    ]  # fmt: skip
    assert sum(row["answers"] for row in figures["quality"]) == 6
    assert "steps measured per propagation" in capsys.readouterr().out


def test_without_data_it_says_what_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        propagation_carry.main([str(tmp_path / "nowhere")])
    assert "nowhere" in capsys.readouterr().err
