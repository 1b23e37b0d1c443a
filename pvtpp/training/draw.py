"""What windows are drawn from, and whether there are any: data that hold no window of the kind asked for train nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from pvtpp.errors import InputError

TRIED, AT_ONCE = 1000, 100
"""Windows that are looked at, and how many of them together."""


class Pool(Protocol):
    """Data that windows are cut from."""

    def digest(self) -> str:
        """Tells these data from any others."""

    def describe(self) -> str:
        """In words: how many, and how long."""


@dataclass(frozen=True)
class Draw:
    """``draw(rng, count)``: so many windows of `pool`, as float32 tensors by name; the same generator state gives the same
    ones. ``make(pool, config, rng, count)`` makes them.
    """

    make: Callable[[Any, Any, np.random.Generator, int], dict[str, Tensor]]
    pool: Pool
    config: Any

    def __call__(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        return self.make(self.pool, self.config, rng, count)


def usable(draw: Draw, purpose: str, seed: int = 0) -> float:
    """The share of windows that hold anything to learn from, of `TRIED` ones. Raises InputError where none does; `purpose`
    says there what the windows are for.
    """
    rng = np.random.default_rng([seed, 3])
    shares = [(draw(rng, AT_ONCE)["weight"] > 0).any(1).float().mean().item() for _ in range(TRIED // AT_ONCE)]
    share = sum(shares) / len(shares)
    require_some(share, draw.pool, purpose)
    return share


def require_some(share: float, pool: Pool, purpose: str) -> None:
    """InputError where the share of usable windows is 0."""
    if share == 0:
        raise InputError(
            f"no window {purpose} fits: {pool.describe()}; a window takes as many results and horizons as the configuration's "
            f"windows say, and processing_s is in seconds"
        )


def few(share: float, purpose: str) -> str:
    """What to tell of such a share: nothing from a half on."""
    if share >= 0.5:
        return ""
    reason = "the others reach beyond their sequence, or lack a target"
    return f"only {100 * share:.1f} % of the windows {purpose} can be used: {reason}"
