"""A short measurement of a stream: true ages and delays come out, and nothing fails."""

import json

import pytest

pytest.importorskip("av")

from pvtpp_benchmarks.speed import stream_age


def test_the_age_of_the_evidence_of_a_stream_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(stream_age, "WARM_UP_S", 0.2)
    path = tmp_path / "age.json"
    assert stream_age.main(["--kinds", "http", "--seconds", "2", "--size", "320", "180", "--json", str(path)]) == 0
    found = json.loads(path.read_text())["kinds"]["http"]
    assert found["timing"] == "arrival" and found["frames"] > 5 and found["connections"] == 1
    # The time in the image is in whole milliseconds. Nothing is older than the run, and nothing comes from the future.
    assert -1.5 < found["delay_ms"]["p50"] < 3000 and found["evidence_age_ms"]["p50"] > -1.5
    assert len(found["memory_mib"]) == 3


def test_wrong_options_are_refused(capsys):
    for arguments, words in ((["--seconds", "0"], "--seconds is 0.0, allowed is"), (["--kinds", "x"], "no kind x")):
        with pytest.raises(SystemExit):
            stream_age.main(arguments)
        assert words in capsys.readouterr().err
