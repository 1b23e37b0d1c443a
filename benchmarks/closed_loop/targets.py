"""How targets of the closed loop move over the ground: named motions, seeded, placed past a camera at the origin."""

from __future__ import annotations

from typing import Callable, Dict, NamedTuple, Tuple

import numpy as np

from pvtpp_benchmarks.synthetic.scenery import turn
from pvtpp_benchmarks.synthetic.view import Pose

STEP_S = 0.01
LATERAL = 6.0
"""Acceleration sideways of a curve and of weaving, metres per second squared: what a car on dry asphalt does."""
WEAVE_HZ = 0.3
HARD = 8.0
"""The largest one of an evasive target, sideways as well as braking and speeding up."""
PACES = (0.5, 1.2)
"""Range of the speeds of an evasive target, as a share of its nominal one."""
Moves = Tuple[np.ndarray, np.ndarray]


def _linear(t: np.ndarray, speed: float, rng: np.random.Generator) -> Moves:
    return np.zeros_like(t), np.full_like(t, speed)


def _curved(t: np.ndarray, speed: float, rng: np.random.Generator) -> Moves:
    return t * (LATERAL / speed * rng.choice([-1, 1])), np.full_like(t, speed)


def _weaving(t: np.ndarray, speed: float, rng: np.random.Generator) -> Moves:
    swing = 2 * np.pi * WEAVE_HZ
    return LATERAL / (speed * swing) * np.sin(swing * t + rng.uniform(0, 2 * np.pi)), np.full_like(t, speed)


def _evasive(t: np.ndarray, speed: float, rng: np.random.Generator) -> Moves:
    turning, wanted = np.zeros_like(t), np.zeros_like(t)
    start, side = 0.0, rng.choice([-1.0, 1.0])
    while start <= t[-1]:
        # Mostly to the other side: who is followed does not drive in circles.
        side = -side if rng.random() < 0.8 else side
        now = t >= start
        turning[now], wanted[now] = side * rng.uniform(0.4, 1.0) * HARD, speed * rng.uniform(*PACES)
        start += rng.uniform(0.6, 1.6)
    speeds, bends = np.empty_like(t), np.empty_like(t)
    pace, sideways = speed, 0.0
    for index in range(len(t)):
        pace += np.clip(wanted[index] - pace, -HARD * STEP_S, HARD * STEP_S)
        # A steering wheel takes its time.
        sideways += (turning[index] - sideways) * STEP_S / 0.15
        speeds[index], bends[index] = pace, sideways / max(pace, 1.0)
    return np.cumsum(bends) * STEP_S, speeds


MOTIONS: Dict[str, Callable[[np.ndarray, float, np.random.Generator], Moves]] = {
    "linear": _linear,
    "curved": _curved,
    "weaving": _weaving,
    "evasive": _evasive,
}
"""By name: headings (radians) and speeds (metres per second) at the times given (seconds)."""


class Path(NamedTuple):
    """The way of a target.

    Attributes
    ----------
    t
        Seconds, shape ``(n,)``, from 0 in steps of `STEP_S`.
    pose
        x and y in metres and heading in radians, without jumps, shape ``(n, 3)``.
    """

    t: np.ndarray
    pose: np.ndarray

    def at(self, t: float) -> Pose:
        """The pose at a time; before and after the path the target stands."""
        x, y, heading = (float(np.interp(t, self.t, column)) for column in self.pose.T)
        return x, y, heading


def path(motion: str, speed: float, seconds: float, nearest: float, rng: np.random.Generator) -> Path:
    """Let a target drive past the origin.

    Parameters
    ----------
    motion
        A name of `MOTIONS`.
    speed
        Metres per second, above 0.
    seconds
        How long.
    nearest
        Its least distance from the origin, metres: halfway, about, for motions along a line.
    rng
        Random numbers of this target.
    """
    t = np.arange(0.0, seconds + STEP_S, STEP_S)
    heading, speeds = MOTIONS[motion](t, speed, rng)
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * (speeds * STEP_S)[:, None]
    places = np.cumsum(steps, axis=0) - steps
    # Start and end lie symmetrically before the origin; all of the path is on the far side of its nearest point.
    chord = places[-1] - places[0]
    along = np.arctan2(chord[1], chord[0])
    places = (places - (places[0] + places[-1]) / 2) @ turn(-along).T
    places[:, 1] += nearest - places[:, 1].min()
    bearing = rng.uniform(-np.pi, np.pi)
    return Path(t, np.column_stack([places @ turn(bearing).T, heading - along + bearing]))
