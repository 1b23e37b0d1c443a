"""The first hour: the name alone says how to begin, and every command's help has an example that is understood."""

from __future__ import annotations

import re
import shlex
from importlib import import_module

import pytest

from pvtpp.cli.main import COMMANDS, FIRST_STEPS, _joined, _parser, main

NEEDS_TORCH = ("export", "train")


def examples(text):
    """Lines that begin with two spaces and the program, with the lines that go on with them."""
    whole = re.sub(r"\\\n\s*", " ", text)
    return re.findall(r"^  pvtpp (.+)$", whole, re.MULTILINE)


def test_the_name_alone_says_how_to_begin(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) <= 11
    steps = re.findall(r"^  pvtpp (\S+)", said, re.MULTILINE)
    assert len(steps) >= 5 and set(steps) <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_its_parser_understands(name):
    if name in NEEDS_TORCH:
        pytest.importorskip("torch")
    found = examples(import_module(f"pvtpp.cli.{name.replace('-', '_')}").__doc__)
    assert found, f"pvtpp {name} --help has no example"
    for example in found:
        # What else a command needs besides what is shown stands for itself in an ellipsis.
        words = [word for word in shlex.split(example) if word != "..."]
        if len(words) == len(shlex.split(example)):
            assert _parser(words[0]).parse_args(_joined(words)).command == words[0]


def test_first_steps_are_understood():
    for example in examples(FIRST_STEPS):
        words = shlex.split(example.split("   ")[0])
        if words[-1] != "--help":
            assert _parser(words[0]).parse_args(words).command == words[0]
