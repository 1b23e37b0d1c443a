"""What a row of a result file must hold, so that it can be tabled, compared and drawn."""

from __future__ import annotations

import math
from typing import Any, Dict, Mapping, Sequence

from pvtpp.errors import InputError
from pvtpp.validation import Rule, holds


def _is_number(value: Any) -> bool:
    # A whole number of JSON may be too large for a float.
    return type(value) in (int, float) and -1e300 < value < 1e300


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


def _is_curve(value: Any) -> bool:
    if not isinstance(value, dict) or not all(_is_numbers(each) for each in value.values()):
        return False
    return "sigma" in value and "auc" in value and 0 < len(value["sigma"]) == len(value["auc"])


def _or_none(rule: Rule) -> Rule:
    return holds(f"{rule.allowed} or null", lambda value: value is None or rule.holds(value))


def _object(rules: Dict[str, Rule]) -> Rule:
    """An object with these fields."""
    return holds(
        f"an object with {', '.join(f'{name} ({rule.allowed})' for name, rule in rules.items())}",
        lambda value: (
            isinstance(value, dict) and all(name in value and rule.holds(value[name]) for name, rule in rules.items())
        ),
    )


def _each(rule: Rule) -> Rule:
    """An object of any names, each with a value of this kind."""
    return holds(
        f"an object whose values are each {rule.allowed}",
        lambda value: isinstance(value, dict) and all(map(rule.holds, value.values())),
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_plot(value: Any) -> bool:
    if not isinstance(value, dict) or not {"threshold", "value"} <= set(value):
        return False
    return all(map(_is_numbers, value.values())) and 0 < len(value["threshold"]) == len(value["value"])


def _plots(names: Sequence[str]) -> Rule:
    return holds(
        f"an object with {', '.join(names)}, each with equally long 'threshold' and 'value'",
        lambda value: isinstance(value, dict) and all(_is_plot(value.get(name)) for name in names),
    )


_TEXT = holds("a text", lambda value: isinstance(value, str))
_NUMBER = holds("a finite number", _is_number)
_RATE = holds("a number above 0", lambda value: _is_number(value) and 0 < value < math.inf)
_COUNT = holds("a whole number from 0", lambda value: type(value) is int and 0 <= value < 2**53)
_TWO = holds("two numbers", lambda value: _is_numbers(value) and len(value) == 2)
_BOUNDS = _object(dict.fromkeys(("50", "90", "95"), _NUMBER))
_RULES: Dict[str, Rule] = {
    **dict.fromkeys(("dataset", "tracker", "search_region", "clock", "version", "evaluation", "mode"), _TEXT),
    **dict.fromkeys(("predictor", "propagation", "schedule", "presence", "ego_motion"), _or_none(_TEXT)),
    **dict.fromkeys(("processing_ms", "auc", "dp20", "norm_precision"), _NUMBER),
    **dict.fromkeys(("auc_std", "mauc", "mdp"), _or_none(_NUMBER)),
    **dict.fromkeys(("camera_fps", "world_fps"), _RATE),
    "auc_ci95": _or_none(_TWO),
    "sequences": _COUNT,
    "per_sequence": holds(
        "an object of numbers", lambda value: isinstance(value, dict) and all(map(_is_number, value.values()))
    ),
    "curve": _or_none(
        holds("an object of lists", lambda value: isinstance(value, dict) and all(map(_is_numbers, value.values())))
    ),
    "exact_curve": _or_none(holds("an object with equally long 'sigma' and 'auc'", _is_curve)),
    "apart": holds("true or false", lambda value: isinstance(value, bool)),
}
_LATER: Dict[str, Rule] = {
    "outages": _object(
        {
            "nt2f": _NUMBER,
            "outage_s": _TWO,
            **dict.fromkeys(("returns", "found"), _COUNT),
            "found_in_1_s": _or_none(_NUMBER),
            "seconds_to_find": _or_none(_TWO),
        }
    ),
    "plots": _plots(("success", "precision", "norm_precision")),
    "by_sequence": _each(
        _object(
            {
                **dict.fromkeys(("auc", "dp20", "norm_precision", "nt2f", "outage_s"), _NUMBER),
                **dict.fromkeys(("frames", "runs"), _COUNT),
                "world_frames_per_s": _RATE,
                "unpredictability": _or_none(_NUMBER),
            }
        )
    ),
    "coverage": _or_none(_object({"frames": _COUNT, **dict.fromkeys(("centre", "size"), _BOUNDS)})),
    "latency": _or_none(
        _object(
            {
                **dict.fromkeys(("n", "age_n"), _COUNT),
                **dict.fromkeys(("median_ms", "p95_ms", "p99_ms", "worst_ms", "worst_stall_ms"), _or_none(_NUMBER)),
                **dict.fromkeys(("age_median_ms", "age_p95_ms", "age_worst_ms"), _or_none(_NUMBER)),
            }
        )
    ),
    "attributes": _each(_object({"auc": _NUMBER, "dp20": _NUMBER, "sequences": _COUNT})),
    "charged": _object(
        {
            "tracker": _TEXT,
            **dict.fromkeys(("propagation_step_ms", "predictor_ms"), _or_none(_NUMBER)),
            "propagation_core": _or_none(_TEXT),
            "not_charged": holds("a list of texts", _is_texts),
        }
    ),
    "losses": _or_none(
        _object(
            {
                **dict.fromkeys(("frames", "lost", "said", "losses", "noticed"), _COUNT),
                **dict.fromkeys(("precision", "recall", "precision_in_time", "recall_in_time"), _or_none(_NUMBER)),
                "seconds_to_notice": _or_none(_TWO),
            }
        )
    ),
}
"""Fields that files of earlier versions do not have."""


def check_rows(rows: Any, protocol: Any, source: str) -> None:
    """Check the rows and the protocol of a result file.

    Raises
    ------
    InputError
        For rows that are no list of objects, and for the first field that is missing or of another type; `source` names
        the file.
    """
    if not isinstance(rows, list) or not isinstance(protocol, dict):
        raise InputError(f"{source}: expected a list 'rows' and an object 'protocol'")
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError(f"{source}: row {number} is {str(row)[:60]!r}, expected an object")
        later = {name: rule for name, rule in _LATER.items() if name in row}
        for name, rule in {**_RULES, **later}.items():
            if name not in row or not rule.holds(row[name]):
                found = f"is {str(row[name])[:60]!r}" if name in row else "is missing"
                raise InputError(f"{source}: {name} of row {number} {found}, allowed is {rule.allowed}")
