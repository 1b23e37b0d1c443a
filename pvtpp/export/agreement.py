"""How much a graph's outputs differ from torch's; NaN agrees with nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pvtpp.errors import InputError


def furthest(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], relative: bool = False) -> float:
    """The largest difference between the outputs of a graph and of torch.

    Parameters
    ----------
    found, expected
        Outputs of the graph and of torch, by name.
    relative
        Divide by torch's largest absolute output where that is above 1.

    Returns
    -------
    float
        NaN where the graph alone gives NaN.

    Raises
    ------
    InputError
        Where torch's own output is not finite: such a network must not be published.
    """
    worst = 0.0
    for name, answer in expected.items():
        if not np.isfinite(answer).all():
            raise InputError(
                f"the network answers NaN or infinity ({name}): training diverged, there is nothing to export"
            )
        scale = max(1.0, float(np.abs(answer).max())) if relative else 1.0
        # np.maximum and not max(), which would drop a NaN.
        worst = float(np.maximum(worst, np.abs(found[name] - answer).max() / scale))
    return worst
