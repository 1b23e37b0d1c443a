"""A tracker's failure, told with the sequence, the frame and the line: which of seventy clips it was is hard to find out."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import Iterator, Optional

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker, TrackerOutput, checked_output


class NamedFailures:
    """`tracker` on the sequence of this name; whatever it raises, and an answer that is none, become an InputError."""

    def __init__(self, tracker: Tracker, sequence: str):
        self._tracker, self._sequence = tracker, sequence

    def init(self, frame: Frame, box: np.ndarray) -> None:
        with self._telling(frame):
            self._tracker.init(frame, box)

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        with self._telling(frame):
            return checked_output(self._tracker, self._tracker.track(frame, search_box))

    @contextmanager
    def _telling(self, frame: Frame) -> Iterator[None]:
        where = f"{self._sequence}, frame {frame.index}"
        try:
            yield
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise InputError(f"{where}: {type(error).__name__}: {error} ({last.filename}:{last.lineno})") from error
