"""Images of more than 8 bits a value, as thermal cameras give them: how all of a sequence become 8 bits by one rule.

The levels are those of the first image of the sequence and stay for all others, so that a target keeps its grey level
and nothing flickers. They are the 0.1st and the 99.9th percentile of that image, each moved outwards by an eighth of
their distance, so that later images fit too. Between them the stretch is linear; what lies outside becomes 0 or 255.
Whole numbers are never stretched apart: the levels are at least 255 apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pvtpp.errors import InputError

PERCENTILES = (0.1, 99.9)
MARGIN = 0.125
"""How far the levels lie outside the percentiles, as a fraction of their distance."""
LEVELS = 255


@dataclass(frozen=True)
class Stretch:
    """A linear map of pixel values to 0 to 255.

    Attributes
    ----------
    low, high
        The values that become 0 and 255; `high` is above `low`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError(f"a stretch from {self.low} to {self.high}: the second level must be above the first")

    @classmethod
    def of(cls, image: np.ndarray) -> Stretch:
        """Choose the levels by an image of any shape and any type of numbers.

        Raises
        ------
        InputError
            For an image that holds no finite number.
        """
        values = np.asarray(image)
        whole = values.dtype.kind in "iu"
        values = values.ravel() if whole else values[np.isfinite(values)]
        if not values.size:
            raise InputError("an image without a single finite number cannot be stretched to 8 bits")
        low, high = (float(value) for value in np.percentile(values, PERCENTILES))
        middle, half = (low + high) / 2, (high - low) * (0.5 + MARGIN)
        half = max(half, LEVELS / 2 if whole else float(np.finfo(np.float32).eps) * max(abs(middle), 1.0))
        return cls(middle - half, middle + half)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the image as uint8, the same shape; values that are no numbers become 0."""
        scaled = (np.asarray(image, dtype=np.float64) - self.low) * (LEVELS / (self.high - self.low))
        return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, LEVELS)).astype(np.uint8)
