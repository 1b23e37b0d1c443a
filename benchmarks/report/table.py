"""Result rows as tables of plain text."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Set, Tuple

Column = Tuple[str, Callable[[Any], str]]


def _number(value: Any, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(row: Dict[str, Any]) -> str:
    interval = row["auc_ci95"]
    return "-" if interval is None else f"{interval[0]:.3f}-{interval[1]:.3f}"


def _rates(row: Dict[str, Any]) -> str:
    return f"{row['camera_fps']:g}/{row['world_fps']:g}"


def _of(part: str, name: str, digits: int = 3) -> Callable[[Any], str]:
    """The text of a number that a part of the row holds; of two numbers the first. Old rows do not have the part."""

    def text(row: Dict[str, Any]) -> str:
        value = (row.get(part) or {}).get(name)
        return _number(value[0] if isinstance(value, list) else value, digits)

    return text


def _counted(part: str, name: str, whole: str) -> Callable[[Any], str]:
    """How many of how many."""

    def text(row: Dict[str, Any]) -> str:
        figures = row.get(part)
        return f"{figures[name]}/{figures[whole]}" if figures else "-"

    return text


def _longest(row: Dict[str, Any]) -> str:
    return f"{row['outages']['outage_s'][1]:.2f}" if row.get("outages") else "-"


RUN_COLUMNS: Sequence[Column] = (
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
)
SCORE_COLUMNS: Sequence[Column] = (
    ("AUC", lambda r: _number(r["auc"])),
    ("95% interval", _interval),
    ("std", lambda r: _number(r["auc_std"])),
    ("DP@20", lambda r: _number(r["dp20"])),
    ("NormP", lambda r: _number(r["norm_precision"])),
    ("mAUC", lambda r: _number(r["mauc"])),
    ("mDP", lambda r: _number(r["mdp"])),
)
PRESENCE_COLUMNS: Sequence[Column] = (
    ("precision", _of("losses", "precision")),
    ("recall", _of("losses", "recall")),
    ("P in time", _of("losses", "precision_in_time")),
    ("R in time", _of("losses", "recall_in_time")),
    ("noticed", _counted("losses", "noticed", "losses")),
    ("after s", _of("losses", "seconds_to_notice", 2)),
    ("found", _counted("outages", "found", "returns")),
    ("after s", _of("outages", "seconds_to_find", 2)),
    ("in 1 s", _of("outages", "found_in_1_s")),
    ("outage s", _of("outages", "outage_s", 2)),
    ("longest", _longest),
    ("NT2F", _of("outages", "nt2f")),
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


class Block(NamedTuple):
    """Rows that are tabled together.

    Attributes
    ----------
    heading
        What is the same in all of them.
    columns, rows
        What differs, and of what.
    """

    heading: str
    columns: List[Column]
    rows: List[Dict[str, Any]]

    def cells(self) -> List[List[str]]:
        """The titles of the columns and then the text of each row."""
        return _cells(self.columns, self.rows)


def result_table(rows: Sequence[Dict[str, Any]]) -> str:
    """Rows of an evaluation as text, in the blocks of `table_blocks`."""
    return "\n\n".join(f"{block.heading}\n{table(block.columns, block.rows)}" for block in table_blocks(rows))


def table_blocks(rows: Sequence[Dict[str, Any]]) -> List[Block]:
    """Rows of an evaluation in blocks.

    Rows that must not be averaged are in separate blocks: there is one for each metric mode, camera rate, set of clips
    and version of the code. What is the same in all rows of a block is in its heading. A block in which presence is
    assessed is followed by one of that; it is the same in all modes and made once.
    """
    blocks: Dict[tuple, List[Dict[str, Any]]] = {}
    for row in rows:
        clips = tuple(row["per_sequence"])
        key = (row["apart"], row["dataset"], row["mode"], -row["camera_fps"], clips, row["version"])
        blocks.setdefault(key, []).append(row)
    made: List[Block] = []
    printed: Set[tuple] = set()
    for key in sorted(blocks):
        made.append(_block(blocks[key]))
        without_mode = key[:2] + key[3:]
        if without_mode not in printed and any(row.get("losses") for row in blocks[key]):
            made.append(_presence_block(blocks[key]))
            printed.add(without_mode)
    return made


def _block(rows: List[Dict[str, Any]]) -> Block:
    common, columns = split_columns([*RUN_COLUMNS, *SCORE_COLUMNS], rows)
    return Block(", ".join([*_data(rows[0]), f"mode {rows[0]['mode']}", "sigma 0", *common]), columns, rows)


def _presence_block(rows: List[Dict[str, Any]]) -> Block:
    common, columns = split_columns(RUN_COLUMNS, rows)
    return Block(", ".join(["Presence", *_data(rows[0]), "sigma 0", *common]), [*columns, *PRESENCE_COLUMNS], rows)


def _data(row: Dict[str, Any]) -> List[str]:
    return [row["dataset"], f"clips {', '.join(row['per_sequence']) if row['apart'] else row['sequences']}"]


def split_columns(columns: Sequence[Column], rows: List[Dict[str, Any]]) -> Tuple[List[str], List[Column]]:
    """Split columns into what the heading of these rows says, and the columns that remain."""
    common: List[str] = []
    remaining: List[Column] = []
    for title, text in columns:
        values = {text(row) for row in rows} - {"-"}
        if title in FOR_THE_HEADING and len(values) <= 1:
            common += [f"{title} {value}" for value in values]
        else:
            remaining.append((title, text))
    return common, remaining


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
    cells = _cells(columns, rows)
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    numeric = [all(is_number(line[i]) for line in cells[1:]) for i in range(len(columns))]
    lines = [
        "  ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(line, widths, numeric)).rstrip() for line in cells
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _cells(columns: Sequence[Column], rows: Sequence[Any]) -> List[List[str]]:
    return [[title for title, _ in columns], *([text(row) for _, text in columns] for row in rows)]


def is_number(text: str) -> bool:
    """Say whether the text of a cell is a number, or stands for none."""
    try:
        float("0" if text == "-" else text)
    except ValueError:
        return False
    return True
