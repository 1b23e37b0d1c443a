"""Answers of a long study, kept as they come: one line each, so that an interrupted study goes on where it stopped."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterable, Iterator, Tuple

from pvtpp.errors import InputError


class Kept:
    """A file of answers by key; key and answer are anything that JSON takes. One process writes it."""

    def __init__(self, path: str):
        self._path = path
        self._found: Dict[str, Any] = {}
        self._end = 0
        if os.path.isfile(path):
            with open(path, "rb") as file:
                for number, line in enumerate(file, 1):
                    # The last line may have been cut short.
                    if line.endswith(b"\n"):
                        self._read(line, number)

    def add(self, answers: Iterable[Tuple[Any, Any]]) -> Iterator[int]:
        """Keep each ``(key, answer)`` as it comes; yields how many have come."""
        os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
        with open(self._path, "ab") as file:
            file.truncate(self._end)
            for number, (key, answer) in enumerate(answers, 1):
                file.write(json.dumps([_text(key), answer]).encode() + b"\n")
                file.flush()
                self._end = file.tell()
                self._found[_text(key)] = answer
                yield number

    def __contains__(self, key: Any) -> bool:
        return _text(key) in self._found

    def __getitem__(self, key: Any) -> Any:
        return self._found[_text(key)]

    def _read(self, line: bytes, number: int) -> None:
        try:
            key, answer = json.loads(line)
        except ValueError:
            raise InputError(f"{self._path}, line {number}: not an answer of a study; choose another file") from None
        self._found[key] = answer
        self._end += len(line)


def _text(key: Any) -> str:
    return json.dumps(key)
