"""The two motorised axes of a camera: rates that are commanded, and what the motors make of them.

A commanded rate takes effect after a delay, is limited, and the axis follows it as a system of second order:
``rate'' = w^2 (command - rate) - 2 d w rate'`` with natural frequency w and damping d. Between two milliseconds the
command is constant, so each step is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import List, NamedTuple, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.validation import above, check, holds, whole_from

STEP_NS = 1_000_000
"""The axes are known at each millisecond."""
State = Tuple[float, float, float]
"""Angle, rate and acceleration of one axis."""


def _fits(value: Tuple[float, float]) -> bool:
    low, high = value
    return -1.6 <= low < high <= 1.6


@dataclass(frozen=True)
class AxesConfig:
    """What the motors can do. Both axes are the same, but for the stops of the pitch.

    Attributes
    ----------
    natural_frequency
        Radians per second.
    damping
        As a share of the critical one.
    max_rate
        The largest rate, radians per second.
    delay_ms
        From a command to the moment at which it takes effect, whole milliseconds.
    pitch_stops
        The pitch at which the camera's axis is stopped, lowest and highest, radians from -1.6 to 1.6.
    """

    natural_frequency: float = 30.0
    damping: float = 0.75
    max_rate: float = 2.0
    delay_ms: int = 40
    pitch_stops: Tuple[float, float] = (-1.45, 0.3)

    def __post_init__(self) -> None:
        rules = {
            "natural_frequency": above(0, 300),
            "damping": above(0, 10),
            "max_rate": above(0),
            "delay_ms": whole_from(0),
            "pitch_stops": holds("two angles from -1.6 to 1.6 radians, the lower one first", _fits),
        }
        check(self, rules)

    @property
    def lead_s(self) -> float:
        """From a command until the camera turns at it: the delay, and what a steady ramp of commands is followed by."""
        return self.delay_ms * 1e-3 + 2 * self.damping / self.natural_frequency


class AxisStates(NamedTuple):
    """The axes at each millisecond, pitch (up) and yaw (right), each of shape ``(n, 2)``.

    Attributes
    ----------
    angle, rate, jerk
        Radians, radians per second, radians per second cubed.
    """

    angle: np.ndarray
    rate: np.ndarray
    jerk: np.ndarray


class Axes:
    """Two axes, from time 0 on.

    Parameters
    ----------
    config
        What the motors can do.
    angle
        Pitch and yaw at time 0 ``(2,)``, radians.
    """

    def __init__(self, config: AxesConfig, angle: ArrayLike):
        self.config = config
        self._step = _step(config.natural_frequency, config.damping, STEP_NS * 1e-9)
        pitch, yaw = np.asarray(angle, dtype=np.float64).tolist()
        self._limits = config.pitch_stops, (-math.inf, math.inf)
        self._states: List[Tuple[State, State]] = [((pitch, 0.0, 0.0), (yaw, 0.0, 0.0))]
        # Commands and the millisecond from which each is in effect.
        self._commands: List[Tuple[int, List[float]]] = [(0, [0.0, 0.0])]
        self._next = 1

    def command(self, now_ns: int, rate: ArrayLike) -> None:
        """Command the rates of both axes at `now_ns`, radians per second; not before the last command.

        Raises
        ------
        InputError
            For anything but two finite numbers, or a time before the last command's.
        """
        wanted = np.asarray(rate, dtype=np.float64)
        if wanted.shape != (2,) or not np.isfinite(wanted).all():
            raise InputError(f"axes at t_ns={now_ns}: {rate!r} is not two finite rates")
        # Rounded up: a command is not in effect before its delay has passed.
        effect = -(-now_ns // STEP_NS) + self.config.delay_ms
        if effect < self._commands[-1][0]:
            raise InputError(f"axes: a command at t_ns={now_ns} after a later one; times must not go back")
        self._advance(effect)
        self._commands.append((effect, np.clip(wanted, -self.config.max_rate, self.config.max_rate).tolist()))

    def at(self, t_ns: int) -> Tuple[np.ndarray, np.ndarray]:
        """Return angles and rates (2,) at a time from 0 on, linear between milliseconds."""
        step, rest = divmod(t_ns, STEP_NS)
        self._advance(step + 1)
        state, following = np.array(self._states[step : step + 2])
        state = state + (following - state) * (rest / STEP_NS)
        return state[:, 0], state[:, 1]

    def states(self, length: int) -> AxisStates:
        """Return the first `length` milliseconds."""
        self._advance(length)
        states = np.array(self._states[: length + 1])
        jerk = np.diff(states[:, :, 2], axis=0) / (STEP_NS * 1e-9)
        return AxisStates(states[:-1, :, 0], states[:-1, :, 1], jerk)

    def _advance(self, to: int) -> None:
        """Go on to a millisecond, with the commands given so far."""
        while len(self._states) <= to:
            now = len(self._states) - 1
            while self._next < len(self._commands) and self._commands[self._next][0] <= now:
                self._next += 1
            (up, right), (pitch, yaw) = self._commands[self._next - 1][1], self._states[-1]
            self._states.append((self._moved(pitch, up, self._limits[0]), self._moved(yaw, right, self._limits[1])))

    def _moved(self, state: State, command: float, stops: Tuple[float, float]) -> State:
        """One axis a millisecond later; what drives it beyond a limit ends there. In plain numbers, for speed."""
        x, v, a = state
        (_, xv, xa, xu), (_, vv, va, vu), (_, av, aa, au) = self._step
        x, v, a = x + xv * v + xa * a + xu * command, vv * v + va * a + vu * command, av * v + aa * a + au * command
        most = self.config.max_rate
        if abs(v) > most:
            v, a = math.copysign(most, v), 0.0
        if not stops[0] <= x <= stops[1]:
            x, v, a = min(max(x, stops[0]), stops[1]), 0.0, 0.0
        return x, v, a


def _step(natural_frequency: float, damping: float, seconds: float) -> List[List[float]]:
    """The exact step under a constant command: rows make angle, rate and acceleration of all three and the command."""
    square = natural_frequency**2
    matrix = np.zeros((4, 4))
    matrix[0, 1] = matrix[1, 2] = 1.0
    matrix[2] = [0.0, -square, -2 * damping * natural_frequency, square]
    made, term = np.eye(4), np.eye(4)
    # The exponential of the matrix by its series, of a 1024th of the step: far beyond the precision of numbers.
    for order in range(1, 12):
        term = term @ matrix * (seconds / 1024 / order)
        made = made + term
    for _ in range(10):
        made = made @ made
    return [list(map(float, row)) for row in made[:3]]
