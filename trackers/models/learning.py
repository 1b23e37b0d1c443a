"""Which trackers can learn together with a predictor, and which part of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pvtpp_trackers.models.nanotrack_training import LastStage
from pvtpp_trackers.models.siamrpn import ARCHITECTURES
from pvtpp_trackers.models.siamrpn_training import NeckAndHead
from pvtpp_trackers.models.training import LearningPart

LEARNING: dict[str, Callable[[Any], LearningPart]] = {
    "nanotrack-v3": LastStage,
    **dict.fromkeys(ARCHITECTURES, NeckAndHead),
}
"""By tracker: makes the part that learns from the tracker's network (see `zoo`)."""
