"""A reference controller that keeps a camera on its target: PI on where the target will be, and its own rate ahead.

The loop of a gimbal (or of a drone's yaw) is late twice: the evidence is old, and a command takes effect later. So the
error that counts is the one at the moment when the command takes effect, which a `Prediction` gives. What is left is
the error of a moving target: a proportional controller follows it at a distance. *Feed-forward* adds the target's own
rate, and removes it. That rate is what the image shows plus what the camera itself turns. Without a gyro (or a gimbal
that reports its rate) only the sum is known; fed forward, the camera's own turning is fed back to it, late: that wins
nothing, and the camera turns more roughly (docs/results/closed-loop.md). So without a known camera rate nothing is fed
forward.

All angles and rates are (2,): *up* and *right*, radians, in camera axes. Nothing here has a clock or does I/O.

`Aim` puts together what a controller is given, `RateController` commands rates, and `pan_rate` makes that of a gimbal's
yaw axis of one of them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.bearing import Direction, Pinhole
from pvtpp.boxes import ArrayLike
from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError
from pvtpp.trajectory import Prediction
from pvtpp.validation import above, at_least, between, check

LONGEST_STEP_S = 0.2
"""A controller that was not asked for longer goes on as if it had been asked then."""

LEAST = 4
LEAST_COSINE = 0.2
"""Of the pitch: looking straight down, turning the yaw does not move the image sideways."""


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
        # Angles turned from the first sample to each.
        self._angles: List[Tuple[float, float]] = []

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
        if not self._times or t_ns - self._times[-1] > self._reach_ns:
            self._times, self._rates, self._angles = [t_ns], [(up, right)], [(0.0, 0.0)]
            return
        half = 0.5e-9 * (t_ns - self._times[-1])
        before, angle = self._rates[-1], self._angles[-1]
        self._angles.append((angle[0] + half * (before[0] + up), angle[1] + half * (before[1] + right)))
        self._times.append(t_ns)
        self._rates.append((up, right))
        old = bisect_right(self._times, t_ns - self._memory_ns) - 1
        if old > 64:
            del self._times[:old], self._rates[:old], self._angles[:old]

    def at(self, t_ns: int) -> Optional[np.ndarray]:
        """Return the rate (2,) at a time, linear between samples; None where it is unknown."""
        return np.array(self._state(t_ns)[0]) if self._knows(t_ns) else None

    def turned(self, from_ns: int, to_ns: int) -> Optional[np.ndarray]:
        """Return the angles (2,) turned between two times, radians; the newest rate goes on. None where unknown."""
        if not self._knows(from_ns) or to_ns < from_ns:
            return None
        return np.subtract(self._state(to_ns)[1], self._state(from_ns)[1])

    def _knows(self, t_ns: int) -> bool:
        return bool(self._times) and self._times[0] <= t_ns <= self._times[-1] + self._reach_ns

    def _state(self, t_ns: int) -> Tuple[Tuple[float, float], Tuple[float, float]]:
        """Rate, and angle since the first sample, at a time that is not before it."""
        low = bisect_right(self._times, t_ns) - 1
        (up, right), (angle_up, angle_right) = self._rates[low], self._angles[low]
        passed, to_up, to_right = (t_ns - self._times[low]) * 1e-9, up, right
        if low + 1 < len(self._times):
            share = (t_ns - self._times[low]) / (self._times[low + 1] - self._times[low])
            to_up += share * (self._rates[low + 1][0] - up)
            to_right += share * (self._rates[low + 1][1] - right)
        angles = angle_up + 0.5 * passed * (up + to_up), angle_right + 0.5 * passed * (right + to_right)
        return (to_up, to_right), angles


class OwnMotion:
    """How the target itself moves, where only the controller knows how the camera turns.

    A predictor without a gyro sees the camera's turning as motion of the target, and its velocity is one of some frames
    ago: the camera's present rate added to that would feed the loop its own swings. So here each direction is first
    freed of the camera's turning, and a straight line through the last ones says where the target is going.

    Parameters
    ----------
    memory_s
        Length of the line, seconds: longer is calmer, and later. It has `LEAST` directions at least.
    """

    def __init__(self, memory_s: float = 0.15):
        self._memory_ns = round(memory_s * 1e9)
        self._seen: List[Tuple[int, np.ndarray]] = []

    def forget(self) -> None:
        """Forget everything: another target begins."""
        self._seen = []

    def add(self, evidence_ns: int, error: np.ndarray) -> None:
        """Take in where the target was seen.

        Parameters
        ----------
        evidence_ns
            Capture time of the evidence, nanoseconds; what is not newer than before replaces the newest.
        error
            `Pointing.error` at that time.
        """
        while self._seen and self._seen[-1][0] >= evidence_ns:
            self._seen.pop()
        recent = sum(each[0] > evidence_ns - self._memory_ns for each in self._seen)
        self._seen = self._seen[-max(recent, LEAST - 1) :]
        self._seen.append((evidence_ns, np.array(error, dtype=np.float64)))

    def at(self, t_ns: int, rates: CameraRates) -> Optional[Tuple[Pointing, np.ndarray]]:
        """Say where the target will be.

        Parameters
        ----------
        t_ns
            The time, nanoseconds.
        rates
            How the camera turned; after its newest rate it goes on turning at that.

        Returns
        -------
        Pointing
            At that time.
        numpy.ndarray
            The target's own rate (2,), radians per second. None instead of both where the camera's turning since the
            newest evidence is unknown.
        """
        if not self._seen:
            return None
        newest, last = self._seen[-1]
        since, turning = rates.turned(newest, t_ns), rates.at(t_ns)
        if since is None or turning is None:
            return None
        times, errors = [], []
        for seen_ns, error in self._seen:
            turned = rates.turned(seen_ns, newest)
            if turned is not None:
                # As the camera would have seen it then, had it looked where it looked at the newest evidence.
                times.append((seen_ns - newest) * 1e-9)
                errors.append(error - turned)
        start, own = _line(np.array(times), np.array(errors)) if len(times) > 1 else (last, np.zeros(2))
        ahead = (t_ns - newest) * 1e-9
        return Pointing(start + own * ahead - since, own - turning), own


def _line(times: np.ndarray, values: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The straight line of least squares: its value at time 0 and its slope."""
    middle, mean = times.mean(), values.mean(axis=0)
    slope = ((times - middle)[:, None] * (values - mean)).sum(axis=0) / np.sum((times - middle) ** 2)
    return mean - slope * middle, slope


