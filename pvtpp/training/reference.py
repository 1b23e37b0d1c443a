"""The page of every configuration field, made from the dataclasses: ``python -m pvtpp.training.reference``."""

from __future__ import annotations

import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from pvtpp.networks.joint import JointConfig
from pvtpp.networks.motion import MotionConfig
from pvtpp.networks.n_head import NHeadConfig
from pvtpp.training.calibration import Calibration
from pvtpp.training.joint import JointTraining
from pvtpp.training.motion import MotionTraining
from pvtpp.training.paper import PaperTraining
from pvtpp.training.recorded_windows import RecordedWindows
from pvtpp.training.run import Run
from pvtpp.training.tracker_error import ErrorModel, FlowError
from pvtpp.training.windows import WindowConfig

PAGE = (
    MotionTraining,
    Calibration,
    JointTraining,
    PaperTraining,
    MotionConfig,
    JointConfig,
    NHeadConfig,
    WindowConfig,
    RecordedWindows,
    ErrorModel,
    FlowError,
)
WIDTH = 120
HEAD = """# Every field of a training's configuration

This page is made from the code by `python -m pvtpp.training.reference`. `pvtpp train KIND --print-config` prints the
whole configuration as JSON, as `--config` takes it. A nested object may leave fields out; they stay as they were.
`train motion` takes `MotionTraining` by `--config` and `Calibration` by `--calibration`. `train joint` takes
`JointTraining`, `train paper` takes `PaperTraining`.
"""


def page() -> str:
    """The page, Markdown."""
    return "\n".join([HEAD, *(line for kind in PAGE for line in _section(kind))])


def _section(kind: type) -> Iterator[str]:
    """The lines of one dataclass: fields that share their meaning share an entry."""
    known = {field.name: field for field in fields(kind)}
    yield f"## {kind.__name__}\n"
    yield textwrap.fill(" ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()), WIDTH) + "\n"
    for names, meaning in _meanings(kind):
        listed = ", ".join(f"`{name}` ({_default(known.pop(name))})" for name in names)
        text = f"* {listed}: {meaning}".replace("``", "`")
        yield textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    if known:
        raise ValueError(f"{kind.__name__}: the docstring says nothing of {', '.join(known)}")
    yield ""


def _default(field: Field[Any]) -> str:
    """The default in words: as JSON, and of another dataclass its section."""
    value = field.default_factory() if field.default_factory is not MISSING else field.default
    if value is MISSING:
        return "required"
    if is_dataclass(value) and not isinstance(value, type):
        name = type(value).__name__
        return f"a [{name}](#{name.lower()})"
    return f"`{json.dumps(value)}`"


def _meanings(kind: type) -> Iterator[tuple[list[str], str]]:
    """Names and meaning of each entry under Attributes, in the docstring of the class and of what it derives from."""
    for each in (Run, kind) if issubclass(kind, Run) else (kind,):
        text = inspect.getdoc(each) or ""
        part = re.search(r"^Attributes\n-+\n(.*?)(?=^\w+\n-+$|\Z)", text, re.DOTALL | re.MULTILINE)
        entries = re.findall(r"^(\w[^\n]*)\n((?:    [^\n]*\n?)+)", part[1] if part else "", re.MULTILINE)
        for names, meaning in entries:
            yield [name.strip() for name in names.split(",")], " ".join(meaning.split())


if __name__ == "__main__":
    sys.stdout.write(page())
