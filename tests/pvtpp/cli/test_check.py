"""`pvtpp check`: what is wrong with the call is one line, what is wrong with the tracker is said clause by clause."""

from __future__ import annotations

import json

import pytest

from pvtpp.cli.main import main

TRACKERS = """
class Still:
    def init(self, image, xywh):
        if image.ndim != 3 or image.dtype.name != "uint8" or not image.size:
            raise ValueError("no image")
        self.xywh = xywh

    def update(self, image):
        if image.ndim != 3 or image.dtype.name != "uint8" or not image.size:
            raise ValueError("no image")
        return [1, 1, 5, 5]


class Broken:
    def __init__(self):
        raise RuntimeError("no licence")

    def init(self, image, xywh):
        pass

    def update(self, image):
        pass


class Exits(Still):
    def __init__(self):
        raise SystemExit(0)
"""


@pytest.fixture(autouse=True)
def trackers_here(tmp_path, monkeypatch):
    (tmp_path / "checked_trackers.py").write_text(TRACKERS)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("name", ["wizard", "checked_trackers:Wizard", "no_such_module:Tracker"])
def test_an_unknown_tracker_is_one_line_and_bad_input(name, capsys):
    assert main(["check", name]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("pvtpp check: error: ") and printed.err.count("\n") == 1


def test_a_clause_of_quality_only_warns(tmp_path, capsys):
    assert main(["check", "checked_trackers:Still", "--json", str(tmp_path / "out.json")]) == 0
    printed = capsys.readouterr().out
    assert "warn  follows the target: loses an easy target" in printed and "FAIL" not in printed
    assert "keeps the contract, with 1 warning\n" in printed
    checks = json.loads((tmp_path / "out.json").read_text())["checks"]
    assert [check["name"] for check in checks if not check["passed"]] == ["follows the target"]


def test_a_tracker_that_cannot_be_made_fails_its_clauses(capsys):
    assert main(["check", "checked_trackers:Broken"]) == 1
    printed = capsys.readouterr().out
    assert "FAIL  init: raised RuntimeError: no licence" in printed
    assert "warn  follows the target" in printed and "10 of 10 checks failed, with 2 warnings" in printed


def test_a_tracker_that_exits_fails_its_clauses(capsys):
    assert main(["check", "checked_trackers:Exits"]) == 1
    assert "FAIL  init: raised SystemExit: 0" in capsys.readouterr().out
