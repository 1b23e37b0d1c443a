"""What the rows and the meta of an event log must hold: a damaged log is refused when it is read, with its line."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from pvtpp.camera_motion import Gyro
from pvtpp.core.config import SCHEDULES
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.trajectory import EXTRAPOLATIONS

LATEST_NS = 2**62
"""Times are smaller than this, so that sums of two fit 64 bits."""
LARGEST = 1e12
"""Pixels, and all other numbers, are smaller than this."""
PRESENCES = tuple(each.value for each in Presence)
Test = Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return type(value) is int and -LATEST_NS < value < LATEST_NS


def _text(value: Any) -> bool:
    return type(value) is str


def _texts(value: Any) -> bool:
    return type(value) is list and all(map(_text, value))


def _numbers(value: Any, count: int) -> bool:
    try:
        return (
            type(value) is list
            and len(value) == count
            and {int, float}.issuperset(map(type, value))
            and math.isfinite(sum(map(abs, value)))
            and (not value or max(map(abs, value)) < LARGEST)
        )
    except OverflowError:
        return False


def _box(value: Any) -> bool:
    return _numbers(value, 4) and value[2] > 0 and value[3] > 0


def _share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _or_none(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _moved(value: Any) -> bool:
    """A time, four numbers and a quality."""
    return type(value) is list and len(value) == 6 and _whole(value[0]) and _numbers(value[1:5], 4) and _share(value[5])


def _list_of_boxes(value: Any) -> bool:
    return type(value) is list and all(_moved(each) and _box(each[1:5]) for each in value)


def _boxes(value: Any) -> bool:
    return type(value) is list and all(map(_box, value))


def _shares(value: Any) -> bool:
    return type(value) is list and all(map(_share, value))


def _times(value: Any) -> bool:
    return type(value) is list and bool(value) and all(map(_whole, value)) and all(a < b for a, b in _pairs(value))


def _pairs(values: Sequence[int]) -> List[Tuple[int, int]]:
    return list(zip(values, values[1:]))


# What follows the kind and the time of each event, and how many of these may be missing.
_FIELDS: Dict[str, Tuple[Tuple[Test, ...], int]] = {
    "init": ((_whole, _whole, _box, _texts, lambda value: type(value) is bool), 2),
    "frame": ((_whole, _whole), 0),
    "initialised": ((), 0),
    "track": ((_whole, _whole, _or_none(_box)), 0),
    "result": ((_whole, _whole, _box, _share, _share, _box), 2),
    "propagate": ((_or_none(_whole),), 0),
    "propagated": ((_whole, _list_of_boxes, _or_none(_moved)), 0),
    "encoded": ((), 0),
    "presence": ((lambda value: value in PRESENCES, _share), 1),
    "detected": ((_whole, _boxes, _shares), 0),
    "failed": ((_text,), 0),
    "done": ((_text,), 0),
    "time": ((), 0),
    "reset": ((), 0),
    "gyro": ((_whole, lambda value: _numbers(value, 3)), 0),
}


def _trajectory(row: list) -> bool:
    if len(row) not in (10, 11) or (len(row) == 11 and row[10] is not True):
        return False
    predictor, evidence, valid_until, extrapolation, times = row[2:7]
    known = _text(predictor) and _whole(evidence) and _or_none(_whole)(valid_until) and extrapolation in EXTRAPOLATIONS
    return known and _times(times) and all(_numbers(each, 4 * len(times)) for each in row[7:10])


def _fine(row: list) -> bool:
    if row[0] == "trajectory":
        return _trajectory(row)
    tests, optional = _FIELDS[row[0]]
    values = row[2:]
    return len(tests) - optional <= len(values) <= len(tests) and all(test(v) for test, v in zip(tests, values))


def _wall(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("stages_ms", {}), dict):
        return False
    track = value.get("stages_ms", {}).get("track", [0, 0.0])
    return type(track) is list and len(track) > 1 and _numbers(track[1:2], 1)


_META: Dict[str, Tuple[str, Test]] = {
    "core": ("an object", lambda value: isinstance(value, dict)),
    "listeners": ("an object", lambda value: isinstance(value, dict)),
    "wall": ("an object with times in 'stages_ms'", _wall),
    "schedule": (f"one of: {', '.join(SCHEDULES)}", lambda value: value in SCHEDULES),
    "start_number": ("a whole number", _whole),
    "draw": ("a whole number", _whole),
}


def check_rows(rows: Sequence[list], path: str) -> None:
    """Raise InputError for the first event whose fields are not those of its kind; the header is line 1.

    The rows are lists that begin with a known kind and a time.
    """
    for number, row in enumerate(rows, start=2):
        if not (_whole(row[1]) and _fine(row)):
            shown = json.dumps(row)[:120]
            raise InputError(f"{path}, line {number}: {shown} is no event {row[0]!r}: a field is missing or wrong")


def check_meta(meta: Mapping[str, Any], path: str) -> None:
    """Raise InputError where what a log says of its run cannot be read back."""
    for name, (allowed, test) in _META.items():
        if name in meta and not test(meta[name]):
            raise InputError(f"{path}: {name!r} of the run is {str(meta[name])[:60]!r}, expected {allowed}")
    if meta.get("gyro"):
        try:
            Gyro.from_dict(meta["gyro"])
        except (TypeError, KeyError, AttributeError, ValueError, OverflowError) as error:
            raise InputError(f"{path}: 'gyro' in its header does not describe a gyro ({error})") from None
