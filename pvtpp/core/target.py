"""What the state machine knows of one target, and what its stages have taken in of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple

import numpy as np

from pvtpp.core.reacquisition import Reacquisition
from pvtpp.core.silence import Silence
from pvtpp.track import PropagatedBox, Track
from pvtpp.tracker import Frame, TrackerOutput


@dataclass
class Target:
    """The state of one target. Counters count results from the first box, which is number 1."""

    number: int
    track: Track
    reacquisition: Optional[Reacquisition]
    silence: Silence
    results: int = 1
    # Results that propagation, and the current trajectories, have taken in.
    propagated: int = 1
    predicted: int = 0
    initialised: bool = False
    # The target was given on a past frame, and its tracker has not looked at a new one yet.
    catching_up: bool = False
    taken_ns: int = 0
    # The newest result that the current trajectories have taken in.
    checked_ns: int = 0
    # The newest frame that the detector was given.
    detected_ns: int = 0
    # The tracker's newest pass was a search elsewhere.
    elsewhere: bool = False
    # The frame that the tracker takes after the prediction (schedule `paper`).
    reserved: Optional[Frame] = None
    waiting_since: Optional[int] = None
    # Evidence has changed since the last prediction was asked for.
    changed: bool = True
    unencoded: Tuple[Tuple[int, TrackerOutput], ...] = ()
    encodings: Dict[str, Dict[int, Any]] = field(default_factory=dict)
    # The result that was last propagated, and its boxes on later frames so far.
    source: Optional[Tuple[int, np.ndarray]] = None
    boxes: Tuple[PropagatedBox, ...] = ()
