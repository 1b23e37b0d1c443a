"""Accuracy of propagation by optical flow over a few frames, compared with holding the box and with constant velocity.

    python -m pvtpp_benchmarks.studies.propagation_carry $PVTPP_DATA/uav-mini --split train --json out.json

From evenly spaced camera frames of each clip the true box (or that of a result file, `--results`) is propagated over 1
to `--frames` frames. Every frame is pushed round the box propagated so far. The first table is
mean IoU with the ground truth, over each clip and then over clips; `CV` continues the step between the last two boxes
of the same kind. The second is mean IoU by the propagator's quality, which should separate good propagated boxes from
bad ones. Constants of `pvtpp.propagation` were chosen on `--split train` and on generated clips.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, List, Optional

import numpy as np

from pvtpp import propagation
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.formats import read_results
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import write_json

WAYS = ("hold", "constant velocity", "propagated")
QUALITIES = (0.0, 0.02, 0.1, 0.2, 0.3, 0.5, 0.7, 1.01)


def carry_clip(
    sequence: VideoSequence, boxes: np.ndarray, frames: int, starts: int, propagator: str = "optical_flow"
) -> List[Dict[str, Any]]:
    """Propagate boxes on one clip.

    Parameters
    ----------
    sequence
        The clip, with images.
    boxes
        The box ``[cx, cy, w, h]`` to start from at each camera frame, shape ``(n, 4)``, NaN where there is none.
    frames
        The largest number of frames to propagate over.
    starts
        Number of starts, evenly spaced.
    propagator
        Name of the propagator.

    Returns
    -------
    list of dict
        One row per start and number of frames, with the IoU of each of `WAYS`.
    """
    truth = xywh_to_box(sequence.ground_truth_xywh[:: sequence.stride])
    rows: List[Dict[str, Any]] = []
    for start in np.unique(np.linspace(1, len(sequence) - frames - 1, starts).astype(int)).tolist():
        usable = (boxes[start - 1 : start + 1], truth[start : start + frames + 1])
        if start < 1 or not all(np.isfinite(part).all() for part in usable):
            continue
        flow = propagation.create(propagator)
        first = sequence.frame(start)
        flow.push(first, None)
        box, velocity = boxes[start], (boxes[start] - boxes[start - 1]) * [1, 1, 0, 0]
        region = box
        for ahead in range(1, frames + 1):
            frame = sequence.frame(start + ahead)
            flow.push(frame, region)
            propagated = flow.carry(box, first.t_ns, frame.t_ns)
            region = propagated.box
            overlap = iou(np.array([box, box + ahead * velocity, propagated.box]), truth[start + ahead]).tolist()
            rows.append(
                {
                    "clip": sequence.name,
                    "start": start,
                    "frames": ahead,
                    "quality": propagated.quality,
                    "steps": propagated.steps,
                }
            )
            rows[-1].update(zip(WAYS, overlap))
    return rows


def by_clip(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Mean IoU per clip and number of frames, and the mean over clips."""
    means: List[Dict[str, Any]] = []
    for ahead in sorted({row["frames"] for row in rows}):
        chosen = [row for row in rows if row["frames"] == ahead]
        clips = list(dict.fromkeys(row["clip"] for row in chosen))
        table = [[[row[way] for row in chosen if row["clip"] == clip] for way in WAYS] for clip in clips]
        values = [[float(np.mean(column)) for column in line] for line in table]
        for clip, line in zip([*clips, "mean"], [*values, np.mean(values, axis=0).tolist()]):
            means.append({"clip": clip, "frames": ahead, **dict(zip(WAYS, line))})
    return means


def by_quality(rows: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Mean IoU of each of `WAYS` by ranges of quality."""
    bins = []
    for low, high in zip(QUALITIES, QUALITIES[1:]):
        chosen = [row for row in rows if low <= row["quality"] < high]
        if chosen:
            means = {way: float(np.mean([row[way] for row in chosen])) for way in WAYS}
            lost = float(np.mean([row["propagated"] < 0.3 for row in chosen]))
            bins.append({"from": low, "answers": len(chosen), "below_0.3": lost, **means})
    return bins


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="the folder that holds uav-mini's splits")
    parser.add_argument("--split", default="train")
    parser.add_argument("--clips", nargs="*", help="only these sequences")
    parser.add_argument(
        "--results", metavar="FOLDER", help="start from the boxes of <FOLDER>/<clip>.txt, not the truth"
    )
    parser.add_argument(
        "--frames", type=int, default=6, help="propagate over up to so many frames (default: %(default)s)"
    )
    parser.add_argument("--starts", type=int, default=40, help="starts per clip (default: %(default)s)")
    parser.add_argument("--propagator", default="optical_flow", choices=propagation.names())
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        dataset = load("uav-mini", options.root, options.split, world=False)
        if options.clips:
            dataset = dataset.select(options.clips)
        rows = []
        for sequence in dataset:
            xywh = sequence.ground_truth_xywh
            if options.results:
                lengths = {sequence.name: len(sequence)}
                xywh = read_results(options.results, lengths, lengths)[sequence.name].xywh[0]
                # A box that misses the target cannot be propagated with it.
                xywh = np.where(
                    (iou(xywh_to_box(xywh), xywh_to_box(sequence.ground_truth_xywh)) < 0.3)[:, None], np.nan, xywh
                )
            rows += carry_clip(sequence, xywh_to_box(xywh), options.frames, options.starts, options.propagator)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    if not rows:
        parser.exit(2, f"no clip shows its target over {options.frames + 1} frames\n")
    means, bins = by_clip(rows), by_quality(rows)
    counts = sorted({row["frames"] for row in means})
    print(f"{'mean IoU: hold / CV / propagated':30}" + "".join(f"{f'{count} frames':>22}" for count in counts))
    for clip in dict.fromkeys(row["clip"] for row in means):
        cells = [[row[way] for way in WAYS] for row in means if row["clip"] == clip]
        print(f"{clip:30}" + "".join(f"{' / '.join(f'{value:.3f}' for value in cell):>22}" for cell in cells))
    print(f"\n{'quality from':>14}{'answers':>9}{'hold':>8}{'propagated':>9}{'below 0.3':>11}")
    for row in bins:
        print(
            f"{row['from']:14.2f}{row['answers']:9d}{row['hold']:8.3f}{row['propagated']:9.3f}{row['below_0.3']:11.3f}"
        )
    steps = float(np.mean([row["steps"] for row in rows]))
    print(f"\nsteps measured per propagation, the push not counted: {steps:.2f}")
    if options.json:
        settings = {"split": options.split, "starts": options.starts, "results": bool(options.results)}
        write_json(
            options.json, {"protocol": facts(0), **settings, "iou": means, "quality": bins, "steps_per_carry": steps}
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
