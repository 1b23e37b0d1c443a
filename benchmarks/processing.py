"""How long a stage takes on each frame: constant, recorded per frame, drawn from recorded times, or any of these scaled.

As text: ``47ms``, ``0.02s``, ``trace:PATH``, ``empirical:PATH``, ``bench:FILE``, and any of them times a factor:
``trace:PATH*1.8``. PATH is a file of seconds, one per line or comma-separated, or a folder of such files, one per sequence;
FILE is what `pvtpp bench --json` wrote on a board, and serves as ``empirical`` does.
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
"""A frame that takes longer is a slip of the unit, and would overflow integer nanoseconds before long."""


class ProcessingTime(Protocol):
    """A model of processing times; `text` is how it is written on the command line."""

    @property
    def text(self) -> str: ...

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        """A function from the camera frame's number in the run (0 is the initialisation) to nanoseconds, for one run."""

    def median_ms(self) -> float:
        """The median in milliseconds: the one figure that a table prints."""

    def longest_ns(self) -> float:
        """What no frame takes longer than, in nanoseconds."""


@dataclass(frozen=True)
class Constant:
    nanoseconds: int
    text: str

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        return lambda frame: self.nanoseconds

    def median_ms(self) -> float:
        return self.nanoseconds / 1e6

    def longest_ns(self) -> float:
        return self.nanoseconds


@dataclass(frozen=True)
class Recorded:
    """Times recorded on real hardware. ``trace`` gives frame n the n-th time of the file named after the sequence (of one
    chosen by the sequence's name where there is none), starting over after its end without the first entry, the
    initialisation's; ``empirical`` draws from all times but the first ones, independently, by the seed.
    """

    traces: Dict[str, np.ndarray]
    kind: str
    text: str

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        if self.kind == "empirical":
            pool, rng = self._pool(), np.random.default_rng([seed, _number(sequence)])
            return lambda frame: int(pool[rng.integers(len(pool))])
        key = sequence if sequence in self.traces else sorted(self.traces)[_number(sequence) % len(self.traces)]
        trace = self.traces[key]
        rest = max(len(trace) - 1, 1)
        return lambda frame: int(trace[frame] if frame < len(trace) else trace[-rest + (frame - len(trace)) % rest])

    def median_ms(self) -> float:
        return float(np.median(self._pool())) / 1e6

    def longest_ns(self) -> float:
        return float(max(trace.max() for trace in self.traces.values()))

    def _pool(self) -> np.ndarray:
        return np.concatenate([trace[1:] if len(trace) > 1 else trace for trace in self.traces.values()])


@dataclass(frozen=True)
class Scaled:
    base: ProcessingTime
    factor: float
    text: str

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        base = self.base.start(sequence, seed)
        return lambda frame: round(base(frame) * self.factor)

    def median_ms(self) -> float:
        return self.base.median_ms() * self.factor

    def longest_ns(self) -> float:
        return self.base.longest_ns() * self.factor


def parse(text: str) -> ProcessingTime:
    """The model that `text` describes; InputError lists the forms there are."""
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
    # Python's own hash of a string differs from run to run.
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
