"""The search for a target that may be lost: what its results are worth, and where the tracker looks next."""

from __future__ import annotations

from typing import List, Optional, Tuple

import numpy as np

from pvtpp.core.coasting import Places, search_box
from pvtpp.core.presence import PresenceConfig, Verdict, Watch
from pvtpp.tracker import TrackerOutput

Result = Tuple[int, TrackerOutput]


class Search:
    """Of one target, given at `box`. `watch` is replaced, never changed. While the target is lost, `finds` are the newest good
    results in a row, capture times and outputs."""

    def __init__(self, config: PresenceConfig, box: np.ndarray):
        self.config = config
        self.watch = Watch.begin(config)
        self.finds: List[Result] = []
        # What is half hidden looks small; the size to look for is the one that nobody doubted.
        self._size = box[2:]
        self._trail: Optional[TrackerOutput] = None
        # Where the tracker would be by itself, whether that is where it looks at present, and how often it looked around.
        self._own: Optional[np.ndarray] = None
        self._on_own_way = False
        self._looked = 0

    def judge(self, capture_ns: int, output: TrackerOutput) -> bool:
        """Whether this result is evidence of where the target is; what a lost one's finds are worth `watch` tells."""
        before = self.watch
        verdict = self.config.verdict(before, output)
        self.watch = before.after(self.config, capture_ns, verdict, output.score)
        if verdict is Verdict.GOOD:
            self._size = output.box[2:]
        if before.lost:
            self._seek(capture_ns, verdict, output)
        elif self.watch.lost:
            self.finds, self._trail, self._own, self._on_own_way, self._looked = [], None, output.box, False, 0
        return not before.lost and verdict is not Verdict.MISS

    def where(self, lost_s: float, seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Where the tracker looks next for a target lost for `lost_s` seconds: all ``[cx, cy, w, h]``."""
        lead = self.finds[-1][1] if self.finds else self._trail
        if lead is not None:
            self._on_own_way = False
            return lead.box
        seen = np.concatenate([seen[:2], self._size])
        places = Places(seen, expected, seen if self._own is None else self._own)
        box = search_box(self._looked, lost_s, places, self.config)
        self._looked, self._on_own_way = self._looked + 1, box is places.own
        return box

    def _seek(self, capture_ns: int, verdict: Verdict, output: TrackerOutput) -> None:
        self.finds = [*self.finds, (capture_ns, output)] if verdict is Verdict.GOOD else []
        # A doubtful result is followed as long as it gets warmer.
        warmer = self._trail is None or (output.similarity or 0) > (self._trail.similarity or 0)
        self._trail = output if verdict is Verdict.DOUBTFUL and warmer else None
        if self._on_own_way:
            self._own = output.box
