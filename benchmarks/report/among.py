"""A new tracker's e-LAE curves drawn among the published ones of 17 trackers."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.provenance import hardware
from pvtpp_benchmarks.published import Published, published
from pvtpp_benchmarks.report.curves import apart, line_style, new_figure, save
from pvtpp_benchmarks.report.labels import curve_labels

MEASURES = {"auc": "AUC", "dp": "DP at 20 px"}
AMONG = ("published",)
_GREY = "#A6A6A6"
Row = Mapping[str, Any]


def comparable(rows: Sequence[Row], known: Published) -> Tuple[str, Dict[str, Row]]:
    """Choose the rows that may be drawn among the published curves.

    Parameters
    ----------
    rows
        Of a result.
    known
        The published curves.

    Returns
    -------
    dataset
        The published name of the data set.
    chosen
        By label the online rows in the metric mode and at the frame rates of the published curves.

    Raises
    ------
    InputError
        Where there is none, with what is missing, and for rows of several data sets.
    """
    mode, camera, world = (known.facts[name] for name in ("mode", "camera_fps", "world_fps"))
    fitting = [
        row
        for row in rows
        if row["curve"] and row["mode"] == mode and (row["camera_fps"], row["world_fps"]) == (camera, world)
    ]
    if not fitting:
        raise InputError(
            f"--among published: no online row in metric mode {mode} at camera {camera:g} and world {world:g} fps, as "
            f"the published curves are; evaluate with --mode {mode}"
        )
    names = {known.dataset(row["dataset"]) for row in fitting}
    if len(names) > 1:
        raise InputError(f"--among published: rows of {', '.join(sorted(names))}, draw one data set at a time")
    return names.pop(), dict(zip(curve_labels(fitting), fitting))


def plot_among(path: str, rows: Sequence[Row]) -> None:
    """Draw the rows' curves of AUC and DP in colour over the published ones in grey, the hardware of both named.

    Parameters
    ----------
    path
        The file to write: PNG, PDF or SVG by its ending.
    rows
        Of a result, of one published data set.

    Raises
    ------
    InputError
        As `comparable` does, and without matplotlib.
    """
    known = published()
    dataset, chosen = comparable(rows, known)
    counts = sorted({row["sequences"] for row in chosen.values()})
    clocks = sorted({row["clock"] for row in chosen.values()})
    where = [f"{clock} clock ({hardware()['machine']})" if clock == "wall" else f"{clock} clock" for clock in clocks]
    subtitle = (
        f"grey: {known.facts['hardware']}, digitised from arXiv 2211.11629; colour: {'/'.join(where)}, "
        f"{'/'.join(map(str, counts))} sequences, processing times as labelled; mode {known.facts['mode']}"
    )
    longest = max(map(len, chosen))
    width, height = max(11.0, 9.0 + 0.11 * longest), 6.4
    figure = new_figure(
        path, (width, height), f"{', '.join(_trackers(chosen))} among published trackers, {dataset}", subtitle
    )
    panel = (width - 2 * 0.62 - 2 * (0.95 + 0.062 * longest)) / 2
    for number, (measure, title) in enumerate(MEASURES.items()):
        left = 0.62 + number * (width / 2)
        axes = figure.add_axes((left / width, 0.56 / height, panel / width, 1 - 1.42 / height))
        _panel(axes, known.curves[dataset][measure], {label: row["curve"][measure] for label, row in chosen.items()})
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("permitted latency σ (world frames)", fontsize=9.5)
    save(figure, path)


def _trackers(chosen: Mapping[str, Row]) -> List[str]:
    return list(dict.fromkeys(row["tracker"] for row in chosen.values()))


def _panel(axes: Any, theirs: Mapping[str, np.ndarray], own: Mapping[str, Sequence[float]]) -> None:
    lines = [(name, values, _GREY, "-", 0.9) for name, values in theirs.items()]
    lines += [(label, np.asarray(values), *line_style(index), 2.2) for index, (label, values) in enumerate(own.items())]
    top = float(np.ceil(max(values.max() for _, values, *_ in lines) * 10 + 0.3) / 10)
    places = apart([float(values[-1]) for _, values, *_ in lines], 0.0262 * top, top)
    for (name, values, colour, dashes, line_width), place in zip(lines, places):
        (drawn,) = axes.plot(SIGMAS, values, color=colour, linestyle=dashes, linewidth=line_width)
        drawn.set_gid(name)
        mine = colour != _GREY
        axes.annotate(
            name,
            (1.0, float(values[-1])),
            (1.04, place),
            color=colour if mine else "#666666",
            fontsize=8.5 if mine else 7.5,
            fontweight="bold" if mine else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, top)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8.5, color="#888888")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
