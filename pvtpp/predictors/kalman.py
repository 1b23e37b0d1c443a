"""Constant-velocity Kalman filters over the results of a tracker, with named settings.

Each coordinate of the box is filtered on its own, with position and velocity as its state. The filter runs over the
whole track at each call. It keeps no state between calls, so nothing of one target can leak into the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, List, Tuple, Union

import numpy as np

from pvtpp.boxes import iou_of_two
from pvtpp.errors import InputError
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory

HORIZONS_S = (0.0, 0.07, 0.17, 0.4)
"""Knots of the trajectory, seconds after the newest evidence."""
PUBLISHED_FRAME_S = 1 / 30
"""Seconds per frame: the published filter counts time in frames of a 30 fps camera."""


@dataclass(frozen=True)
class Noise:
    """Noise of the coordinates of one group (the centre, or the size).

    A *unit* is one pixel; in a `relative` setting it is the target's size, the square root of its area.

    Attributes
    ----------
    measurement
        Standard deviation of a tracker's result, units.
    position, velocity
        Process noise: the standard deviations that one second adds to the position (units) and to the velocity (units
        per second).
    start_position, start_velocity
        Standard deviations of the first state, units and units per second.
    damping_s
        Seconds in which the velocity decays to 1/e; infinite for no decay.
    ballistic
        Whether the standard deviations of the process noise grow with time as ``dt`` (as published), not as
        ``sqrt(dt)``.
    carry
        Standard deviation of a step measured by optical flow, units.
    """

    measurement: float
    position: float
    velocity: float
    start_position: float
    start_velocity: float
    damping_s: float = math.inf
    ballistic: bool = False
    carry: float = 0.01


@dataclass(frozen=True)
class Setting:
    """One filter: a published one, or one chosen here.

    Attributes
    ----------
    centre, size
        Noise of the first two and of the last two coordinates.
    relative
        Whether the noise is in units of the target's size, not in pixels.
    corner
        Whether ``[left, top, w, h]`` is filtered, not ``[cx, cy, w, h]``.
    restart_iou
        A result whose IoU with the filter's prediction is below this restarts the filter there, with zero velocity; 0
        for never.
    """

    centre: Noise
    size: Noise
    relative: bool
    corner: bool = False
    restart_iou: float = 0.0


# PVT (arXiv 2103.04508): Q = dt^2 I, R = 10 I, P0 = 100 I in pixels and frames; here in pixels and seconds.
_PVT = Noise(
    measurement=math.sqrt(10),
    position=1 / PUBLISHED_FRAME_S,
    velocity=1 / PUBLISHED_FRAME_S**2,
    start_position=10.0,
    start_velocity=10 / PUBLISHED_FRAME_S,
    ballistic=True,
    carry=1.0,
)
SETTINGS: Dict[str, Setting] = {
    "pvt": Setting(centre=_PVT, size=_PVT, relative=False, corner=True, restart_iou=0.3),
    # Chosen on VisDrone-SOT by `python -m pvtpp_benchmarks.studies.kalman_setting`, then frozen.
    "size_aware": Setting(
        centre=Noise(
            measurement=0.02, position=0.1, velocity=3.0, start_position=0.02, start_velocity=3.0, damping_s=2.0
        ),
        size=Noise(
            measurement=0.02, position=0.2, velocity=0.4, start_position=0.02, start_velocity=0.5, damping_s=1.0
        ),
        relative=True,
    ),
}


class Kalman:
    """A constant-velocity Kalman filter; its covariance becomes the trajectory's sigma.

    Parameters
    ----------
    setting
        A name in `SETTINGS`, or a `Setting`. An unknown name raises InputError.

    Attributes
    ----------
    reads_features
        False, see `Predictor`.
    """

    reads_features: bool = False

    def __init__(self, setting: Union[str, Setting] = "size_aware"):
        if isinstance(setting, str):
            if setting not in SETTINGS:
                raise InputError(f"unknown Kalman setting {setting!r}, expected one of: {', '.join(SETTINGS)}")
            setting = SETTINGS[setting]
        self.setting = setting

    def encode(self, output: TrackerOutput) -> Any:
        """Return None: boxes and times are enough."""
        return None

    def predict(self, track: Track) -> Trajectory:
        """Filter the whole track and extrapolate its last state; see `Predictor.predict`."""
        track.require_result()
        boxes = track.boxes.tolist()
        state = self._start(self._inner(boxes[0]))
        for i in range(1, len(track)):
            dt, displacement = (track.t_ns[i] - track.t_ns[i - 1]) * 1e-9, track.displacement(i)
            if displacement is not None:
                state, dt = self._displace(state, self._inner(displacement.moved.tolist()), dt), 0.0
            state = self._step(state, self._inner(boxes[i]), dt)
        t0, last = track.t_ns[-1], boxes[-1]
        for t1, propagated, _ in track.propagated:
            box = propagated.tolist()
            state = self._displace(state, self._inner([b - a for a, b in zip(last, box)]), (t1 - t0) * 1e-9)
            t0, last = t1, box
        return self._trajectory(state, track.evidence_ns)

    def _inner(self, box: List[float]) -> List[float]:
        """The coordinates that are filtered. The map is linear, so it serves differences of boxes too."""
        return [box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3]] if self.setting.corner else box

    # The state: position and velocity of four coordinates, and the covariance (pp, pv, vv) of centre and size.
    def _start(self, box: List[float]) -> Tuple[list, list, list]:
        covariances = []
        for noise in (self.setting.centre, self.setting.size):
            unit = _unit(self.setting, box)
            covariances.append(((noise.start_position * unit) ** 2, 0.0, (noise.start_velocity * unit) ** 2))
        return box, [0.0] * 4, covariances

    def _step(self, state: Tuple[list, list, list], box: List[float], dt: float) -> Tuple[list, list, list]:
        setting = self.setting
        predicted, velocity, covariances = self._extrapolate(state, dt)
        if setting.restart_iou and self._overlap(predicted, box) < setting.restart_iou:
            return self._start(box)
        unit = _unit(setting, box)
        variances = [(noise.measurement * unit) ** 2 for noise in (setting.centre, setting.size)]
        return _corrected(predicted, velocity, covariances, box, variances)

    def _displace(self, state: Tuple[list, list, list], moved: List[float], dt: float) -> Tuple[list, list, list]:
        """The state after a displacement: the position moves and keeps its variance, the velocity is corrected.

        Optical flow measures how far the target moved, not where it is. So the position is taken as known in the
        correction, and its variance is added again afterwards.
        """
        setting = self.setting
        position, velocity, before = state
        known = [(0.0, 0.0, vv) for _, _, vv in before]
        predicted, velocity, covariances = self._extrapolate((position, velocity, known), dt)
        unit = _unit(setting, position)
        variances = [(noise.carry * unit) ** 2 for noise in (setting.centre, setting.size)]
        seen = [p + m for p, m in zip(position, moved)]
        position, velocity, after = _corrected(predicted, velocity, covariances, seen, variances)
        return position, velocity, [(pp + old[0], pv, vv) for (pp, pv, vv), old in zip(after, before)]

    def _overlap(self, a: List[float], b: List[float]) -> float:
        return iou_of_two(_from_corner(a), _from_corner(b)) if self.setting.corner else iou_of_two(a, b)

    def _extrapolate(self, state: Tuple[list, list, list], dt: float) -> Tuple[list, list, list]:
        setting = self.setting
        position, velocity, covariances = state
        unit = _unit(setting, position)
        position, velocity, moved = list(position), list(velocity), []
        for group, noise in enumerate((setting.centre, setting.size)):
            pp, pv, vv = covariances[group]
            reach, decay = _reach(noise.damping_s, dt)
            added = dt * dt if noise.ballistic else dt
            moved.append(
                (
                    pp + 2 * reach * pv + reach * reach * vv + added * (noise.position * unit) ** 2,
                    decay * (pv + reach * vv),
                    decay * decay * vv + added * (noise.velocity * unit) ** 2,
                )
            )
            for i in (2 * group, 2 * group + 1):
                position[i] += reach * velocity[i]
                velocity[i] *= decay
        return position, velocity, moved

    def _trajectory(self, state: Tuple[list, list, list], evidence_ns: int) -> Trajectory:
        means, derivatives, sigmas = [], [], []
        for horizon in HORIZONS_S:
            position, velocity, ((centre, _, _), (size, _, _)) = self._extrapolate(state, horizon)
            if self.setting.corner:
                position, velocity = _from_corner(position), _from_corner(velocity)
                centre += size / 4
            means.append(position)
            derivatives.append(velocity)
            sigmas.append([math.sqrt(centre)] * 2 + [math.sqrt(size)] * 2)
        # The filter may take a side below zero; a box may not have one.
        mean = np.array(means)
        mean[:, 2:] = np.maximum(mean[:, 2:], 1e-3)
        t_ns = tuple(evidence_ns + round(h * 1e9) for h in HORIZONS_S)
        return Trajectory(t_ns, mean, np.array(derivatives), np.array(sigmas), evidence_ns)


def _corrected(
    predicted: list, velocity: list, covariances: list, measured: List[float], variances: List[float]
) -> Tuple[list, list, list]:
    """The state after a measurement of the four coordinates; `variances` of centre and size."""
    position, velocity, updated = list(predicted), list(velocity), []
    for group, variance in enumerate(variances):
        pp, pv, vv = covariances[group]
        gain_p, gain_v = pp / (pp + variance), pv / (pp + variance)
        updated.append(((1 - gain_p) * pp, (1 - gain_p) * pv, vv - gain_v * pv))
        for i in (2 * group, 2 * group + 1):
            innovation = measured[i] - predicted[i]
            position[i] += gain_p * innovation
            velocity[i] += gain_v * innovation
    return position, velocity, updated


def _unit(setting: Setting, box: List[float]) -> float:
    return math.sqrt(max(box[2] * box[3], 1e-6)) if setting.relative else 1.0


def _reach(damping_s: float, dt: float) -> Tuple[float, float]:
    """How far a velocity of 1 moves the position in `dt` seconds, and what is left of it then."""
    if math.isinf(damping_s):
        return dt, 1.0
    decay = math.exp(-dt / damping_s)
    return damping_s * (1 - decay), decay


def _from_corner(ltwh: List[float]) -> List[float]:
    left, top, width, height = ltwh
    return [left + width / 2, top + height / 2, width, height]
