"""No propagation: what the pipeline does without one, and what the harness itself costs."""

from __future__ import annotations

from typing import Optional

from pvtpp.boxes import ArrayLike, as_box
from pvtpp.propagation.registry import Carried
from pvtpp.tracker import Frame


class NoPropagation:
    """Looks at no image; every box stands as given, with quality 0."""

    def push(self, frame: Frame, region: Optional[ArrayLike]) -> None:
        pass

    def carry(self, box: ArrayLike, from_ns: int, to_ns: int) -> Carried:
        return Carried(as_box(box, "box to carry"), 0.0, 0)
