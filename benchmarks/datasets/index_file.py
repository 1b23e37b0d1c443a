"""The file ``index.json`` beside the sequences of a data set: names, splits, image sizes and frame rates."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional

from pvtpp.errors import InputError
from pvtpp.files import read_json

# Fields that are checked where present, and the types that each may have. The numbers must be above 0.
_TYPES = {"split": (str,), "fps": (int, float), "width": (int,), "height": (int,)}
_EXPECTED = {
    str: "text",
    float: "a number above 0 and below a million",
    int: "a whole number above 0 and below a million",
}
LARGEST = 10**6
"""What rates and sizes stay below."""


def read_index(root: str) -> List[Dict[str, Any]]:
    """Read the index in the folder `root`.

    Returns
    -------
    list of dict
        One entry per sequence with ``name`` and, where known, ``split``, ``fps``, ``width`` and ``height`` (pixels).
        Empty where there is no index.

    Raises
    ------
    InputError
        For a file of another form, naming the sequence and the field.
    """
    path = os.path.join(root, "index.json")
    if not os.path.isfile(path):
        return []
    try:
        items = [dict(item) for item in read_json(path)]
        index = [{"name": str(item.pop("name")), **item} for item in items]
    except (ValueError, TypeError, KeyError) as error:
        reason = f" ({str(error)[len(path) + 2 :]})" if isinstance(error, InputError) else ""
        expected = '{"name", "split", "fps", "width", "height"}'
        raise InputError(f"{path}: expected a JSON list of {expected}{reason}") from None
    index = [{key: value for key, value in entry.items() if value is not None} for entry in index]
    for entry in index:
        for field, types in _TYPES.items():
            value = entry.get(field)
            if value is not None and not (type(value) in types and (isinstance(value, str) or 0 < value < LARGEST)):
                expected = _EXPECTED[types[-1]]
                raise InputError(f"{path}: {field} of {entry['name']!r} is {value!r}, expected {expected}")
    return index


def of_split(index: List[Dict[str, Any]], split: Optional[str]) -> Dict[str, Dict[str, Any]]:
    """The entries of one split by the name of the sequence; an entry that names no split belongs to each of them."""
    return {entry["name"]: entry for entry in index if split is None or entry.get("split", split) == split}


def sequences_per_split(index: List[Dict[str, Any]]) -> Mapping[str, int]:
    """The number of sequences of each split, in the order in which the index names the splits."""
    counts: Dict[str, int] = {}
    for entry in index:
        if "split" in entry:
            counts[entry["split"]] = counts.get(entry["split"], 0) + 1
    return counts
