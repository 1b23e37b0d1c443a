"""A video with its true boxes: what trackers are recorded on and exported networks are compared on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Sequence

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame


@dataclass(frozen=True, eq=False)
class Clip:
    """A video and the true boxes of its target.

    The clip holds no decoded images: `frame` makes a frame anew at every call.

    Attributes
    ----------
    name
        Stands in messages and file names.
    length
        Number of camera frames, at least 1.
    frame
        Gives camera frame ``i``, for ``i`` from 0 and below `length`, in order of capture.
    truth_t_ns
        Times of the true boxes, nanoseconds, ascending, shape ``(m,)``. There may be more of them than frames.
    truth
        True boxes ``[cx, cy, w, h]``, pixels, shape ``(m, 4)``; NaN where the target is absent.

    Raises
    ------
    InputError
        Without any frame, or where `truth_t_ns` and `truth` do not fit each other.
    """

    name: str
    length: int
    frame: Callable[[int], Frame]
    truth_t_ns: np.ndarray
    truth: np.ndarray

    def __post_init__(self) -> None:
        if self.length < 1 or np.shape(self.truth) != (len(self.truth_t_ns), 4):
            raise InputError(
                f"clip {self.name}: {self.length} frames and truth of shape {np.shape(self.truth)} at "
                f"{len(self.truth_t_ns)} times, expected at least one frame and (times, 4)"
            )

    @classmethod
    def of(cls, sequence: Any) -> Clip:
        """The clip of an annotated video.

        Parameters
        ----------
        sequence
            Any object with `name`, `frame(i)`, a length, `world_t_ns` ``(m,)`` and `ground_truth_xywh` ``(m, 4)``, such
            as a `pvtpp_benchmarks.datasets.sequence.VideoSequence`.
        """
        truth = xywh_to_box(sequence.ground_truth_xywh)
        return cls(sequence.name, len(sequence), sequence.frame, sequence.world_t_ns, truth)

    def frame_t_ns(self) -> List[int]:
        """Capture time of every frame, nanoseconds."""
        return [self.frame(index).t_ns for index in range(self.length)]

    def box_at(self, t_ns: int) -> np.ndarray:
        """The true box at this time, shape ``(4,)``; NaN where the target is absent or nothing is annotated."""
        at = int(np.searchsorted(self.truth_t_ns, t_ns))
        return self.truth[at] if at < len(self.truth) and self.truth_t_ns[at] == t_ns else np.full(4, np.nan)

    def frame_truth(self) -> np.ndarray:
        """The true box at the capture time of every frame, shape ``(length, 4)``; NaN as in `box_at`."""
        return np.array([self.box_at(t_ns) for t_ns in self.frame_t_ns()])


class LazyFrames(Sequence[Frame]):
    """The frames of a video from one on; each is made anew when it is asked for, so that no image stays in memory.

    Parameters
    ----------
    frame
        Gives frame ``i`` of the video.
    start, stop
        The first frame, and the one after the last.
    """

    def __init__(self, frame: Callable[[int], Frame], start: int, stop: int):
        self._frame, self._numbers = frame, range(start, stop)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, number: Any) -> Any:
        return self._frame(self._numbers[number])
