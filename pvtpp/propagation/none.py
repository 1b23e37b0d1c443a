"""No propagation: the baseline, and a measure of the overhead around propagation."""

from __future__ import annotations

from typing import Optional

from pvtpp.boxes import ArrayLike, as_box
from pvtpp.propagation.registry import Carried
from pvtpp.tracker import Frame


class NoPropagation:
    """Reads no image; every box stays where it was, with quality 0."""

    def push(self, frame: Frame, region: Optional[ArrayLike]) -> None:
        """Do nothing."""

    def carry(self, box: ArrayLike, from_ns: int, to_ns: int) -> Carried:
        """Return the box as it is, with quality 0."""
        return Carried(as_box(box, "box to carry"), 0.0, 0)
