"""The timing script in its short form: every figure is there."""

import json

from pvtpp_benchmarks.speed import live_submit


def test_a_short_run_gives_every_figure(tmp_path):
    path = tmp_path / "figures.json"
    assert live_submit.main(["--seconds", "0.5", "--predictor-ms", "5", "--json", str(path)]) == 0
    figures = json.loads(path.read_text())
    assert set(figures["slow"]) == set(figures["no time"]) == {"submit", "predict"}
    assert all(value > 0 for each in figures["slow"].values() for value in each.values())
