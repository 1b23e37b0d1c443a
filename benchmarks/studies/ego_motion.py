"""The value of a gyro: centre error of a slow tracker on a camera that is swung by hand, without and with the gyro.

    python -m pvtpp_benchmarks.studies.ego_motion --json ego_motion.json

Rendered clips (`pvtpp_benchmarks.synthetic`) of a camera that is swung at 60 degrees per second. Its gyro is exact,
sampled at 200 Hz, and each sample is known after 2 ms. The tracker takes 85 ms on the simulated clock. The error is in
pixels of a 640 x 360 image at every world frame from the first on, mean over frames, then over clips.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from typing import Any, Dict, List, Tuple

import numpy as np

import pvtpp_trackers.registry
from pvtpp import defaults
from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.default_run import default_run
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import write_json
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip

SEEDS = (9, 3, 5)
PREDICTORS = ("hold", "constant_velocity", "kalman", "motion")


def swung(seed: int, swing: float = 60.0, seconds: float = 6.0) -> VideoSequence:
    """A clip of a camera that is swung back and forth at up to `swing` degrees per second, with its gyro."""
    return render(
        AerialClip(f"swung {seed}", seed, swing=swing, agility=0.3, occlusions=(), seconds=seconds, distractor=False)
    )


def centre_error(
    clip: VideoSequence, tracker: Any, predictor: str, processing_ns: int, propagated: bool, gyro: bool
) -> np.ndarray:
    """Centre error in pixels at every world frame, for the answer at the frame's own time, shape ``(n,)``.

    `propagated` and `gyro` say whether the run has propagation and knows the gyro.
    """
    truth = xywh_to_box(clip.ground_truth_xywh)
    options = {} if propagated else {"propagation": None}
    known = clip.gyro if gyro else None
    log = default_run(clip, tracker, lambda index: processing_ns, predictor, gyro=known, **options)
    pairs = pair(log, predictor, clip.world_t_ns, clip.world_fps)
    at_once = np.flatnonzero(pairs.sigma == 0)
    return np.linalg.norm(pairs.box[at_once, :2] - truth[pairs.frame[at_once], :2], axis=1)


def table(clips: List[VideoSequence], tracker: str, processing_ns: int) -> List[Dict[str, Any]]:
    """One row per predictor, with and without propagation."""
    rows = []
    for propagated, predictor in product((False, True), PREDICTORS):
        means: List[Tuple[float, float]] = []
        for clip in clips:
            without, known = (
                float(
                    centre_error(
                        clip, pvtpp_trackers.registry.create(tracker), predictor, processing_ns, propagated, gyro
                    ).mean()
                )
                for gyro in (False, True)
            )
            means.append((without, known))
        without, known = np.mean(means, axis=0).tolist()
        rows.append(
            {"predictor": predictor, "propagation": propagated, "without_px": without, "gyro_px": known, "clips": means}
        )
    return rows


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracker", default=defaults.TRACKER)
    parser.add_argument("--processing-ms", type=float, default=85.0)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    try:
        rows = table([swung(seed) for seed in SEEDS], options.tracker, round(options.processing_ms * 1e6))
        for row in rows:
            kind = "propagation" if row["propagation"] else "no propagation"
            errors = f"{row['without_px']:6.1f} px -> {row['gyro_px']:5.1f} px"
            print(f"{row['predictor']:18s} {kind:14s} {errors}  ({row['gyro_px'] / row['without_px']:.2f})")
        if options.json:
            content = {
                "tracker": options.tracker,
                "processing_ms": options.processing_ms,
                "rows": rows,
                "protocol": facts(0),
            }
            write_json(options.json, content)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
