"""The reference controller in a closed loop: what prediction, a gyro and feed-forward are each worth.

    python -m pvtpp_benchmarks.studies.closed_loop --json closed_loop.json

A camera of 30 fps with a focal length of 600 pixels turns on two axes after a target that moves at random (sums of
sines of 0.05 to 0.3 Hz, 0.3 rad/s root mean square on each axis). What is seen of a frame, within 1 pixel of noise, is
known 85 ms after its capture. A commanded rate takes effect after 40 ms, and the motors approach it with a time
constant of 50 ms. The gyro has 200 Hz, noise of 0.005 rad/s and is known after 2 ms. The controller runs at 50 Hz.
Figures are the root mean square of the distance from the middle of the image, pixels, from the third second on; mean
and range over the seeds.

Rows: which predictor, whether the predictor knows the gyro, and what is fed forward: nothing, the target's own rate
(the image's and the gyro's), what the image shows alone, or, where only the controller knows the gyro, the target's own
rate by a line through its last directions (`pvtpp.control.OwnMotion`). Each is run with every proportional gain, since
what a loop bears is part of what a variant is worth.
"""

from __future__ import annotations

import argparse
import math
import sys
from itertools import product
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp import predictors
from pvtpp.bearing import Pinhole
from pvtpp.camera_motion import Gyro
from pvtpp.control import CameraRates, ControllerConfig, OwnMotion, RateController, pointing
from pvtpp.core.commands import predicted
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.stabilised import answer
from pvtpp.track import Track
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json

SIZE, FOCAL = (640, 360), 600.0
CAMERA = Pinhole(np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]]))
MS = 1_000_000
FRAME_MS, LATENCY_MS, EFFECT_MS, LAG_MS, GYRO_MS, GYRO_KNOWN_MS, CONTROL_MS = 33, 85, 40, 50, 5, 2, 20
NOISE_PX, GYRO_NOISE, TARGET_RATE, BOX = 1.0, 0.005, 0.3, 40.0
HERTZ = (0.05, 0.3)
GAINS = (3.0, 5.0, 7.0, 9.0)
SETTLED_MS = 3000
OUT_OF_SIGHT = 0.9
"""Beyond this angle, radians, the target is no longer in front of the camera: the loop has diverged."""


class Variant(NamedTuple):
    """One row.

    Attributes
    ----------
    predictor
        Its name.
    gyro
        Whether it knows the gyro.
    forward
        What is fed forward: ``""``, ``own``, ``image`` or ``rates``.
    """

    predictor: str
    gyro: bool
    forward: str


VARIANTS = (
    Variant("hold", False, ""),
    Variant("kalman", False, ""),
    Variant("kalman", False, "image"),
    Variant("kalman", False, "rates"),
    Variant("kalman", True, ""),
    Variant("kalman", True, "own"),
    Variant("ensemble", True, ""),
    Variant("ensemble", True, "own"),
)


def target_angles(seed: int, length: int) -> np.ndarray:
    """The target's direction, up and right, at each millisecond, shape ``(length, 2)``, radians."""
    rng = np.random.default_rng(seed)
    t = np.arange(length)[:, None, None] * 1e-3
    frequency, phase = rng.uniform(*HERTZ, (1, 2, 5)), rng.uniform(0, 2 * math.pi, (1, 2, 5))
    rate = TARGET_RATE * math.sqrt(2 / 5)
    angles = rate / (2 * math.pi * frequency) * np.sin(2 * math.pi * frequency * t + phase)
    summed: np.ndarray = angles.sum(axis=2)
    return summed - summed[0]


