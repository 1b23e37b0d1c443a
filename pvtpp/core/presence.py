"""Is the target still there? The probability that it is followed, from all that results say, and three states of it.

A two-state hidden Markov model: the target is followed, or it is not. Between results the probability drifts to where
it is usual (`loss_rate`, `return_rate`). Each result is evidence: its score in log-odds and its appearance similarity
(`pvtpp.appearance`) enter a logistic model, fitted on recordings (`WEIGHTS`). Time counts too: evidence that is too
old, or a sigma too large for the target, makes presence uncertain. A pure state machine, without clock or images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from pvtpp.appearance import FEATURES, KINDS, PIXELS, AppearanceTracker
from pvtpp.errors import InputError
from pvtpp.tracker import Tracker, TrackerOutput
from pvtpp.validation import above, between, check, one_of


class Presence(Enum):
    """What is known of a target.

    TRACKING: it is followed. UNCERTAIN: it is probably followed, but the newest results are doubtful, old or imprecise.
    LOST: what is followed is probably something else; the search has begun.
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


class Weights(NamedTuple):
    """A logistic model: the log-odds that a result is right are ``constant + score * s + similarity * a``.

    Attributes
    ----------
    constant
        Log-odds.
    score
        Of the score's log-odds; where `relative`, of their distance from the target's own level, as a share of it.
    similarity
        Of the appearance similarity.
    relative
        Whether the scale of the tracker's scores is unknown.
    """

    constant: float
    score: float
    similarity: float
    relative: bool = False


WEIGHTS: Dict[Tuple[str, bool], Weights] = {
    (FEATURES, True): Weights(-10.2, 0.63, 9.6),
    (FEATURES, False): Weights(-10.7, 0.0, 14.4),
    (PIXELS, True): Weights(1.7, 6.9, 1.9, relative=True),
    (PIXELS, False): Weights(-2.0, 0.0, 4.0),
}
"""By what the similarity is computed from, and whether the tracker gives a score (benchmarks/studies/presence_fit).

Fitted on 16 of that study's 21 clips; on all of them the first row is -9.9, .52 and 9.7. Pixels were fitted on the same
results of NanoTrack V3. Networks that describe what they see are of one family, whose scores mean the same; those of
others may have any scale.
"""
MOST_ODDS = 10.0
"""Log-odds of a belief are no farther from 0."""
LEAST_LEVEL, LEVEL_RATE = 3.0, 0.1
"""Least level that scores are compared with, log-odds; share by which the level follows a score of a known target."""


_UNKNOWN_ONCE = {"better_by": 1e6, "settled_above": 1.0}
"""Constants that older logs do not have, such that nothing comes of them: those runs had no such rule."""


