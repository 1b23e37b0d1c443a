"""Plots of the score of trackers and predictors over the permitted latency."""

from __future__ import annotations

import os
from typing import Any, List, Mapping, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_benchmarks.report.styles import style

ENDINGS = ("png", "pdf", "svg")
_WIDTH = 2.0
# Inches that a character of a label takes.
_CHARACTER = 0.078


_SIGMA = "permitted latency σ (world frames)"
Curve = Tuple[ArrayLike, ArrayLike]
Line = Tuple[np.ndarray, np.ndarray]


def plot_elae(
    path: str,
    curves: Mapping[str, Curve],
    title: str,
    subtitle: str = "",
    measure: str = "AUC",
    sigma_max: float = 1.0,
) -> None:
    """Draw e-LAE curves, each as a step function.

    Parameters
    ----------
    path
        The file to write, of a format of `ENDINGS`. In an SVG the group of each curve has the curve's label as its id.
    curves
        By label the curve as ``(sigmas, values)``, two lists of one length: `values[i]` holds from `sigmas[i]` on. The
        sigmas, permitted latencies in world frames, rise from 0.
    title, subtitle
        Text above the plot; the subtitle says data, mode and hardware.
    measure
        Label of the vertical axis.
    sigma_max
        End of the horizontal axis.

    Raises
    ------
    InputError
        For a malformed curve, an unknown ending, a file that cannot be written; without matplotlib (extra `report`).
    """
    lines = {label: _checked(label, curve, sigma_max) for label, curve in curves.items()}
    if not lines:
        raise InputError(f"{path}: no curve to plot")
    longest = max(map(len, lines))
    width, height = max(8.0, 6.25 + _CHARACTER * longest), 4.5 + 0.22 * max(0, len(lines) - 18)
    figure = new_figure(path, (width, height), title, subtitle)
    axes = figure.add_axes((0.68 / width, 0.5625 / height, 5.28 / width, 1 - 1.2825 / height))
    top = _top(lines)
    _draw(axes, lines, top, sigma_max, {label: (label, index) for index, label in enumerate(lines)})
    ends = [float(values[-1]) for _, values in lines.values()]
    for index, (label, place) in enumerate(zip(lines, apart(ends, 0.225 / height * top, top))):
        colour = style(index).colour
        axes.annotate(
            label,
            (sigma_max, ends[index]),
            (sigma_max * 1.035, place),
            color=colour,
            fontsize=9.5,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.8,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )
    axes.set_xlabel(_SIGMA, fontsize=10)
    axes.set_ylabel(measure, fontsize=10)
    save(figure, path)


