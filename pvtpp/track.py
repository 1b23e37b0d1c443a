"""The recent past of one target: what a predictor may know, and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import Any, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import as_box
from pvtpp.errors import InputError

HISTORY = 24
"""Results kept. A predictor sees at most the newest 24: enough for a filter to forget how it started."""


class PropagatedBox(NamedTuple):
    """The newest result moved to a later frame by what the images show.

    Attributes
    ----------
    t_ns
        Capture time of that frame, nanoseconds.
    box
        ``[cx, cy, w, h]``, pixels.
    quality
        How far the images support it, 0 to 1.
    """

    t_ns: int
    box: np.ndarray
    quality: float


class Displacement(NamedTuple):
    """How far the images say the target moved from one result to the next.

    Attributes
    ----------
    from_ns
        Capture time of the earlier result, nanoseconds.
    moved
        Difference of ``[cx, cy, w, h]``, pixels.
    quality
        How far the images support it, 0 to 1.
    """

    from_ns: int
    moved: np.ndarray
    quality: float


@dataclass(frozen=True)
class Track:
    """The newest results of one target in capture order; immutable, and bounded to `HISTORY`.

    Attributes
    ----------
    t_ns
        n capture times, strictly increasing, nanoseconds.
    boxes
        Shape ``(n, 4)``, ``[cx, cy, w, h]``, pixels.
    scores
        n numbers in [0, 1].
    encodings
        What the predictor's `encode` made of each result; None where it has not, and for motion-only predictors.
    propagated
        The newest result's box on later frames, in order. These share that result's error, so they say how the target
        moved since, not once more where it is.
    displacements
        n of what the images say of the way to each result from the one before; None where they say nothing.
    """

    t_ns: Tuple[int, ...] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    scores: Tuple[float, ...] = ()
    encodings: Tuple[Any, ...] = ()
    propagated: Tuple[PropagatedBox, ...] = ()
    displacements: Tuple[Optional[Displacement], ...] = ()

    def with_result(self, t_ns: int, box: np.ndarray, score: float = 1.0, encoding: Any = None) -> Track:
        """Return a new track with this result in its place in time; a second one for the same frame replaces the first.

        A new newest result leaves no propagated box: those were moved from another one.

        Parameters
        ----------
        t_ns
            Capture time of the result's frame, nanoseconds.
        box
            ``[cx, cy, w, h]``, pixels.
        score
            0 to 1.
        encoding
            What the predictor's `encode` made of it.

        Raises
        ------
        InputError
            For a box or a score that is none.
        """
        t_ns = int(t_ns)
        box = as_box(box, f"result for t_ns={t_ns}")
        if not 0 <= score <= 1:
            raise InputError(f"result for t_ns={t_ns}: score {score!r} is outside [0, 1]")
        at = bisect_left(self.t_ns, t_ns)
        after = at + (at < len(self.t_ns) and self.t_ns[at] == t_ns)
        boxes = np.concatenate([self.boxes[:at], box[None], self.boxes[after:]])[-HISTORY:]
        boxes.flags.writeable = False
        return Track(
            (self.t_ns[:at] + (t_ns,) + self.t_ns[after:])[-HISTORY:],
            boxes,
            (self.scores[:at] + (float(score),) + self.scores[after:])[-HISTORY:],
            (self.encodings[:at] + (encoding,) + self.encodings[after:])[-HISTORY:],
            self.propagated if after < len(self.t_ns) else (),
            (self.displacements[:at] + (None,) + self.displacements[after:])[-HISTORY:],
        )

    def with_propagated(
        self, propagated: Sequence[PropagatedBox], displacement: Optional[Displacement] = None
    ) -> Track:
        """Return a new track with these propagated boxes instead of the old ones.

        Parameters
        ----------
        propagated
            Later than the newest result, in order.
        displacement
            Leads to the newest result; None keeps the one it has.

        Raises
        ------
        InputError
            For times out of order, and for a box or a quality that is none.
        """
        self.require_result()
        times = [self.t_ns[-1], *(each.t_ns for each in propagated)]
        if any(b <= a for a, b in zip(times, times[1:])):
            raise InputError(f"propagated boxes must be later than the newest result and in order, got times {times}")
        checked = []
        for t_ns, box, quality in propagated:
            if not 0 <= quality <= 1:
                raise InputError(f"propagated box for t_ns={t_ns}: quality {quality!r} is outside [0, 1]")
            checked.append(PropagatedBox(int(t_ns), as_box(box, f"propagated box for t_ns={t_ns}"), float(quality)))
        displacements = self.displacements if displacement is None else (*self.displacements[:-1], displacement)
        return replace(self, propagated=tuple(checked), displacements=displacements)

    def with_encodings(self, encodings: Mapping[int, Any]) -> Track:
        """Return a new track whose encodings are these, by capture time; None where there is none."""
        return replace(self, encodings=tuple(map(encodings.get, self.t_ns)))

    def before(self, t_ns: int) -> Track:
        """Return the track without the boxes propagated to `t_ns` or later; results stay."""
        return replace(self, propagated=tuple(each for each in self.propagated if each.t_ns < t_ns))

    def displacement(self, index: int) -> Optional[Displacement]:
        """Return the displacement from result ``index - 1`` to result `index`; None where nothing is known of it."""
        found = self.displacements[index]
        return found if found is not None and index % len(self) and found.from_ns == self.t_ns[index - 1] else None

    def evidence(self) -> Tuple[Tuple[int, ...], np.ndarray]:
        """Return results and propagated boxes in one: n + m times, and boxes of shape ``(n + m, 4)``."""
        if not self.propagated:
            return self.t_ns, self.boxes
        return (
            self.t_ns + tuple(each.t_ns for each in self.propagated),
            np.concatenate([self.boxes, np.array([each.box for each in self.propagated])]),
        )

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def evidence_ns(self) -> int:
        """Capture time of the newest evidence, nanoseconds."""
        return self.propagated[-1].t_ns if self.propagated else self.t_ns[-1]

    @property
    def evidence_box(self) -> np.ndarray:
        """Box of the newest evidence, shape ``(4,)``, pixels."""
        return self.propagated[-1].box if self.propagated else self.boxes[-1]

    @property
    def newest(self) -> Tuple[int, np.ndarray]:
        """Capture time and box of the newest result."""
        self.require_result()
        return self.t_ns[-1], self.boxes[-1]

    def require_result(self) -> None:
        """Raise InputError on an empty track: nothing can be predicted from nothing."""
        if not self.t_ns:
            raise InputError("the track is empty: a predictor needs at least one tracker result")
