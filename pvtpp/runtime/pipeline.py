"""The state machine between camera, tracker and whoever asks: no threads, no clock, no I/O.

A driver tells it what happened and when (`t_ns`, the driver's clock); it keeps the track, the current trajectory of every
predictor, and the event log. The live tracker, the simulator and a replay drive the same machine, and the same events give
bit-identical trajectories.
"""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import as_box
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.runtime.log import EventLog, Unlogged
from pvtpp.track import Bridge, CarriedBox, Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory

SEARCH_REGIONS = ("last", "predicted")
CARRY_GATE = 0.02
"""A carried box of less quality is no evidence: down to here it beats staying where the anchor was (`propagation_carry`)."""


class Pipeline:
    """`predictors`: listeners by name; the first one leads: with ``search_region="predicted"`` it says where to look next.

    `log` is what the events are written to; None keeps nothing. `target` counts the targets given by `init`. `trajectories`
    is replaced, never changed: a reader in another thread takes it without a lock.
    """

    def __init__(self, predictors: Mapping[str, Predictor], search_region: str = "last", log: Optional[EventLog] = None):
        if not predictors:
            raise InputError("a pipeline needs at least one predictor ('hold' if nothing is to be predicted)")
        if search_region not in SEARCH_REGIONS:
            raise InputError(f"unknown search region {search_region!r}, expected one of: {', '.join(SEARCH_REGIONS)}")
        self.predictors = dict(predictors)
        self.search_region = search_region
        self.log = log if log is not None else Unlogged()
        self.trajectories: Dict[str, Trajectory] = {}
        self._tracks: Dict[str, Track] = {}
        self.target = 0
        self._now_ns: Optional[int] = None

    def init(self, t_ns: int, frame: int, capture_ns: int, box: np.ndarray) -> None:
        """A new target, seen at `box` in this frame; everything before is forgotten."""
        box = as_box(box, "first box")
        self._advance(t_ns)
        self.log.init(t_ns, frame, capture_ns, box)
        self.target += 1
        output = TrackerOutput(box)
        self._tracks = {name: Track() for name in self.predictors}
        self._add_anchor(capture_ns, output)
        self.predict(t_ns)

    def frame_arrived(self, t_ns: int, frame: int, capture_ns: int) -> None:
        """The camera delivered a frame."""
        self._advance(t_ns)
        self.log.frame(t_ns, frame, capture_ns)

    def tracker_started(self, t_ns: int, frame: int, capture_ns: int) -> Optional[np.ndarray]:
        """The tracker takes this frame; returns where it shall look, None for round its own last result."""
        self._advance(t_ns)
        self._require_target()
        search_box = None
        if self.search_region == "predicted":
            search_box = self.expected(capture_ns)
        self.log.start(t_ns, frame, capture_ns, search_box)
        return search_box

    def tracker_finished(self, t_ns: int, frame: int, capture_ns: int, output: TrackerOutput) -> None:
        """The tracker's answer for this frame; it counts as evidence from the next `predict` on."""
        self._advance(t_ns)
        self._require_target()
        self.log.result(t_ns, frame, capture_ns, output)
        self._add_anchor(capture_ns, output)

    def carried(self, t_ns: int, anchor_ns: int, boxes: Sequence[CarriedBox], bridge: Optional[Bridge] = None) -> bool:
        """What the fast lane found: the anchor of `anchor_ns` on later frames, instead of what it had found before, and the
        way to it from the anchor before, if that is new.

        Boxes that the images do not support (quality below `CARRY_GATE`) are left out. False where that anchor is no longer
        the newest: then nothing changes, the newest one's own boxes are on their way.
        """
        self._advance(t_ns)
        self._require_target()
        self.log.carried(t_ns, anchor_ns, boxes, bridge)
        if self.anchor()[0] != anchor_ns:
            return False
        good = [each for each in boxes if each.quality >= CARRY_GATE]
        if bridge is not None and bridge.quality < CARRY_GATE:
            bridge = None
        self._tracks = {name: track.with_carried(good, bridge) for name, track in self._tracks.items()}
        return True

    def anchor(self) -> Tuple[int, np.ndarray]:
        """Capture time and box of the newest tracker result."""
        track = self._lead_track()
        return track.t_ns[-1], track.boxes[-1]

    def evidence_box(self) -> np.ndarray:
        """The newest evidence, ``[cx, cy, w, h]``: where the target was last seen, by the tracker or by the fast lane."""
        return self._lead_track().evidence()[1][-1]

    def expected(self, t_ns: int) -> np.ndarray:
        """Where the leading predictor has the target at `t_ns`, ``[cx, cy, w, h]``."""
        self._require_target()
        return self.trajectories[next(iter(self.predictors))].at(t_ns).box

    def predict(self, t_ns: int) -> Dict[str, Trajectory]:
        """Every predictor turns its track into a trajectory, which becomes current at `t_ns`."""
        self._advance(t_ns)
        self._require_target()
        trajectories = {name: each.predict(self._tracks[name]) for name, each in self.predictors.items()}
        for name, trajectory in trajectories.items():
            self.log.trajectory(t_ns, name, trajectory)
        self.trajectories = trajectories
        return trajectories

    def _add_anchor(self, capture_ns: int, output: TrackerOutput) -> None:
        self._tracks = {
            name: track.with_anchor(capture_ns, output.box, output.score, self.predictors[name].encode(output))
            for name, track in self._tracks.items()
        }

    def _lead_track(self) -> Track:
        """The leading predictor's track; boxes and times are the same in all of them."""
        self._require_target()
        return next(iter(self._tracks.values()))

    def _advance(self, t_ns: int) -> None:
        if self._now_ns is not None and t_ns < self._now_ns:
            raise InputError(f"time went backwards: event at t_ns={t_ns} after one at t_ns={self._now_ns}")
        self._now_ns = t_ns

    def _require_target(self) -> None:
        if not self._tracks:
            raise InputError("no target: init() comes before tracking and predicting")
