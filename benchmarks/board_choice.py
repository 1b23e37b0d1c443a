"""Which tracker, at which rate, on this board? Results at several processing times, read at those of the board.

Accuracy between two evaluated times is interpolated linearly; beyond the first and the last of them nothing is said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.processing import ProcessingTime
from pvtpp_benchmarks.report.table import Column, table

SETTING = (
    "dataset",
    "mode",
    "apart",
    "camera_fps",
    "world_fps",
    "tracker",
    "predictor",
    "predictor_ms",
    "search_region",
    "propagation",
    "presence",
    "ego_motion",
    "schedule",
    "version",
)
"""What the rows of one line share: all but the processing time."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Accuracy:
    """AUC of one tracker and predictor over the processing time, as evaluated.

    Attributes
    ----------
    setting
        `SETTING`, by name.
    times_ms
        The evaluated processing times, rising, shape ``(n,)``.
    auc
        At each of them, mean over sequences, shape ``(n,)``.
    sequences
        At each of them by sequence, shape ``(n, sequences)``.
    """

    setting: Mapping[str, Any]
    times_ms: np.ndarray
    auc: np.ndarray
    sequences: np.ndarray

    def at(self, ms: float) -> Optional[float]:
        """Return the AUC at a processing time; None outside the evaluated ones."""
        return float(np.interp(ms, self.times_ms, self.auc)) if self._within(ms) else None

    def share(self, ms: float, target: float) -> Optional[float]:
        """Return the share of sequences whose AUC is at least `target`; None outside the evaluated times."""
        if not self._within(ms):
            return None
        values = [np.interp(ms, self.times_ms, each) for each in self.sequences.T]
        return float(np.mean([value >= target for value in values]))

    def slowest(self, target: float) -> Optional[float]:
        """Return the longest time up to which the AUC stays at `target` or above; None where the first is below."""
        low = np.flatnonzero(self.auc < target)
        if not len(low):
            return float(self.times_ms[-1])
        first = int(low[0])
        if first == 0:
            return None
        (t0, t1), (a0, a1) = self.times_ms[first - 1 : first + 1], self.auc[first - 1 : first + 1]
        return float(t0 + (t1 - t0) * (a0 - target) / (a0 - a1))

    def _within(self, ms: float) -> bool:
        return bool(self.times_ms[0] <= ms <= self.times_ms[-1])


def accuracies(rows: Iterable[Row]) -> List[Accuracy]:
    """Group the online rows of results by all but their processing time, which must be that of the simulated clock.

    Raises
    ------
    InputError
        Where two rows say something else of the same, and where there is no online row.
    """
    groups: Dict[str, Dict[float, Row]] = {}
    for row in rows:
        if row["predictor"] is None or row["clock"] != "simulated":
            continue
        setting = {name: row.get(name) for name in SETTING}
        found = groups.setdefault(json.dumps(setting), {})
        before = found.setdefault(row["processing_ms"], row)
        if before["per_sequence"] != row["per_sequence"]:
            raise InputError(
                f"two rows of {row['tracker']} with {row['predictor']} at {row['processing_ms']:g} ms on "
                f"{row['dataset']} differ ({before['auc']:.4f} and {row['auc']:.4f}); give the results of one of them"
            )
    if not groups:
        raise InputError("the results have no online row of the simulated clock, which `pvtpp eval` makes")
    return [_accuracy(json.loads(key), found) for key, found in groups.items()]


def _accuracy(setting: Mapping[str, Any], found: Mapping[float, Row]) -> Accuracy:
    times = sorted(found)
    names = list(found[times[0]]["per_sequence"])
    for ms in times:
        if set(found[ms]["per_sequence"]) != set(names):
            raise InputError(
                f"{setting['tracker']} with {setting['predictor']} on {setting['dataset']}: other sequences were "
                f"evaluated at {times[0]:g} than at {ms:g} ms"
            )
    values = np.array([[found[ms]["per_sequence"][name] for name in names] for ms in times])
    return Accuracy(setting, np.array(times, dtype=float), np.array([found[ms]["auc"] for ms in times]), values)


@dataclass(frozen=True)
class Choice:
    """One tracker and predictor at one camera rate on the board.

    Attributes
    ----------
    setting
        As of `Accuracy`.
    sequences
        How many were evaluated.
    median_ms, p95_ms
        What the board takes for a frame.
    evaluated_ms
        First and last evaluated processing time.
    rate
        Results a second on the board: those of the camera, or fewer where tracker and prediction take longer.
    auc, auc_p95
        At these times; None where they are not between evaluated ones.
    share
        Of the sequences whose AUC is at least the target, at the median time.
    slowest_ms
        Up to this processing time the AUC stays at the target or above; None where it is nowhere.
    holds
        Whether the AUC at the median is known and at least the target.
    """

    setting: Mapping[str, Any]
    sequences: int
    median_ms: float
    p95_ms: float
    evaluated_ms: Tuple[float, float]
    rate: float
    auc: Optional[float]
    auc_p95: Optional[float]
    share: Optional[float]
    slowest_ms: Optional[float]
    holds: bool

    @property
    def goodput(self) -> Optional[float]:
        """Results a second that count: the rate times the share of sequences that hold the target; 0 below it."""
        if self.auc is None or self.share is None:
            return None
        return self.rate * self.share if self.holds else 0.0


