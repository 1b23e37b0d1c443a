"""The one schedule: events in, commands out. No threads, clock or I/O.

A driver reports what happened and when (`t_ns`, on its own clock, which must not run backwards), and gets back what to
do next: run the tracker on the newest frame, propagate the newest result, encode, predict. It executes the commands
(`pvtpp.core.commands`) and reports what came of them. The live tracker does so with threads, the simulator with a heap
and costs, the replay with a recorded log. The same events give bit-identical trajectories.

The rules, all in `StateMachine._next`:

* A stage (tracker, propagator, predictor) has one command at a time. A stage that is free takes the newest frame, never
  an old one.
* The tracker waits for the trajectory of its last result where that decides where it looks next: without propagation
  always, with it for the search region ``predicted``, or to catch up with a target given on a past frame.
* A new result is propagated to the newest `FRAMES` frames; each new frame is measured as it comes.
* A new result, and what propagation has found, is encoded and predicted from as soon as the predictor is free.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike, as_box, box_size, iou
from pvtpp.camera_motion import Gyro
from pvtpp.core import commands
from pvtpp.core.commands import Command, Detect, Encode, Init, Predict, Propagate, Propagation, TrackFrame
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog, Unlogged
from pvtpp.core.presence import UNCHECKED_S, Presence
from pvtpp.core.reacquisition import SAME, Reacquisition
from pvtpp.core.silence import Silence
from pvtpp.core.target import Target
from pvtpp.detection import Detections
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.stabilised import answer
from pvtpp.track import Track
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Prediction, Trajectory

FRAMES = 3
"""Newest frames that a result is propagated to: enough to see how the target moves now."""
LEAST_QUALITY = 0.02
"""A propagated box of less quality is no evidence: down to here it beats holding the result (`propagation_carry`)."""
SEARCH_HORIZON_NS = 1_000_000_000
"""The tracker is not sent farther than the prediction for this long after the newest evidence."""
PUSHED_KEPT = 64
"""Capture times of the propagator's frames that are remembered; a result is propagated to the newest `FRAMES`."""
UNENCODED_KEPT = 4
"""Results that wait for a busy predictor to encode them; of more the newest are kept."""


