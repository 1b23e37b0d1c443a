"""Models of processing times: constant, recorded per frame, drawn from recorded times, or any of these scaled.

They are written as ``47ms``, ``0.02s``, ``trace:PATH``, ``empirical:PATH``, ``bench:FILE`` or ``results:DIR``. Each
may be followed by a factor: ``trace:PATH*1.8``. FILE is the output of ``pvtpp bench --json`` on a board; its times are
drawn from as with ``empirical``. DIR holds one tracker's result files in any format with times, such as the mean frame
rates of MATLAB result sets (`pvtpp_benchmarks.formats`).

``board:PROFILE#WHAT`` is WHAT on a board that a profile describes (`pvtpp_benchmarks.board_profile`), with the board's
jitter and stalls. WHAT is a tracker that the profile has times of, or one of the forms above, timed on the machine that
the profile is relative to: ``board:orin.json#bench:mine.json`` scales stage by stage.

PATH is a file of seconds or a folder of such files, one per sequence: ``<seq>.txt`` or ``<seq>_time.txt`` in the
folder, or ``<seq>/<seq>_time.txt`` as the GOT-10k toolkit writes them. Where there are names that end in ``_time``,
other files are left out: boxes lie beside them. A file has one number per line, or all numbers in one line. Several
numbers in each of several lines are repetitions of one run, and the first repetition is taken. A repetition is a
column, as the toolkit writes it, where there are no more columns than lines, and else a line.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import Callable, Dict, Protocol, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import parse_json, read_json, read_text
from pvtpp_benchmarks import board_profile
from pvtpp_benchmarks.board_profile import BoardProfile
from pvtpp_benchmarks.datasets.image_files import visible

FORMS = (
    "'47ms', '0.02s', 'trace:PATH', 'empirical:PATH', 'bench:FILE', 'results:DIR', 'board:PROFILE#TRACKER', "
    "'board:PROFILE#bench:FILE', each optionally '*FACTOR'"
)
LONGEST_S = 3600
"""The longest processing time allowed, seconds: a longer one is a wrong unit and could overflow integer nanoseconds."""
LONGEST_IN_FILE = 1e9
"""The largest number allowed in a file before it is multiplied: milliseconds and microseconds may become seconds."""
SLOWEST_S, FASTEST_S = 2.0, 1e-4
"""Medians of recorded times that are taken for another unit: above the first without a factor, below the second with
one below 1."""
REPETITIONS = 10
"""The most repetitions of one run that a file is expected to hold."""


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
        ``trace``, ``empirical`` or ``results``: a trace of each sequence, and no other's in its place.
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
        key = sequence if sequence in self.traces else self._other(sequence)
        trace = self.traces[key]
        rest = max(len(trace) - 1, 1)
        return lambda frame: int(trace[frame] if frame < len(trace) else trace[-rest + (frame - len(trace)) % rest])

    def _other(self, sequence: str) -> str:
        """The trace that a sequence gets of which there is none by exactly its name."""
        if self.kind != "results":
            return sorted(self.traces)[_number(sequence) % len(self.traces)]
        from pvtpp_benchmarks import formats

        return formats.match({name: name for name in self.traces}, [sequence], self.text)[sequence][0]

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


@dataclass(frozen=True)
class OnBoard:
    """Another model's times with the jitter and the stalls of a board.

    Attributes
    ----------
    base
        The other model, at the board's speed.
    profile
        Of the board.
    text
        The model as it is written on the command line.
    """

    base: ProcessingTime
    profile: BoardProfile
    text: str

    def start(self, sequence: str, seed: int = 0) -> Callable[[int], int]:
        """Begin a run; see `ProcessingTime`."""
        base = self.base.start(sequence, seed)
        unsteady = self.profile.unsteady([seed, _number(sequence), _number(self.profile.board)])
        return lambda frame: unsteady(base(frame))

    def median_ms(self) -> float:
        """The median in milliseconds: jitter leaves it as it is, and stalls are rare."""
        return self.base.median_ms()

    def longest_ns(self) -> float:
        """The longest time in nanoseconds."""
        return self.profile.longest(self.base.longest_ns())


def parse(text: str) -> ProcessingTime:
    """Read a model from its text, in one of the forms of the module's docstring.

    Raises
    ------
    InputError
        For any other text, with the forms that are allowed; for a file that cannot be read; for times above an hour;
        for recorded times that seem to be in another unit than seconds.
    """
    text = text.strip()
    model = _parse(text)
    _check_unit(model, text)
    _bounded(model.longest_ns(), text)
    return model


def _parse(text: str) -> ProcessingTime:
    constant = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*(ms|s)", text)
    if constant:
        nanoseconds = float(constant[1]) * {"ms": 1e6, "s": 1e9}[constant[2]]
        return Constant(round(_bounded(nanoseconds, text)), text)
    scaled = re.fullmatch(r"(.+)\*([0-9]*\.?[0-9]+)", text)
    if scaled and float(scaled[2]) > 0:
        base, factor = _parse(scaled[1].strip()), float(scaled[2])
        _bounded(base.longest_ns() * factor, text)
        return Scaled(base, factor, text)
    kind, colon, path = text.partition(":")
    if not colon or kind not in _READERS:
        raise InputError(f"processing time {text!r} is not one of: {FORMS}")
    if not path:
        raise InputError(f"processing time {text!r} names no file or folder, expected one of: {FORMS}")
    return _READERS[kind](path, text)


def _on_board(path: str, text: str) -> ProcessingTime:
    where, mark, what = path.partition("#")
    if not (where and mark and what):
        raise InputError(f"processing time {text!r} names no board or no tracker, expected 'board:PROFILE#WHAT'")
    profile = board_profile.read(where)
    if what in profile.times_ms:
        times = np.rint(np.array(profile.times_ms[what]) * 1e6).astype(np.int64)
        if len(times) > 1:
            # Measured there: jitter and stalls are in them.
            return Recorded({what: np.append(times[0], times)}, "empirical", text)
        return OnBoard(Constant(int(times[0]), text), profile, text)
    if not re.match(r"[0-9.]|trace:|empirical:|bench:", what):
        known = ", ".join(sorted(profile.times_ms)) or "none"
        raise InputError(
            f"processing time {text!r}: {what} is no tracker that the profile of {profile.board} has times of "
            f"({known}), and no other form"
        )
    if what.startswith("bench:"):
        return OnBoard(Recorded({what: _bench_on(profile, what[6:])}, "empirical", text), profile, text)
    return OnBoard(Scaled(_parse(what), profile.factor(board_profile.WHOLE), text), profile, text)


def _bench_on(profile: BoardProfile, path: str) -> np.ndarray:
    """Times of a timing's frames on a board, each stage scaled by its own factor; the first is the initialisation's."""
    whole = _read_bench(path)
    stages = read_json(path).get("stage_s") or {board_profile.WHOLE: (whole[1:] / 1e9).tolist()}
    try:
        scaled = [_nanoseconds(np.array(stages[name], float), path) * profile.factor(name) for name in stages]
        frames = np.sum(scaled, axis=0)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: 'stage_s' is no object of equally long lists of seconds ({error})") from None
    return np.rint(np.append(whole[0] * profile.factor("init"), frames)).astype(np.int64)


def _bounded(nanoseconds: float, text: str) -> float:
    if not nanoseconds <= LONGEST_S * 1e9:
        raise InputError(f"processing time {text!r} is longer than {LONGEST_S} s, the longest allowed")
    return nanoseconds


def _check_unit(model: ProcessingTime, text: str) -> None:
    """Raise InputError for recorded times that no tracker takes, with the unit that they may be in."""
    base: ProcessingTime = model
    factor = 1.0
    while isinstance(base, Scaled):
        factor *= base.factor
        base = base.base
    median_s = model.median_ms() / 1e3
    if not isinstance(base, Recorded):
        return
    if model is base and median_s > SLOWEST_S:
        raise InputError(
            f"processing time {text!r}: the median is {median_s:g} s a frame; if the file holds milliseconds, write "
            f"'{text}*0.001'; if it holds seconds, '{text}*1'"
        )
    if factor < 1 and 0 < median_s < FASTEST_S:
        raise InputError(
            f"processing time {text!r}: the median is {median_s * 1e6:g} microseconds a frame, in the file it is "
            f"{base.median_ms():g} ms; files hold seconds: leave the factor out if this one does"
        )


def _read_traces(path: str) -> Dict[str, np.ndarray]:
    if os.path.isdir(path):
        names = visible(path)
        files = [os.path.join(path, name) for name in names if name.endswith(".txt")]
        folders = [name for name in names if os.path.isdir(os.path.join(path, name))]
        if not files:
            nested = [os.path.join(path, name, f"{name}_time.txt") for name in folders]
            files = [file for file in nested if os.path.isfile(file)]
        files = [file for file in files if file.endswith("_time.txt")] or files
        if not files:
            shown = ", ".join(folders[:10]) + (", .." if len(folders) > 10 else "")
            hint = f"; its folders are: {shown}" if folders else ""
            raise InputError(f"{path}: no .txt files of processing times (seconds, one per frame){hint}")
    else:
        files = [path]
    return dict(_read_trace(file) for file in files)


def _read_results(path: str) -> Dict[str, np.ndarray]:
    # Only where it is asked for: the formats read event logs too, which takes most of this package.
    from pvtpp_benchmarks import formats

    found = {}
    for name, boxes in formats.read_results(path).items():
        if boxes.seconds is None:
            raise InputError(f"{boxes.source}: no times, only boxes; results:DIR needs files that hold both")
        found[name] = _nanoseconds(boxes.seconds[0], f"{boxes.source}, its times")
    return found


def _read_bench(path: str) -> np.ndarray:
    text = read_text(path)
    try:
        seconds = np.array(parse_json(text, path)["frame_s"], dtype=np.float64)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise InputError(f"{path}: not the JSON of pvtpp bench, which has a list 'frame_s' ({error!r})") from None
    return _nanoseconds(seconds, path)


def _read_trace(path: str) -> Tuple[str, np.ndarray]:
    rows = [line.replace(",", " ").split() for line in read_text(path).splitlines() if line.strip()]
    widths = sorted(set(map(len, rows)))
    if len(widths) > 1:
        raise InputError(
            f"{path}: some lines have {widths[0]} numbers and others {widths[-1]}; expected processing times one per "
            "line, all in one line, or a column for each repetition"
        )
    try:
        seconds = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{path}: cannot read processing times ({error})") from None
    name = os.path.splitext(os.path.basename(path))[0]
    name = name[:-5] if name.endswith("_time") else name
    return name, _nanoseconds(_first_repetition(seconds, path) if rows else seconds, path)


def _first_repetition(seconds: np.ndarray, path: str) -> np.ndarray:
    """The first run of a file with shape ``(lines, columns)``."""
    lines, columns = seconds.shape
    if min(lines, columns) > REPETITIONS:
        raise InputError(
            f"{path}: {lines} lines of {columns} numbers, which would be {min(lines, columns)} repetitions of one run; "
            f"expected at most {REPETITIONS}, or one number per line, or all in one line"
        )
    return seconds[:, 0] if columns <= lines else seconds[0]


def _nanoseconds(seconds: np.ndarray, source: str) -> np.ndarray:
    if seconds.ndim != 1 or not len(seconds) or not ((seconds >= 0) & (seconds <= LONGEST_IN_FILE)).all():
        raise InputError(
            f"{source}: processing times must be one or more numbers of seconds, each from 0 to {LONGEST_S}"
        )
    return np.rint(seconds * 1e9).astype(np.int64)


def _number(name: str) -> int:
    """A number made from a name, the same in every run, unlike Python's own hash."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4], "big")


_READERS: Dict[str, Callable[[str, str], ProcessingTime]] = {
    "trace": lambda path, text: Recorded(_read_traces(path), "trace", text),
    "empirical": lambda path, text: Recorded(_read_traces(path), "empirical", text),
    "bench": lambda path, text: Recorded({path: _read_bench(path)}, "empirical", text),
    "results": lambda path, text: Recorded(_read_results(path), "results", text),
    "board": _on_board,
}
