"""What the curves of a figure are called, and the panel that each is drawn in."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

from pvtpp import defaults

LABELS = (
    "tracker",
    "dataset",
    "clock",
    "search_region",
    "schedule",
    "propagation",
    "presence",
    "ego_motion",
    "predictor_ms",
    "mode",
    "sequences",
    "starts",
    "draws",
    "jitter_px",
)
"""What the label of a curve says where the rows differ in it."""
_AMOUNTS = ("sequences", "starts", "draws", "jitter_px")
_BEFORE = ("tracker", "dataset", "clock")
"""Of `LABELS`, what it says before the predictor."""
_LAST = ("processing", "per_sequence", "version", "predictor_ms", "runs", "frames")
"""What it says only where two labels would be the same without."""
ZERO = "zero latency"
Row = Mapping[str, Any]
Panel = Tuple[bool, float, float]
"""Whether its sequences are apart, minus the camera's rate, and the world's: sorted, the order of the panels."""


def curve_labels(rows: Sequence[Row]) -> List[str]:
    """Return the label of each row's curve; no two rows of one panel have the same.

    A label says the predictor and the processing time (or zero latency), and all of `LABELS` in which the rows differ.
    """
    panels = panels_of(rows)
    differing = [name for name in LABELS if _differs(name, rows, panels)]
    labels = [_label(row, differing) for row in rows]
    _tell_apart(rows, labels, panels, _LAST)
    return labels


def method_labels(rows: Sequence[Row]) -> List[Tuple[str, str]]:
    """Return for each row its tracker, and in as few words as possible what of the tracker it is.

    These words are the predictor, the processing time where the rows have several, and the settings in which two rows
    of one panel differ that are the same otherwise. No two rows of one panel have both texts in common.
    """
    panels = panels_of(rows)
    times = {row["processing_ms"] for row in rows if row["curve"]}
    shorts = [
        ", ".join([row["predictor"], *([f"{row['processing_ms']:g} ms"] if len(times) > 1 else [])])
        if row["curve"]
        else ZERO
        for row in rows
    ]
    labels = [f"{row['tracker']}, {short}" for row, short in zip(rows, shorts)]
    _tell_apart(rows, labels, panels, (*LABELS[1:], *_LAST))
    return [(row["tracker"], label[len(row["tracker"]) + 2 :]) for row, label in zip(rows, labels)]


def _tell_apart(
    rows: Sequence[Row], labels: List[str], panels: Sequence[Sequence[Panel]], names: Sequence[str]
) -> None:
    """Add to labels that several rows of a panel have what these differ in, in place; in the end a number."""
    for name in names:
        for group in _same(rows, labels, panels):
            said = [_said(name, rows[index]) for index in group]
            if len(set(said)) > 1:
                for index, text in zip(group, said):
                    labels[index] = ", ".join(filter(None, (labels[index], text)))
    for group in _same(rows, labels, panels):
        for number, index in enumerate(group, 1):
            labels[index] = f"{labels[index]} ({number})"


def _differs(name: str, rows: Sequence[Row], panels: Sequence[Sequence[Panel]]) -> bool:
    """Whether labels must say this setting: how much was run is of interest within a panel alone."""
    values: Dict[Any, Set[Any]] = {}
    for row, keys in zip(rows, panels):
        for key in keys if name in _AMOUNTS else (None,):
            if _applies(name, row):
                values.setdefault((key, bool(row["curve"]) or name not in _AMOUNTS), set()).add(row[name])
    return any(len(each) > 1 for each in values.values())


def _same(rows: Sequence[Row], labels: Sequence[str], panels: Sequence[Sequence[Panel]]) -> List[List[int]]:
    """List the rows, by number, that have a label in common in some panel."""
    found: Dict[Tuple[str, Any], List[int]] = {}
    for index, (label, keys) in enumerate(zip(labels, panels)):
        for key in keys:
            found.setdefault((label, key), []).append(index)
    groups = {tuple(each) for each in found.values() if len(each) > 1}
    # A row of two panels is in one group alone, so that it gets one label.
    taken: Set[int] = set()
    made = []
    for group in sorted(groups, key=len, reverse=True):
        if not taken & set(group):
            made.append(list(group))
            taken |= set(group)
    return made


def _label(row: Row, differing: Sequence[str]) -> str:
    how = [row["predictor"], f"{row['processing_ms']:g} ms"] if row["curve"] else [ZERO]
    before = [_said(name, row) for name in differing if name in _BEFORE and _applies(name, row)]
    after = [_said(name, row) for name in differing if name not in _BEFORE and _applies(name, row)]
    return ", ".join(filter(None, [*before, *how, *after]))


def _applies(name: str, row: Row) -> bool:
    """Whether the setting says anything of the row: most say nothing of zero latency."""
    return bool(row["curve"]) or name in ("tracker", "dataset", "mode", *_AMOUNTS)


def _said(name: str, row: Row) -> str:
    """How a label says this value."""
    value = row[name]
    if name == "presence":
        return "presence" if value == "on" else ""
    if name == "ego_motion":
        return "gyro" if value == "gyro" else ""
    if name == "propagation":
        return "" if value in (None, "none") else "propagation" if value == defaults.PROPAGATION else str(value)
    if name == "search_region":
        return f"search {value}"
    if name == "predictor_ms":
        return f"predictor {value:g} ms"
    if name == "per_sequence":
        clips = ", ".join(value)
        return clips if len(clips) <= 30 else f"clips {hashlib.sha256(clips.encode()).hexdigest()[:6]}"
    if name == "version":
        return f"version {str(value)[:7]}"
    if name in ("sequences", "starts", "draws", "runs", "frames"):
        return f"{value} {'clips' if name == 'sequences' else name}"
    return f"{name} {value}" if name in ("jitter_px", "world_fps") else str(value)


def panel_key(row: Row) -> Panel:
    """What the panel of an online row is known by; sorted, it is the order of the panels."""
    return (bool(row["apart"]), -row["camera_fps"], row["world_fps"])


def panels_of(rows: Sequence[Row]) -> List[List[Panel]]:
    """Return for each row the panels that it belongs to: zero latency to those of its camera rate and clips."""
    online = [row for row in rows if row["curve"]]
    found = []
    for row in rows:
        if row["curve"]:
            found.append([panel_key(row)])
            continue
        near = [each for each in online if panel_key(each)[:2] == panel_key(row)[:2]]
        of_its_clips = [each for each in near if set(each["per_sequence"]) == set(row["per_sequence"])]
        found.append(sorted({panel_key(each) for each in of_its_clips or near}))
    return found


def heading(key: Panel) -> str:
    """Return the heading of a panel."""
    apart, camera, world = key
    return f"camera {-camera:g} fps, world {world:g} fps" + (", apart" if apart else "")
