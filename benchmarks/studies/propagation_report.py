"""The report of the propagation's table: shares with their intervals, requirements ("bars") and a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

ZERO = "zero latency"
"""Name of the row that is scored offline."""
KEPT = {"20ms": 0.98, "47ms": 0.97, "85ms": 0.96, "165ms": 0.90}
"""The share of the zero-latency AUC that the default configuration has to keep, by processing time of the tracker."""
CLIP_LOSS = 0.02
"""The AUC by which no clip may fall below `hold` at the first of these times."""
RESAMPLES = 2000
"""Bootstrap resamples of each interval."""


@dataclass(frozen=True)
class Cell:
    """The results of one group of clips, one tracker and one processing time.

    Attributes
    ----------
    group
        Name of the group of clips.
    tracker
        Name of the tracker.
    time
        Its processing time, as text.
    curves
        By row and then by clip the AUC of each run at the 51 permitted latencies, shape ``(runs, 51)``. The runs of all
        rows are in the same order.
    """

    group: str
    tracker: str
    time: str
    curves: Mapping[str, Mapping[str, np.ndarray]]

    def curve(self, row: str) -> np.ndarray:
        """AUC at the 51 permitted latencies, mean over runs, then over clips, shape ``(51,)``."""
        return np.mean([runs.mean(axis=0) for runs in self.curves[row].values()], axis=0)

    def auc(self, row: str) -> float:
        """AUC at sigma 0, mean over runs, then over clips."""
        return float(self.curve(row)[0])

    def by_clip(self, row: str) -> Dict[str, float]:
        """AUC at sigma 0 of each clip, mean over runs."""
        return {clip: float(runs[:, 0].mean()) for clip, runs in self.curves[row].items()}

    def resampled(self, row: str) -> np.ndarray:
        """AUC of the row in each bootstrap resample, shape ``(RESAMPLES,)``; all rows have the same clips and runs."""
        clips = list(self.curves[row].values())
        rng = np.random.default_rng(0)
        chosen = rng.integers(len(clips), size=(RESAMPLES, len(clips)))
        draws = rng.random((RESAMPLES, len(clips), max(map(len, clips))))
        means = np.stack([runs[(draws[:, :, : len(runs)] * len(runs)).astype(int), 0].mean(axis=2) for runs in clips])
        return np.take_along_axis(means, chosen[None], axis=0)[0].mean(axis=1)

    def share(self, row: str) -> Tuple[float, Tuple[float, float]]:
        """The share of the zero-latency AUC that is kept, and its 95 % interval."""
        return self.auc(row) / self.auc(ZERO), _interval(self.resampled(row) / self.resampled(ZERO))

    def gain(self, row: str, other: str) -> Tuple[float, Tuple[float, float]]:
        """AUC of a row minus that of another, and its 95 % interval."""
        return self.auc(row) - self.auc(other), _interval(self.resampled(row) - self.resampled(other))


def summary(cell: Cell) -> Dict[str, Any]:
    """The figures of a cell for the JSON file."""
    rows = {}
    for row, by_clip in cell.curves.items():
        share, interval = cell.share(row)
        rows[row] = {
            "auc": cell.auc(row),
            "share": share,
            "share_ci95": interval,
            "mauc": float(cell.curve(row).mean()),
            "per_clip": cell.by_clip(row),
            "runs": sum(map(len, by_clip.values())),
            "curve": np.round(cell.curve(row), 6).tolist(),
        }
    return {"group": cell.group, "tracker": cell.tracker, "processing": cell.time, "rows": rows}


def bars(cells: Sequence[Cell], default: str) -> List[Dict[str, Any]]:
    """The requirements of the default configuration on the clips of the group `bar`, with the measured figures.

    `default` is the name of its row.
    """
    found = []
    for cell in cells:
        if cell.group != "bar" or cell.time not in KEPT or default not in cell.curves:
            continue
        share, interval = cell.share(default)
        found.append(_bar(f"{cell.time}: share of zero latency kept", share, KEPT[cell.time], interval))
        others = [row for row in cell.curves if row not in (ZERO, default)]
        if others:
            best = max(others, key=cell.auc)
            gain, interval = cell.gain(default, best)
            found.append(_bar(f"{cell.time}: AUC above the best other row, {best}", gain, 0.0, interval))
        if cell.time == next(iter(KEPT)) and "hold" in cell.curves:
            hold, mine = cell.by_clip("hold"), cell.by_clip(default)
            worst = min(hold, key=lambda clip: mine[clip] - hold[clip])
            found.append(
                _bar(f"{cell.time}: AUC above hold, worst clip ({worst})", mine[worst] - hold[worst], -CLIP_LOSS)
            )
    return found


def _bar(name: str, measured: float, required: float, interval: Optional[Tuple[float, float]] = None) -> Dict[str, Any]:
    return {"bar": name, "measured": measured, "ci95": interval, "required": required, "met": measured >= required}


def markdown(cells: Sequence[Cell], required: Sequence[Mapping[str, Any]]) -> str:
    """A table for each group of clips and tracker, rows by processing time: AUC, and the share kept with its interval.

    `required` are the requirements that `bars` returns; they have a table of their own.
    """
    blocks: Dict[Tuple[str, str], List[Cell]] = {}
    for cell in cells:
        blocks.setdefault((cell.group, cell.tracker), []).append(cell)
    parts = [_block(group, tracker, block) for (group, tracker), block in blocks.items()]
    if required:
        lines = []
        for bar in required:
            met = "yes" if bar["met"] else "no"
            lines.append(
                f"| {bar['bar']} | {bar['measured']:.3f} | {_span(bar['ci95'], 1)} | {bar['required']:g} | {met} |"
            )
        parts.append("\n".join(["| bar | measured | 95 % | required | met |", "|---|---|---|---|---|", *lines]))
    return "\n\n".join(parts)


def _block(group: str, tracker: str, cells: Sequence[Cell]) -> str:
    clips = ", ".join(cells[0].curves[ZERO])
    lines = [
        f"{group} ({clips}), {tracker}: AUC, share of zero latency kept [95 %]",
        "",
        "| row | " + " | ".join(cell.time for cell in cells) + " |",
        "|---" * (len(cells) + 1) + "|",
    ]
    for row in cells[0].curves:
        texts = []
        for cell in cells:
            share, interval = cell.share(row)
            kept = "" if row == ZERO else f" ({100 * share:.1f} % [{_span(interval, 100)}])"
            texts.append(f"{cell.auc(row):.3f}{kept}")
        lines.append(f"| {row} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def _interval(values: np.ndarray) -> Tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _span(interval: Optional[Tuple[float, float]], scale: float) -> str:
    digits = 1 if scale == 100 else 3
    return "-" if interval is None else f"{scale * interval[0]:.{digits}f}, {scale * interval[1]:.{digits}f}"
