"""A short soak test: the live tracker runs without errors, and the figures are written."""

import json

import pytest

from pvtpp_benchmarks.speed import live_soak


def test_a_short_soak_fails_nowhere_and_keeps_its_threads(tmp_path, capsys):
    path = tmp_path / "soak.json"
    arguments = ["--seconds", "3", "--size", "320", "180", "--queries", "50", "--presence", "on", "--json", str(path)]
    assert live_soak.main(arguments) == 0
    figures = json.loads(path.read_text())
    assert figures["errors"] == 0 and figures["presence"] == "TRACKING" and len(figures["threads"]) == 1
    assert figures["counts"]["frames"] == 90 and figures["counts"]["out_of_order"] == 0
    # Without the propagation the newest evidence is 1.5 to 3 frames old; the bound allows for a busy machine.
    assert 0 < figures["evidence_age_frames"]["p50"] < 1.5
    assert "evidence_age_frames" in capsys.readouterr().out


def test_wrong_options_are_refused(tmp_path, capsys):
    for arguments in (["--seconds", "0"], ["--predictor", "oracle"], ["--json", str(tmp_path)]):
        with pytest.raises(SystemExit):
            live_soak.main(arguments)
    assert "--seconds is 0.0" in capsys.readouterr().err