@dataclass(frozen=True)
class PresenceConfig:
    """The constants of the presence monitor, chosen on `uav-mini/train`, `uav-more` and drawn occluders.

    Attributes
    ----------
    kind
        What the similarity is computed from, see `pvtpp.appearance.AppearanceTracker.kind`.
    share
        Share of a result's evidence that counts: results in a row err together.
    most
        Largest evidence of one result, log-odds.
    loss_rate, return_rate
        How often a target that is followed is lost, and one that is lost is followed again by itself, per second.
    known
        Probability above which a result is taken for the place and size where the target was last seen.
    uncertain_below, lost_below
        Probabilities.
    search_below, doubted_below
        Probabilities below which every second pass of the tracker searches elsewhere, and two passes of three.
    switch_above
        Probability above which another place may replace the one that is followed.
    better_by, settled_above
        Where the target is probably lost, a place whose result is better than the path's by so much (log-odds) is
        looked at once more, though it says little by itself; seen twice, it replaces the path above this probability.
    compare_s
        After that the one that was followed is looked at for so long as well, and may come back, seconds.
    ignored_below, ignored_s
        A result of a lost target that speaks against itself by so much, log-odds, is no evidence, for so long, seconds.
    uncertain_s, lost_s
        Evidence older than this makes presence UNCERTAIN or LOST, seconds.
    uncertain_sigma
        A sigma of the centre above this many target sizes makes it UNCERTAIN.
    release
        A limit of age, sigma or probability that was passed is left again at this share of it (of 1 less it).
    coast_s
        Time within which a lost target's velocity decays, seconds.
    reach, reach_rate
        How far from its last place a lost target is searched for at most, target sizes, and its growth per second.
    """

    kind: str = PIXELS
    share: float = 0.5
    most: float = 3.0
    loss_rate: float = 0.2
    return_rate: float = 0.5
    known: float = 0.9
    uncertain_below: float = 0.6
    lost_below: float = 0.25
    search_below: float = 0.6
    doubted_below: float = 0.25
    switch_above: float = 0.7
    better_by: float = 2.5
    settled_above: float = 0.35
    compare_s: float = 1.0
    ignored_below: float = 2.0
    ignored_s: float = 0.4
    uncertain_s: float = 0.5
    lost_s: float = 2.0
    uncertain_sigma: float = 1.0
    release: float = 0.8
    coast_s: float = 0.4
    reach: float = 4.0
    reach_rate: float = 2.0

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self) if field.name != "kind"]
        shares = {name for name in names if name.endswith(("_below", "_above")) and name != "ignored_below"}
        shares |= {"share", "known", "release"}
        rules = {name: between(0, 1) if name in shares else above(0) for name in names}
        check(self, {"kind": one_of(KINDS), **rules})

    def evidence(self, output: TrackerOutput, level: Optional[float]) -> float:
        """How much a result speaks for the target being followed, log-odds.

        Parameters
        ----------
        output
            The result.
        level
            Usual log-odds of the target's score; None for the first result.
        """
        # A score of exactly 1 may be that of a tracker that has none.
        weights = WEIGHTS[self.kind, output.score != 1.0]
        score, similarity = log_odds(output.score), 1.0 if output.similarity is None else output.similarity
        if weights.relative:
            usual = score if level is None else level
            score = min(max((score - usual) / max(usual, LEAST_LEVEL), -2.0), 0.5)
        found = weights.constant + weights.score * score + weights.similarity * similarity
        return max(-self.most, min(found, self.most))

    def presence(self, probability: float, before: Presence, age_s: float, spread: float) -> Presence:
        """Say what is known of the target now.

        Parameters
        ----------
        probability
            That it is followed.
        before
            What was known of it until now.
        age_s
            Age of the newest evidence, seconds.
        spread
            Sigma of the centre, in target sizes.
        """
        # Evidence from the future is of another clock: never fresh.
        age_s = abs(age_s)
        lost_easier = self.release if before is Presence.LOST else 1.0
        easier = 1.0 if before is Presence.TRACKING else self.release
        if 1 - probability > (1 - self.lost_below) * lost_easier or age_s > self.lost_s * lost_easier:
            return Presence.LOST
        if (
            1 - probability > (1 - self.uncertain_below) * easier
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
        values = {**_UNKNOWN_ONCE, **values}
        if set(values) != known:
            odd = ", ".join(sorted(set(values) ^ known))
            raise InputError(f"presence was assessed by another version, whose constants differ in {odd}")
        return cls(**values)


def with_presence(tracker: Tracker, config: Optional[PresenceConfig]) -> Tuple[Tracker, Optional[PresenceConfig]]:
    """Return the tracker as the monitor needs it, and the constants for it; both as they are where `config` is None."""
    if config is None:
        return tracker, None
    assessed = AppearanceTracker(tracker)
    return assessed, replace(config, kind=assessed.kind)


class Belief(NamedTuple):
    """The probability that a target is followed. Replaced, never changed, so it may be read from any thread.

    Attributes
    ----------
    t_ns
        Capture time of the newest result, nanoseconds.
    odds
        Log-odds as of then.
    level
        Usual log-odds of the target's score; None before the first result.
    evidence
        What the newest result said, log-odds.
    """

    t_ns: int
    odds: float
    level: Optional[float] = None
    evidence: float = 0.0

    def after(self, config: PresenceConfig, t_ns: int, output: TrackerOutput) -> Belief:
        """Add the result for the frame captured at `t_ns`."""
        evidence = config.evidence(output, self.level)
        odds = self._drifted(config, t_ns) + config.share * evidence
        made = Belief(max(t_ns, self.t_ns), min(max(odds, -MOST_ODDS), MOST_ODDS), self.level, evidence)
        score = log_odds(output.score)
        if self.level is None:
            return made._replace(level=score)
        rate = LEVEL_RATE if made.probability >= config.known else 0.0
        return made._replace(level=self.level + rate * (score - self.level))

    @property
    def probability(self) -> float:
        """As of the newest result."""
        return 1 / (1 + math.exp(-self.odds))

    def _drifted(self, config: PresenceConfig, t_ns: int) -> float:
        both = config.loss_rate + config.return_rate
        usual = config.return_rate / both
        kept = math.exp(-both * max(t_ns - self.t_ns, 0) * 1e-9)
        found = usual + (self.probability - usual) * kept
        return math.log(found / (1 - found))


def log_odds(score: float) -> float:
    """Return the logarithm of ``score / (1 - score)``, as far as single precision tells both apart."""
    bounded = min(max(score, 1 - SUREST), SUREST)
    return math.log(bounded / (1 - bounded))
