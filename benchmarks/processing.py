"""Models of processing times: constant, recorded per frame, drawn from recorded times, or any of these scaled.

They are written as ``47ms``, ``0.02s``, ``trace:PATH``, ``empirical:PATH`` or ``bench:FILE``. Each may be followed by a
factor: ``trace:PATH*1.8``. PATH is a file of seconds, one per line or separated by commas, or a folder of such files,
one per sequence. FILE is the output of ``pvtpp bench --json`` on a board; its times are drawn from as with
``empirical``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import Callable, Dict, Protocol, Tuple

import numpy as np

from pvtpp.errors import InputError

FORMS = "'47ms', '0.02s', 'trace:PATH', 'empirical:PATH', 'bench:FILE', each optionally '*FACTOR'"
LONGEST_S = 3600
"""The longest processing time allowed, seconds: a longer one is a wrong unit and could overflow integer nanoseconds."""


class ProcessingTime(Protocol):
    """A model of processing times."""

    @property
    def text(self) -> str:
        """The model as it is written on the command line."""

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        """Begin a run on a sequence.

        Returns a function that gives the nanoseconds of a camera frame by its number in the run; 0 is the
        initialisation. `seed` is that of random draws.
        """

    def median_ms(self) -> float:
        """The median in milliseconds: the one figure that a table prints."""

    def longest_ns(self) -> float:
        """An upper bound of the time of any frame in nanoseconds."""


@dataclass(frozen=True)
class Constant:
    """The same time for every frame.

    Attributes
    ----------
    nanoseconds
        That time.
    text
        The model as it is written on the command line.
    """

    nanoseconds: int
    text: str

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        """Begin a run; see `ProcessingTime`."""
        return lambda frame: self.nanoseconds

    def median_ms(self) -> float:
        """The median in milliseconds."""
        return self.nanoseconds / 1e6

    def longest_ns(self) -> float:
        """The longest time in nanoseconds."""
        return self.nanoseconds


@dataclass(frozen=True)
class Recorded:
    """Times that were recorded on real hardware.

    ``trace`` gives frame n the n-th time of the file that is named after the sequence. Where there is none, the name of
    the sequence decides which file is taken. After the end of the file it starts over, without the first time, which is
    that of the initialisation. ``empirical`` draws from the times of all files without their first ones, independently
    for each frame.

    Attributes
    ----------
    traces
        Times in nanoseconds, shape ``(frames,)``, by name of the sequence.
    kind
        ``trace`` or ``empirical``.
    text
        The model as it is written on the command line.
    """

    traces: Dict[str, np.ndarray]
    kind: str
    text: str

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        """Begin a run; see `ProcessingTime`."""
        if self.kind == "empirical":
            pool, rng = self._pool(), np.random.default_rng([seed, _number(sequence)])
            return lambda frame: int(pool[rng.integers(len(pool))])
        key = sequence if sequence in self.traces else sorted(self.traces)[_number(sequence) % len(self.traces)]
        trace = self.traces[key]
        rest = max(len(trace) - 1, 1)
        return lambda frame: int(trace[frame] if frame < len(trace) else trace[-rest + (frame - len(trace)) % rest])

    def median_ms(self) -> float:
        """The median in milliseconds, without initialisations."""
        return float(np.median(self._pool())) / 1e6

    def longest_ns(self) -> float:
        """The longest recorded time in nanoseconds."""
        return float(max(trace.max() for trace in self.traces.values()))

    def _pool(self) -> np.ndarray:
        """All times but those of initialisations."""
        return np.concatenate([trace[1:] if len(trace) > 1 else trace for trace in self.traces.values()])


@dataclass(frozen=True)
class Scaled:
    """Another model's times multiplied by a factor.

    Attributes
    ----------
    base
        The other model.
    factor
        The factor, above 0.
    text
        The model as it is written on the command line.
    """

    base: ProcessingTime
    factor: float
    text: str

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        """Begin a run; see `ProcessingTime`."""
        base = self.base.start(sequence, seed)
        return lambda frame: round(base(frame) * self.factor)

    def median_ms(self) -> float:
        """The median in milliseconds."""
        return self.base.median_ms() * self.factor

    def longest_ns(self) -> float:
        """The longest time in nanoseconds."""
        return self.base.longest_ns() * self.factor


def parse(text: str) -> ProcessingTime:
    """Read a model from its text, in one of the forms of the module's docstring.

    Raises
    ------
    InputError
        For any other text, with the forms that are allowed; for a file that cannot be read; for times above an hour.
    """
    text = text.strip()
    constant = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*(ms|s)", text)
    if constant:
        nanoseconds = float(constant[1]) * {"ms": 1e6, "s": 1e9}[constant[2]]
        return Constant(round(_bounded(nanoseconds, text)), text)
    scaled = re.fullmatch(r"(.+)\*([0-9]*\.?[0-9]+)", text)
    if scaled and float(scaled[2]) > 0:
        base, factor = parse(scaled[1]), float(scaled[2])
        _bounded(base.longest_ns() * factor, text)
        return Scaled(base, factor, text)
    kind, colon, path = text.partition(":")
    if colon and kind in ("trace", "empirical", "bench"):
        if not path:
            raise InputError(f"processing time {text!r} names no file or folder, expected one of: {FORMS}")
        if kind == "bench":
            return Recorded({path: _read_bench(path)}, "empirical", text)
        return Recorded(_read_traces(path), kind, text)
    raise InputError(f"processing time {text!r} is not one of: {FORMS}")


def _bounded(nanoseconds: float, text: str) -> float:
    if not nanoseconds <= LONGEST_S * 1e9:
        raise InputError(f"processing time {text!r} is longer than {LONGEST_S} s, the longest allowed")
    return nanoseconds


def _read_traces(path: str) -> Dict[str, np.ndarray]:
    if os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
        files = [os.path.join(path, name) for name in names if name.endswith(".txt")]
        if not files:
            folders = [name for name in names if os.path.isdir(os.path.join(path, name))]
            shown = ", ".join(folders[:10]) + (", .." if len(folders) > 10 else "")
            hint = f"; its folders are: {shown}" if folders else ""
            raise InputError(f"{path}: no .txt files of processing times (seconds, one per frame){hint}")
    else:
        files = [path]
    return dict(_read_trace(file) for file in files)


def _read_bench(path: str) -> np.ndarray:
    try:
        with open(path, encoding="utf-8") as file:
            seconds = np.array(json.load(file)["frame_s"], dtype=np.float64)
    except OSError as error:
        raise InputError(f"{path}: cannot read ({error.strerror or error})") from None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not the JSON of pvtpp bench, which has a list 'frame_s' ({error!r})") from None
    return _nanoseconds(seconds, path)


def _read_trace(path: str) -> Tuple[str, np.ndarray]:
    try:
        with open(path, encoding="ascii") as file:
            seconds = np.array(file.read().replace(",", " ").split(), dtype=np.float64)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot read processing times ({error})") from None
    name = os.path.splitext(os.path.basename(path))[0]
    return (name[:-5] if name.endswith("_time") else name), _nanoseconds(seconds, path)


def _nanoseconds(seconds: np.ndarray, source: str) -> np.ndarray:
    if seconds.ndim != 1 or not len(seconds) or not ((seconds >= 0) & (seconds <= LONGEST_S)).all():
        raise InputError(
            f"{source}: processing times must be one or more numbers of seconds, each from 0 to {LONGEST_S}"
        )
    return np.rint(seconds * 1e9).astype(np.int64)


def _number(name: str) -> int:
    """A number made from a name, the same in every run, unlike Python's own hash."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
