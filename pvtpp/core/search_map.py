"""Where to look for a lost target next: a map of how likely it is where, from which each look in vain takes away."""

from __future__ import annotations

import math
from typing import Optional

import numpy as np

from pvtpp.boxes import box_size
from pvtpp.core.presence import PresenceConfig

CELL = 0.5
"""Distance of the map's places, target sizes."""
CELLS = 8
"""Places from the middle to each side."""
SEEN_WELL = 0.7
"""A look covers about so many target sizes round the middle of the search region (standard deviation)."""
DETECTED = 0.8
"""Share of looks that find a target in the middle of the search region."""
FORGOTTEN_S = 1.0
"""A look in vain counts for about so long: the target moves, and may have been covered."""
HINT = 5.0
"""A place where the tracker's features see something like the target is as much more likely."""


def reach(config: PresenceConfig, lost_s: float) -> float:
    """How far from where it is expected a target may be after this time (standard deviation), target sizes."""
    return min(config.reach, 1.0 + config.reach_rate * lost_s)


class SearchMap:
    """The map of one loss, round the place where the target is expected; lengths are in target sizes.

    Parameters
    ----------
    config
        How far the search reaches.
    """

    def __init__(self, config: PresenceConfig):
        self._config = config
        side = (np.arange(2 * CELLS + 1) - CELLS) * CELL
        self._places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        self._unseen = np.ones(len(self._places))
        self._t_ns: Optional[int] = None

    def look(
        self, t_ns: int, lost_s: float, expected: np.ndarray, seen: np.ndarray, hint: Optional[np.ndarray] = None
    ) -> np.ndarray:
        """Say where to look, and count it as a look in vain.

        Parameters
        ----------
        t_ns
            Capture time of the frame, nanoseconds.
        lost_s
            Seconds since the target was last seen.
        expected, seen
            Where it is expected now, and where it was seen, ``[cx, cy, w, h]`` in pixels; `seen` says its size.
        hint
            A place in this image where something looks like it.

        Returns
        -------
        ndarray
            ``[cx, cy, w, h]``, pixels.
        """
        size = box_size(seen)
        far = reach(self._config, lost_s)
        likely = np.exp(-0.5 * (self._places**2).sum(axis=1) / far**2)
        likely += np.exp(-0.5 * ((self._places - (seen[:2] - expected[:2]) / size) ** 2).sum(axis=1) / far**2)
        if hint is not None:
            likely *= 1 + HINT * self._near((hint[:2] - expected[:2]) / size)
        if self._t_ns is not None:
            self._unseen = 1 - (1 - self._unseen) * math.exp(-max(t_ns - self._t_ns, 0) * 1e-9 / FORGOTTEN_S)
        self._t_ns = t_ns
        place = self._places[int((likely * self._unseen).argmax())]
        self._unseen *= 1 - DETECTED * self._near(place)
        return np.concatenate([expected[:2] + place * size, seen[2:]])

    def _near(self, place: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * ((self._places - place) ** 2).sum(axis=1) / SEEN_WELL**2)
