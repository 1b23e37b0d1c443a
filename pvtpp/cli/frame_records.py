"""What `pvtpp track` writes of each frame: where the target was at that moment, as rows of a file or on the image."""

from __future__ import annotations

import csv
import tempfile
from types import TracebackType
from typing import Any, Dict, Iterator, Optional, TextIO, Type

import numpy as np

from pvtpp.errors import InputError
from pvtpp.live.frame_record import COLUMNS, FrameRecord
from pvtpp_benchmarks.report.files import write_json

ENDINGS = (".csv", ".json")


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
