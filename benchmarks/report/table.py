"""Result rows as tables of plain text."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

Column = Tuple[str, Callable[[Any], str]]


def _number(value: Any, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(row: Dict[str, Any]) -> str:
    interval = row["auc_ci95"]
    return "-" if interval is None else f"{interval[0]:.3f}-{interval[1]:.3f}"


def _rates(row: Dict[str, Any]) -> str:
    return f"{row['camera_fps']:g}/{row['world_fps']:g}"


RESULT_COLUMNS: Sequence[Column] = (
    ("clock", lambda r: r["clock"] if r["evaluation"] == "online" else "-"),
    ("evaluation", lambda r: r["evaluation"]),
    ("cam/world fps", _rates),
    ("tracker", lambda r: r["tracker"]),
    ("predictor", lambda r: r["predictor"] or "-"),
    ("schedule", lambda r: r["schedule"] or "-"),
    ("search", lambda r: r["search_region"]),
    ("propagation", lambda r: r["propagation"] or "-"),
    ("presence", lambda r: r["presence"] or "-"),
    ("ego motion", lambda r: r["ego_motion"] or "-"),
    ("ms", lambda r: f"{r['processing_ms']:g}"),
    ("AUC", lambda r: _number(r["auc"])),
    ("95% interval", _interval),
    ("std", lambda r: _number(r["auc_std"])),
    ("DP@20", lambda r: _number(r["dp20"])),
    ("NormP", lambda r: _number(r["norm_precision"])),
    ("mAUC", lambda r: _number(r["mauc"])),
    ("mDP", lambda r: _number(r["mdp"])),
)

# Columns that go to the heading of a block where all its rows have the same value.
FOR_THE_HEADING = (
    "clock",
    "cam/world fps",
    "tracker",
    "schedule",
    "search",
    "propagation",
    "presence",
    "ego motion",
    "std",
)


def result_table(rows: Sequence[Dict[str, Any]]) -> str:
    """Rows of an evaluation as text, in blocks.

    Rows that must not be averaged are in separate blocks: there is one for each metric mode, camera rate, set of clips
    and version of the code. What is the same in all rows of a block is written in its heading.
    """
    blocks: Dict[tuple, List[Dict[str, Any]]] = {}
    for row in rows:
        clips = tuple(row["per_sequence"])
        key = (row["apart"], row["dataset"], row["mode"], -row["camera_fps"], clips, row["version"])
        blocks.setdefault(key, []).append(row)
    return "\n\n".join(_block(blocks[key]) for key in sorted(blocks))


def _block(rows: List[Dict[str, Any]]) -> str:
    first = rows[0]
    clips = ", ".join(first["per_sequence"]) if first["apart"] else str(first["sequences"])
    heading = [first["dataset"], f"clips {clips}", f"mode {first['mode']}", "sigma 0"]
    columns = []
    for title, text in RESULT_COLUMNS:
        values = {text(row) for row in rows} - {"-"}
        if title in FOR_THE_HEADING and len(values) <= 1:
            heading += [f"{title} {value}" for value in values]
        else:
            columns.append((title, text))
    return ", ".join(heading) + "\n" + table(columns, rows)


def table(columns: Sequence[Column], rows: Sequence[Any]) -> str:
    """Rows as text.

    Parameters
    ----------
    columns
        The title of each column, and the function that gives the text of a row. Columns of numbers are aligned to the
        right, others to the left.
    rows
        Anything that these functions take.
    """
    cells: List[List[str]] = [[title for title, _ in columns]]
    cells += [[text(row) for _, text in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    numeric = [all(_is_number(line[i]) for line in cells[1:]) for i in range(len(columns))]
    lines = [
        "  ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(line, widths, numeric)).rstrip() for line in cells
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _is_number(text: str) -> bool:
    try:
        float("0" if text == "-" else text)
    except ValueError:
        return False
    return True
