"""The state machine between camera, tracker and whoever asks: no threads, no clock, no I/O.

A driver tells it what happened and when (`t_ns`, the driver's clock); it keeps the track, the current trajectory of every
predictor, the status, and the event log. The live tracker, the simulator and a replay drive the same machine, and the same
events give bit-identical trajectories.
"""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Dict, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike, as_box
from pvtpp.camera_motion import Gyro
from pvtpp.core.coasting import coast
from pvtpp.core.event_log import EventLog, Unlogged
from pvtpp.core.presence import PresenceConfig, Status
from pvtpp.core.reacquisition import Search
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.stabilised import answer, stabilised
from pvtpp.track import Displacement, PropagatedBox, Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Prediction, Trajectory

SEARCH_REGIONS = ("last", "predicted")
CARRY_GATE = 0.02
"""A propagated box of less quality is no evidence: down to here it beats staying where the anchor was (`propagation_carry`)."""


class Pipeline:
    """`predictors`: listeners by name; the first one leads: with ``search_region="predicted"`` it says where to look next.

    `log` is what the events are written to; None keeps nothing. `target` counts the targets given by `init`. `trajectories`
    is replaced, never changed: a reader in another thread takes it without a lock.

    With `status` every result is judged: a miss is no evidence; after some misses the target is LOST: what was propagated since
    the first one is forgotten, the trajectories coast, the tracker is sent to look around, and when it finds the target the
    track begins anew there. None: every result is believed. The log's meta says where it looks (``search_region``) and with
    which constants it judges (``presence_config``).

    With a `gyro` that says how the camera turned (`turned`), predictors see the track in the stabilised frame; the log's meta
    holds the camera (``gyro``).
    """

    def __init__(
        self,
        predictors: Mapping[str, Predictor],
        search_region: str = "last",
        log: Optional[EventLog] = None,
        status: Optional[PresenceConfig] = None,
        gyro: Optional[Gyro] = None,
    ):
        if not predictors:
            raise InputError("a pipeline needs at least one predictor ('hold' if nothing is to be predicted)")
        if search_region not in SEARCH_REGIONS:
            raise InputError(f"unknown search region {search_region!r}, expected one of: {', '.join(SEARCH_REGIONS)}")
        self.predictors = dict(predictors)
        self.search_region = search_region
        self.log = log if log is not None else Unlogged()
        self.log.meta["search_region"] = search_region
        if status is not None:
            self.log.meta["presence_config"] = asdict(status)
        self._gyro = gyro
        if gyro is not None:
            self.log.meta["gyro"] = gyro.as_dict()
        self.trajectories: Dict[str, Trajectory] = {}
        self.target = 0
        self._lead = next(iter(self.predictors))
        self._tracks: Dict[str, Track] = {}
        self._now_ns: Optional[int] = None
        self._config = status
        self._status: Optional[Status] = None
        self._search: Optional[Search] = None

    @property
    def status(self) -> Optional[Status]:
        """As of the newest event; None without a target, and where nobody judges."""
        return self._status

    def status_at(self, t_ns: int) -> Optional[Status]:
        """The status as time alone has made it by `t_ns`, should no event have come. From any thread, without a lock."""
        status, trajectory = self._status, self.trajectories.get(self._lead)
        search = self._search
        if search is None or status is None or trajectory is None:
            return status
        now = trajectory.at(t_ns)
        size = math.sqrt(float(now.box[2] * now.box[3]))
        return search.config.judge(search.watch, status, now.age, float(now.sigma[:2].max()) / size)

    def init(self, t_ns: int, frame: int, capture_ns: int, box: np.ndarray) -> None:
        """A new target, seen at `box` in this frame; everything before is forgotten."""
        box = as_box(box, "first box")
        self._advance(t_ns)
        if self._gyro is not None:
            # A log that begins here replays to the bit.
            self._gyro.forget(capture_ns)
        self.log.init(t_ns, frame, capture_ns, box)
        self.target += 1
        self._begin_track([(capture_ns, TrackerOutput(box))])
        self._status = None
        self._search = None if self._config is None else Search(self._config, box)
        self.predict(t_ns)
        if self._config is not None:
            self._tell(t_ns, Status.TRACKING)

    def reset(self, t_ns: int) -> None:
        """There is no target any more, until the next `init`."""
        self._advance(t_ns)
        self.log.reset(t_ns)
        self._tracks, self.trajectories, self._status = {}, {}, None

    def frame_arrived(self, t_ns: int, frame: int, capture_ns: int) -> None:
        """The camera delivered a frame."""
        self._advance(t_ns)
        self.log.frame(t_ns, frame, capture_ns)
        self._judge(t_ns)

    def turned(self, t_ns: int, measured_ns: int, rate: ArrayLike) -> None:
        """The gyro measured this angular velocity (3,), radians per second in IMU axes, at `measured_ns`."""
        if self._gyro is None:
            raise InputError("turned() needs a pipeline with a gyro: nothing is known of the camera")
        self._advance(t_ns)
        self._gyro.add(measured_ns, rate)
        self.log.gyro(t_ns, measured_ns, np.asarray(rate, dtype=np.float64))

    def tracker_started(self, t_ns: int, frame: int, capture_ns: int, catch_up: bool = False) -> Optional[np.ndarray]:
        """The tracker takes this frame; returns where it shall look, None for round its own last result.

        `catch_up`: that result is too old to look there; the newest evidence is newer.
        """
        self._advance(t_ns)
        self._require_target()
        where = self._where_to_look(capture_ns, catch_up)
        self.log.start(t_ns, frame, capture_ns, where)
        return where

    def tracker_finished(self, t_ns: int, frame: int, capture_ns: int, output: TrackerOutput) -> None:
        """The tracker's answer for this frame; if believed, it counts as evidence from the next `predict` on."""
        self._advance(t_ns)
        self._require_target()
        self.log.result(t_ns, frame, capture_ns, output)
        if self._believed(capture_ns, output):
            self._add_anchor(capture_ns, output)
        self._judge(t_ns)

    def lane_started(self, t_ns: int, capture_ns: Optional[int]) -> None:
        """The propagation takes the frame of `capture_ns`, or None: what is new is an anchor."""
        self._advance(t_ns)
        self.log.lane(t_ns, capture_ns)

    def propagated(
        self, t_ns: int, anchor_ns: int, boxes: Sequence[PropagatedBox], displacement: Optional[Displacement] = None
    ) -> bool:
        """What the propagation found: the anchor of `anchor_ns` on later frames, instead of what it had found before, and the
        way to it from the anchor before, if that is new.

        Boxes that the images do not support (quality below `CARRY_GATE`) are left out, and all of them where the target is
        lost. False where that anchor is no longer the newest: then nothing changes, the newest one's own boxes are on their
        way.
        """
        self._advance(t_ns)
        self._require_target()
        self.log.propagated(t_ns, anchor_ns, boxes, displacement)
        if self.anchor()[0] != anchor_ns:
            return False
        if not (self._search and self._search.watch.lost):
            good = [each for each in boxes if each.quality >= CARRY_GATE]
            if displacement is not None and displacement.quality < CARRY_GATE:
                displacement = None
            self._tracks = {name: track.with_propagated(good, displacement) for name, track in self._tracks.items()}
        return True

    def anchor(self) -> Tuple[int, np.ndarray]:
        """Capture time and box of the newest tracker result that is believed."""
        track = self._lead_track()
        return track.t_ns[-1], track.boxes[-1]

    def evidence_box(self) -> np.ndarray:
        """The newest evidence, ``[cx, cy, w, h]``: where the target was last seen, by the tracker or by the propagation."""
        return self._lead_track().evidence()[1][-1]

    def expected(self, t_ns: int) -> np.ndarray:
        """Where the leading predictor has the target at `t_ns`, ``[cx, cy, w, h]``."""
        self._require_target()
        return self.answer(self.trajectories[self._lead], t_ns).box

    def answer(self, trajectory: Trajectory, t_ns: int) -> Prediction:
        """What this trajectory says of `t_ns`, in the image of that time. From any thread, without a lock."""
        return trajectory.at(t_ns) if self._gyro is None else answer(trajectory, t_ns, self._gyro)

    def compute(self) -> Dict[str, Trajectory]:
        """What every predictor makes of its track: nothing changes before `publish`."""
        self._require_target()
        made = {name: self._predicted(each, self._tracks[name]) for name, each in self.predictors.items()}
        if self._search and self._search.watch.lost:
            made = {name: coast(trajectory, self._search.config) for name, trajectory in made.items()}
        return made

    def publish(self, t_ns: int, trajectories: Dict[str, Trajectory]) -> None:
        """These trajectories become current at `t_ns`."""
        self._advance(t_ns)
        for name, trajectory in trajectories.items():
            self.log.trajectory(t_ns, name, trajectory)
        self.trajectories = trajectories
        self._judge(t_ns)

    def predict(self, t_ns: int) -> Dict[str, Trajectory]:
        """`compute` and `publish` in one: every predictor turns its track into a trajectory, current from `t_ns` on."""
        trajectories = self.compute()
        self.publish(t_ns, trajectories)
        return trajectories

    def _predicted(self, predictor: Predictor, track: Track) -> Trajectory:
        still = None if self._gyro is None else stabilised(track, self._gyro)
        return predictor.predict(track) if still is None else replace(predictor.predict(still), stabilised=True)

    def _where_to_look(self, capture_ns: int, catch_up: bool) -> Optional[np.ndarray]:
        search = self._search
        if search and search.watch.lost:
            lost_s = max(capture_ns - self._lead_track().evidence_ns, 0) * 1e-9
            return search.where(lost_s, self.evidence_box(), self.expected(capture_ns))
        if self.search_region == "predicted":
            return self.expected(capture_ns)
        return self.evidence_box() if catch_up or (search and search.watch.misses) else None

    def _believed(self, capture_ns: int, output: TrackerOutput) -> bool:
        """Whether this result is evidence; a target that it loses or finds gets another track."""
        search = self._search
        if search is None:
            return True
        before = search.watch
        believed = search.judge(capture_ns, output)
        if search.watch.lost and not before.lost and search.watch.doubt_ns is not None:
            since = search.watch.doubt_ns
            self._tracks = {name: track.before(since) for name, track in self._tracks.items()}
        if before.lost and not search.watch.lost:
            self._begin_track(search.finds)
        return believed

    def _judge(self, t_ns: int) -> None:
        status = self.status_at(t_ns)
        if status is not None and status is not self._status:
            self._tell(t_ns, status)

    def _tell(self, t_ns: int, status: Status) -> None:
        self._status = status
        self.log.status(t_ns, status)

    def _begin_track(self, results: Sequence[Tuple[int, TrackerOutput]]) -> None:
        self._tracks = {name: Track() for name in self.predictors}
        for capture_ns, output in results:
            self._add_anchor(capture_ns, output)

    def _add_anchor(self, capture_ns: int, output: TrackerOutput) -> None:
        self._tracks = {
            name: track.with_result(capture_ns, output.box, output.score, self.predictors[name].encode(output))
            for name, track in self._tracks.items()
        }

    def _lead_track(self) -> Track:
        """The leading predictor's track; boxes and times are the same in all of them."""
        self._require_target()
        return self._tracks[self._lead]

    def _advance(self, t_ns: int) -> None:
        if self._now_ns is not None and t_ns < self._now_ns:
            raise InputError(f"time went backwards: event at t_ns={t_ns} after one at t_ns={self._now_ns}")
        self._now_ns = t_ns

    def _require_target(self) -> None:
        if not self._tracks:
            raise InputError("no target: init() comes before tracking and predicting")
