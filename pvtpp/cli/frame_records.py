"""What `pvtpp track` writes of each frame: where the target was at that moment, as rows of a file or on the image."""

from __future__ import annotations

import csv
import json
import tempfile
from types import TracebackType
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, TextIO, Tuple, Type

import numpy as np

from pvtpp.boxes import box_to_xywh
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp.trajectory import Prediction
from pvtpp_benchmarks.report.files import write_json

ENDINGS = (".csv", ".json")
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


class RecordFile:
    """Takes records one by one: hours of them need no more memory than minutes.

    Parameters
    ----------
    path
        A ``.csv`` file is written as records come, a ``.json`` file by `finish`; None writes none.
    """

    def __init__(self, path: Optional[str]):
        self._path = path
        self._kept = tempfile.TemporaryFile("w+", encoding="ascii")
        self._csv: Optional[TextIO] = None
        self.count = 0
        if path and path.endswith(".csv"):
            try:
                # A name that is no UTF-8, in the path of a predictor's file, is written as it is.
                self._csv = open(path, "w", encoding="utf-8", errors="surrogateescape", newline="", buffering=1)
            except OSError as error:
                raise InputError(f"{path}: cannot write ({error.strerror or error})") from None
            csv.writer(self._csv).writerow(COLUMNS)

    def add(self, record: FrameRecord) -> None:
        """Take one more record."""
        where = tempfile.gettempdir()
        try:
            self._kept.write(record.to_line())
            self.count += 1
            if self._csv is not None:
                where = self._path or ""
                csv.writer(self._csv).writerows(record.rows())
        except OSError as error:
            raise InputError(f"{where}: cannot write ({error.strerror or error})") from None

    def __iter__(self) -> Iterator[FrameRecord]:
        self._kept.seek(0)
        for line in self._kept:
            yield FrameRecord.from_line(line)

    def finish(self, about: Dict[str, Any]) -> None:
        """Write the file whole; JSON holds `about` besides."""
        if self._csv is not None:
            self._csv.close()
        elif self._path:
            rows = [dict(zip(COLUMNS, row)) for record in self for row in record.rows()]
            write_json(self._path, {**about, "predictions": rows})

    def __enter__(self) -> RecordFile:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], at: Optional[TracebackType]
    ) -> None:
        self._kept.close()
        if self._csv is not None:
            self._csv.close()


def draw(image: np.ndarray, record: FrameRecord) -> np.ndarray:
    """Return a copy of the image with what the first predictor says, and how old its evidence is."""
    from pvtpp_benchmarks.report.video import PREDICTED, draw_boxes

    made = record.leading
    boxes = {} if made is None else {next(iter(record.predictions)): (made.box, PREDICTED)}
    return draw_boxes(image, boxes, record.caption())
