"""Below a table of measurements stands by which command and on what machine they were made."""

from __future__ import annotations

from pvtpp_benchmarks.results_pages.measured import made_on, measured

PROTOCOL = {"command": "python -m x --json benchmarks/speed/x.json", "hardware": {"machine": "M", "cores": 4}}


def test_the_sentence_names_command_machine_and_load():
    assert made_on({"protocol": PROTOCOL}) == "`python -m x --json x.json`; M, 4 cores."
    loaded = made_on({"protocol": {**PROTOCOL, "load": [1.5, 2.0]}})
    assert loaded.endswith("M, 4 cores, load average 1.5 of the last minute.")


def test_what_was_measured_is_said_after_the_machine():
    lines = measured({"protocol": PROTOCOL}, ["what"], [["one"]], "Two frames.")
    assert lines == ["| what |", "| --- |", "| one |", "", "`python -m x --json x.json`; M, 4 cores. Two frames."]
    assert measured({"protocol": PROTOCOL}, ["what"], [])[-1].endswith("4 cores.")
