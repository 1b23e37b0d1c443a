"""Damaged files: the ways to damage one, and the cases of a reader that is fed with them."""

from __future__ import annotations

import json
import random
import re
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from pvtpp.errors import InputError

NUMBERS = (
    "nan", "inf", "-inf", "NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e400", "1e-400", "9" * 25,
    "-" + "9" * 25, "9" * 400, "-1", "0", "0.0", "-0", "1e5", "2147483648", "9223372036854775808", "x", "", "0x10",
    "1_0", "None", "true", "null", "1,5",
)  # fmt: skip
VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 0.5, 1e308, -1e308, 10**25, 10**400, float("nan"), float("inf"), "", "x", "1", "nan",
    "\x00", "../x", [], [None], [1], [[]], [1, 2, 3, 4], {}, {"x": 1}, {"": None}, [[1, 2], [3]],
)  # fmt: skip


class Sound(random.Random):
    """The random numbers of a case that damages nothing: it shows that its reader takes the sound file."""


def damage(rng: random.Random, data: bytes) -> bytes:
    """Damage a file in one to three ways; leave it as it is for `Sound`."""
    if isinstance(rng, Sound):
        return data
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(_WAYS)(rng, data)
    return data


def _flip(rng: random.Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if made:
            made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made)


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _drop_bytes(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + data[at + rng.randint(1, 40) :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return (
        data[:at] + bytes(rng.choice(b',;\t\n\r \x00\xff-+.eE"[]{}<>&09') for _ in range(rng.randint(1, 6))) + data[at:]
    )


def _lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    way = rng.randrange(5)
    if way == 0:
        rng.shuffle(lines)
    elif way == 1:
        del lines[at]
    elif way == 2:
        lines.insert(at, lines[rng.randrange(len(lines))])
    elif way == 3:
        lines.insert(at, b"")
    else:
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def _number(rng: random.Random, data: bytes) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?", data))
    if not found:
        return data
    for match in sorted(rng.sample(found, min(len(found), rng.randint(1, 3))), key=lambda each: -each.start()):
        data = data[: match.start()] + rng.choice(NUMBERS).encode() + data[match.end() :]
    return data


def _json(rng: random.Random, data: bytes) -> bytes:
    """Exchange, remove or rename one value of a JSON file, or of one line of JSON."""
    with suppress(ValueError, RecursionError):
        return _changed_json(rng, data)
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    with suppress(ValueError, RecursionError):
        lines[at] = _changed_json(rng, lines[at])
    return b"\n".join(lines)


def _changed_json(rng: random.Random, data: bytes) -> bytes:
    content = json.loads(data.decode())
    places: List[Tuple[Any, Any]] = []
    walk(content, places)
    if not places or rng.random() < 0.05:
        return json.dumps(rng.choice(VALUES)).encode()
    holder, key = rng.choice(places)
    way = rng.randrange(4)
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[rng.choice(("", "x", key + "s"))] = holder.pop(key)
    elif way == 2:
        other, other_key = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[other_key]))
    else:
        holder[key] = rng.choice(VALUES)
    return json.dumps(content).encode()


def walk(value: Any, places: List[Tuple[Any, Any]]) -> None:
    """Append every place of a value inside plain lists and dictionaries: what holds it, and its key or index."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        places.append((value, key))
        walk(value[key], places)


_WAYS: Sequence[Callable[[random.Random, bytes], bytes]] = (
    _flip, _cut, _drop_bytes, _insert, _lines, _lines, _number, _number, _json, _json,
    lambda rng, data: b"",
    lambda rng, data: b"\xef\xbb\xbf" + data,
    lambda rng, data: data.decode("latin-1").encode("utf-16"),
    lambda rng, data: data.replace(b"\n", b"\r\n"),
    lambda rng, data: data.replace(b"\n", b"\r"),
    lambda rng, data: data.replace(b",", rng.choice((b";", b"\t", b"\x00", b",,"))),
    lambda rng, data: data * rng.randint(2, 3),
    lambda rng, data: b"[" * rng.choice((10, 100_000)) + data,
)  # fmt: skip


Case = Callable[[random.Random, Path], None]
READERS: Dict[str, Callable[[], Optional[Case]]] = {}
"""By name the function that makes the reader's cases, or None where something that it needs is not installed."""


def reader(make: Callable[[], Optional[Case]]) -> Callable[[], Optional[Case]]:
    """Register a reader under the name of the function."""
    READERS[make.__name__] = lru_cache(maxsize=None)(make)
    return make


@contextmanager
def allowed(rng: random.Random) -> Iterator[None]:
    """An InputError in the block is an answer, and the case goes on behind it; a sound file must not raise one."""
    try:
        yield
    except InputError:
        if isinstance(rng, Sound):
            raise


def of_file(name: str, sound: bytes, read: Callable[[Path, random.Random], None]) -> Case:
    """Damage one file in the case's folder and read it."""

    def case(rng: random.Random, folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(damage(rng, sound))
        with allowed(rng):
            read(path, rng)

    return case


def imported(*names: str) -> Optional[List[Any]]:
    """The modules of these names; None where one cannot be imported."""
    try:
        return [import_module(name) for name in names]
    except ImportError:
        return None
