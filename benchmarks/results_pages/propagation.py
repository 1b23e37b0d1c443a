"""What propagation, predictors and the search region keep, from the tables of propagation."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from pvtpp_benchmarks.results_pages.blocks import (
    Block,
    Content,
    Lines,
    from_json,
    paragraph,
    percent,
    shown,
    signed,
    table,
    three,
)
from pvtpp_benchmarks.studies.propagation_report import ZERO
from pvtpp_benchmarks.studies.propagation_table import ROWS, TRACKERS

TABLE, APART = "benchmarks/studies/propagation_table.json", "benchmarks/studies/propagation_apart.json"
STEP, ROTATION = "benchmarks/speed/propagation_frame.json", "benchmarks/studies/ego_motion.json"
DEFAULT = "propagation+ensemble@predicted"
"""The row that is the default but for presence."""
LABELS = {
    "hold": "hold",
    "constant_velocity": "constant_velocity",
    "kalman:pvt@predicted": "PVT",
    "motion": "motion",
    "propagation+hold": "propagation+hold",
    "propagation+motion": "propagation+motion",
    "propagation+kalman": "propagation+kalman",
    DEFAULT: "the default",
}
CLIPS = {"10fps": "10 fps", "S0601": "S0601", "truck2": "truck2"}


def _cells(content: Content, group: str, tracker: str) -> List[Mapping[str, Any]]:
    return [cell for cell in content["cells"] if (cell["group"], cell["tracker"]) == (group, tracker)]


def _kept(row: Mapping[str, Any]) -> str:
    return f"{three(row['auc'])} ({percent(row['share'], 1)})"


def _auc(row: Mapping[str, Any]) -> str:
    return three(row["auc"])


def shares(content: Content) -> Lines:
    """AUC of every row without presence, and the share of zero latency that it keeps."""
    cells = _cells(content, "bar", TRACKERS[0])
    rows = [[ZERO, *(three(cell["rows"][ZERO]["auc"]) for cell in cells)]]
    for name in ROWS:
        if name in cells[0]["rows"] and not name.endswith("/presence"):
            label = f"**{name}**" if name == DEFAULT else name
            rows.append([label, *(_kept(cell["rows"][name]) for cell in cells)])
    return table(["row", *(shown(cell["processing"]) for cell in cells)], rows)


def intervals(content: Content) -> Lines:
    """How sure the shares of the default are."""
    rows = []
    for cell in _cells(content, "bar", TRACKERS[0]):
        found = cell["rows"][DEFAULT]
        low, high = (percent(each, 1) for each in found["share_ci95"])
        rest = {name: row["auc"] for name, row in cell["rows"].items() if name not in (ZERO, DEFAULT)}
        best = max((name for name in rest if not name.startswith(DEFAULT)), key=rest.__getitem__)
        hold = cell["rows"]["hold"]["per_clip"]
        worst = min(hold, key=lambda clip: found["per_clip"][clip] - hold[clip])
        apart = found["per_clip"][worst] - hold[worst]
        rows.append(
            [
                shown(cell["processing"]),
                f"{percent(found['share'], 1)} % [{low}, {high}]",
                f"{best} {signed(found['auc'] - rest[best])}",
                f"{worst} {signed(apart)}",
            ]
        )
    return table(["time", "kept by the default", "default - best other row", "default - hold, worst clip"], rows)


def csrt(content: Content) -> Lines:
    """A tracker that cannot be sent elsewhere to search."""
    (cell,) = _cells(content, "bar", "csrt")
    rows = cell["rows"]
    names = [name for name in LABELS if name in rows]
    return [
        f"CSRT as if it took the {shown(cell['processing'])} that it took on the machine of the table; zero latency "
        f"{three(rows[ZERO]['auc'])}:",
        "",
        *table(["row", shown(cell["processing"])], [[LABELS[name], _kept(rows[name])] for name in names]),
    ]


def apart(content: Content) -> Lines:
    """The clips of a 10 fps camera, and those with two similar targets."""
    rows, times = [], []
    for group, label in CLIPS.items():
        cells = _cells(content, group, TRACKERS[0])
        times = [shown(cell["processing"]) for cell in cells]
        named = f"{label}, {ZERO} {three(cells[0]['rows'][ZERO]['auc'])}"
        for name in (name for name in LABELS if name in cells[0]["rows"]):
            # Of one clip with two similar targets a share says little.
            said = _kept if len(content["groups"][group]) > 1 else _auc
            rows.append([named, LABELS[name], *(said(cell["rows"][name]) for cell in cells)])
            named = ""
    return table(["clips", "row", *times], rows)


def step(content: Content) -> Lines:
    """What a step of propagation takes."""
    width, height = max(row["image"] for row in content["rows"])
    rows = [row for row in content["rows"] if row["image"] == [width, height]]
    medians, slowest = ([row[f"push_{name}_ms"] for row in rows] for name in ("p50", "p95"))
    return paragraph(
        f"One step on a frame of {width}x{height} takes {min(medians):.1f} to {max(medians):.1f} ms in the median and "
        f"{min(slowest):.1f} to {max(slowest):.1f} ms at the 95th percentile (one thread, "
        f"{content['protocol']['hardware']['machine']})."
    )


def rotation(content: Content) -> Lines:
    """Errors without and with the gyro."""
    names = list(dict.fromkeys(row["predictor"] for row in content["rows"]))
    rows = []
    for propagation, label in ((False, "no propagation"), (True, "propagation")):
        cells = [
            f"{row['without_px']:.1f} / {row['gyro_px']:.1f}"
            for name in names
            for row in content["rows"]
            if (row["predictor"], row["propagation"]) == (name, propagation)
        ]
        rows.append([label, *cells])
    return table(["", *names], rows)


BLOCKS: Dict[str, Block] = {
    **{f"propagation.{make.__name__}": from_json(TABLE, make) for make in (shares, intervals, csrt)},
    "propagation.apart": from_json(APART, apart),
    "propagation.step": from_json(STEP, step),
    "propagation.rotation": from_json(ROTATION, rotation),
}
