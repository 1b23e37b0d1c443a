"""A reference controller that keeps a camera on its target: PI on where the target will be, and its own rate ahead.

The loop of a gimbal (or of a drone's yaw) is late twice: the evidence is old, and a command takes effect later. So the
error that counts is the one at the moment when the command takes effect, which a `Prediction` gives. What is left is
the error of a moving target: a proportional controller follows it at a distance. *Feed-forward* adds the target's own
rate, and removes it. That rate is what the image shows plus what the camera itself turns. Without a gyro (or a gimbal
that reports its rate) only the sum is known; fed forward, the camera's own turning is fed back to it, late, and the
loop swings. So without a known camera rate nothing is fed forward.

All angles and rates are (2,): *up* and *right*, radians, in camera axes. Nothing here has a clock or does I/O.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.bearing import Direction
from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.validation import above, at_least, between, check

LONGEST_STEP_S = 0.2
"""A controller that was not asked for longer goes on as if it had been asked then."""


class Pointing(NamedTuple):
    """How far the camera points beside the target.

    Attributes
    ----------
    error
        Angles (2,) that the camera must turn up and right, radians.
    rate
        Derivative of `error` as the camera sees it (2,), radians per second: the target's own rate minus the camera's.
    """

    error: np.ndarray
    rate: np.ndarray


def pointing(seen: Direction) -> Pointing:
    """Return what the camera must turn to have the target in the middle of its image."""
    x, y, z = seen.ray.tolist()
    across = math.hypot(x, y)
    scale = math.atan2(across, z) / across if across > 1e-12 else 1.0
    return Pointing(np.array([-y, x]) * scale, seen.rate[:2].copy())


class CameraRates:
    """How the camera turned lately, by its gyro or by a gimbal that reports its rate.

    Parameters
    ----------
    memory_s
        How far back it is known, seconds.
    reach_s
        How long the newest rate is taken to go on, seconds; samples further apart leave a gap.
    """

    def __init__(self, memory_s: float = 2.0, reach_s: float = 0.3):
        self._memory_ns, self._reach_ns = round(memory_s * 1e9), round(reach_s * 1e9)
        self._times: List[int] = []
        self._rates: List[Tuple[float, float]] = []

    def add(self, t_ns: int, rate: ArrayLike) -> None:
        """Add a sample: up and right (2,), radians per second; an older one than the newest is ignored.

        Raises
        ------
        InputError
            For anything but two finite numbers.
        """
        up, right = np.asarray(rate, dtype=np.float64).ravel()[:2].tolist()
        if not (math.isfinite(up) and math.isfinite(right)):
            raise InputError(f"camera rate at t_ns={t_ns}: {(up, right)} are no two finite numbers")
        if self._times and t_ns <= self._times[-1]:
            return
        if self._times and t_ns - self._times[-1] > self._reach_ns:
            self._times, self._rates = [], []
        self._times.append(t_ns)
        self._rates.append((up, right))
        old = bisect_right(self._times, t_ns - self._memory_ns) - 1
        if old > 64:
            del self._times[:old], self._rates[:old]

    def at(self, t_ns: int) -> Optional[np.ndarray]:
        """Return the rate (2,) at a time, linear between samples; None where it is unknown."""
        times = self._times
        if not times or not times[0] <= t_ns <= times[-1] + self._reach_ns:
            return None
        return np.array([np.interp(t_ns, times, [rate[axis] for rate in self._rates]) for axis in (0, 1)])

    def turned(self, from_ns: int, to_ns: int) -> Optional[np.ndarray]:
        """Return the angles (2,) turned between two times, radians; the newest rate goes on. None where unknown."""
        first, last = self.at(from_ns), self.at(min(to_ns, self._times[-1] + self._reach_ns) if self._times else to_ns)
        if first is None or last is None:
            return None
        inside = [i for i, t_ns in enumerate(self._times) if from_ns < t_ns < to_ns]
        times = np.array([from_ns, *(self._times[i] for i in inside), to_ns], dtype=np.int64)
        rates = np.array([first, *(self._rates[i] for i in inside), last])
        steps = np.diff(times)[:, None] * 1e-9
        return np.asarray((0.5 * (rates[1:] + rates[:-1]) * steps).sum(axis=0))


def with_rates(seen: Pointing, evidence_ns: int, t_ns: int, rates: CameraRates) -> Tuple[Pointing, Optional[np.ndarray]]:
    """Correct a prediction that knows nothing of the camera's turning by what is known of it.

    Such a prediction takes the camera to go on turning as it did when the evidence was captured.

    Parameters
    ----------
    seen
        Of the prediction for `t_ns`.
    evidence_ns
        When its newest evidence was captured, nanoseconds.
    t_ns
        The time that it is for, nanoseconds.
    rates
        How the camera turned.

    Returns
    -------
    Pointing
        Where the target will be; as it was given where the rates are unknown.
    numpy.ndarray or None
        The target's own rate (2,), radians per second.
    """
    then, turned = rates.at(evidence_ns), rates.turned(evidence_ns, t_ns)
    if then is None or turned is None:
        return seen, None
    ahead = (t_ns - evidence_ns) * 1e-9
    return Pointing(seen.error + then * ahead - turned, seen.rate), seen.rate + then


@dataclass(frozen=True)
class ControllerConfig:
    """Settings of a `RateController`.

    Attributes
    ----------
    proportional
        Rate commanded for an error, 1/s. A loop with a delay of T seconds stays calm below about 0.5 / T.
    integral
        What a lasting error adds, 1/s^2.
    feed_forward
        Share of the target's own rate that is commanded beside, where it is known.
    dead_zone
        Errors up to this command nothing, radians: it spares the motors.
    max_rate
        Largest rate commanded on each axis, radians per second.
    max_acceleration
        By how much a commanded rate changes in a second at most, radians per second squared.
    """

    proportional: float = 5.0
    integral: float = 2.0
    feed_forward: float = 1.0
    dead_zone: float = 0.001
    max_rate: float = 1.5
    max_acceleration: float = 15.0

    def __post_init__(self) -> None:
        rules = {
            "proportional": above(0),
            "integral": at_least(0),
            "feed_forward": between(0, 1),
            "dead_zone": at_least(0),
            "max_rate": above(0),
            "max_acceleration": above(0),
        }
        check(self, rules)


class RateController:
    """Commands the rates of a camera's two axes. Not for two threads at once.

    Parameters
    ----------
    config
        Settings; None for the defaults.
    """

    def __init__(self, config: Optional[ControllerConfig] = None):
        self.config = config or ControllerConfig()
        self._commanded = np.zeros(2)
        self._sum = np.zeros(2)
        self._last_ns: Optional[int] = None

    @property
    def commanded(self) -> np.ndarray:
        """The rates (2,) that were commanded last, radians per second."""
        return self._commanded.copy()

    def step(self, now_ns: int, seen: Optional[Pointing], own_rate: Optional[np.ndarray] = None) -> np.ndarray:
        """Command the rates for now.

        Parameters
        ----------
        now_ns
            The time, nanoseconds.
        seen
            Where the target will be when this command takes effect; None where there is none, or it is lost: the camera
            slows down to a stop, and what was summed up is forgotten.
        own_rate
            The target's own rate (2,), radians per second: `Pointing.rate` plus the camera's own rate at the time that
            it is of. None where the camera's rate is unknown: nothing is fed forward.

        Returns
        -------
        numpy.ndarray
            Up and right (2,), radians per second.
        """
        config = self.config
        passed = 0.0 if self._last_ns is None else min(max((now_ns - self._last_ns) * 1e-9, 0.0), LONGEST_STEP_S)
        self._last_ns = now_ns
        if seen is None:
            self._sum = np.zeros(2)
            wanted = np.zeros(2)
        else:
            error = np.sign(seen.error) * np.maximum(np.abs(seen.error) - config.dead_zone, 0.0)
            ahead = np.zeros(2) if own_rate is None else config.feed_forward * own_rate
            summed = self._sum + config.integral * passed * error
            wanted = config.proportional * error + summed + ahead
            # What the motors cannot follow is not summed up, or they overshoot by it later.
            follows = (np.abs(wanted) <= config.max_rate) | (np.sign(error) != np.sign(wanted))
            self._sum = np.where(follows, summed, self._sum)
        wanted = np.clip(wanted, -config.max_rate, config.max_rate)
        change = config.max_acceleration * passed
        self._commanded = self._commanded + np.clip(wanted - self._commanded, -change, change)
        return self._commanded.copy()
