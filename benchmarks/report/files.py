"""Result files: checked to be writable before the work, and written whole or not at all."""

from __future__ import annotations

import json
import os
from typing import Any, Optional

from pvtpp.errors import InputError
from pvtpp.files import whole_file


def write_json(path: str, content: Any) -> None:
    """Write a JSON file, whole or not at all.

    Raises
    ------
    InputError
        Where it cannot be written; its folder must exist.
    ValueError
        For a number that JSON does not have, such as NaN.
    """
    with whole_file(path, make_folder=False) as part, open(part, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")


def check_writable(path: Optional[str]) -> None:
    """Check before the work that a result can be written to `path`; InputError if not. None and "" are no file."""
    if not path:
        return
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise InputError(f"{path}: cannot be written (the folder must exist and be writable, and this not be a folder)")