class StateMachine:
    """Keeps the state of one target at a time, and decides what each stage does next.

    Every event returns the commands that follow from it, in the order in which they are due. Raises InputError for an
    event before the last one.

    Parameters
    ----------
    predictors
        By name; the first one leads: it says where the tracker looks next. None of them is called here.
    config
        What decides the schedule.
    log
        Every event is written to it; None keeps nothing.
    gyro
        Knows how the camera turned (`gyro_sample`): predictors then see the track in the stabilised frame.
    encode
        Ask for `Encode` even where no predictor reads features, as a recorded run did whose predictors did.

    Attributes
    ----------
    trajectories : dict of str to Trajectory
        The current ones by predictor; empty without a target. Replaced, never changed: read it from any thread.
    target : int
        The number of the newest target: how often `init` was called.
    counts : Counter
        ``frames`` that arrived; ``tracker_dropped``, those that a busy tracker passed over while it had a target;
        ``propagator_dropped``, those that a busy propagator passed over; ``late_reports`` of the tracker for a target
        that was gone.
    """

    def __init__(
        self,
        predictors: Mapping[str, Predictor],
        config: Optional[CoreConfig] = None,
        log: Optional[EventLog] = None,
        gyro: Optional[Gyro] = None,
        encode: bool = False,
    ):
        if not predictors:
            raise InputError("a state machine needs at least one predictor ('hold' if nothing is to be predicted)")
        self.config = config or CoreConfig()
        self.log = log if log is not None else Unlogged()
        self.log.meta["core"] = asdict(self.config)
        self._gyro = gyro
        if gyro is not None:
            self.log.meta["gyro"] = gyro.as_dict()
        self.names = tuple(predictors)
        self.trajectories: Dict[str, Trajectory] = {}
        self.target = 0
        self.counts: Counter = Counter()
        self._encodes = encode or any(map(commands.may_encode, predictors.values()))
        self._target: Optional[Target] = None
        self._presence: Optional[Presence] = None
        self._busy: Dict[str, Optional[Command]] = dict.fromkeys(commands.STAGES)
        self._asked: Optional[Init] = None
        self._newest: Optional[Frame] = None
        self._untracked = False
        # The newest frame that the propagator has not had, and the times of those that it has had.
        self._unpushed: Optional[Frame] = None
        self._pushed: Tuple[int, ...] = ()
        self._now_ns: Optional[int] = None

    # Events

    def frame_arrived(self, t_ns: int, frame: Frame) -> List[Command]:
        """Take a frame that the camera delivered at `t_ns`; it must be newer than all before (else InputError)."""
        if self._newest is not None and frame.t_ns <= self._newest.t_ns:
            raise InputError(f"{frame.source}: t_ns={frame.t_ns} is not after the newest frame, {self._newest.t_ns}")
        self._advance(t_ns)
        self.log.frame(t_ns, frame.index, frame.t_ns)
        self.counts["frames"] += 1
        if self._target is not None:
            self.counts["tracker_dropped"] += self._untracked
            self._untracked = True
            self._target.silence.frame(frame.t_ns)
        self._newest = frame
        if self.config.propagation:
            self.counts["propagator_dropped"] += self._unpushed is not None
            self._unpushed = frame
        self._observe(t_ns)
        return self._next(t_ns)

    def init(self, t_ns: int, frame: Frame, box: ArrayLike) -> List[Command]:
        """Begin with a new target, seen at `box` (``[cx, cy, w, h]``, pixels) in this frame; forget the one before.

        The frame may be older than the newest. Until the first prediction is made the box stands.
        """
        box = as_box(box, "first box")
        self._advance(t_ns)
        if self._gyro is not None:
            # A log that begins here replays to the bit.
            self._gyro.forget(frame.t_ns)
        busy = [type(command).__name__ for command in self._busy.values() if command is not None]
        self.log.init(t_ns, frame.index, frame.t_ns, box, busy, self._unpushed is not None)
        self.target += 1
        presence = self.config.presence
        target = self._target = Target(
            self.target,
            Track().with_result(frame.t_ns, box),
            None if presence is None else Reacquisition(presence, frame.t_ns, box),
            Silence(frame.t_ns if self._newest is None else max(frame.t_ns, self._newest.t_ns)),
            taken_ns=frame.t_ns,
            checked_ns=frame.t_ns,
            catching_up=self._newest is not None and self._newest.t_ns > frame.t_ns,
        )
        self._untracked = target.catching_up
        if self.config.propagation and target.catching_up:
            target.propagated = 0
        if self._encodes:
            target.unencoded = ((frame.t_ns, TrackerOutput(box)),)
        self._presence = None
        self._publish(t_ns, dict.fromkeys(self.names, commands.hold(target.track, self._gyro)))
        if presence is not None:
            self._set_presence(t_ns, Presence.TRACKING)
        self._asked = Init(self.target, frame, box)
        return self._next(t_ns)

    def reset(self, t_ns: int) -> List[Command]:
        """Forget the target, until the next `init`. What the stages are still at will not be used."""
        self._advance(t_ns)
        self.log.reset(t_ns)
        self._forget()
        return self._next(t_ns)

    def gyro_sample(self, t_ns: int, measured_ns: int, rate: ArrayLike) -> List[Command]:
        """Take the angular velocity (3,), radians per second in IMU axes, that the gyro measured at `measured_ns`."""
        if self._gyro is None:
            raise InputError("gyro_sample() needs a gyro: nothing is known of the camera")
        self._advance(t_ns)
        self._gyro.add(measured_ns, rate)
        self.log.gyro(t_ns, measured_ns, np.asarray(rate, dtype=np.float64))
        return []

    def time_passed(self, t_ns: int) -> List[Command]:
        """Let the tracker go on if it has waited for `wait_s` (see `deadline_ns`)."""
        deadline, target = self.deadline_ns, self._target
        if target is None or deadline is None or t_ns < deadline:
            return []
        self._advance(t_ns)
        self.log.time(t_ns)
        target.predicted = target.results
        return self._next(t_ns)

    def initialised(self, t_ns: int, command: Init) -> List[Command]:
        """Note that the tracker has started on the target."""
        target = self._reported(t_ns, command)
        if target is not None:
            self.log.initialised(t_ns)
            target.initialised = True
        return self._next(t_ns)

    def tracked(self, t_ns: int, command: TrackFrame, output: TrackerOutput) -> List[Command]:
        """Take the tracker's answer for a frame."""
        target = self._reported(t_ns, command)
        if target is not None:
            frame = command.frame
            self.log.result(t_ns, frame.index, frame.t_ns, output)
            if self._believed(target, command, output):
                target.results += 1
                if not self.config.propagation:
                    target.propagated = target.results
                # A result that is newer than all evidence so far does not wait for its propagation.
                newer = target.track.evidence_ns > self.trajectories[self.names[0]].evidence_ns
                target.changed = target.changed or newer or not self.config.propagation
            if self.config.schedule == "paper" and self._newest is not None and self._newest.t_ns > target.taken_ns:
                target.reserved, self._untracked = self._newest, False
            self._observe(t_ns)
        return self._next(t_ns)

    def propagated(self, t_ns: int, command: Propagate, found: Propagation) -> List[Command]:
        """Take what propagation found.

        Boxes that the images do not support are left out. Where the result that was propagated is no longer the newest
        nothing changes: the newest one's own boxes are on their way.
        """
        target = self._reported(t_ns, command)
        if target is None or command.result is None:
            # Without a target a frame was pushed, and nothing propagated.
            return self._next(t_ns)
        self.log.propagated(t_ns, command.result[0], found.boxes, found.displacement)
        target.boxes = found.boxes
        target.propagated = command.result_number
        if target.track.newest[0] == command.result[0]:
            good = [each for each in found.boxes if each.quality >= LEAST_QUALITY]
            displacement = found.displacement
            if displacement is not None and displacement.quality < LEAST_QUALITY:
                displacement = None
            target.track = target.track.with_propagated(good, displacement)
            target.changed = True
        return self._next(t_ns)

    def encoded(self, t_ns: int, command: Encode, encodings: Mapping[str, Mapping[int, Any]]) -> List[Command]:
        """Take what each predictor, by name, made of tracker outputs, by capture time."""
        target = self._reported(t_ns, command)
        if target is not None:
            self.log.encoded(t_ns)
            for name, made in encodings.items():
                kept = target.encodings.setdefault(name, {})
                kept.update(made)
                for old in [t for t in kept if t < target.track.t_ns[0]]:
                    del kept[old]
        return self._next(t_ns)

    def predicted(self, t_ns: int, command: Predict, trajectories: Mapping[str, Trajectory]) -> List[Command]:
        """Make these trajectories the current ones."""
        target = self._reported(t_ns, command)
        if target is not None:
            target.predicted = max(command.result_number, target.predicted)
            self._publish(t_ns, dict(trajectories))
            target.checked_ns = command.tracks[self.names[0]].newest[0]
            if target.reacquisition is not None and target.predicted == target.results:
                target.reacquisition.predicted(self.trajectories[self.names[0]])
            self._observe(t_ns)
        return self._next(t_ns)

    def detected(self, t_ns: int, command: Detect, found: Detections) -> List[Command]:
        """Take the candidates that the detector found in a frame."""
        target = self._reported(t_ns, command)
        if target is not None:
            self.log.detected(t_ns, command.frame.t_ns, found)
            if target.reacquisition is not None:
                target.reacquisition.detected(found.boxes)
        return self._next(t_ns)

    def failed(self, t_ns: int, command: Command) -> List[Command]:
        """Note that a command failed: tracking goes on with the next frame; without an `Init` there is no target."""
        target = self._reported(t_ns, command)
        if target is None:
            return self._next(t_ns)
        self.log.failed(t_ns, type(command).__name__)
        if isinstance(command, Init):
            self._forget()
        elif isinstance(command, Propagate):
            target.propagated, target.changed = max(command.result_number, target.propagated), True
        elif isinstance(command, Predict):
            target.predicted = max(command.result_number, target.predicted)
        return self._next(t_ns)

    def resume(self, busy: Sequence[str], unpushed: bool) -> List[Command]:
        """Take up the state in which another state machine was given a target, for a log that begins there.

        Parameters
        ----------
        busy
            Names of the commands that its stages were at.
        unpushed
            Whether its propagator had not had the newest frame yet.

        Returns
        -------
        list
            What stands for those commands: each is reported by `failed` in the end.
        """
        standing = [commands.standing_for(name) for name in busy]
        self._busy = dict.fromkeys(commands.STAGES)
        self._busy.update({commands.STAGE[type(command)]: command for command in standing})
        self._unpushed = self._newest if unpushed else None
        return standing

    # Questions

    @property
    def active(self) -> bool:
        """Whether there is a target."""
        return self._target is not None

    @property
    def newest(self) -> Optional[Frame]:
        """The newest frame; None before the first."""
        return self._newest

    @property
    def presence(self) -> Optional[Presence]:
        """As of the newest event; None without a target, and where results are not assessed."""
        return self._presence

    @property
    def probability(self) -> Optional[float]:
        """How probable it is that the target is followed, as of its newest result; None as `presence`."""
        monitor = None if self._target is None else self._target.reacquisition
        return None if monitor is None else monitor.belief.probability

    @property
    def deadline_ns(self) -> Optional[int]:
        """When `time_passed` lets the tracker go on; None where it does not wait, or waits without limit."""
        target = self._target
        if target is None or target.waiting_since is None or self.config.schedule == "paper":
            return None
        return target.waiting_since + round(self.config.wait_s * 1e9)

    def presence_at(self, t_ns: int) -> Optional[Presence]:
        """Presence as time alone has made it by `t_ns`, should no event have come. From any thread, without a lock."""
        presence, target, trajectory = self._presence, self._target, self.trajectories.get(self.names[0])
        if target is None or target.reacquisition is None or presence is None or trajectory is None:
            return presence
        now = trajectory.at(t_ns)
        monitor, spread = target.reacquisition, float(now.sigma[:2].max()) / box_size(now.box)
        found = monitor.config.presence(monitor.belief.probability, presence, now.age, spread)
        unchecked = (t_ns - target.checked_ns) * 1e-9 > UNCHECKED_S or target.silence.since(target.checked_ns)
        return Presence.UNCERTAIN if found is Presence.TRACKING and unchecked else found

    def answer(self, trajectory: Trajectory, t_ns: int) -> Prediction:
        """Ask a trajectory for `t_ns`, in the image of that time. From any thread, without a lock."""
        return trajectory.at(t_ns) if self._gyro is None else answer(trajectory, t_ns, self._gyro)

    # The schedule

    def _next(self, t_ns: int) -> List[Command]:
        """Give every free stage what there is to do for it."""
        made: List[Command] = []
        for decide in (self._next_propagation, self._next_prediction, self._next_pass, self._next_detection):
            command = decide(t_ns)
            if command is not None:
                self._busy[commands.STAGE[type(command)]] = command
                made.append(command)
        return made

    def _next_propagation(self, t_ns: int) -> Optional[Propagate]:
        target, frame = self._target, self._unpushed
        if self._busy[commands.PROPAGATOR] is not None or not self.config.propagation:
            return None
        if frame is None and (target is None or target.propagated >= target.results):
            return None
        self.log.propagate(t_ns, None if frame is None else frame.t_ns)
        # The first frame has none before it that a step could be measured from.
        first, self._unpushed = not self._pushed, None
        if frame is not None:
            self._pushed = (*self._pushed[1 - PUSHED_KEPT :], frame.t_ns)
        if target is None:
            return Propagate(0, frame, None)
        region = None if first or frame is None else target.track.evidence_box
        result, before = target.track.newest, target.source
        previous = None
        if before is None or result[0] != before[0]:
            if before is not None and result[0] > before[0]:
                previous = before
            target.source, target.boxes = result, ()
        to = tuple(pushed for pushed in self._pushed if pushed > result[0])[-FRAMES:]
        return Propagate(target.number, frame, region, target.results, result, previous, to, target.boxes)

    def _next_prediction(self, t_ns: int) -> Optional[Command]:
        target = self._target
        if target is None or self._busy[commands.PREDICTOR] is not None:
            return None
        if target.unencoded:
            outputs, target.unencoded = target.unencoded, ()
            return Encode(target.number, outputs)
        if not target.changed:
            return None
        target.changed = False
        known = {name: target.encodings.get(name) for name in self.names}
        tracks = {name: target.track.with_encodings(made) if made else target.track for name, made in known.items()}
        motion = None if self._gyro is None else self._gyro.frozen()
        doubted_s = 0.0 if target.reacquisition is None else target.reacquisition.doubted_s
        return Predict(target.number, target.propagated, tracks, motion, doubted_s, self.config.propagation)

    def _next_pass(self, t_ns: int) -> Optional[Command]:
        """Decide what the tracker does: begin with another target, take the newest frame, or wait."""
        if self._busy[commands.TRACKER] is not None:
            return None
        if self._asked is not None:
            asked, self._asked = self._asked, None
            return asked
        target, newest = self._target, self._newest
        if target is None or newest is None or not target.initialised:
            return None
        if self._awaits_prediction(target):
            target.waiting_since = t_ns if target.waiting_since is None else target.waiting_since
            return None
        target.waiting_since = None
        frame, target.reserved = target.reserved or newest, None
        if frame.t_ns <= target.taken_ns:
            return None
        monitor = target.reacquisition
        search_box: Optional[np.ndarray]
        if monitor is not None and self.config.steers and monitor.searches():
            elsewhere, search_box = True, monitor.where(frame.t_ns)
        else:
            elsewhere, search_box = False, self._where_to_look(target, frame.t_ns)
        self.log.track(t_ns, frame.index, frame.t_ns, search_box)
        self._untracked = self._untracked and frame is not newest
        target.catching_up, target.taken_ns, target.elsewhere = False, frame.t_ns, elsewhere
        return TrackFrame(target.number, frame, search_box, elsewhere)

    def _next_detection(self, t_ns: int) -> Optional[Detect]:
        """Let the detector look at the newest frame while the target is probably lost."""
        target, newest = self._target, self._newest
        if not self.config.detects or self._busy[commands.DETECTOR] is not None or target is None or newest is None:
            return None
        lost = target.reacquisition is not None and target.reacquisition.lost
        if not lost or newest.t_ns <= target.detected_ns:
            return None
        target.detected_ns = newest.t_ns
        return Detect(target.number, newest)

    def _awaits_prediction(self, target: Target) -> bool:
        """Say whether the tracker waits for the trajectory of its last result."""
        config = self.config
        if config.propagation and not (config.one_core or target.catching_up or config.search_region == "predicted"):
            return False
        return target.predicted < target.results

    def _where_to_look(self, target: Target, capture_ns: int) -> Optional[np.ndarray]:
        seen, lead = target.track.evidence_box, self.trajectories[self.names[0]]
        if self.config.search_region == "predicted":
            # After a pause of the camera nothing is where it was going.
            return self.answer(lead, min(capture_ns, target.track.evidence_ns + SEARCH_HORIZON_NS)).box
        if target.catching_up:
            return seen
        # After a search elsewhere the tracker's own last result is of another place.
        return target.track.newest[1] if target.elsewhere else None

    # The target

    def _believed(self, target: Target, command: TrackFrame, output: TrackerOutput) -> bool:
        """Take in a result; say whether the track has changed. One that is found elsewhere begins a new track."""
        capture_ns, monitor = command.frame.t_ns, target.reacquisition
        if monitor is not None and command.elsewhere:
            same = float(iou(output.box, self.answer(self.trajectories[self.names[0]], capture_ns).box)) >= SAME
            if not same:
                found = monitor.found(capture_ns, output)
                if found is None:
                    return False
                target.track, target.source, target.boxes = Track(), None, ()
                for found_ns, each in found:
                    self._add_result(target, found_ns, each)
                return True
        if monitor is not None and not monitor.follow(capture_ns, output) and self.config.steers:
            return False
        self._add_result(target, capture_ns, output)
        return True

    def _add_result(self, target: Target, capture_ns: int, output: TrackerOutput) -> None:
        target.track = target.track.with_result(capture_ns, output.box, output.score)
        if self._encodes:
            target.unencoded = (*target.unencoded, (capture_ns, output))[-UNENCODED_KEPT:]

    def _forget(self) -> None:
        self._target, self._asked, self.trajectories, self._presence = None, None, {}, None
        self._untracked = False

    def _publish(self, t_ns: int, trajectories: Dict[str, Trajectory]) -> None:
        for name, trajectory in trajectories.items():
            self.log.trajectory(t_ns, name, trajectory)
        self.trajectories = trajectories

    def _observe(self, t_ns: int) -> None:
        presence = self.presence_at(t_ns)
        if presence is not None and presence is not self._presence:
            self._set_presence(t_ns, presence)

    def _set_presence(self, t_ns: int, presence: Presence) -> None:
        self._presence = presence
        self.log.presence(t_ns, presence, self.probability)

    def _reported(self, t_ns: int, command: Command) -> Optional[Target]:
        """Free the command's stage; return the target that it was for, None where that is gone."""
        stage = commands.STAGE[type(command)]
        if self._busy[stage] is not command:
            raise InputError(f"{type(command).__name__} is not what the {stage} was asked to do")
        self._advance(t_ns)
        self._busy[stage] = None
        target = self._target
        if target is not None and command.target == target.number:
            return target
        self.log.done(t_ns, type(command).__name__)
        self.counts["late_reports"] += stage == commands.TRACKER
        return None

    def _advance(self, t_ns: int) -> None:
        if self._now_ns is not None and t_ns < self._now_ns:
            raise InputError(f"time went backwards: event at t_ns={t_ns} after one at t_ns={self._now_ns}")
        self._now_ns = t_ns
