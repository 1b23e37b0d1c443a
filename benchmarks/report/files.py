"""Files that results go to: found writable before the work, whole or not there after it."""

from __future__ import annotations

import json
import os
from typing import Any, Optional

from pvtpp.errors import InputError
from pvtpp.files import whole_file


def write_json(path: str, content: Any) -> None:
    """Write JSON, whole or not at all. InputError where it cannot be written."""
    with whole_file(path, make_folder=False) as part, open(part, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")


def check_writable(path: Optional[str]) -> None:
    """Find out before hours of work, not after, that the answer has nowhere to go."""
    if not path:
        return
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise InputError(f"{path}: cannot be written (the folder must exist and be writable, and this not be a folder)")
