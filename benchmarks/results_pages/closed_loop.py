"""The study of closed loops, from `benchmarks/closed_loop/table.json` and `rates_85ms.json`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

from pvtpp.files import read_json
from pvtpp_benchmarks.closed_loop.variants import MAIN, VARIANTS
from pvtpp_benchmarks.closed_loop.world import WorldConfig
from pvtpp_benchmarks.results_pages.blocks import Block, Content, Lines, from_json, shown, table

SOURCE = "benchmarks/closed_loop/table.json"
RATES = "benchmarks/closed_loop/rates_85ms.json"
SHARED, OWN = "shared", "own"
"""Whether all variants have the same gain, or each its best one."""
LABELS = [VARIANTS[name].label for name in MAIN]
Row = Mapping[str, Any]


def cases_of(content: Content, gain_is: str, hidden: bool) -> Dict[Any, Dict[str, Row]]:
    """Rows by variant, by motion and processing time."""
    found: Dict[Any, Dict[str, Row]] = {}
    for row in content["rows"]:
        if row["gain_is"] == gain_is and bool(row["occlusions"]) == hidden:
            found.setdefault((row["motion"], row["processing"]), {})[row["variant"]] = row
    return found


def _by_variant(content: Content, gain_is: str, hidden: bool, cell: Callable[[Row, Row], str]) -> Lines:
    """A line for each case; `cell` is given the variant's row and that of stale boxes."""
    rows = []
    for (motion, processing), row in cases_of(content, gain_is, hidden).items():
        rows.append([motion, shown(processing), *(cell(row[name], row[MAIN[0]]) for name in MAIN)])
    return table(["target", "tracker", *LABELS], rows)


def _against(row: Row, stale: Row) -> str:
    error = f"{row['mse_mrad2']:,.0f}"
    return error if row is stale else f"{error} ({100 * (row['mse_mrad2'] / stale['mse_mrad2'] - 1):+,.0f} %)"


def shared(content: Content) -> Lines:
    """Errors with one gain for all."""
    return _by_variant(content, SHARED, False, _against)


def own(content: Content) -> Lines:
    """Errors of each variant at its own gain."""
    return _by_variant(content, OWN, False, lambda row, stale: f"{_against(row, stale)}, gain {row['gain']:g}")


def hidden(content: Content) -> Lines:
    """Errors, and the moment of the loss, where overpasses hide the target."""

    def cell(row: Row, _stale: Row) -> str:
        lost = f", lost at {row['time_to_loss_s']:.1f} s" if row["lost"] else ", not lost"
        return f"{row['mse_mrad2']:,.0f}{lost}"

    return _by_variant(content, SHARED, True, cell)


def leads(content: Content) -> Lines:
    """What the default and the IMU take off the error: from the least to the most of all cases."""
    rows = []
    for name, other in (("default", "stale"), ("default", "pvt"), ("imu", "stale"), ("imu", "default")):
        cells = []
        for gain_is in (SHARED, OWN):
            cases = cases_of(content, gain_is, False).values()
            less = [100 * (1 - case[name]["mse_mrad2"] / case[other]["mse_mrad2"]) for case in cases]
            cells.append(f"{min(less):.0f} to {max(less):.0f} %")
        rows.append([VARIANTS[name].label, VARIANTS[other].label, *cells])
    return table(["variant", "less error than", "one gain for all", "each at its own gain"], rows)


def speeds(content: Content) -> Lines:
    """The highest speed that each variant held."""
    held: Dict[str, Dict[str, float]] = {}
    for row in content["speeds"]:
        held.setdefault(row["processing"], {})[row["variant"]] = row["held_m_s"]
    rows = [[shown(time), *(f"{held[time][name]:g}" for name in MAIN)] for time in held]
    tried = ", ".join(f"{speed:g}" for speed in content["config"]["speeds"])
    return [f"Tried were {tried} m/s.", "", *table(["tracker", *LABELS], rows)]


def jerk(content: Content) -> Lines:
    """Jerk of the axes at the longest processing time."""
    longest = content["config"]["processing"][-1]
    rows = []
    for gain_is, label in ((SHARED, "one for all"), (OWN, "its own")):
        cases = {motion: row for (motion, time), row in cases_of(content, gain_is, False).items() if time == longest}
        cells = [", ".join(f"{row[name]['jerk']:.0f}" for row in cases.values()) for name in MAIN]
        rows.append([label, *cells])
    of = f"For {', '.join(content['config']['motions'])} targets; the tracker takes {shown(longest)}."
    return [of, "", *table(["gain", *LABELS], rows)]


def _pixels(row: Row) -> str:
    return "lost" if row["lost"] else f"{math.sqrt(row['mse_mrad2']) * 1e-3 * WorldConfig().focal:.0f}"


RATE_ROWS = (
    ("stale", "stale boxes", "unknown", "nothing"),
    ("pvt", "PVT's Kalman filter", "unknown", "nothing"),
    ("default", "default", "unknown", "nothing"),
    ("default-image", "default", "unknown", "what the image shows"),
    ("stale-rates", "stale boxes", "the gimbal reports it", "the target's own rate"),
    ("default-rates", "default", "the gimbal reports it", "the target's own rate"),
    ("imu", "default", "gyro", "the target's own rate"),
)
"""Variants and, in words, what the controller gets of each."""


def rates(root: Path) -> Lines:
    """What each variant of the controller's input is worth, by gain."""
    content = read_json(str(root / SOURCE))
    longest, gains = content["config"]["processing"][-1], content["config"]["gains"]
    # Every variant was run at the controller's default.
    usual = content["config"]["loop"]["controller"]["proportional"]
    rows: List[Row] = [*content["gains"], *read_json(str(root / RATES))["gains"]]
    found = {(row["variant"], row["gain"]): row for row in rows if row["processing"] == longest}
    lines = []
    for name, *words in RATE_ROWS:
        cells = [_pixels(found[name, gain]) if (name, gain) in found else "" for gain in gains]
        lines.append([*words, *cells, f"{found[name, usual]['jerk']:.0f}"])
    heads = ["boxes", "the camera's rate", "fed forward", *(f"gain {gain:g}" for gain in gains)]
    return table([*heads, f"jerk at gain {usual:g}"], lines)


BLOCKS: Dict[str, Block] = {
    **{f"closed_loop.{make.__name__}": from_json(SOURCE, make) for make in (leads, shared, own, hidden, speeds, jerk)},
    "closed_loop.rates": rates,
}
