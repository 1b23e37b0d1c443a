"""A closed-form motion model: where the target is at any time, in microseconds and from any thread.

A trajectory is a list of knots in time. Between two knots the mean is the cubic Hermite curve through their means and
derivatives, and sigma is linear. Outside the knots the declared extrapolation applies: ``linear`` goes on with the
derivative of the outermost knot, ``hold`` stands still. Sigma goes on growing there, in both
directions of time, as it grew in the segment next to it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError

EXTRAPOLATIONS = ("linear", "hold")
SMALLEST = 0.05
"""Least side of an answered box, as a share of the side at the first knot."""


class Prediction(NamedTuple):
    """Where the target is at a time.

    Attributes
    ----------
    t_ns
        The time that was asked for, nanoseconds.
    box
        Shape ``(4,)``, ``[cx, cy, w, h]`` in pixels.
    velocity
        Shape ``(4,)``, derivative of `box` in pixels per second.
    sigma
        Shape ``(4,)``, pixels: half of the errors of `box` are to lie within .534 sigma, 90 % within 1.645. That is a
        Gaussian's 90 %, and Student's t with three degrees of freedom.
    age
        Seconds from the capture of the newest evidence to `t_ns`.
    """

    t_ns: int
    box: np.ndarray
    velocity: np.ndarray
    sigma: np.ndarray
    age: float


@dataclass(frozen=True)
class Trajectory:
    """An immutable motion model with K knots.

    Attributes
    ----------
    t_ns
        K strictly increasing times of the knots, integer nanoseconds.
    mean
        Shape ``(K, 4)``, boxes ``[cx, cy, w, h]`` in pixels.
    derivative
        Shape ``(K, 4)``, derivative of the mean in pixels per second.
    sigma
        Shape ``(K, 4)``, one standard deviation in pixels.
    evidence_ns
        Capture time of the newest evidence that it was predicted from, nanoseconds.
    extrapolation
        ``linear`` or ``hold``: how the mean goes on outside the knots.
    valid_until_ns
        Last time that the predictor answers for, None for no limit. Later times are extrapolated all the same.
    stabilised
        Whether the means are in the image plane that the camera had at `evidence_ns` (see `pvtpp.stabilised`); else
        each is in the image of its own time.

    Raises
    ------
    InputError
        If shapes do not fit, times do not increase, a number is not finite, or the extrapolation is unknown.
    """

    t_ns: Tuple[int, ...]
    mean: np.ndarray
    derivative: np.ndarray
    sigma: np.ndarray
    evidence_ns: int
    extrapolation: str = "linear"
    valid_until_ns: Optional[int] = None
    stabilised: bool = False
    _numbers: Tuple[List[List[float]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        times = tuple(map(int, self.t_ns))
        if not times or any(b <= a for a, b in zip(times, times[1:])):
            raise InputError(f"trajectory: knot times must be strictly increasing and at least one, got {list(times)}")
        object.__setattr__(self, "t_ns", times)
        for name in ("mean", "derivative", "sigma"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (len(times), 4):
                raise InputError(f"trajectory: {name} has shape {values.shape}, expected ({len(times)}, 4)")
            # One reduction instead of isfinite().all(): the dot product is not finite if any number is not.
            if not np.isfinite(np.vdot(values, values)):
                raise InputError(f"trajectory: {name} is not finite: {values.tolist()}")
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        # Plain floats: for a single box they are several times faster than array calls, with equal bits.
        object.__setattr__(self, "_numbers", (self.mean.tolist(), self.derivative.tolist(), self.sigma.tolist()))
        if self.extrapolation not in EXTRAPOLATIONS:
            raise InputError(
                f"trajectory: unknown extrapolation {self.extrapolation!r}, expected one of {', '.join(EXTRAPOLATIONS)}"
            )

    def at(self, t_ns: int) -> Prediction:
        """Evaluate at time `t_ns` (integer nanoseconds), which may be before, between or beyond the knots."""
        times, (mean, derivative, sigmas) = self.t_ns, self._numbers
        low, last = bisect_right(times, t_ns) - 1, len(times) - 1
        age = (t_ns - self.evidence_ns) * 1e-9
        if 0 <= low < last:
            high = low + 1
            span = (times[high] - times[low]) * 1e-9
            u = (t_ns - times[low]) * 1e-9 / span
            curve = [
                _hermite(u, span, *knots) for knots in zip(mean[low], derivative[low], mean[high], derivative[high])
            ]
            box, velocity = [value for value, _ in curve], [slope for _, slope in curve]
            sigma = [a + u * (b - a) for a, b in zip(sigmas[low], sigmas[high])]
        else:
            edge = max(low, 0)
            ahead = (t_ns - times[edge]) * 1e-9
            velocity = derivative[edge] if self.extrapolation == "linear" else [0.0] * 4
            box = [m + ahead * v for m, v in zip(mean[edge], velocity)]
            sigma = sigmas[edge]
            if last:
                # It goes on growing as it grew within the segment next to it, in both directions of time.
                near, far = (last - 1, last) if low == last else (0, 1)
                span = (times[far] - times[near]) * 1e-9
                growth = [max((b - a) / span, 0.0) for a, b in zip(sigmas[near], sigmas[far])]
                sigma = [s + abs(ahead) * g for s, g in zip(sigma, growth)]
        for side in (2, 3):
            box[side] = max(box[side], SMALLEST * mean[0][side])
        return Prediction(int(t_ns), np.array(box), np.array(velocity), np.array(sigma), age)

    def shifted(self, by_ns: int) -> Trajectory:
        """Return the same trajectory `by_ns` later, for another clock."""
        until = None if self.valid_until_ns is None else self.valid_until_ns + by_ns
        times = tuple(t_ns + by_ns for t_ns in self.t_ns)
        return replace(self, t_ns=times, evidence_ns=self.evidence_ns + by_ns, valid_until_ns=until)

    def to_row(self) -> list:
        """Plain numbers for logs and messages; `from_row` creates the same trajectory again, to the bit.

        Returns
        -------
        list
            `evidence_ns`, `valid_until_ns`, `extrapolation`, the times, and mean, derivative and sigma as flat lists of
            4 K numbers. A stabilised trajectory has a True at the end, all others nothing.
        """
        return [
            self.evidence_ns,
            self.valid_until_ns,
            self.extrapolation,
            list(self.t_ns),
            self.mean.ravel().tolist(),
            self.derivative.ravel().tolist(),
            self.sigma.ravel().tolist(),
            *([True] if self.stabilised else []),
        ]

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Trajectory:
        """Create the trajectory that `to_row` wrote; raises InputError as the class does."""
        evidence_ns, valid_until_ns, extrapolation, t_ns, mean, derivative, sigma, *stabilised = row
        mean, derivative, sigma = (np.reshape(values, (-1, 4)) for values in (mean, derivative, sigma))
        return cls(tuple(t_ns), mean, derivative, sigma, evidence_ns, extrapolation, valid_until_ns, bool(stabilised))


def _hermite(u: Any, span: Any, mean0: Any, slope0: Any, mean1: Any, slope1: Any) -> Tuple[Any, Any]:
    """Value and derivative of the cubic Hermite curve at the share `u` (0 to 1) of a segment `span` seconds long."""
    step0, step1, rise = span * slope0, span * slope1, mean1 - mean0
    quadratic = 3 * rise - 2 * step0 - step1
    cubic = step0 + step1 - 2 * rise
    value = mean0 + u * (step0 + u * (quadratic + u * cubic))
    return value, (step0 + u * (2 * quadratic + 3 * u * cubic)) / span


class TrajectoryTable:
    """Many trajectories as columns, to evaluate thousands of (trajectory, time) pairs at once.

    Parameters
    ----------
    rows
        n trajectories as `Trajectory.to_row` writes them.

    Attributes
    ----------
    evidence_ns, valid_until_ns
        Shape ``(n,)``, int64; as in `Trajectory`, with the largest int64 where there is no limit.
    stabilised
        Shape ``(n,)``, bool.
    """

    def __init__(self, rows: Sequence[Sequence[Any]]):
        evidence, valid_until, extrapolations, times, means, derivatives = (
            zip(*(row[:6] for row in rows)) if rows else ((),) * 6
        )
        counts = np.fromiter(map(len, times), dtype=np.int64, count=len(times))
        self.evidence_ns = np.array(evidence, dtype=np.int64)
        no_limit = np.iinfo(np.int64).max
        self.valid_until_ns = np.array([no_limit if v is None else v for v in valid_until], dtype=np.int64)
        self.stabilised = np.array([len(row) > 7 for row in rows], dtype=bool)
        # Not read off yet, since boxes are all that most ask for; nor are the rows kept, which are copies.
        self._sigma_rows = [row[6] for row in rows]
        self._sigma: Optional[np.ndarray] = None
        self._linear = np.array([extrapolation == "linear" for extrapolation in extrapolations], dtype=bool)
        self._first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        self._last = self._first + counts - 1
        knots = int(counts.sum())
        self._t_ns = np.fromiter(chain.from_iterable(times), dtype=np.int64, count=knots)
        self._mean = np.fromiter(chain.from_iterable(means), dtype=np.float64, count=4 * knots).reshape(-1, 4)
        self._derivative = np.fromiter(chain.from_iterable(derivatives), dtype=np.float64, count=4 * knots).reshape(
            -1, 4
        )

    def __len__(self) -> int:
        return len(self.evidence_ns)

    def boxes(self, index: np.ndarray, t_ns: np.ndarray) -> np.ndarray:
        """Evaluate trajectory ``index[i]`` at ``t_ns[i]``.

        Returns
        -------
        numpy.ndarray
            Shape ``(len(index), 4)``, equal to ``Trajectory.at(t).box`` to the bit.
        """
        first, last, low = self._knots(index, t_ns)
        high = np.minimum(low + 1, last)
        ahead = ((t_ns - self._t_ns[low]) * 1e-9)[:, None]
        velocity = np.where(self._linear[index][:, None], self._derivative[low], 0.0)
        boxes = self._mean[low] + ahead * velocity
        inside = np.flatnonzero((high > low) & (t_ns >= self._t_ns[first]))
        if len(inside):
            low, high = low[inside], high[inside]
            span = ((self._t_ns[high] - self._t_ns[low]) * 1e-9)[:, None]
            boxes[inside], _ = _hermite(
                ahead[inside] / span,
                span,
                self._mean[low],
                self._derivative[low],
                self._mean[high],
                self._derivative[high],
            )
        boxes[:, 2:] = np.maximum(boxes[:, 2:], SMALLEST * self._mean[first, 2:])
        return boxes

    def sigmas(self, index: np.ndarray, t_ns: np.ndarray) -> np.ndarray:
        """Sigma of trajectory ``index[i]`` at ``t_ns[i]``; their numbers are read off the rows when first asked for.

        Returns
        -------
        numpy.ndarray
            Shape ``(len(index), 4)``, equal to ``Trajectory.at(t).sigma`` to the bit.
        """
        if self._sigma is None:
            flat = chain.from_iterable(self._sigma_rows)
            self._sigma = np.fromiter(flat, dtype=np.float64, count=self._mean.size).reshape(-1, 4)
        first, last, low = self._knots(index, t_ns)
        inside = (low < last) & (t_ns >= self._t_ns[first])
        # The segment to go along: outside the knots the one next to them.
        start = np.where(inside | (low == first), low, last - 1)
        end = np.minimum(start + 1, last)
        with np.errstate(divide="ignore", invalid="ignore"):
            span = ((self._t_ns[end] - self._t_ns[start]) * 1e-9)[:, None]
            rise = self._sigma[end] - self._sigma[start]
            ahead = ((t_ns - self._t_ns[low]) * 1e-9)[:, None]
            within = self._sigma[low] + ahead / span * rise
            beyond = self._sigma[low] + np.abs(ahead) * np.maximum(rise / span, 0.0)
        grown = np.where((last > first)[:, None], beyond, self._sigma[low])
        return np.where(inside[:, None], within, grown)

    def _knots(self, index: np.ndarray, t_ns: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First and last knot of each trajectory, and the newest one that is not after its time (the first if none)."""
        first, last = self._first[index], self._last[index]
        low = first.copy()
        for _ in range(int((last - first).max(initial=0))):
            step = np.minimum(low + 1, last)
            low = np.where((step > low) & (self._t_ns[step] <= t_ns), step, low)
        return first, last, low
