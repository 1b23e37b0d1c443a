"""The figure of the study of closed loops: errors of all cases, and the course of single runs."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

import numpy as np

from pvtpp_benchmarks.closed_loop.variants import VARIANTS
from pvtpp_benchmarks.report.curves import new_figure, save

# Okabe and Ito's palette, as in the plots of the report.
COLOURS = ("#D55E00", "#CC79A7", "#0072B2", "#009E73", "#E69F00", "#56B4E9", "#333333", "#999999")


def draw(path: str, rows: List[Dict[str, Any]], courses: Mapping[str, np.ndarray], title: str, subtitle: str) -> None:
    """Draw the pointing error of every variant.

    Parameters
    ----------
    path
        The file, of a format of `pvtpp_benchmarks.report.curves.ENDINGS`.
    rows
        Of `study.table`, of one processing time and the shared gain.
    courses
        By variant the pointing error of one run at each millisecond, degrees.
    title, subtitle
        Text above.

    Raises
    ------
    InputError
        As `new_figure` does.
    """
    figure = new_figure(path, (8.0, 5.6), title, subtitle)
    bars, lines = figure.add_axes((0.085, 0.52, 0.9, 0.32)), figure.add_axes((0.085, 0.1, 0.9, 0.32))
    cases = list(dict.fromkeys((row["motion"], row["occlusions"]) for row in rows))
    names = list(dict.fromkeys(row["variant"] for row in rows))
    found = {(row["motion"], row["occlusions"], row["variant"]): row for row in rows}
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        # The root of the mean square, in degrees: what one sees in the image.
        heights = [np.degrees(np.sqrt(found[(*case, name)]["mse_mrad2"]) * 1e-3) for case in cases]
        x = np.arange(len(cases)) + (place - (len(names) - 1) / 2) * width
        bars.bar(x, heights, width, color=COLOURS[place % len(COLOURS)], label=VARIANTS[name].label)
        for at, height, case in zip(x, heights, cases):
            lost = found[(*case, name)]["lost"]
            if lost:
                bars.annotate(f"{lost} lost", (at, height), rotation=90, fontsize=6, ha="center", va="bottom")
    bars.set_yscale("log")
    # Place for what stands on the bars.
    bars.set_ylim(top=3 * bars.get_ylim()[1])
    bars.set_xticks(range(len(cases)))
    bars.set_xticklabels([f"{motion}{',' + chr(10) + 'hidden twice' if hidden else ''}" for motion, hidden in cases])
    bars.set_ylabel("rms pointing error, degrees", fontsize=8)
    for place, name in enumerate(names):
        if name in courses:
            seconds = np.arange(len(courses[name])) * 1e-3
            lines.plot(seconds, courses[name], color=COLOURS[place % len(COLOURS)], linewidth=1.2)
    lines.set_xlabel("seconds", fontsize=8)
    lines.set_ylabel("pointing error, degrees", fontsize=8)
    lines.set_ylim(bottom=0)
    for axes in (bars, lines):
        axes.tick_params(labelsize=8, color="#888888")
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.legend(*bars.get_legend_handles_labels(), loc=(0.085, 0.855), ncol=len(names), fontsize=8, frameon=False)
    save(figure, path)
