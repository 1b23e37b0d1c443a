"""What was known when a frame came: the rows of `pvtpp track --out` and of a recording of `pvtpp serve`."""

from __future__ import annotations

import json
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp.trajectory import Prediction

COLUMNS = (
    "frame", "t_ns", "predictor", "left", "top", "width", "height",
    "velocity_x", "velocity_y", "sigma_x", "sigma_y", "age_ms", "presence",
)  # fmt: skip


class FrameRecord(NamedTuple):
    """What was known when a frame was delivered.

    Attributes
    ----------
    frame, t_ns
        Its number and capture time, nanoseconds.
    presence
        TRACKING, UNCERTAIN or LOST; None where results are not assessed, and without a target.
    predictions
        By predictor, where the target is at `t_ns`; None without a target.
    """

    frame: int
    t_ns: int
    presence: Optional[str]
    predictions: Dict[str, Optional[Prediction]]

    @classmethod
    def of(cls, live: LiveTracker, frame: Frame, predictors: Sequence[str]) -> FrameRecord:
        """Ask the live tracker for this frame's capture time."""
        presence = live.presence
        made = {name: live.predict(frame.t_ns, name) for name in predictors}
        return cls(frame.index, frame.t_ns, presence.value if presence else None, made)

    @property
    def leading(self) -> Optional[Prediction]:
        """What the first predictor says."""
        return next(iter(self.predictions.values()))

    def caption(self) -> str:
        """Say the presence, and how old the evidence is."""
        if self.leading is None:
            return "no target"
        known = [self.presence.lower()] if self.presence else []
        return ", ".join([*known, f"evidence {self.leading.age * 1e3:.0f} ms old"])

    def rows(self) -> List[Tuple[Any, ...]]:
        """Return values of `COLUMNS`, a row for each predictor: pixels, pixels per second, milliseconds."""
        return [
            (self.frame, self.t_ns, name, *_rounded(made), self.presence)
            for name, made in self.predictions.items()
            if made is not None
        ]

    def to_line(self) -> str:
        """Return it as a line of JSON, from which `from_line` makes the same."""
        made = {
            name: None if each is None else [each.box.tolist(), each.velocity.tolist(), each.sigma.tolist(), each.age]
            for name, each in self.predictions.items()
        }
        return json.dumps([self.frame, self.t_ns, self.presence, made]) + "\n"

    @classmethod
    def from_line(cls, line: str) -> FrameRecord:
        """Read one that `to_line` made."""
        frame, t_ns, presence, made = json.loads(line)
        predictions = {name: None if each is None else _prediction(t_ns, *each) for name, each in made.items()}
        return cls(frame, t_ns, presence, predictions)


def _prediction(t_ns: int, box: List[float], velocity: List[float], sigma: List[float], age: float) -> Prediction:
    return Prediction(t_ns, np.array(box), np.array(velocity), np.array(sigma), age)


def _rounded(made: Prediction) -> List[float]:
    values = [*box_to_xywh(made.box), *made.velocity[:2], *made.sigma[:2], made.age * 1e3]
    return [round(float(value), 3) for value in values]
