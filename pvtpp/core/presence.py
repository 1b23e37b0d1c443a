"""Is the target still there? What its results say, with hysteresis: a pure state machine, without clock or images.

Each result is assessed as *good*, *doubtful* or a *miss*: by the tracker's score against the target's own recent level
and a least score, and by the appearance similarity (`pvtpp.appearance`), where there is one. Misses in a row lose the
target, good results in a row find it again. Time counts too: evidence that is too old, or a sigma too large for the
target, makes presence uncertain. The quality of propagation counts through the age: what the images do not support is
no evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Mapping, NamedTuple, Optional

from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput
from pvtpp.validation import above, between, check


class Presence(Enum):
    """What is known of a target.

    TRACKING: it is followed. UNCERTAIN: it is probably followed, but the newest results are doubtful, old or imprecise.
    LOST: it is gone; then its trajectory coasts and the search widens.
    """

    TRACKING = "TRACKING"
    UNCERTAIN = "UNCERTAIN"
    LOST = "LOST"


PRESENCES = ("off", "on")
"""Names of the setting: believe every result, or assess them."""

UNCHECKED_S = 0.8
"""A target with no result newer than this is not TRACKING, seconds: propagation alone may follow something else."""

SUREST = 1 - 2.0**-24
"""About the largest single-precision number below 1: what networks compute in."""


class Assessment(Enum):
    """What one result is worth."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    MISS = "miss"


@dataclass(frozen=True)
class PresenceConfig:
    """The constants of the presence monitor, chosen on `uav-mini/train` and generated clips (studies/loss_and_return).

    Attributes
    ----------
    least_score
        A score below is low.
    score_share
        A score is low too where its log-odds are below this share of the target's own recent level. A network's score
        is nearly 1 all the time; its odds tell.
    level_rate
        Share by which that level follows each good result.
    similarity_good
        An appearance similarity below makes a result doubtful.
    similarity_found
        The same while the target is LOST.
    similarity_miss
        A low score together with a similarity below this is a miss; one of both alone makes a result doubtful, for a
        target may turn, and a score may drop. Without a similarity a low score is a miss. With a score of exactly 1,
        which trackers without scores give, a similarity below this is a miss.
    lost_after
        Misses in a row that make the target LOST.
    found_after
        Good results in a row that make it TRACKING again.
    uncertain_s, lost_s
        Evidence older than this makes presence UNCERTAIN or LOST, seconds.
    uncertain_sigma
        A sigma of the centre above this many target sizes makes it UNCERTAIN.
    release
        A limit of age or sigma that was passed is left again at this share of it.
    coast_s
        Time within which a lost target's velocity decays, seconds.
    coast_growth
        Growth of a lost target's sigma, target sizes per second.
    reach, reach_rate
        How far from its last place a lost target is searched for at most, target sizes, and its growth per second.
    """

    least_score: float = 0.2
    score_share: float = 0.5
    level_rate: float = 0.1
    similarity_good: float = 0.7
    similarity_found: float = 0.9
    similarity_miss: float = 0.5
    lost_after: int = 2
    found_after: int = 2
    uncertain_s: float = 0.5
    lost_s: float = 2.0
    uncertain_sigma: float = 1.0
    release: float = 0.8
    coast_s: float = 0.4
    coast_growth: float = 1.0
    reach: float = 4.0
    reach_rate: float = 2.0

    def __post_init__(self) -> None:
        shares = ("least", "score", "similarity", "level", "release")
        names = [field.name for field in fields(self)]
        check(self, {name: between(0, 1) if name.startswith(shares) else above(0) for name in names})
        if self.similarity_miss > self.similarity_good:
            raise InputError(
                f"PresenceConfig.similarity_miss is {self.similarity_miss!r}, "
                f"allowed is 0 to similarity_good ({self.similarity_good!r})"
            )

    def assess(self, history: ResultHistory, output: TrackerOutput) -> Assessment:
        """Assess one result of the target with this history."""
        odds, level = log_odds(output.score), history.level
        low = output.score < self.least_score or (level is not None and odds < self.score_share * level)
        if output.similarity is None and low:
            return Assessment.MISS
        # A score of exactly 1 may be that of a tracker that has none: it excuses nothing.
        unlike = output.similarity is not None and output.similarity < self.similarity_miss
        if unlike and (low or output.score == 1.0):
            return Assessment.MISS
        wanted = self.similarity_found if history.lost else self.similarity_good
        similar = output.similarity is None or output.similarity >= wanted
        return Assessment.GOOD if similar and not low else Assessment.DOUBTFUL

    def presence(self, history: ResultHistory, before: Presence, age_s: float, spread: float) -> Presence:
        """Say what is known of the target now.

        Parameters
        ----------
        history
            Of its results.
        before
            What was known of it until now.
        age_s
            Age of the newest evidence, seconds.
        spread
            Sigma of the centre, in target sizes.
        """
        # Evidence from the future is of another clock: never fresh.
        age_s = abs(age_s)
        easier = 1.0 if before is Presence.TRACKING else self.release
        if history.lost or age_s > self.lost_s * (self.release if before is Presence.LOST else 1.0):
            return Presence.LOST
        if (
            history.hits < self.found_after
            or age_s > self.uncertain_s * easier
            or spread > self.uncertain_sigma * easier
        ):
            return Presence.UNCERTAIN
        return Presence.TRACKING

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PresenceConfig:
        """Make the configuration that an event log holds.

        Raises
        ------
        InputError
            For the constants of another version.
        """
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            odd = ", ".join(sorted(set(values) ^ known))
            raise InputError(f"presence was assessed by another version, whose constants differ in {odd}")
        return cls(**values)


class ResultHistory(NamedTuple):
    """What is remembered of the results of one target.

    Attributes
    ----------
    hits, misses
        Good results and misses in a row.
    level
        Recent level of the score in log-odds; None before the first good result.
    doubt_ns
        Capture time since which results have been misses; None where the newest is none.
    lost
        Whether that has lost the target.
    """

    hits: int
    misses: int = 0
    level: Optional[float] = None
    doubt_ns: Optional[int] = None
    lost: bool = False

    @classmethod
    def begin(cls, config: PresenceConfig) -> ResultHistory:
        """Begin with a target just given, which is believed."""
        return cls(config.found_after)

    def after(self, config: PresenceConfig, capture_ns: int, assessment: Assessment, score: float) -> ResultHistory:
        """Add one more result."""
        if assessment is Assessment.MISS:
            misses = self.misses + 1
            since = capture_ns if self.doubt_ns is None else self.doubt_ns
            lost = self.lost or misses >= config.lost_after
            return self._replace(hits=0, misses=misses, doubt_ns=since, lost=lost)
        if assessment is Assessment.DOUBTFUL:
            # Something like it: no more a miss, and no find either.
            return self._replace(hits=0) if self.lost else self._replace(hits=0, misses=0, doubt_ns=None)
        hits = self.hits + 1
        if self.lost and hits < config.found_after:
            return self._replace(hits=hits)
        odds = log_odds(score)
        level = odds if self.level is None else self.level + config.level_rate * (odds - self.level)
        return ResultHistory(hits, level=level)


def log_odds(score: float) -> float:
    """Return the logarithm of ``score / (1 - score)``, as far as single precision tells both apart."""
    bounded = min(max(score, 1 - SUREST), SUREST)
    return math.log(bounded / (1 - bounded))
