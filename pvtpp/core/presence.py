"""Is the target still there? What the results say of it, with hysteresis: a pure state machine, without clock or images.

A result is *good*, *doubtful* or a *miss*, by the tracker's score against the target's own recent level and a floor, and by
how much what was found looks like the target (`pvtpp.appearance`), where somebody looked. Misses in a row lose the
target, good results in a row find it again; so does time: evidence that is too old, or a sigma too large for the target,
leaves nobody sure. The carry's quality has its say through the age: what the images do not support is no evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Mapping, NamedTuple, Optional

from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput


class Status(Enum):
    """Of a target: followed, followed in doubt, gone (then the trajectory coasts and the search widens)."""

    TRACKING = "TRACKING"
    UNCERTAIN = "UNCERTAIN"
    LOST = "LOST"


SUREST = 1 - 2.0**-24
"""The largest single-precision number below 1, about: what networks compute in."""


class Verdict(Enum):
    """On one result."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    MISS = "miss"


@dataclass(frozen=True)
class PresenceConfig:
    """A score is low below `score_floor`, or if its log-odds are below `score_share` of the target's own recent level, which
    follows with `level_rate` per good result: a network's score is as good as 1 all the time, its odds tell. A similarity below
    `similarity_good` is doubtful. Low and unlike (below `similarity_miss`) is a miss, one of both a doubt: a target may turn, and
    a tracker be unsure of it. While LOST `similarity_found` is asked for. Where nobody looked, a low score is a miss; where the
    score is 1, a low similarity is.

    `lost_after` misses in a row: LOST; `found_after` good results in a row: TRACKING. Evidence older than `uncertain_s` or
    `lost_s` seconds, or a sigma of the centre above `uncertain_sigma` target sizes, does the same whatever the results say; a
    limit that was passed is left again at `release` of it. A lost target coasts: its velocity decays within `coast_s` seconds,
    sigma grows by `coast_growth` sizes a second. It is searched for within `reach` sizes at most, `reach_rate` more each
    second.

    Constants were chosen on `uav-mini/train` and generated clips by `pvtpp_benchmarks.studies.loss_and_return`.
    """

    score_floor: float = 0.2
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
        for name in (field.name for field in fields(self)):
            value, share = getattr(self, name), name.startswith(("score", "similarity", "level", "release"))
            if not (0 <= value <= 1 if share else 0 < value < math.inf):
                allowed = "0 to 1" if share else "any number above 0"
                raise InputError(f"PresenceConfig.{name} is {value!r}, allowed is {allowed}")
        if self.similarity_miss > self.similarity_good:
            raise InputError(
                f"PresenceConfig.similarity_miss is {self.similarity_miss!r}, allowed is 0 to similarity_good ({self.similarity_good!r})"
            )

    def verdict(self, watch: Watch, output: TrackerOutput) -> Verdict:
        """What to think of this result of the target that `watch` knows."""
        odds, level = log_odds(output.score), watch.level
        low = output.score < self.score_floor or (level is not None and odds < self.score_share * level)
        if output.similarity is None and low:
            return Verdict.MISS
        # A score of 1 may be that of a tracker that has none: it excuses nothing.
        if output.similarity is not None and output.similarity < self.similarity_miss and (low or output.score == 1.0):
            return Verdict.MISS
        wanted = self.similarity_found if watch.lost else self.similarity_good
        alike = output.similarity is None or output.similarity >= wanted
        return Verdict.GOOD if alike and not low else Verdict.DOUBTFUL

    def judge(self, watch: Watch, before: Status, age_s: float, spread: float) -> Status:
        """The status, where it was `before`, the newest evidence is `age_s` old, and sigma is `spread` target sizes."""
        easier = 1.0 if before is Status.TRACKING else self.release
        if watch.lost or age_s > self.lost_s * (self.release if before is Status.LOST else 1.0):
            return Status.LOST
        if watch.hits < self.found_after or age_s > self.uncertain_s * easier or spread > self.uncertain_sigma * easier:
            return Status.UNCERTAIN
        return Status.TRACKING

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PresenceConfig:
        """As a log has it. Raises InputError for the constants of another version."""
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            odd = ", ".join(sorted(set(values) ^ known))
            raise InputError(f"the results were judged by another version, whose constants differ in {odd}")
        return cls(**values)


class Watch(NamedTuple):
    """What is remembered of the results of one target: `hits` and `misses` in a row, the `level` of its score in log-odds
    (None: no result yet), since which capture time they have been misses (`doubt_ns`), and whether that has lost it."""

    hits: int
    misses: int = 0
    level: Optional[float] = None
    doubt_ns: Optional[int] = None
    lost: bool = False

    @classmethod
    def begin(cls, config: PresenceConfig) -> Watch:
        """A target just given is believed."""
        return cls(config.found_after)

    def after(self, config: PresenceConfig, capture_ns: int, verdict: Verdict, score: float) -> Watch:
        """With one more result."""
        if verdict is Verdict.MISS:
            misses = self.misses + 1
            since = capture_ns if self.doubt_ns is None else self.doubt_ns
            return self._replace(hits=0, misses=misses, doubt_ns=since, lost=self.lost or misses >= config.lost_after)
        if verdict is Verdict.DOUBTFUL:
            # Something like it: no more a miss, and no find either.
            return self._replace(hits=0) if self.lost else self._replace(hits=0, misses=0, doubt_ns=None)
        hits = self.hits + 1
        if self.lost and hits < config.found_after:
            return self._replace(hits=hits)
        odds = log_odds(score)
        level = odds if self.level is None else self.level + config.level_rate * (odds - self.level)
        return Watch(hits, level=level)


def log_odds(score: float) -> float:
    """The logarithm of score against 1 - score, as far as single precision tells them apart."""
    bounded = min(max(score, 1 - SUREST), SUREST)
    return math.log(bounded / (1 - bounded))
