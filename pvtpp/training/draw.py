"""Drawing training windows from data, and checking beforehand that the data hold usable windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from pvtpp.errors import InputError

TRIED, AT_ONCE = 1000, 100
"""Windows that are checked, and how many of them are drawn together."""


class Pool(Protocol):
    """Data that windows are cut from."""

    def digest(self) -> str:
        """A text that differs for any other data."""

    def describe(self) -> str:
        """In words how many data there are, and how long they are."""


@dataclass(frozen=True)
class Draw:
    """Draws windows of a pool; the same generator state gives the same windows.

    Attributes
    ----------
    make
        ``make(pool, config, rng, count)`` makes `count` windows: float32 tensors by name, windows along the first axis.
    pool
        The data.
    config
        Whatever `make` needs besides.
    """

    make: Callable[[Any, Any, np.random.Generator, int], dict[str, Tensor]]
    pool: Pool
    config: Any

    def __call__(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Draw `count` windows, float32 tensors by name."""
        return self.make(self.pool, self.config, rng, count)


def usable(draw: Draw, purpose: str, seed: int = 0) -> float:
    """The share of windows that have any truth to learn from, in [0, 1], found by drawing `TRIED` windows.

    Parameters
    ----------
    draw
        Draws the windows.
    purpose
        What the windows are for, as the error says it, such as "to learn from".
    seed
        Of this check.

    Raises
    ------
    InputError
        Where no window can be used.
    """
    rng = np.random.default_rng([seed, 3])
    shares = [(draw(rng, AT_ONCE)["weight"] > 0).any(1).float().mean().item() for _ in range(TRIED // AT_ONCE)]
    share = sum(shares) / len(shares)
    require_some(share, draw.pool, purpose)
    return share


def require_some(share: float, pool: Pool, purpose: str) -> None:
    """Raise InputError where the share of usable windows is 0."""
    if share == 0:
        raise InputError(
            f"no window {purpose} fits: {pool.describe()}; a window takes as many results and horizons as the "
            f"configuration's windows say, and processing_s is in seconds"
        )


def few(share: float, purpose: str) -> str:
    """A warning where fewer than half of the windows can be used, else an empty text."""
    if share >= 0.5:
        return ""
    reason = "the others reach beyond their sequence, or lack a target"
    return f"only {100 * share:.1f} % of the windows {purpose} can be used: {reason}"
