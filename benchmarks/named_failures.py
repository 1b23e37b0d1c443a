"""Errors of a tracker that name the sequence, the frame and the line, so that a failure in a long run can be found."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import Iterator, Optional

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker, TrackerOutput, checked_output


class NamedFailures:
    """A tracker whose exceptions and invalid answers become InputErrors that name sequence and frame.

    Parameters
    ----------
    tracker
        The tracker that does the work.
    sequence
        Name of the sequence that it runs on.
    """

    def __init__(self, tracker: Tracker, sequence: str):
        self._tracker, self._sequence = tracker, sequence

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start the tracker; InputError for whatever it raises."""
        with self._named(frame):
            self._tracker.init(frame, box)

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """The tracker's answer; InputError for whatever it raises, and for an answer that is no `TrackerOutput`."""
        with self._named(frame):
            return checked_output(self._tracker, self._tracker.track(frame, search_box))

    @contextmanager
    def _named(self, frame: Frame) -> Iterator[None]:
        """Raise what the block raises as an InputError that names sequence and frame."""
        where = f"{self._sequence}, frame {frame.index}"
        try:
            yield
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise InputError(f"{where}: {type(error).__name__}: {error} ({last.filename}:{last.lineno})") from error
