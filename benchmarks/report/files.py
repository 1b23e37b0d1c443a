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


class _Tried(Exception):
    """Ends the attempt of `check_writable`, so that nothing is kept of it."""


def check_writable(path: Optional[str]) -> None:
    """Check before the work that a result can be written to `path`; an existing file there stays as it is.

    Parameters
    ----------
    path
        The file; None and ``""`` are no file.

    Raises
    ------
    InputError
        Where the folder does not exist or cannot be written, the disk is full, or `path` is there and no plain file.
    """
    if not path:
        return
    allowed = "the folder must exist and be writable, and this not be a folder"
    if not os.path.isdir(os.path.dirname(path) or ".") or os.path.isdir(path):
        raise InputError(f"{path}: cannot be written ({allowed})")
    try:
        with whole_file(path, make_folder=False) as part:
            with open(part, "wb") as file:
                file.write(bytes(4096))
            raise _Tried
    except _Tried:
        return
    except InputError as error:
        raise InputError(f"{str(error).replace('cannot write', 'cannot be written', 1)}; {allowed}") from None
