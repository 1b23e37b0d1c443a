"""What a row of a result file must hold, so that it can be tabled, compared and drawn."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from pvtpp.errors import InputError
from pvtpp.validation import Rule, above, holds
from pvtpp_benchmarks.json_rules import NUMBER, TEXT, check_fields, list_of, object_of, object_with, or_null


def _object(rules: Mapping[str, Rule]) -> Rule:
    # Later versions add fields, and their files are read too.
    return object_with(rules, others=True)


_LISTS = object_of(list_of(NUMBER))


def _columns(*names: str) -> Rule:
    """An object of lists of numbers, of which these are there, not empty and equally long."""

    def fits(value: Any) -> bool:
        if not _LISTS.holds(value) or not set(names) <= set(value):
            return False
        lengths = {len(value[name]) for name in names}
        return len(lengths) == 1 and 0 not in lengths

    return holds(f"an object with equally long {' and '.join(map(repr, names))}", fits)


_RATE = above(0)
_COUNT = holds("a whole number from 0", lambda value: type(value) is int and 0 <= value < 2**53)
_TWO = list_of(NUMBER, 2, 2)
_BOUNDS = _object(dict.fromkeys(("50", "90", "95"), NUMBER))
_RULES: Dict[str, Rule] = {
    **dict.fromkeys(("dataset", "tracker", "search_region", "clock", "version", "evaluation", "mode"), TEXT),
    **dict.fromkeys(("predictor", "propagation", "schedule", "presence", "ego_motion"), or_null(TEXT)),
    **dict.fromkeys(("processing_ms", "auc", "dp20", "norm_precision"), NUMBER),
    **dict.fromkeys(("auc_std", "mauc", "mdp"), or_null(NUMBER)),
    **dict.fromkeys(("camera_fps", "world_fps"), _RATE),
    "auc_ci95": or_null(_TWO),
    "sequences": _COUNT,
    "per_sequence": object_of(NUMBER),
    "curve": or_null(_LISTS),
    "exact_curve": or_null(_columns("sigma", "auc")),
    "apart": holds("true or false", lambda value: isinstance(value, bool)),
}
_LATER: Dict[str, Rule] = {
    "outages": _object(
        {
            "nt2f": NUMBER,
            "outage_s": _TWO,
            **dict.fromkeys(("returns", "found"), _COUNT),
            "found_in_1_s": or_null(NUMBER),
            "seconds_to_find": or_null(_TWO),
        }
    ),
    "plots": _object(dict.fromkeys(("success", "precision", "norm_precision"), _columns("threshold", "value"))),
    "by_sequence": object_of(
        _object(
            {
                **dict.fromkeys(("auc", "dp20", "norm_precision", "nt2f", "outage_s"), NUMBER),
                **dict.fromkeys(("frames", "runs"), _COUNT),
                "world_frames_per_s": _RATE,
                "unpredictability": or_null(NUMBER),
            }
        )
    ),
    "coverage": or_null(_object({"frames": _COUNT, **dict.fromkeys(("centre", "size"), _BOUNDS)})),
    "latency": or_null(
        _object(
            {
                **dict.fromkeys(("n", "age_n"), _COUNT),
                **dict.fromkeys(("median_ms", "p95_ms", "p99_ms", "worst_ms", "worst_stall_ms"), or_null(NUMBER)),
                **dict.fromkeys(("age_median_ms", "age_p95_ms", "age_worst_ms"), or_null(NUMBER)),
            }
        )
    ),
    "attributes": object_of(_object({"auc": NUMBER, "dp20": NUMBER, "sequences": _COUNT})),
    "charged": _object(
        {
            "tracker": TEXT,
            **dict.fromkeys(("propagation_step_ms", "predictor_ms"), or_null(NUMBER)),
            "propagation_core": or_null(TEXT),
            "not_charged": list_of(TEXT),
        }
    ),
    "losses": or_null(
        _object(
            {
                **dict.fromkeys(("frames", "lost", "said", "losses", "noticed"), _COUNT),
                **dict.fromkeys(("precision", "recall", "precision_in_time", "recall_in_time"), or_null(NUMBER)),
                "seconds_to_notice": or_null(_TWO),
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
        check_fields(row, {**_RULES, **later}, source, f" of row {number}")