DRAWS = 2000
"""Frames that are drawn of a board's times for their percentiles."""


def choose(found: Sequence[Accuracy], times: Mapping[str, ProcessingTime], target: float) -> List[Choice]:
    """Read every accuracy at the time that the board takes; the greatest goodput comes first, what is unknown last.

    Parameters
    ----------
    found
        Of `accuracies`.
    times
        What the board takes, by tracker; trackers that are not named are left out.
    target
        The AUC that is to be held.
    """
    drawn = {name: _milliseconds(model) for name, model in times.items()}
    made = []
    for each in found:
        ms = drawn.get(each.setting["tracker"])
        if ms is None:
            continue
        median, p95 = (float(np.percentile(ms, q)) for q in (50, 95))
        busy = median + each.setting["predictor_ms"]
        fps = each.setting["camera_fps"]
        auc = each.at(median)
        made.append(
            Choice(
                setting=each.setting,
                sequences=each.sequences.shape[1],
                median_ms=median,
                p95_ms=p95,
                evaluated_ms=(float(each.times_ms[0]), float(each.times_ms[-1])),
                rate=min(fps, 1e3 / busy) if busy > 0 else fps,
                auc=auc,
                auc_p95=each.at(p95),
                share=each.share(median, target),
                slowest_ms=each.slowest(target),
                holds=auc is not None and auc >= target,
            )
        )
    return sorted(made, key=lambda each: (each.goodput is None, -(each.goodput or 0.0), -(each.auc or 0.0)))


def _milliseconds(model: ProcessingTime) -> np.ndarray:
    frame = model.start("board", 0)
    return np.array([frame(number) for number in range(1, DRAWS + 1)]) / 1e6


def _text(value: Optional[float], digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _slowest(choice: Choice) -> str:
    """The slowest time that holds the target; with ``>=`` where the last evaluated one still does."""
    if choice.slowest_ms is None:
        return "none"
    return f"{'>= ' if choice.slowest_ms == choice.evaluated_ms[1] else ''}{choice.slowest_ms:.0f}"


COLUMNS: Sequence[Column] = (
    ("tracker", lambda each: each.setting["tracker"]),
    ("predictor", lambda each: each.setting["predictor"]),
    ("propagation", lambda each: each.setting["propagation"]),
    ("ms", lambda each: f"{each.median_ms:.1f}"),
    ("95 %", lambda each: f"{each.p95_ms:.1f}"),
    ("results/s", lambda each: f"{each.rate:.1f}"),
    ("AUC", lambda each: _text(each.auc, 3)),
    ("at 95 %", lambda each: _text(each.auc_p95, 3)),
    ("clips that hold", lambda each: "-" if each.share is None else f"{each.share:.0%}"),
    ("holds up to ms", _slowest),
    ("goodput", lambda each: _text(each.goodput, 1)),
    ("evaluated ms", lambda each: f"{each.evaluated_ms[0]:g} to {each.evaluated_ms[1]:g}"),
)
GROUP = ("dataset", "mode", "apart", "camera_fps", "world_fps", "version")
"""What must not be compared, since the clips are others: each has a table of its own."""


def choice_table(choices: Sequence[Choice], target: float) -> str:
    """Return the choices as plain text: a table for each data set, mode and camera rate, the answer in a line below."""
    groups: Dict[Tuple[Any, ...], List[Choice]] = {}
    for each in choices:
        groups.setdefault(tuple(each.setting[name] for name in GROUP), []).append(each)
    parts = []
    for (dataset, mode, apart, camera_fps, world_fps, _), members in groups.items():
        rates = f"cam/world fps {camera_fps:g}/{world_fps:g}"
        clips = f"clips {members[0].sequences}{', apart' if apart else ''}"
        heading = f"{dataset}, {clips}, {rates}, mode {mode}, AUC of at least {target:g}"
        parts.append(f"{heading}\n{table(COLUMNS, members)}\n{_answer(members, target)}")
    return "\n\n".join(parts)


def _answer(choices: Sequence[Choice], target: float) -> str:
    best = choices[0]
    unknown = sum(each.auc is None for each in choices)
    beyond = f"; {unknown} not known, the board's time is beyond those evaluated" if unknown else ""
    if not best.holds:
        return f"none of them is known to hold {target:g} on this board{beyond}"
    return (
        f"best: {best.setting['tracker']} with {best.setting['predictor']}: {best.rate:.1f} results/s, AUC "
        f"{best.auc:.3f}{beyond}"
    )
