"""Measurements survive an interruption, also one in the middle of a line."""

from __future__ import annotations

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.studies.journal import Journal


def test_what_was_added_is_found_again(tmp_path):
    path = str(tmp_path / "journal.jsonl")
    Journal(path).add([(("DTB70", 3, "motion"), [0.5, None]), (("DTB70", 4, "motion"), 0.25)])
    again = Journal(path)
    assert again.get(("DTB70", 3, "motion")) == [0.5, None] and again.get(("DTB70", 4, "motion")) == 0.25
    assert again.get(("DTB70", 5, "motion")) is None


def test_a_line_that_a_kill_cut_short_is_dropped(tmp_path):
    path = tmp_path / "journal.jsonl"
    Journal(str(path)).add([(("a",), 1), (("b",), 2)])
    path.write_text(path.read_text()[:-4])
    again = Journal(str(path))
    assert again.get(("a",)) == 1 and again.get(("b",)) is None
    again.add([(("c",), 3)])
    assert Journal(str(path)).get(("c",)) == 3


def test_without_a_file_it_remembers_while_it_lives():
    journal = Journal(None)
    journal.add([(("a",), 1)])
    assert journal.get(("a",)) == 1


def test_another_file_is_refused_by_name(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("buy milk\n")
    with pytest.raises(InputError, match="notes.txt: not a journal"):
        Journal(str(path))
