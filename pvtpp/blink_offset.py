"""The delay of a camera's capture times, from a light that is switched at known times.

The light is switched on and off at random times. The frames' brightness follows it, late by the delay. Each switch is
timed by the area under the brightness between the level before and the level after it. The exposure, a rolling shutter
and the phase of the frames then make an error that is different for every switch and 0 in the mean, so that the mean
over many switches is far finer than a frame, and their scatter says how fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError

SHORTEST_DWELL = 8
"""Switches must be at least so many frames apart: levels before and after are seen in frames of their own."""
SEEN = 0.5
"""Least correlation of brightness and light with which the light counts as seen."""
LEAST_EDGES = 6
"""Least number of switches on, and of switches off."""
LARGEST_GAP = 3.5
"""A switch with frames further apart than so many typical intervals round it is left out."""
PASSES = 3


@dataclass(frozen=True)
class BlinkOffset:
    """How late a camera's capture times are.

    Attributes
    ----------
    delay_s
        Capture time minus the middle of the exposure, seconds; the mean of switches on and off.
    sigma_s
        Standard error of `delay_s`, seconds.
    edges, shown
        How many switches were timed, and how many there were while frames came.
    contrast
        Difference of brightness between light and dark, in the unit of the brightness.
    correlation
        Of brightness and light, 1 at best.
    """

    delay_s: float
    sigma_s: float
    edges: int
    shown: int
    contrast: float
    correlation: float


def blink_offset(t_ns: Sequence[int], brightness: ArrayLike, edges_ns: Sequence[int], reach_s: float) -> BlinkOffset:
    """Estimate how late capture times are, by a light that was switched while the frames were captured.

    Parameters
    ----------
    t_ns
        Capture times of frames as they are known, shape ``(n,)``, nanoseconds, increasing. Frames may be missing.
    brightness
        Mean brightness of each frame, or of the part of it that shows the light, shape ``(n,)``.
    edges_ns
        When the light was switched, nanoseconds on the same clock, increasing: on, off, on .. It is off before. The
        times between them must be random, and `SHORTEST_DWELL` frames or longer.
    reach_s
        Largest delay that is looked for, in both directions, seconds.

    Returns
    -------
    BlinkOffset
        Delay and standard error.

    Raises
    ------
    InputError
        For times that do not increase, too few frames or switches, switches that are too near, and where the frames do
        not show the light.
    """
    stamps, edges_int = np.asarray(t_ns, dtype=np.int64), np.asarray(edges_ns, dtype=np.int64)
    values = np.asarray(brightness, dtype=np.float64)
    if stamps.ndim != 1 or values.shape != stamps.shape or not np.isfinite(values).all():
        raise InputError(
            f"blink offset: {stamps.shape} times with brightness {values.shape}, expected finite (n,) each"
        )
    for name, given in (("capture times", stamps), ("switches", edges_int)):
        back = np.flatnonzero(np.diff(given) <= 0)
        if len(back):
            raise InputError(f"blink offset: {name} must increase, number {back[0] + 2} is {given[back[0] + 1]} ns")
    if len(stamps) < 2 * SHORTEST_DWELL or len(edges_int) < 2 * LEAST_EDGES:
        raise InputError(
            f"blink offset: {len(stamps)} frames and {len(edges_int)} switches are too few, needed are "
            f"{2 * SHORTEST_DWELL} and {2 * LEAST_EDGES}"
        )
    times, edges = (stamps - edges_int[0]) * 1e-9, (edges_int - edges_int[0]) * 1e-9
    interval = float(np.median(np.diff(times)))
    dwell = float(np.diff(edges).min())
    # A little less is let pass: both are measured.
    if dwell < 0.8 * SHORTEST_DWELL * interval:
        raise InputError(
            f"blink offset: switches are {dwell * 1e3:.0f} ms apart with a frame every {interval * 1e3:.0f} ms; "
            f"needed are {SHORTEST_DWELL} frames between them"
        )
    delay, correlation = _coarse(times, values, edges, reach_s, interval)
    shown = int(((edges + delay > times[0]) & (edges + delay < times[-1])).sum())
    for _ in range(PASSES):
        found = _timed(times, values, edges, delay, interval)
        rising, falling = (_without_outliers(found[found[:, 1] == way], interval) for way in (1, 0))
        if min(len(rising), len(falling)) < LEAST_EDGES:
            raise InputError(
                f"the frames show {len(rising)} switches on and {len(falling)} off of {shown}, at least "
                f"{LEAST_EDGES} of each are needed; longer, or with a light that fills the picture"
            )
        # Brightness that is not proportional to the light moves both by as much, in opposite directions.
        delay = 0.5 * float(rising[:, 0].mean() + falling[:, 0].mean())
    kept = np.concatenate([rising, falling])
    contrast = float(np.median(np.abs(kept[:, 2])))
    return BlinkOffset(delay, _standard_error(rising, falling), len(kept), shown, contrast, correlation)


def _coarse(
    times: np.ndarray, values: np.ndarray, edges: np.ndarray, reach_s: float, interval: float
) -> Tuple[float, float]:
    """The delay at which brightness and light are correlated best, and that correlation."""
    steps = int(np.ceil(reach_s / (interval / 4)))
    delays = np.arange(-steps, steps + 1) * (reach_s / steps)
    centred = values - values.mean()
    scores = []
    for delay in delays:
        light = np.searchsorted(edges, times - delay, side="right") % 2
        spread = light.std() * values.std() * len(light)
        scores.append(float(centred @ light) / spread if spread > 0 else 0.0)
    # The frames between two switches make a plateau of equal scores; its middle counts.
    best = max(scores)
    top = np.flatnonzero(np.array(scores) >= best - 1e-9)
    at = int(top[len(top) // 2])
    if best < SEEN:
        raise InputError(
            f"the frames do not show the light: at no delay within {reach_s:g} s are the two correlated by more than "
            f"{best:.2f}, needed is {SEEN:g}; let it fill the picture, or give the box where it is seen"
        )
    if at in (0, len(delays) - 1):
        raise InputError(f"the frames' delay is {reach_s:g} s or more; look further (--reach)")
    return float(delays[at]), best


def _timed(times: np.ndarray, values: np.ndarray, edges: np.ndarray, delay: float, interval: float) -> np.ndarray:
    """Each switch that can be timed, shape ``(n, 4)``.

    Its delay, 1 for on and 0 for off, the step of brightness, and its number.
    """
    seen = edges + delay
    limits = np.concatenate([[-np.inf], seen, [np.inf]])
    rows = []
    for index, centre in enumerate(seen):
        found = _crossing(times, values, (limits[index], centre, limits[index + 2]), interval)
        rising = index % 2 == 0
        if found is not None and (found[1] > 0) == rising:
            rows.append((found[0] - edges[index], float(rising), found[1], float(index)))
    return np.reshape(rows, (-1, 4))


def _crossing(
    times: np.ndarray, values: np.ndarray, limits: Tuple[float, float, float], interval: float
) -> Optional[Tuple[float, float]]:
    """When the brightness changed between the neighbouring switches, and by how much; None where that is unclear."""
    before, centre, after = limits
    guard, span = 2 * interval, SHORTEST_DWELL * interval
    first = (times > max(before + guard, centre - span)) & (times < centre - guard)
    last = (times > centre + guard) & (times < min(after - guard, centre + span))
    if not (first.any() and last.any()):
        return None
    inner = np.arange(np.flatnonzero(first)[-1], np.flatnonzero(last)[0] + 1)
    if np.diff(times[inner]).max() > LARGEST_GAP * interval:
        return None
    # A line through each level, since a camera that adjusts its exposure moves it.
    around = times[inner]
    low, high = (_level(times[level] - centre, values[level], around - centre) for level in (first, last))
    step = high - low
    if step.min() * step.max() <= 0:
        return None
    share = (values[inner] - low) / step
    share[0], share[-1] = 0.0, 1.0
    area = float((0.5 * (share[1:] + share[:-1]) * np.diff(around)).sum())
    return float(around[-1]) - area, float(step[len(step) // 2])


def _level(times: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    if len(times) < 3:
        return np.full(len(at), values.mean())
    made: np.ndarray = np.polyval(np.polyfit(times, values, 1), at)
    return made


def _without_outliers(found: np.ndarray, interval: float) -> np.ndarray:
    """Without switches that something else disturbed, such as a shadow."""
    if not len(found):
        return found
    off = np.abs(found[:, 0] - np.median(found[:, 0]))
    return found[off <= max(6 * float(np.median(off)), interval)]


def _standard_error(*groups: np.ndarray) -> float:
    """Standard error of the mean of the groups' means."""
    parts: Dict[int, float] = {}
    variance = 0.0
    for found in groups:
        freedom = len(found) - 1
        off = (found[:, 0] - found[:, 0].mean()) / (len(groups) * len(found))
        # By the variance of Student's t, since the scatter of few is known badly.
        variance += float((off**2).sum()) * len(found) / (freedom - 2)
        parts.update(zip(found[:, 3].astype(int).tolist(), off.tolist()))
    # Neighbours share the level between them, so its noise does not average out.
    shared = sum(off * parts.get(number + 1, 0.0) for number, off in parts.items())
    return float((variance + 2 * max(shared, 0.0)) ** 0.5)
