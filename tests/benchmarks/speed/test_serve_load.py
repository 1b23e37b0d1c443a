"""A short run of a service under load: it is measured, the viewer sees pictures, and nothing fails."""

import json

import pytest

pytest.importorskip("aiohttp")

from pvtpp_benchmarks.speed import serve_load


def test_a_service_is_measured_while_others_look_at_it_and_attack_it(tmp_path, capsys):
    path = tmp_path / "load.json"
    arguments = ["--seconds", "1.5", "--size", "320", "180", "--runs", "alone,malformed", "--json", str(path)]
    assert serve_load.main(arguments) == 0
    found = json.loads(path.read_text())
    assert set(found["runs"]) == {"alone", "malformed"} and set(found["cost"]) == {"malformed"}
    attacked = found["runs"]["malformed"]
    assert attacked["errors"] == 0 and attacked["pictures_per_s"] > 0 and attacked["queries"] > 10
    assert found["runs"]["alone"]["pictures_per_s"] == 0
    assert "against the live tracker alone" in capsys.readouterr().out


def test_wrong_options_are_refused(capsys):
    for arguments, words in ((["--runs", "flood"], "no run flood"), (["--seconds", "0"], "a number from 1")):
        with pytest.raises(SystemExit):
            serve_load.main(arguments)
        assert words in capsys.readouterr().err
