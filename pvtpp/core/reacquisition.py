"""The search for a target that may be lost: which results are believed, and where the tracker looks next."""

from __future__ import annotations

from typing import List, Optional, Tuple

import numpy as np

from pvtpp.core.coasting import Places, search_box
from pvtpp.core.presence import Assessment, PresenceConfig, ResultHistory
from pvtpp.tracker import TrackerOutput

Result = Tuple[int, TrackerOutput]


class Reacquisition:
    """The search of one target.

    Attributes
    ----------
    history : ResultHistory
        Replaced, never changed, so it may be read from any thread.
    finds : list of (int, TrackerOutput)
        While the target is lost: the newest good results in a row, with their capture times.
    """

    def __init__(self, config: PresenceConfig, box: np.ndarray):
        self.config = config
        self.history = ResultHistory.begin(config)
        self.finds: List[Result] = []
        # What is half hidden looks small: the size to look for is that of the newest good result.
        self._size = box[2:]
        self._doubtful: Optional[TrackerOutput] = None
        # The tracker's own path since the loss, whether it looks there now, and how often it was sent somewhere.
        self._own: Optional[np.ndarray] = None
        self._on_own_path = False
        self._looked = 0

    def believe(self, capture_ns: int, output: TrackerOutput) -> bool:
        """Take one more result; return whether it is evidence of where the target is."""
        before = self.history
        assessment = self.config.assess(before, output)
        self.history = before.after(self.config, capture_ns, assessment, output.score)
        if assessment is Assessment.GOOD:
            self._size = output.box[2:]
        if before.lost:
            self._follow(capture_ns, assessment, output)
        elif self.history.lost:
            self.finds, self._doubtful, self._own = [], None, output.box
            self._on_own_path, self._looked = False, 0
        return not before.lost and assessment is not Assessment.MISS

    def where(self, lost_s: float, seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Say where the tracker looks next for a lost target.

        Parameters
        ----------
        lost_s
            Seconds since it was last seen.
        seen, expected
            Where it was last seen and where it is predicted, ``[cx, cy, w, h]`` in pixels.

        Returns
        -------
        ndarray
            The search box ``(4,)``, ``[cx, cy, w, h]``.
        """
        lead = self.finds[-1][1] if self.finds else self._doubtful
        if lead is not None:
            self._on_own_path = False
            return lead.box
        seen = np.concatenate([seen[:2], self._size])
        places = Places(seen, expected, seen if self._own is None else self._own)
        box = search_box(self._looked, lost_s, places, self.config)
        self._looked, self._on_own_path = self._looked + 1, box is places.own
        return box

    def _follow(self, capture_ns: int, assessment: Assessment, output: TrackerOutput) -> None:
        self.finds = [*self.finds, (capture_ns, output)] if assessment is Assessment.GOOD else []
        # A doubtful result is followed as long as its similarity grows.
        more = self._doubtful is None or (output.similarity or 0) > (self._doubtful.similarity or 0)
        self._doubtful = output if assessment is Assessment.DOUBTFUL and more else None
        if self._on_own_path:
            self._own = output.box
