"""Single clips over time: what presence on did there, against presence off.

    python -m pvtpp_benchmarks.studies.presence_clips $PVTPP_DATA --json benchmarks/studies/presence_clips.json

For each clip from its first frame: the overlap of the answer with the truth of its own time, with presence off and on
(null where the target is hidden or out of the image), and the probability that the target is followed, at each change
of presence. ``CLIP+occludersSEED`` is the clip with drawn occluders, as in `presence_table`. Simulated clock, default
configuration. `python -m pvtpp_benchmarks.results_pages` draws the picture.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Dict, List, Optional

import numpy as np

from pvtpp import defaults
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.default_run import default_run
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.synthetic.occluders import occluded
from pvtpp_trackers.registry import create

WORST = ("wakeboard10+occluders1", "building5+occluders2", "S1301+occluders2")
"""Those of `presence_table` at 47 ms on which presence costs most."""


def course(clip: VideoSequence, tracker: str, time: str) -> Dict[str, Any]:
    """Run a clip with presence off and on.

    Returns
    -------
    dict
        ``world_fps``; ``overlap`` by setting, a value for each world frame, None where there is no target; and
        ``presence``, the seconds and the probability of each change.
    """
    overlap: Dict[str, List[Optional[float]]] = {}
    log = EventLog()
    for setting in ("off", "on"):
        processing = parse(time).start(clip.name)
        log = default_run(clip, create(tracker), processing, presence=defaults.presence(setting))
        pairs = pair(log, defaults.PREDICTOR, clip.world_t_ns, clip.world_fps)
        found = pairs.overlap(clip.ground_truth_xywh)
        overlap[setting] = [None if np.isnan(value) else round(float(value), 3) for value in found]
    changes = [[round(row[1] * 1e-9, 4), round(float(row[3]), 3)] for row in log.of_kind("presence")]
    return {"world_fps": clip.world_fps, "overlap": overlap, "presence": changes}


def find(root: str, split: str, name: str) -> VideoSequence:
    """Find a clip of `uav-mini` by its name; with ``+occludersSEED`` it is drawn on."""
    base, _, seed = name.partition("+occluders")
    for clip in load("uav-mini", os.path.join(root, "uav-mini"), split):
        if clip.name == base and (not seed or seed.isdigit()):
            return occluded(clip, int(seed)) if seed else clip
    raise InputError(f"{name}: no such clip in uav-mini/{split}, or no whole number after +occluders")


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--json", required=True, metavar="FILE")
    parser.add_argument(
        "--clips", nargs="+", default=list(WORST), metavar="CLIP", help=f"as above (default: {' '.join(WORST)})"
    )
    parser.add_argument("--split", default="test", help="default: %(default)s")
    parser.add_argument("--time", default="47ms", help="what the tracker takes a frame (default: %(default)s)")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="default: %(default)s")
    options = parser.parse_args(arguments)
    say = progress()
    try:
        check_writable(options.json)
        courses = {}
        for name in options.clips:
            courses[name] = course(find(options.root, options.split, name), options.tracker, options.time)
            say(f"{name}: ran")
        settings = {key: getattr(options, key) for key in ("split", "time", "tracker")}
        write_json(options.json, {"protocol": facts(0), "settings": settings, "clips": courses})
    except InputError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
