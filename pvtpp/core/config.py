"""What decides the schedule of a state machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.validation import above, check, one_of

SEARCH_REGIONS = ("last", "predicted")
SCHEDULES = ("async", "paper")


@dataclass(frozen=True)
class CoreConfig:
    """What decides the schedule.

    Attributes
    ----------
    search_region
        ``predicted``: the tracker looks where the leading predictor has the target. ``last``: round its own last
        result.
    presence
        Constants of the presence monitor; None believes every result.
    propagation
        Whether there is a propagator.
    one_core
        Propagator and tracker share a processor: the tracker waits for the propagation of its result.
    schedule
        ``async``: predict, then take the newest frame. ``paper``: take the newest frame, predict for the frames to
        come, then track the frame taken (PVT++, arXiv 2211.11629); knows no propagation.
    wait_s
        How long the tracker waits at most for propagation and prediction, seconds. The schedule ``paper`` has no such
        limit.
    steers
        Whether the tracker looks where it is sent; else no pass of it is lent to the search, and all results count.
    detects
        Whether there is a detector that is asked for candidates while a target is probably lost.
    """

    search_region: str = "last"
    presence: Optional[PresenceConfig] = None
    propagation: bool = False
    one_core: bool = False
    schedule: str = "async"
    wait_s: float = 0.1
    steers: bool = True
    detects: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            {"search_region": one_of(SEARCH_REGIONS), "schedule": one_of(SCHEDULES), "wait_s": above(0)},
        )
        if self.detects and (self.presence is None or not self.steers):
            raise InputError("a detector needs presence on and a tracker that takes a search box, to find lost targets")
        if self.propagation and self.schedule == "paper":
            raise InputError("schedule 'paper' knows no propagation, use 'async'")

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> CoreConfig:
        """Read the configuration back from the meta of an event log."""
        values = dict(meta.get("core", {}))
        if values.get("presence") is not None:
            values["presence"] = PresenceConfig.from_dict(values["presence"])
        return cls(**values)
