"""A file of the measurements of a long table, one JSON line each, so that a stopped run can be continued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.files import read_text

Key = Tuple[Any, ...]


class Journal:
    """Values (anything that JSON has) by keys (tuples of text and numbers).

    Parameters
    ----------
    path
        The file, which need not exist. A last line that is incomplete, because the run was killed, is dropped. None
        keeps the values in memory only.

    Raises
    ------
    InputError
        For a file that is no journal.
    """

    def __init__(self, path: Optional[str]):
        self._path = Path(path) if path else None
        self._kept: Dict[Key, Any] = {}
        if self._path is None or not self._path.exists():
            return
        try:
            text = read_text(self._path)
            whole, _, rest = text.rpartition("\n")
            for line in whole.splitlines():
                key, value = json.loads(line)
                self._kept[tuple(key)] = value
            if rest:
                self._path.write_text(whole + "\n" if whole else "", encoding="utf-8")
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{self._path}: not a journal of this table, or not writable ({error})") from None

    def get(self, key: Key) -> Any:
        """The value of this key, None if there is none."""
        return self._kept.get(key)

    def add(self, rows: List[Tuple[Key, Any]]) -> None:
        """Add values; they are written to the file before this returns."""
        self._kept.update(rows)
        if self._path is None or not rows:
            return
        try:
            with open(self._path, "a", encoding="utf-8") as file:
                file.writelines(json.dumps([list(key), value]) + "\n" for key, value in rows)
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror or error})") from None
