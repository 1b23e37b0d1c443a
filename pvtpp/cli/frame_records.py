"""What `pvtpp track` says of each frame: where the target was at that moment, as rows of a file or drawn on the image."""

from __future__ import annotations

import csv
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.files import whole_file
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp.trajectory import Prediction
from pvtpp_benchmarks.report.files import write_json

ENDINGS = (".csv", ".json")
COLUMNS = (
    "frame", "t_ns", "predictor", "left", "top", "width", "height",
    "velocity_x", "velocity_y", "sigma_x", "sigma_y", "age_ms", "status",
)  # fmt: skip


class Sighting(NamedTuple):
    """What was known when frame `frame` was delivered: by predictor, where the target is at its capture time `t_ns`."""

    frame: int
    t_ns: int
    status: Optional[str]
    predictions: Dict[str, Optional[Prediction]]

    @classmethod
    def of(cls, live: LiveTracker, frame: Frame, predictors: Sequence[str]) -> Sighting:
        status = live.status
        made = {name: live.predict(frame.t_ns, name) for name in predictors}
        return cls(frame.index, frame.t_ns, status.value if status else None, made)

    @property
    def leading(self) -> Optional[Prediction]:
        """What the first predictor says."""
        return next(iter(self.predictions.values()))

    def caption(self) -> str:
        """The status, and how old the evidence is."""
        if self.leading is None:
            return "no target"
        known = [self.status.lower()] if self.status else []
        return ", ".join([*known, f"evidence {self.leading.age * 1e3:.0f} ms old"])

    def rows(self) -> List[Tuple[Any, ...]]:
        """Values of `COLUMNS`, a row for each predictor: pixels, pixels per second, milliseconds."""
        return [
            (self.frame, self.t_ns, name, *_rounded(made), self.status)
            for name, made in self.predictions.items()
            if made is not None
        ]


def _rounded(made: Prediction) -> List[float]:
    values = [*box_to_xywh(made.box), *made.velocity[:2], *made.sigma[:2], made.age * 1e3]
    return [round(float(value), 3) for value in values]


def write(path: str, seen: Sequence[Sighting], about: Dict[str, Any]) -> None:
    """Rows as CSV or JSON, by the ending of `path`; JSON holds `about` besides. Whole or not at all."""
    rows = [row for sighting in seen for row in sighting.rows()]
    if path.endswith(".json"):
        write_json(path, {**about, "predictions": [dict(zip(COLUMNS, row)) for row in rows]})
        return
    with whole_file(path, make_folder=False) as part, open(part, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def draw(image: np.ndarray, sighting: Sighting) -> np.ndarray:
    """A copy of the image with what the first predictor says, and how old its evidence is."""
    from pvtpp_benchmarks.report.video import PREDICTED, draw_boxes

    made = sighting.leading
    boxes = {} if made is None else {next(iter(sighting.predictions)): (made.box, PREDICTED)}
    return draw_boxes(image, boxes, sighting.caption())
