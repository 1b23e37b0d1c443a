"""Contributed results: what a machine takes for each tracker of a suite, one file for each machine.

`pvtpp bench --contribute` writes them. A file lies at ``benchmarks/results/VERSION/SUITE--MACHINE.json``. Every one of
them is checked by the tests, and the page of boards is made from them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, Union

from pvtpp.errors import InputError
from pvtpp.files import read_json
from pvtpp.validation import Rule, at_least, holds, one_of, optional, whole_from

SCHEMA = 1
FOLDER = "benchmarks/results"
"""Where they lie in a checkout."""
STAGE = ("median_ms", "p95_ms", "p99_ms", "max_ms")

_TEXT = holds("a text that is not empty", lambda value: isinstance(value, str) and value != "")
_TIME = at_least(0)


def _object(rule: Rule, least: int = 0) -> Rule:
    """An object of any names, each value of which keeps the rule."""
    return holds(
        f"an object of {least} or more, each {rule.allowed}",
        lambda value: isinstance(value, dict) and len(value) >= least and all(map(rule.holds, value.values())),
    )


def fields(rules: Mapping[str, Rule]) -> Rule:
    """Allow an object with exactly these fields."""
    return holds(
        "an object with " + ", ".join(f"{name} ({rule.allowed})" for name, rule in rules.items()),
        lambda value: isinstance(value, dict) and set(value) == set(rules) and not broken(value, rules),
    )


def broken(content: Mapping[str, Any], rules: Mapping[str, Rule]) -> List[str]:
    """Return the names of the fields that break their rule or are missing."""
    return [name for name, rule in rules.items() if name not in content or not _keeps(rule, content[name])]


def _keeps(rule: Rule, value: Any) -> bool:
    try:
        return rule.holds(value)
    except (KeyError, TypeError, ValueError):
        return False


def _list_of(rule: Rule, least: int, most: int) -> Rule:
    return holds(
        f"a list of {least} to {most}, each {rule.allowed}",
        lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(rule.holds, value)),
    )


_STAGES = _object(fields({"samples": whole_from(1), **dict.fromkeys(STAGE, _TIME)}), least=1)
_ANY = holds("an object", lambda value: isinstance(value, dict))
_BEFORE_AFTER = {"power": _ANY, "load": optional(_list_of(_TIME, 3, 3))}
RULES: Dict[str, Rule] = {
    "schema": one_of((SCHEMA,)),
    "suite": _TEXT,
    "protocol": holds(
        "an object with versions (with pvtpp), hardware (with machine) and command",
        lambda value: (
            _TEXT.holds(value["versions"]["pvtpp"])
            and _TEXT.holds(value["hardware"]["machine"])
            and _TEXT.holds(value["command"])
        ),
    ),
    **{name: fields({"before": rule, "after": rule}) for name, rule in _BEFORE_AFTER.items()},
    "settings": fields(
        {
            "backend": optional(_TEXT),
            "threads": whole_from(1),
            "predictor": _TEXT,
            "frames": whole_from(1),
            "clip": _TEXT,
        }
    ),
    "trackers": _object(
        fields(
            {
                "providers": optional(_list_of(_TEXT, 1, 16)),
                "cpu_per_wall": _TIME,
                "stages": _STAGES,
                "frame_ms": _list_of(_TIME, 1, 100_000),
            }
        ),
        least=1,
    ),
    "propagation": _STAGES,
    "left_out": _object(_TEXT),
}
"""Fields of a file. `frame_ms` is the time of each frame in order, without initialisations; `cpu_per_wall` says whether
the tracker had a core for itself; `load` is the system's averages over 1, 5 and 15 minutes."""


def check(content: Any, source: str) -> Dict[str, Any]:
    """Check a contributed result and return it.

    Raises
    ------
    InputError
        For the first field that is missing or of another kind, and for one that no file has; `source` names the file.
    """
    if not isinstance(content, dict):
        raise InputError(f"{source}: a contributed result is an object, this is {type(content).__name__}")
    for name in broken(content, RULES):
        found = f"is {str(content[name])[:60]!r}" if name in content else "is missing"
        raise InputError(f"{source}: {name} {found}, allowed is {RULES[name].allowed}")
    more = sorted(set(content) - set(RULES))
    if more:
        raise InputError(f"{source}: unknown field {more[0]!r}, allowed are {', '.join(RULES)}")
    return content


def is_contributed(content: Any) -> bool:
    """Say whether the content of a JSON file is meant as a contributed result."""
    return isinstance(content, dict) and "suite" in content and "trackers" in content


def name_of(content: Mapping[str, Any]) -> str:
    """Return where a result belongs below the folder of all: ``VERSION/SUITE--MACHINE.json``."""
    protocol = content["protocol"]
    machine = re.sub(r"[^a-z0-9]+", "-", protocol["hardware"]["machine"].lower()).strip("-")
    return f"{protocol['versions']['pvtpp']}/{content['suite']}--{machine[:80]}.json"


def read_all(folder: Union[str, Path]) -> List[Dict[str, Any]]:
    """Read every contributed result below a folder, by name.

    Raises
    ------
    InputError
        For a file that is none, and one that lies where another belongs.
    """
    found = []
    for path in sorted(Path(folder).rglob("*.json")):
        content = check(read_json(path), str(path))
        if path.relative_to(folder).as_posix() != name_of(content):
            raise InputError(f"{path}: lies in a wrong place, by what it holds it is {name_of(content)}")
        found.append(content)
    return found