class Aim:
    """What a `RateController` is given: where the target will be when a command takes effect, and its own rate.

    Parameters
    ----------
    rates
        How the camera turned, where only the controller knows it (a gimbal that reports its rate). Without samples
        nothing is fed forward, unless the predictions know a gyro.
    """

    def __init__(self, rates: Optional[CameraRates] = None):
        self._rates, self._motion = CameraRates() if rates is None else rates, OwnMotion()

    def forget(self) -> None:
        """Forget where the target was: another one begins."""
        self._motion.forget()

    def at(
        self, effect_ns: int, camera: Pinhole, predict: Callable[[int], Optional[Prediction]], gyro: Optional[Gyro]
    ) -> Tuple[Optional[Pointing], Optional[np.ndarray]]:
        """Say where the target will be.

        Parameters
        ----------
        effect_ns
            When the command takes effect, nanoseconds.
        camera
            Makes directions of pixels.
        predict
            The prediction in the image of a time; None without a target.
        gyro
            The one that the predictions know; None where they know none.

        Returns
        -------
        Pointing or None
            At that time; None without a target.
        numpy.ndarray or None
            The target's own rate (2,), radians per second; None where it is unknown.
        """
        prediction = predict(effect_ns)
        if prediction is None:
            return None, None
        seen = pointing(camera.direction(prediction))
        if gyro is not None:
            # The prediction knows how the camera turns, and is for an image of that time.
            turning = gyro.rate(effect_ns)
            return seen, None if turning is None else seen.rate + turning[:2]
        evidence_ns = effect_ns - round(prediction.age * 1e9)
        then = predict(evidence_ns)
        if then is None:
            return seen, None
        self._motion.add(evidence_ns, pointing(camera.direction(then)).error)
        return self._motion.at(effect_ns, self._rates) or (seen, None)


def pan_rate(right: float, pitch: float, max_rate: float) -> float:
    """Compute the rate of a yaw axis that turns a camera right at `right`, both radians per second.

    Parameters
    ----------
    right
        In camera axes.
    pitch
        Of the camera, radians, up is positive.
    max_rate
        The largest rate of the axis.
    """
    return min(max(right / max(math.cos(pitch), LEAST_COSINE), -max_rate), max_rate)


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
