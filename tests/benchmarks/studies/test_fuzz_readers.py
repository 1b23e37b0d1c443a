"""Every reader of user files answers a damaged file or raises InputError; the script finds the one that does not."""

from __future__ import annotations

import random

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.studies import fuzz_readers
from pvtpp_benchmarks.studies.fuzz_damage import READERS, Sound, allowed, damage
from pvtpp_benchmarks.studies.fuzz_readers import main, run_case

INPUTS = 200


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_gives_an_input_error_or_an_answer(name):
    if READERS[name]() is None:
        pytest.skip("something that this reader needs is not installed")
    failed = {number: error for number, error in ((n, run_case(name, n)) for n in (None, *range(INPUTS))) if error}
    assert not failed, f"{name}, cases {list(failed)}:\n{next(iter(failed.values()))}"


def test_a_case_is_the_same_whenever_it_is_run():
    sound = b'{"a": [1, 2, 3], "b": null}\n1,2,3,4\n'
    made = [damage(random.Random(f"x {i}"), sound) for i in range(300)]
    assert made == [damage(random.Random(f"x {i}"), sound) for i in range(300)]
    assert len(set(made)) > 200


def failing():
    def case(rng, folder):
        if isinstance(rng, Sound):
            return
        if rng.random() < 0.5:
            raise KeyError("a bug")
        raise InputError("bad input")

    return case


def test_a_reader_that_raises_anything_else_is_reported_with_the_number_of_its_case(monkeypatch, capsys):
    monkeypatch.setattr(fuzz_readers, "READERS", {"failing": failing, "missing": lambda: None})
    assert main(["--inputs", "20"]) == 1
    said = capsys.readouterr().out
    assert "KeyError: 'a bug'" in said and "failing: 20 inputs, " in said and " 0 failed" not in said
    assert "missing: left out" in said
    number = int(said.partition("failing, case ")[2].partition(":")[0])
    assert main(["--reader", "failing", "--case", str(number)]) == 1
    assert f"failing, case {number}:" in capsys.readouterr().out


def test_a_reader_that_refuses_its_sound_file_is_reported(monkeypatch, capsys):
    def refusing():
        def case(rng, folder):
            with allowed(rng):
                raise InputError("no such format")

        return case

    monkeypatch.setattr(fuzz_readers, "READERS", {"refusing": refusing})
    assert main(["--inputs", "3"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("refusing, the sound file:\n") and said.endswith("refusing: 3 inputs, 1 failed\n")


def test_without_failures_the_status_is_0(capsys):
    assert main(["--reader", "flags", "--inputs", "3"]) == 0
    assert capsys.readouterr().out == "flags: 3 inputs, 0 failed\n"
