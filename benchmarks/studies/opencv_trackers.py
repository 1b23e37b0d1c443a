"""Our trackers against OpenCV's own with the same weights: mean IoU on five clips, every frame tracked.

    python -m pvtpp_benchmarks.studies.opencv_trackers $PVTPP_DATA --json benchmarks/studies/opencv_trackers.json

`vittrack` against `cv2.TrackerVit`, NanoTrack V1 and V2 against `cv2.TrackerNano`, on clips of `uav-mini/test`. The
first frame and frames without a target do not count; a frame in which the tracker finds nothing counts as 0.

OpenCV scales VitTrack's crops by an inverse that it takes as that of a quaternion: two planes change their sign. The
row `vittrack, as OpenCV` is ours with that scale, and boxes cut to whole pixels: it shows that all else is the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import cv2
import numpy as np

from pvtpp.arguments import comma_separated
from pvtpp.boxes import box_to_xywh, iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Tracker
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_trackers.registry import create
from pvtpp_trackers.vittrack import VitTrackConfig

CLIPS = ("MountainBike6", "Surfing06", "S1301", "wakeboard4", "person11")
DEVIATION = (0.229, 0.224, 0.225)
AS_OPENCV = "vittrack, as OpenCV"
PAIRS = {
    "vittrack": "cv2-vit",
    AS_OPENCV: "cv2-vit",
    "nanotrack-v2": "cv2-nano",
    "nanotrack-v1": "cv2-nano, V1",
}
"""Rows of ours, and the row of OpenCV's that each is compared with."""
APART = 0.02
"""Mean IoU that ours may be below OpenCV's."""


def opencv_scale() -> Tuple[float, float, float]:
    """What `cv2.TrackerVit` multiplies with: 1 over a scalar is the inverse of a quaternion there."""
    real, *imaginary = np.array([DEVIATION[0], *(-value for value in DEVIATION[1:])]) / np.square(DEVIATION).sum()
    return (float(real), float(imaginary[0]), float(imaginary[1]))


def make(row: str) -> Tracker:
    """The tracker of a row."""
    if row == AS_OPENCV:
        return create("vittrack", config=VitTrackConfig(scale=opencv_scale(), minimum=1.0))
    return create("cv2-nano", version="v1") if row == "cv2-nano, V1" else create(row)


def cut(box: np.ndarray) -> np.ndarray:
    """The box with its left and top, width and height cut to whole pixels, as OpenCV keeps them."""
    xywh = np.floor(box_to_xywh(box))
    return xywh_to_box(np.array([*xywh[:2], *np.maximum(xywh[2:], 1)]))


def mean_iou(tracker: Tracker, clip: VideoSequence, found_from: float = 0.0, whole: bool = False) -> float:
    """Follow a clip from its first frame.

    Parameters
    ----------
    tracker
        Any.
    clip
        With images and truth.
    found_from
        Least score of a result that counts; below it, and at 0, nothing was found.
    whole
        Whether boxes are cut to whole pixels, and the tracker starts and searches at those.
    """
    truth = xywh_to_box(clip.ground_truth_xywh[:: clip.stride])
    last = xywh_to_box(np.round(clip.ground_truth_xywh[0])) if whole else truth[0]
    tracker.init(clip.frame(0), last)
    overlaps = []
    for index in range(1, len(clip)):
        output = tracker.track(clip.frame(index), last if whole else None)
        found = output.score > 0 and output.score >= found_from
        if found:
            last = cut(output.box) if whole else output.box
        overlaps.append(float(iou(last, truth[index])) if found else 0.0 * float(truth[index, 0]))
    return float(np.nanmean(overlaps))


def measure(clips: Sequence[VideoSequence], rows: Sequence[str], say: Callable[[str], None]) -> Dict[str, Any]:
    """Mean IoU by row and clip."""
    made: Dict[str, Any] = {}
    for row in rows:
        tracker = make(row)
        found_from = VitTrackConfig().found_from if row.startswith("vittrack") else 0.0
        made[row] = {clip.name: round(mean_iou(tracker, clip, found_from, row == AS_OPENCV), 4) for clip in clips}
        say(f"{row:22}" + "".join(f"{value:15.3f}" for value in made[row].values()))
    return made


def below(rows: Mapping[str, Mapping[str, float]]) -> List[str]:
    """Every row of ours and clip in which it is more than `APART` below OpenCV's, in words."""
    return [
        f"{ours} on {clip}: {value:.3f} against {rows[theirs][clip]:.3f}"
        for ours, theirs in PAIRS.items()
        if ours in rows and theirs in rows
        for clip, value in rows[ours].items()
        if value < rows[theirs][clip] - APART
    ]


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    allowed = tuple(dict.fromkeys((*PAIRS, *PAIRS.values())))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--clips", type=comma_separated, default=CLIPS, metavar="CLIP,CLIP")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        check_writable(options.json)
        clips = list(load("uav-mini", os.path.join(options.root, "uav-mini"), "test").select(options.clips))
        print(f"{'':22}" + "".join(f"{clip.name:>15}" for clip in clips))
        rows = measure(clips, allowed, lambda line: print(line, flush=True))
    except InputError as error:
        parser.exit(2, f"{error}\n")
    missed = below(rows)
    print(f"more than {APART} below OpenCV's: {'; '.join(missed) or 'none'}")
    if options.json:
        write_json(options.json, {"protocol": facts(0), "mean_iou": rows, "below": missed})
    return 0


if __name__ == "__main__":
    sys.exit(main())
