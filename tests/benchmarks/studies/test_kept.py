"""Kept answers survive an interruption, a torn line and another study."""

from __future__ import annotations

import pytest

from benchmarks.studies.kept import Kept
from pvtpp.errors import InputError


def test_answers_come_back_in_another_run(tmp_path):
    path = str(tmp_path / "new" / "kept.jsonl")
    assert list(Kept(path).add([(["a", 1], {"auc": 0.5}), (["b", 2.5], 0.25)])) == [1, 2]
    again = Kept(path)
    assert again["a", 1] == {"auc": 0.5} and ["b", 2.5] in again and ["c"] not in again


def test_an_interrupted_study_has_what_had_come(tmp_path):
    path = str(tmp_path / "kept.jsonl")

    def answers():
        yield "a", 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Kept(path).add(answers()))
    assert Kept(path)["a"] == 1


def test_a_torn_last_line_is_written_anew(tmp_path):
    path = tmp_path / "kept.jsonl"
    list(Kept(str(path)).add([("a", 1), ("b", 2)]))
    path.write_bytes(path.read_bytes()[:-3])
    kept = Kept(str(path))
    assert "a" in kept and "b" not in kept
    list(kept.add([("b", 3)]))
    assert (Kept(str(path))["a"], Kept(str(path))["b"]) == (1, 3)


def test_a_file_of_something_else_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello\nworld\n")
    with pytest.raises(InputError, match=r"notes\.txt, line 1: not an answer"):
        Kept(str(path))
