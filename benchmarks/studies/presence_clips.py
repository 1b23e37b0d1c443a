"""A picture of single clips over time: what presence on did there, against presence off.

    python -m pvtpp_benchmarks.studies.presence_clips $PVTPP_DATA --out clips.svg --clips Surfing06 S1301+occluders1

For each clip from its first frame: the overlap of the answer with the truth of its own time, with presence off and on,
and the probability that the target is followed. Grey: the target is hidden or out of the image. ``CLIP+occludersSEED``
is the clip with drawn occluders, as in `presence_table`. Simulated clock, default configuration.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Dict, List, NamedTuple, Optional

import numpy as np

from pvtpp import defaults
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.default_run import default_run
from pvtpp_benchmarks.outages import stretches
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.report.curves import check_plot, new_figure, save
from pvtpp_benchmarks.synthetic.occluders import occluded
from pvtpp_trackers.registry import create


class Course(NamedTuple):
    """One clip: times of the world frames in seconds, overlaps by presence setting, and the probability's changes."""

    seconds: np.ndarray
    overlaps: Dict[str, np.ndarray]
    probability: np.ndarray


def course(clip: VideoSequence, tracker: str, time: str) -> Course:
    """Run a clip with presence off and on."""
    seconds = clip.world_t_ns * 1e-9
    overlaps: Dict[str, np.ndarray] = {}
    log = EventLog()
    for setting in ("off", "on"):
        processing = parse(time).start(clip.name)
        log = default_run(clip, create(tracker), processing, presence=defaults.presence(setting))
        pairs = pair(log, defaults.PREDICTOR, clip.world_t_ns, clip.world_fps)
        overlaps[setting] = pairs.overlap(clip.ground_truth_xywh)
    changes = [(row[1] * 1e-9, row[3]) for row in log.of_kind("presence")]
    return Course(seconds, overlaps, np.array([*changes, (seconds[-1], changes[-1][1])]))


def find(root: str, split: str, name: str) -> VideoSequence:
    """Find a clip of `uav-mini` by its name; with ``+occludersSEED`` it is drawn on."""
    base, _, seed = name.partition("+occluders")
    for clip in load("uav-mini", os.path.join(root, "uav-mini"), split):
        if clip.name == base and (not seed or seed.isdigit()):
            return occluded(clip, int(seed)) if seed else clip
    raise InputError(f"{name}: no such clip in uav-mini/{split}, or no whole number after +occluders")


def draw(path: str, courses: Dict[str, Course], title: str) -> None:
    """Draw the clips below one another."""
    figure = new_figure(path, (8.0, 1.2 + 1.5 * len(courses)), title, "overlap with the truth of its own time")
    axes = figure.subplots(len(courses), 1, squeeze=False)[:, 0]
    for axis, (name, one) in zip(axes, courses.items()):
        for begin, end in zip(*stretches(np.isnan(one.overlaps["on"]))):
            axis.axvspan(one.seconds[begin], one.seconds[end - 1], color="#dddddd", linewidth=0)
        axis.plot(one.seconds, one.overlaps["off"], color="#d95f02", linewidth=1, label="presence off")
        axis.plot(one.seconds, one.overlaps["on"], color="#1b9e77", linewidth=1.4, label="presence on")
        axis.step(one.probability[:, 0], one.probability[:, 1], where="post", color="#555555", linewidth=0.8,
                  linestyle=":", label="P at each change of state")  # fmt: skip
        axis.set_ylim(-0.03, 1.03)
        axis.set_xlim(one.seconds[0], one.seconds[-1])
        axis.set_title(name, fontsize=9, loc="left")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=7, loc="upper right", frameon=False)
    axes[-1].set_xlabel("seconds", fontsize=8)
    figure.subplots_adjust(top=1 - 0.95 / figure.get_figheight(), bottom=0.5 / figure.get_figheight(), hspace=0.5)
    save(figure, path)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--clips", nargs="+", required=True, metavar="CLIP", help="as above")
    parser.add_argument("--out", required=True, metavar="FILE", help=".svg, .png or .pdf")
    parser.add_argument("--split", default="test", help="default: %(default)s")
    parser.add_argument("--time", default="85ms", help="what the tracker takes a frame (default: %(default)s)")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="default: %(default)s")
    options = parser.parse_args(arguments)
    say = progress()
    try:
        check_plot(options.out)
        courses = {}
        for name in options.clips:
            courses[name] = course(find(options.root, options.split, name), options.tracker, options.time)
            say(f"{name}: ran")
        draw(options.out, courses, f"Presence on and off, {options.tracker} at {options.time}")
    except InputError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