def run(variant: Variant, seed: int, seconds: float, config: ControllerConfig) -> Tuple[float, bool]:
    """Run one loop; return the error, pixels, and whether it diverged."""
    length = round(seconds * 1e3)
    target, rng = target_angles(seed, length), np.random.default_rng([seed, 1])
    made: Predictor = predictors.create(variant.predictor)
    gyro, rates, motion, controller = Gyro(CAMERA.matrix), CameraRates(), OwnMotion(), RateController(config)
    camera, rate = np.zeros(2), np.zeros(2)
    commands: List[np.ndarray] = [np.zeros(2)] * EFFECT_MS
    seen: List[Tuple[int, np.ndarray]] = []
    samples: List[Tuple[int, np.ndarray]] = []
    track, trajectory = Track(), None
    errors = np.full(length, np.nan)
    for now in range(length):
        rate = rate + (commands[now] - rate) / LAG_MS
        camera = camera + rate * 1e-3
        off = target[now] - camera
        if np.abs(off).max() > OUT_OF_SIGHT:
            return math.inf, True
        pixel = np.array([SIZE[0] / 2 + FOCAL * math.tan(off[1]), SIZE[1] / 2 - FOCAL * math.tan(off[0])])
        errors[now] = math.hypot(pixel[0] - SIZE[0] / 2, pixel[1] - SIZE[1] / 2)
        if now % GYRO_MS == 0:
            samples.append((now, np.array([rate[0], rate[1], 0.0]) + rng.normal(0, GYRO_NOISE, 3)))
        if now % FRAME_MS == 0:
            seen.append((now, pixel + rng.normal(0, NOISE_PX, 2)))
        while samples and samples[0][0] + GYRO_KNOWN_MS <= now:
            measured, sample = samples.pop(0)
            gyro.add(measured * MS, sample)
            rates.add(measured * MS, sample[:2])
        if seen and seen[0][0] + LATENCY_MS <= now:
            captured, centre = seen.pop(0)
            track = track.with_result(captured * MS, np.array([*centre, BOX, BOX]))
            trajectory = predicted(made, track, gyro if variant.gyro else None)
            motion.add(captured * MS, pointing(CAMERA.direction(trajectory.at(captured * MS))).error)
        if now % CONTROL_MS == 0:
            command(controller, trajectory, gyro, rates, motion, variant, now)
        commands.append(controller.commanded)
    return float(np.sqrt(np.mean(errors[SETTLED_MS:] ** 2))), False


def command(
    controller: RateController,
    trajectory: Optional[Trajectory],
    gyro: Gyro,
    rates: CameraRates,
    motion: OwnMotion,
    variant: Variant,
    now: int,
) -> None:
    """Let the controller command the rates for now."""
    if trajectory is None:
        return
    effect_ns = (now + EFFECT_MS) * MS
    made = pointing(CAMERA.direction(answer(trajectory, effect_ns, gyro)))
    own = None
    if variant.forward == "image":
        own = made.rate
    elif variant.forward == "rates":
        made, own = motion.at(effect_ns, rates) or (made, None)
    elif variant.forward == "own":
        turning = gyro.rate(effect_ns)
        own = None if turning is None else made.rate + turning[:2]
    controller.step(now * MS, made, own)


def table(seeds: int, seconds: float, gains: Sequence[float]) -> List[Dict[str, Any]]:
    """Run every variant with every gain on every seed."""
    rows = []
    for variant, gain in product(VARIANTS, gains):
        config = ControllerConfig(proportional=gain)
        found = [run(variant, seed, seconds, config) for seed in range(seeds)]
        errors = [error for error, diverged in found if not diverged]
        rows.append(
            {
                **variant._asdict(),
                "proportional": gain,
                "rms_px": round(float(np.mean(errors)), 2) if errors else None,
                "range_px": [round(min(errors), 2), round(max(errors), 2)] if errors else None,
                "diverged": sum(diverged for _, diverged in found),
                "runs": seeds,
            }
        )
    return rows


def _text(row: Dict[str, Any]) -> str:
    return "diverged" if row["rms_px"] is None else f"{row['rms_px']:.1f}" + "*" * bool(row["diverged"])


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    try:
        check_writable(options.json)
        rows = table(options.seeds, options.seconds, GAINS)
        print(f"{'':42s}" + "".join(f"{f'gain {gain:g}':>10s}" for gain in GAINS) + "   (rms, pixels)")
        for variant in VARIANTS:
            cells = [row for row in rows if Variant(row["predictor"], row["gyro"], row["forward"]) == variant]
            known = "gyro" if variant.gyro else "no gyro"
            errors = "".join(f"{_text(row):>10s}" for row in cells)
            print(f"{variant.predictor:9s} {known:8s} fed forward: {variant.forward or 'nothing':10s}{errors}")
        if options.json:
            write_json(options.json, {"rows": rows, "seconds": options.seconds, "protocol": facts(0)})
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
