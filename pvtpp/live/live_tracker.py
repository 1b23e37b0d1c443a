"""The live tracker: frames go in as the camera delivers them, and at any time anybody may ask where the target is now.

A driver of the state machine (`pvtpp.core.state_machine`) with a thread for each stage: tracker, propagator, predictor,
detector. One short lock guards the state machine; it is never held while a stage works, so `submit` never waits for
anybody's work. `predict` needs no lock: it reads the newest trajectories, which are replaced and never changed. Every
event enters the state machine at a time that never runs backwards, so the log replays to the bit.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from copy import copy
from types import TracebackType
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Type, Union

from pvtpp.boxes import ArrayLike, as_box, require_in_image
from pvtpp.camera_motion import Gyro
from pvtpp.core import commands
from pvtpp.core.capture_times import CaptureTimes, Refusal
from pvtpp.core.commands import Command, Detect, Encode, Init, Predict, Propagate, TrackFrame
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.log_file import LogFile
from pvtpp.core.presence import Presence, PresenceConfig, with_presence
from pvtpp.core.state_machine import StateMachine
from pvtpp.detection import Detector, detect
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.failures import Failure, Failures
from pvtpp.live.image_size import scaled, size_of
from pvtpp.live.recent_frames import NotInMemory, RecentFrames
from pvtpp.live.session_clock import SessionClock
from pvtpp.live.stage_times import StageTimes
from pvtpp.live.switch_interval import lower_switch_interval
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import Frame, TrackerOutput, as_tracker, checked_output, takes_search_box
from pvtpp.trajectory import Prediction, Trajectory

COUNTED = {"order": "out_of_order", "duplicate": "duplicates", "repeated": "duplicates"}
COUNTED.update(dict.fromkeys(("unit", "clock", "future", "past"), "implausible"))
"""How a refused capture time is counted, by the kind of its refusal."""
QUIET_S = 10.0
"""A reason that has not occurred for so long is reported again, seconds."""
OnResult = Callable[[int, TrackerOutput, int], None]
WORK: Dict[type, str] = {
    Init: "init",
    TrackFrame: "track",
    Propagate: "propagate",
    Encode: "encode",
    Predict: "predict",
    Detect: "detect",
}
"""What failures and stage times call the work of each command."""


class LiveTracker:
    """Follows one target at a time in a live stream.

    The threads start here and end with `close`, or at the end of a ``with`` block.
    `pvtpp.LiveTracker` is this class with the product's default configuration for what is not given.

    Parameters
    ----------
    tracker
        Follows the `Tracker` protocol, or is a plain init/update object. Called by one thread only.
    predictors
        By name; the first one leads: it says where the tracker looks next.
    propagator
        Carries results onto newer frames; called by one thread only. None runs without.
    search_region
        ``predicted``: the tracker looks where the leading predictor has the target. ``last``: round its own last
        result.
    log
        An event log, or the path of a file that is written as things happen. None keeps nothing.
    clock
        Integer nanoseconds on the clock of the frames' capture times.
    config
        Bounds of memory and waiting.
    on_error
        Called with every `Failure`, in whichever thread.
    presence
        Assess every result, tell TRACKING from LOST, coast and search: constants, or None to believe every result.
    on_result
        Called in the tracker's thread with the capture time, the `TrackerOutput` and the number of the target, after
        the result has been taken in. What it takes, the tracker waits.
    gyro
        How the camera turns, sample by sample (`gyro_sample`).
    detector
        Asked for candidates in the newest frame while a target is probably lost (`pvtpp.detection`), in a thread of its
        own: it may be slow.

    Attributes
    ----------
    gyro
        As given: what is known of the camera's turning, which predictions take into account.

    Notes
    -----
    Callbacks may call anything here but `close`; one that raises is logged and does no harm. The images handed in must
    not be changed afterwards. `times` holds seconds of ``track``, ``propagate``, ``encode``, ``predict`` (the
    predictors, not the question), ``detect`` and ``frame_age`` (capture to `submit`).
    """

    def __init__(
        self,
        tracker: Any,
        predictors: Mapping[str, Predictor],
        propagator: Optional[Propagator] = None,
        search_region: str = "last",
        log: Union[EventLog, str, None] = None,
        clock: Callable[[], int] = time.time_ns,
        config: Optional[LiveConfig] = None,
        on_error: Optional[Callable[[Failure], None]] = None,
        presence: Optional[PresenceConfig] = None,
        on_result: Optional[OnResult] = None,
        gyro: Optional[Gyro] = None,
        detector: Optional[Detector] = None,
    ):
        self.config = config or LiveConfig()
        self.times = StageTimes()
        self._predictors = dict(predictors)
        self._propagator, self._detector = propagator, detector
        self._tracker, presence = with_presence(as_tracker(tracker), presence)
        self._on_result = on_result
        self._lead = next(iter(self._predictors), "")
        self._session = SessionClock(clock)
        self._capture_times = CaptureTimes(self.config.capture_times)
        # When a capture time was last refused for each reason, by real time.
        self._complained: Dict[str, float] = {}
        # Width and height of the target's frames.
        self._size: Optional[Tuple[int, int]] = None
        self._failures = Failures(on_error)
        if not predictors:
            # Said here, before a log file is replaced.
            raise InputError("a live tracker needs at least one predictor ('hold' if nothing is to be predicted)")
        steers, wait_s = takes_search_box(self._tracker), self.config.wait_s
        core = CoreConfig(
            search_region,
            presence,
            propagation=propagator is not None,
            wait_s=wait_s,
            steers=steers,
            detects=detector is not None,
        )
        self._own_log = LogFile(log, background=True) if isinstance(log, str) else None
        given = self._own_log or (None if isinstance(log, str) else log)
        self._machine, self.gyro = StateMachine(self._predictors, core, given, gyro), gyro
        self._recent = RecentFrames(self.config.memory_s, self.config.memory_frames, self.config.memory_bytes)
        self._lock = threading.Lock()
        self._refused = dict.fromkeys(("duplicates", "out_of_order", "implausible", "paused"), 0)
        self._paused = self._closed = False
        self._busy_since: Optional[float] = None
        self._stall_reported = False
        self._switch_interval = lower_switch_interval(self.config.switch_interval_s)
        self._ready = {stage: threading.Condition(self._lock) for stage in commands.STAGES}
        self._todo: Dict[str, Optional[Command]] = dict.fromkeys(commands.STAGES)
        absent = {commands.PROPAGATOR: propagator is None, commands.DETECTOR: detector is None}
        stages = [stage for stage in commands.STAGES if not absent.get(stage)]
        self._threads = [
            threading.Thread(target=self._work, args=(stage,), name=f"pvtpp {stage}", daemon=True) for stage in stages
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, frame: Frame) -> bool:
        """Take the newest frame; never waits for anybody's work.

        Returns
        -------
        bool
            False (and counted) for a frame that is not newer than the newest, for one whose capture time cannot be
            right (reported once, see `pvtpp.core.capture_times`), while paused, and after `close`.
        """
        refusal: Optional[Refusal] = None
        with self._lock:
            self._refused["paused"] += self._paused
            open_ = not (self._closed or self._paused)
            if open_:
                refusal = self._accept(self._inside(frame))
        accepted = open_ and refusal is None
        if refusal is not None:
            self._complain(refusal)
        self._report_step()
        if self.stalled and not self._stall_reported:
            self._stall_reported = True
            self._report("stall", TimeoutError(f"the tracker has been at one frame for over {self.config.stall_s} s"))
        return accepted

    def gyro_sample(self, measured_ns: int, rate: ArrayLike) -> None:
        """Take a gyro's sample.

        Parameters
        ----------
        measured_ns
            When it was measured, nanoseconds on the clock of the frames.
        rate
            Angular velocity (3,), radians per second in IMU axes.

        Raises
        ------
        InputError
            For one that is not newer than the last, or no rate, or where there is no `gyro`.
        """
        with self._lock:
            if not self._closed:
                self._dispatch(self._machine.gyro_sample(self._now(), self._session.inside(int(measured_ns)), rate))

    def init(self, at: Union[Frame, int], box: ArrayLike) -> None:
        """Begin with a new target, seen in a frame that may lie in the past.

        The tracker starts on that frame, propagation carries the box to the newest one, and there the tracker goes on.
        Predictions are of the new target at once.

        Parameters
        ----------
        at
            The frame, or the capture time (nanoseconds) of one that was submitted.
        box
            ``[cx, cy, w, h]``, pixels.

        Raises
        ------
        InputError
            For a bad box or one that is not in the image, for a capture time that cannot be right or of which no frame
            is in memory, and after `close`.
        """
        box = as_box(box, "first box")
        with self._lock:
            frame = self._inside(at) if isinstance(at, Frame) else self._remembered(int(at))
        # Outside of the lock: an image may have to be read first.
        size = size_of(frame)
        if size is not None:
            require_in_image(box, size, "first box")
        with self._lock:
            if self._closed:
                raise InputError("init() after close(): start a new live tracker")
            newest = self._machine.newest
            if newest is None or frame.t_ns > newest.t_ns:
                refusal = self._accept(frame)
                if refusal is not None:
                    raise InputError(f"no new target: {refusal.text}")
            self._size = size
            self._dispatch(self._machine.init(self._now(), frame, box))

    def frame_near(self, t_ns: int) -> Optional[Tuple[int, Frame]]:
        """Find the frame in memory that was captured nearest to a time: what somebody saw who saw it late.

        Parameters
        ----------
        t_ns
            The time, nanoseconds.

        Returns
        -------
        int
            When it was captured, as `init` takes it.
        Frame
            The frame. None instead of both where there is none.
        """
        with self._lock:
            found = self._recent.near(self._session.inside(t_ns))
            return None if found is None else (self._session.outside(found.t_ns), found)

    def predict(self, t_ns: Optional[int] = None, predictor: Optional[str] = None) -> Optional[Prediction]:
        """Say where the target is. From any thread, without a lock.

        Parameters
        ----------
        t_ns
            At this time, nanoseconds; None: now.
        predictor
            According to this one; None: the leading one.

        Returns
        -------
        Prediction or None
            `age` says how old the evidence is. None without a target.
        """
        trajectory = self._current(predictor)
        if trajectory is None:
            return None
        asked = self._session.now() if t_ns is None else self._session.inside(t_ns)
        found = self._machine.answer(trajectory, asked)
        return found._replace(t_ns=self._session.outside(asked)) if self._session.shifted else found

    def trajectory(self, predictor: Optional[str] = None) -> Optional[Trajectory]:
        """Return the current trajectory of this predictor (None: the leading one); None without a target."""
        found = self._current(predictor)
        return found if found is None or not self._session.shifted else found.shifted(self._session.outside(0))

    def _current(self, predictor: Optional[str]) -> Optional[Trajectory]:
        if predictor is not None and predictor not in self._predictors:
            raise InputError(f"no predictor {predictor!r} here, expected one of: {', '.join(self._predictors)}")
        return self._machine.trajectories.get(predictor or self._lead)

    def reset(self) -> None:
        """Forget the target; frames are still taken, for the next `init`."""
        with self._lock:
            if self._machine.active:
                self._dispatch(self._machine.reset(self._now()))

    def pause(self) -> None:
        """Refuse frames until `resume`. The target stays: predictions go on by the last trajectory and grow old."""
        with self._lock:
            self._paused = True

    def resume(self) -> None:
        """Take frames again, with the same target."""
        with self._lock:
            self._paused = False

    def close(self, timeout: float = 5.0) -> bool:
        """Forget the target and end the threads; may be called twice.

        Returns
        -------
        bool
            False where a stage still hangs after `timeout` seconds: its thread cannot be ended from outside, but
            nothing that it still finds is used.
        """
        with self._lock:
            if not self._closed:
                if self._machine.active:
                    self._dispatch(self._machine.reset(self._now()))
                self._closed = True
            for ready in self._ready.values():
                ready.notify_all()
        until = time.monotonic() + timeout
        others = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in others:
            thread.join(max(until - time.monotonic(), 0))
        if self._switch_interval is not None:
            before, own = self._switch_interval
            # Another live tracker may have set it since, and sets it back itself.
            if sys.getswitchinterval() == own:
                sys.setswitchinterval(before)
            self._switch_interval = None
        if self._own_log is not None:
            self._own_log.close()
        return not any(thread.is_alive() for thread in others)

    def __enter__(self) -> LiveTracker:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], at: Optional[TracebackType]
    ) -> None:
        self.close()

    @property
    def active(self) -> bool:
        """Whether there is a target."""
        return self._machine.active

    @property
    def paused(self) -> bool:
        """Whether frames are refused at present."""
        return self._paused

    @property
    def size(self) -> Optional[Tuple[int, int]]:
        """Width and height of the target's frames, pixels; None where they are not known."""
        return self._size

    @property
    def target(self) -> int:
        """The number of the newest target: how often `init` was called."""
        return self._machine.target

    @property
    def probability(self) -> Optional[float]:
        """How probable it is that the target is followed, as of its newest result; None where `presence` is None."""
        return self._machine.probability

    @property
    def presence(self) -> Optional[Presence]:
        """What is known of the target at this moment; None without one, and where results are not assessed.

        Should frames or results stay away, time alone makes it worse. From any thread, without a lock.
        """
        return self._machine.presence_at(self._session.now()) if self._machine.active else None

    @property
    def stalled(self) -> bool:
        """Whether the tracker has been at one frame for longer than `LiveConfig.stall_s`."""
        since = self._busy_since
        return since is not None and time.perf_counter() - since > self.config.stall_s

    @property
    def errors(self) -> List[Failure]:
        """The newest failures, oldest first."""
        return self._failures.newest

    @property
    def counts(self) -> Dict[str, int]:
        """What has been counted since the start.

        ``frames`` taken; ``duplicates``, ``out_of_order``, ``implausible`` (by their capture time) and ``paused`` ones
        refused; frames that a busy tracker or propagator passed over (``tracker_dropped``, ``propagator_dropped``);
        ``late_reports`` of the tracker for a target that was gone; ``errors``.
        """
        with self._lock:
            counted = self._machine.counts
            names = ("frames", "tracker_dropped", "propagator_dropped", "late_reports")
            return {**self._refused, **{name: counted[name] for name in names}, "errors": self._failures.count}

    # What follows is called under the lock.

    def _now(self) -> int:
        # The system's clock may be set; the state machine's time goes on.
        return self._session.now()

    def _inside(self, frame: Frame) -> Frame:
        """The frame with its capture time as it counts here, where the clock was set meanwhile."""
        self._session.now()
        if not self._session.shifted:
            return frame
        newest, inside = self._machine.newest, copy(frame)
        inside.t_ns = self._session.captured(frame.t_ns, None if newest is None else newest.t_ns)
        return inside

    def _accept(self, frame: Frame) -> Optional[Refusal]:
        now = self._now()
        refusal = self._capture_times.refuse(frame.t_ns, now)
        if refusal is not None:
            self._refused[COUNTED[refusal.kind]] += 1
            return refusal
        self._recent.push(frame)
        self.times.add("frame_age", (now - frame.t_ns) * 1e-9)
        self._dispatch(self._machine.frame_arrived(now, frame))
        return None

    def _remembered(self, t_ns: int) -> Frame:
        frame = self._recent.find(self._session.inside(t_ns))
        if frame is None:
            oldest, newest = (
                None if each is None else self._session.outside(each.t_ns)
                for each in (self._recent.oldest, self._recent.newest)
            )
            held = "none so far" if newest is None else f"from t_ns={oldest} to t_ns={newest}"
            raise NotInMemory(f"no frame captured at t_ns={t_ns} is in memory; there are {len(self._recent)}, {held}")
        return frame

    def _dispatch(self, todo: List[Command]) -> None:
        for command in todo:
            stage = commands.STAGE[type(command)]
            self._todo[stage] = command
            self._ready[stage].notify()

    def _of_use(self, command: Command) -> bool:
        """Say whether anybody still wants what the command finds: frames are pushed whatever becomes of the target."""
        return isinstance(command, Propagate) or (self._machine.active and command.target == self._machine.target)

    def _patience(self) -> Optional[float]:
        """Seconds that the tracker's thread sleeps at most: until it has waited long enough for a prediction."""
        deadline = self._machine.deadline_ns
        return None if deadline is None else max((deadline - self._now()) * 1e-9, 0.001)

    # What follows runs in the threads of the stages.

    def _work(self, stage: str) -> None:
        while True:
            command = self._next_command(stage)
            if command is None:
                return
            self._execute(command)

    def _next_command(self, stage: str) -> Optional[Command]:
        """Wait for the next command of a stage; None after `close`."""
        ready, waits = self._ready[stage], stage == commands.TRACKER
        with self._lock:
            while not self._closed:
                command, self._todo[stage] = self._todo[stage], None
                if command is None:
                    ready.wait(self._patience() if waits else None)
                    if waits and not self._closed:
                        self._dispatch(self._machine.time_passed(self._now()))
                elif self._of_use(command):
                    return command
                else:
                    # Its target was replaced before this thread woke up: the tracker begins with the new one at once.
                    self._dispatch(self._machine.failed(self._now(), command))
        return None

    def _execute(self, command: Command) -> None:
        work, begin = WORK[type(command)], time.perf_counter()
        try:
            if self._given_anew(command):
                return
            found, report = self._found(command)
        except BaseException as error:
            # Whatever a tracker or a predictor raises, an exit too, the next frame is tried.
            with self._lock:
                self._dispatch(self._machine.failed(self._now(), command))
            self._report(work, error)
            return
        if not isinstance(command, Init):
            self.times.add(work, time.perf_counter() - begin)
        with self._lock:
            current = self._of_use(command)
            self._dispatch(report(self._now()))
        if self._on_result and current and isinstance(command, TrackFrame):
            try:
                self._on_result(self._session.outside(command.frame.t_ns), found, command.target)
            except BaseException as error:
                self._report("on_result", error)

    def _found(self, command: Command) -> Tuple[Any, Callable[[int], List[Command]]]:
        """Do the work of a command; return what it found, and the report to the state machine, given the time."""
        machine = self._machine
        if isinstance(command, Init):
            initialised = command
            with self._busy():
                self._tracker.init(command.frame, command.box)
            return None, lambda now: machine.initialised(now, initialised)
        if isinstance(command, TrackFrame):
            tracked = command
            with self._busy():
                output = checked_output(self._tracker, self._tracker.track(command.frame, command.search_box))
            return output, lambda now: machine.tracked(now, tracked, output)
        if isinstance(command, Propagate):
            assert self._propagator is not None
            propagation, propagated = commands.propagate(self._propagator, command), command
            return propagation, lambda now: machine.propagated(now, propagated, propagation)
        if isinstance(command, Encode):
            encodings, encoded = commands.encode(self._predictors, command), command
            return encodings, lambda now: machine.encoded(now, encoded, encodings)
        if isinstance(command, Detect):
            assert self._detector is not None
            detections, asked = detect(self._detector, command.frame), command
            return detections, lambda now: machine.detected(now, asked, detections)
        trajectories, predicted = commands.predict(self._predictors, command), command
        return trajectories, lambda now: machine.predicted(now, predicted, trajectories)

    def _given_anew(self, command: Command) -> bool:
        """Where the size of the images has changed: give the target anew where it was seen last, in the new scale.

        The frame on which it was seen is scaled, and not the expectation on the new one taken for evidence: its age
        stays what it is, and the tracker starts on the target.
        """
        frame = command.frame if isinstance(command, (TrackFrame, Propagate)) else None
        before, size = self._size, None if frame is None else size_of(frame)
        if frame is None or before is None or size is None or size == before:
            return False
        outcome = ""
        with self._lock:
            if not self._machine.active or command.target != self._machine.target:
                if isinstance(command, Propagate):
                    # Without a target there is none to give; the propagator takes images of any size.
                    return False
            elif self._size == before:
                trajectory = self._machine.trajectories[self._lead]
                seen = self._recent.find(trajectory.evidence_ns)
                if seen is None:
                    outcome = "the frame on which the target was seen last is not in memory: the target is forgotten"
                    self._dispatch(self._machine.reset(self._now()))
                else:
                    outcome = "the target is given anew in the new scale"
                    across, down = size[0] / before[0], size[1] / before[1]
                    box = self._machine.answer(trajectory, seen.t_ns).box * [across, down, across, down]
                    self._size = size
                    self._dispatch(self._machine.init(self._now(), scaled(seen, size), box))
            self._dispatch(self._machine.failed(self._now(), command))
        if outcome:
            text = (
                f"{frame.source}: the image is {size[0]} x {size[1]} pixels, those before were "
                f"{before[0]} x {before[1]}; {outcome}"
            )
            self._report("size", InputError(text))
        return True

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """Note that the tracker is at work, for `stalled`."""
        self._busy_since = time.perf_counter()
        try:
            yield
        finally:
            self._busy_since, self._stall_reported = None, False

    def _complain(self, refusal: Refusal) -> None:
        """Report why a frame was refused: once, as long as it goes on."""
        if refusal.kind in ("order", "duplicate"):
            # Repetitions and frames out of order happen; they are counted.
            return
        now = time.monotonic()
        before, self._complained[refusal.kind] = self._complained.get(refusal.kind), now
        if before is None or now - before > QUIET_S:
            self._report("capture time", InputError(refusal.text))

    def _report_step(self) -> None:
        step = self._session.step()
        if step is not None:
            how = "forward" if step.by_ns > 0 else "back"
            text = f"the clock was set {how} by {abs(step.by_ns) * 1e-9:.3f} s; tracking goes on"
            self._report("clock", InputError(text))

    def _report(self, stage: str, error: BaseException) -> None:
        with self._lock:
            now = self._now()
        # Of an exit alone, its text would be a number.
        self._failures.report(
            now, stage, error if isinstance(error, Exception) else RuntimeError(f"it raised {error!r}")
        )
