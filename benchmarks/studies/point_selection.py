"""How well a click becomes a box: by what moves together with the point, against a square of a tenth of the width.

    python -m pvtpp_benchmarks.studies.point_selection $PVTPP_DATA/uav-mini --json point_selection.json

From evenly spaced frames of each clip the centre of the true box is clicked (or, the second time, a place up to a
quarter of a side beside it, seeded), with the frame of a tenth of a second before. Mean IoU with the truth, over each
clip and then over clips: of the square, of the box by motion with the square where nothing stands out, and how often
something did. The same on eight generated clips. Constants of `pvtpp.point_selection` were chosen on these, on
`uav-more/train`, never on a test split.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, Iterable, List, Optional

import numpy as np

from pvtpp.arguments import check_options
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.selection import point
from pvtpp.point_selection import APART_NS, box_of_motion
from pvtpp.validation import whole_from
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip

BESIDE = (0.0, 0.25)
"""How far the click is beside the centre at most, in sides of the box."""
GENERATED = 8


def click(sequence: VideoSequence, clicks: int, beside: float, seed: int = 0) -> Dict[str, Any]:
    """Click on one clip.

    Parameters
    ----------
    sequence
        The clip, with images.
    clicks
        On so many frames, evenly spaced; those without a target are left out.
    beside
        How far beside the centre, in sides of the box, at most.
    seed
        Of the places.

    Returns
    -------
    dict
        Mean IoU ``square`` and ``motion``, the share ``found`` of clicks at which something stood out, and their number
        ``clicks``.
    """
    rng = np.random.default_rng(seed)
    truth, times = xywh_to_box(sequence.ground_truth_xywh[:: sequence.stride]), sequence.camera_t_ns
    first = int(np.searchsorted(times, times[0] + APART_NS))
    rows: List[List[float]] = []
    for index in np.unique(np.linspace(first, len(sequence) - 1, clicks).astype(int)).tolist():
        box = truth[index]
        if not np.isfinite(box).all():
            continue
        before = int(np.argmin(np.abs(times - (times[index] - APART_NS))))
        image = sequence.frame(index).image
        size = image.shape[1], image.shape[0]
        x, y = np.clip((box[:2] + box[2:] * rng.uniform(-beside, beside, 2)) / size, 0, 1).tolist()
        square = point(x, y, 0.0, size, MavlinkConfig.point_size)
        found = box_of_motion(sequence.frame(before).image, image, square[:2])
        overlap = iou(np.array([square, square if found is None else found]), box).tolist()
        rows.append([*overlap, found is not None])
    square_iou, motion_iou, share = np.mean(rows, axis=0).tolist()
    return {"clip": sequence.name, "square": square_iou, "motion": motion_iou, "found": share, "clicks": len(rows)}


def measure(sequences: Iterable[VideoSequence], clicks: int) -> List[Dict[str, Any]]:
    """Click on clips; return a row for each and for their mean, at the centre and beside it."""
    rows: List[Dict[str, Any]] = []
    sequences = list(sequences)
    for beside in BESIDE:
        chosen = [click(sequence, clicks, beside) for sequence in sequences]
        total: Dict[str, Any] = {
            name: float(np.mean([row[name] for row in chosen])) for name in ("square", "motion", "found")
        }
        total.update(clip="mean", clicks=sum(row["clicks"] for row in chosen))
        rows += [{**row, "beside": beside} for row in [*chosen, total]]
    return rows


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "root", nargs="?", help="the folder that holds uav-mini's splits; without it generated clips only"
    )
    parser.add_argument("--split", default="train")
    parser.add_argument("--clicks", type=int, default=40, help="clicks per clip (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_options(options, {"clicks": whole_from(1)})
        check_writable(options.json)
        found = {}
        if options.root:
            found[f"uav-mini/{options.split}"] = measure(
                load("uav-mini", options.root, options.split, world=False), options.clicks
            )
        clips = [render(AerialClip(f"seed {seed}", seed, seconds=4.0, occlusions=())) for seed in range(GENERATED)]
        found["generated"] = measure(clips, options.clicks)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    for name, rows in found.items():
        print(f"{name:20}{'beside':>8}{'clicks':>8}{'square':>8}{'motion':>8}{'found':>8}")
        for row in rows:
            figures = "".join(f"{row[key]:8.3f}" for key in ("square", "motion", "found"))
            print(f"{row['clip']:20}{row['beside']:8.2f}{row['clicks']:8d}{figures}")
    if options.json:
        write_json(options.json, {"protocol": facts(0), "clicks": options.clicks, "iou": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
