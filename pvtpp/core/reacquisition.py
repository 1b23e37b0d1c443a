"""The search for a target that is probably not followed any more: where the tracker looks, and what it found there.

The path that the tracker follows goes on: it may be right, and often finds the target again by itself. The search gets
every second pass while the target is doubtful, and two of three while it is probably lost. What is found elsewhere
takes the path's place once its results speak for it, and more than those of the path: one result that leaves no doubt,
or several at the same place. A target that has turned, or is half in view, never leaves no doubt: it is enough that two
results at one place are far better than the path's, which is certainly wrong.
"""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.boxes import box_size, iou
from pvtpp.core.coasting import coast
from pvtpp.core.presence import MOST_ODDS, Belief, PresenceConfig
from pvtpp.core.search_map import SearchMap, reach
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory

SAME = 0.3
"""Two results with at least this intersection over union are of one object."""
FIRST_ODDS = -0.5
"""Log-odds of a candidate before its first result."""
KEPT = 2
"""Results of a candidate that its track begins with, at most: older ones are too far back."""


class Candidate(NamedTuple):
    """Another place where the target may be: its results, with capture times, and what is believed of it."""

    results: Tuple[Tuple[int, TrackerOutput], ...]
    belief: Belief

    @property
    def box(self) -> np.ndarray:
        """Of the newest result."""
        return self.results[-1][1].box


class Reacquisition:
    """What is believed of one target, and the search for it.

    Parameters
    ----------
    config
        Constants.
    t_ns, box
        Capture time of the first box, and it.

    Attributes
    ----------
    belief : Belief
        Replaced, never changed, so it may be read from any thread.
    """

    def __init__(self, config: PresenceConfig, t_ns: int, box: np.ndarray):
        self.config = config
        self.belief = Belief(t_ns, 3.0)
        self._seen = box
        self._seen_ns = t_ns
        self._expected: Optional[Trajectory] = None
        self._candidate: Optional[Candidate] = None
        self._hint: Optional[np.ndarray] = None
        # Candidates of a detector that have not been looked at, best first, and the one that was looked at last.
        self._detections: List[np.ndarray] = []
        self._detection: Optional[np.ndarray] = None
        self._map: Optional[SearchMap] = None
        self._turn = 0
        self._newest: Optional[Tuple[int, TrackerOutput]] = None
        self._compare_until_ns = self._believed_ns = t_ns

    @property
    def doubted_s(self) -> float:
        """Seconds for which it has probably been lost, by the capture times of results; 0 where it is not."""
        return max(self.belief.t_ns - self._seen_ns, 0) * 1e-9 if self.lost else 0.0

    @property
    def lost(self) -> bool:
        """Whether the target is probably lost."""
        return self.belief.probability < self.config.doubted_below

    def follow(self, t_ns: int, output: TrackerOutput) -> bool:
        """Take a result of the path that is followed; return whether it is evidence of where the target is.

        That of a lost target is not, for a moment, where it speaks strongly against itself: what was followed before
        is then the better evidence.
        """
        config = self.config
        self.belief = self.belief.after(config, t_ns, output)
        self._newest, self._hint = (t_ns, output), output.resembling
        if self.belief.probability >= config.known and self.belief.evidence > 0:
            self._seen, self._seen_ns = output.box, t_ns
            self._expected, self._map, self._detections = None, None, []
            if t_ns >= self._compare_until_ns:
                self._candidate = None
        fresh = (t_ns - self._believed_ns) * 1e-9 < config.ignored_s
        if fresh and self.belief.probability < config.doubted_below and self.belief.evidence <= -config.ignored_below:
            return False
        self._believed_ns = t_ns
        return True

    def predicted(self, trajectory: Trajectory) -> None:
        """Take a trajectory of the target: the first since it was last seen says where it is expected."""
        if self._expected is None:
            self._expected = coast(trajectory, self.config)

    def detected(self, boxes: np.ndarray) -> None:
        """Take a detector's candidates, best first, ``(n, 4)``: they are looked at one by one, before the map."""
        self._detections = list(boxes) if self.lost else []

    def searches(self) -> bool:
        """Whether the next pass of the tracker is lent to the search; it must then ask `where`."""
        probability = self.belief.probability
        share = 0 if probability >= self.config.search_below else 1 if probability >= self.config.doubted_below else 2
        if self._candidate is not None and self.belief.t_ns < self._compare_until_ns:
            share = max(share, 1)
        self._turn = self._turn + 1 if self._turn < share else 0
        return self._turn > 0

    def where(self, t_ns: int) -> np.ndarray:
        """Say where the tracker searches in the frame captured at `t_ns`: ``[cx, cy, w, h]``, pixels."""
        self._detection = None
        if self._candidate is not None:
            return self._candidate.box
        if self._detections:
            self._detection = self._detections.pop(0)
            return self._detection
        if self._map is None:
            self._map = SearchMap(self.config)
        expected = self._expected_at(t_ns)
        hint, self._hint = self._hint, None
        return self._map.look(t_ns, max(t_ns - self._seen_ns, 0) * 1e-9, expected, self._seen, hint)

    def found(self, t_ns: int, output: TrackerOutput) -> Optional[List[Tuple[int, TrackerOutput]]]:
        """Take the result of a search.

        Returns
        -------
        list or None
            The results that take the place of the path that is followed; None while it stays.
        """
        before, self._hint = self._candidate, output.resembling
        if before is not None and float(iou(before.box, output.box)) < SAME:
            before = None
        first = self._odds_of(t_ns, output.box)
        known = Belief(t_ns, first, self.belief.level) if before is None else before.belief
        belief = known.after(self.config, t_ns, output)
        better = self.lost and belief.evidence - self.belief.evidence >= self.config.better_by
        if belief.odds <= first and not better:
            self._candidate = None
            return None
        results = ((t_ns, output),) if before is None else (*before.results, (t_ns, output))[-KEPT:]
        self._candidate = Candidate(results, belief)
        enough = self.config.settled_above if better and len(results) > 1 else self.config.switch_above
        if belief.probability < max(enough, self.belief.probability):
            return None
        # What was followed goes on as the candidate for a while: should it prove right, it is taken up again.
        self._candidate = None if self._newest is None else Candidate((self._newest,), self.belief)
        self.belief, self._newest, self._expected, self._map = belief, results[-1], None, None
        self._detections = []
        self._seen, self._seen_ns, self._believed_ns = output.box, t_ns, t_ns
        self._compare_until_ns = t_ns + round(self.config.compare_s * 1e9)
        return list(results)

    def _expected_at(self, t_ns: int) -> np.ndarray:
        return self._seen if self._expected is None else self._expected.at(t_ns).box

    def _odds_of(self, t_ns: int, box: np.ndarray) -> float:
        """Log-odds of a candidate before its first result: the farther from where the target may be, the less.

        Where a detector saw it the place speaks for itself.
        """
        if self._detection is not None and float(iou(self._detection, box)) >= SAME:
            return FIRST_ODDS
        lost_s = max(t_ns - self._seen_ns, 0) * 1e-9
        far = min(float(np.hypot(*(box[:2] - each[:2]))) for each in (self._seen, self._expected_at(t_ns)))
        far /= box_size(self._seen)
        return max(FIRST_ODDS - 0.5 * (far / reach(self.config, lost_s)) ** 2, -MOST_ODDS)