def plot_elae_panels(
    path: str, panels: Mapping[str, Mapping[str, Curve]], title: str, subtitle: str = "", measure: str = "AUC"
) -> None:
    """Draw several sets of e-LAE curves side by side, on one scale and with one legend.

    Parameters
    ----------
    path, title, subtitle, measure
        As in `plot_elae`.
    panels
        By heading the curves of a panel, as in `plot_elae`. A label has the same line in every panel that has it.

    Raises
    ------
    InputError
        As `plot_elae` does.
    """
    lines = {name: {label: _checked(label, c, 1.0) for label, c in curves.items()} for name, curves in panels.items()}
    if not lines or not all(lines.values()):
        raise InputError(f"{path}: no curve to plot")
    labels = list(dict.fromkeys(label for curves in lines.values() for label in curves))
    wide = max(8.0, 2.6 * len(lines), 1.0 + _CHARACTER * max(map(len, labels)))
    columns = max(1, min(7, int((wide - 0.4) / (0.8 + _CHARACTER * max(map(len, labels))))))
    more = 0.2 * max(0, -(-len(labels) // columns) - 2)
    height = 4.2 + more
    figure = new_figure(path, (wide, height), title, subtitle)
    top = _top({(name, label): curve for name, curves in lines.items() for label, curve in curves.items()})
    left = max(0.06, 0.62 / wide)
    width = (0.98 - left) / len(lines)
    for number, (name, curves) in enumerate(lines.items()):
        axes = figure.add_axes((left + number * width, (1.008 + more) / height, width - 0.02, 2.268 / height))
        ids = {label: (f"{name}: {label}", labels.index(label)) for label in curves}
        _draw(axes, curves, top, 1.0, ids)
        axes.set_title(name, fontsize=9.5, loc="left")
        axes.set_xlabel(_SIGMA, fontsize=8.5)
        axes.set_xticks([0, 0.5, 1])
        axes.set_xticklabels(["0", "0.5", "1"])
        if number:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel(measure, fontsize=10)
    drawn = [_sample(index) for index in range(len(labels))]
    # Long enough to show the dashes.
    figure.legend(drawn, labels, loc="lower center", ncol=columns, fontsize=9, frameon=False, handlelength=3.5)
    save(figure, path)


def check_plot(path: str) -> None:
    """Check before the work that a plot can be drawn and written to `path`.

    Raises
    ------
    InputError
        For an ending that is not among `ENDINGS`, a place that cannot be written, and without matplotlib.
    """
    check_writable(path)
    _format(path)
    _matplotlib(path)


def _format(path: str) -> str:
    ending = os.path.splitext(path)[1][1:].lower()
    if ending not in ENDINGS:
        raise InputError(f"{path}: unknown ending of a plot, allowed is {', '.join('.' + each for each in ENDINGS)}")
    return ending


def _matplotlib(path: str) -> Tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            f"{path}: plots need matplotlib, which is not installed here; pip install 'pvtpp[report]'"
        ) from None
    return Figure, FigureCanvasAgg


def matplotlib_figure(path: str, size: Tuple[float, float]) -> Any:
    """An empty figure of this size, inches; raises InputError, which names the path, without matplotlib."""
    Figure, FigureCanvasAgg = _matplotlib(path)
    figure = Figure(figsize=size, dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def new_figure(path: str, size: Tuple[float, float], title: str, subtitle: str) -> Any:
    """Begin a figure of this size, inches; raises InputError as `check_plot` does."""
    _format(path)
    figure = matplotlib_figure(path, size)
    left = 0.085 * 8.0 / size[0]
    figure.text(left, 1 - 0.27 / size[1], title, fontsize=13, fontweight="bold", va="center")
    figure.text(left, 1 - 0.5175 / size[1], subtitle, fontsize=8.5, color="#555555", va="center")
    return figure


def line_style(index: int) -> Tuple[str, Any]:
    """Colour and dashes of a curve, as matplotlib takes them."""
    chosen = style(index)
    return chosen.colour, (0, chosen.dashes) if chosen.dashes else "-"


def _sample(index: int) -> Any:
    """A line for the legend."""
    from matplotlib.lines import Line2D

    colour, dashes = line_style(index)
    return Line2D([], [], color=colour, linestyle=dashes, linewidth=_WIDTH)


def _draw(
    axes: Any, lines: Mapping[str, Line], top: float, sigma_max: float, ids: Mapping[str, Tuple[str, int]]
) -> None:
    """Draw the curves; `ids` has for each label the id of its group in an SVG, and the number of its style."""
    each = list(lines.items())
    for index, (label, (sigmas, values)) in enumerate(each):
        name, number = ids[label]
        colour, dashes = line_style(number)
        # A curve that a later one would hide is drawn wider, so that it shows on both sides of it.
        over = sum(_looks_equal((sigmas, values), line, top) for _, line in each[index + 1 :])
        (line,) = axes.step(
            sigmas,
            values,
            where="post",
            color=colour,
            linestyle=dashes,
            linewidth=_WIDTH * (1 + over),
            solid_joinstyle="miter",
        )
        line.set_gid(name)
    axes.set_xlim(0, sigma_max)
    axes.set_ylim(0, top)
    axes.grid(color="#DDDDDD", linewidth=0.7)
    axes.tick_params(labelsize=9, color="#888888")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _looks_equal(line: Line, other: Line, top: float) -> bool:
    """Whether two curves are less than half the width of a line apart everywhere, so that one would hide the other."""
    at = np.union1d(line[0], other[0])
    values = [curve[1][np.searchsorted(curve[0], at, side="right") - 1] for curve in (line, other)]
    return bool(np.abs(values[0] - values[1]).max() < 0.004 * top)


def _top(lines: Mapping[Any, Line]) -> float:
    highest = max(values.max() for _, values in lines.values())
    return float(max(0.1, np.ceil(highest * 10 + 0.3) / 10))


def save(figure: Any, path: str) -> None:
    """Write a figure whole or not at all, in the format of the ending."""
    with whole_file(path) as part:
        figure.savefig(part, format=_format(path))


def _checked(label: str, curve: Curve, sigma_max: float) -> Line:
    """The curve up to `sigma_max`, its last step extended to there; InputError for a malformed curve."""
    sigmas, values = (np.asarray(part, dtype=np.float64) for part in curve)
    if sigmas.ndim != 1 or sigmas.shape != values.shape or len(sigmas) == 0:
        raise InputError(
            f"curve {label!r}: sigmas {sigmas.shape} and values {values.shape} must be two lists of one length, "
            "not empty"
        )
    if sigmas[0] != 0 or not (np.diff(sigmas) > 0).all() or not np.isfinite(values).all():
        raise InputError(f"curve {label!r}: sigmas must rise from 0 and values be finite")
    shown = sigmas <= sigma_max
    return np.append(sigmas[shown], sigma_max), np.append(values[shown], values[shown][-1])


def apart(wanted: List[float], gap: float, top: float) -> List[float]:
    """Heights from 0 to `top` in the order of the wanted ones, at least `gap` apart and as near to them as possible."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    # Isotonic regression: without the gaps below them, heights must not fall; neighbours that would are set to their
    # mean.
    pools: List[List[float]] = []
    for rank, index in enumerate(order):
        pools.append([wanted[index] - rank * gap])
        while len(pools) > 1 and np.mean(pools[-2]) >= np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    level = [float(np.mean(pool)) for pool in pools for _ in pool]
    places = [0.0] * len(wanted)
    for rank, index in enumerate(order):
        highest = top - (len(order) - 1) * gap
        places[index] = max(min(level[rank], highest), 0.0) + rank * gap
    return places
