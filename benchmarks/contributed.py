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
from pvtpp.validation import Rule, at_least, one_of, whole_from
from pvtpp_benchmarks.json_rules import FILLED_TEXT, OBJECT, check_fields, list_of, object_of, object_with, or_null

SCHEMA = 1
FOLDER = "benchmarks/results"
"""Where they lie in a checkout."""
STAGE = ("median_ms", "p95_ms", "p99_ms", "max_ms")
_TIME = at_least(0)
_STAGES = object_of(object_with({"samples": whole_from(1), **dict.fromkeys(STAGE, _TIME)}), least=1)
_BEFORE_AFTER = {"power": OBJECT, "load": or_null(list_of(_TIME, 3, 3))}
RULES: Dict[str, Rule] = {
    "schema": one_of((SCHEMA,)),
    "suite": FILLED_TEXT,
    "protocol": object_with(
        {
            "versions": object_with({"pvtpp": FILLED_TEXT}, others=True),
            "hardware": object_with({"machine": FILLED_TEXT}, others=True),
            "command": FILLED_TEXT,
        },
        others=True,
    ),
    **{name: object_with({"before": rule, "after": rule}) for name, rule in _BEFORE_AFTER.items()},
    "settings": object_with(
        {
            "backend": or_null(FILLED_TEXT),
            "threads": whole_from(1),
            "predictor": FILLED_TEXT,
            "frames": whole_from(1),
            "clip": FILLED_TEXT,
        }
    ),
    "trackers": object_of(
        object_with(
            {
                "providers": or_null(list_of(FILLED_TEXT, 1, 16)),
                "cpu_per_wall": _TIME,
                "stages": _STAGES,
                "frame_ms": list_of(_TIME, 1, 100_000),
            }
        ),
        least=1,
    ),
    "propagation": _STAGES,
    "left_out": object_of(FILLED_TEXT),
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
    check_fields(content, RULES, source)
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
