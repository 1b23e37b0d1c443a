"""The live tracker: frames go in as the camera delivers them, and at any time anybody may ask where the target is now.

Three parties and one short lock. `submit` leaves the newest frame for the tracker and for the propagation, which work in a
thread each. The lock guards the pipeline and is never held while the tracker or the optical flow computes; `predict` needs
none, it reads the newest trajectories, which are replaced and never changed. Every event enters the pipeline under the lock
at a time that never runs backwards, so the log replays to the bit.
"""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Type, Union

from pvtpp.appearance import AppearanceTracker
from pvtpp.boxes import ArrayLike, as_box
from pvtpp.camera_motion import Gyro
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig, Status
from pvtpp.core.propagating import Propagating
from pvtpp.core.state_machine import Pipeline
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.failures import Failure, Failures
from pvtpp.live.live_state import LiveState, Pass, View
from pvtpp.live.recent_frames import RecentFrames
from pvtpp.live.stage_times import StageTimes
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import Frame, TrackerOutput, as_tracker, checked_output
from pvtpp.trajectory import Prediction, Trajectory

OnResult = Callable[[int, TrackerOutput, int], None]


class LiveTracker:
    """`tracker` follows the Tracker protocol or is a plain init/update object; it is called by one thread only, as is
    `propagator` (None: no propagation). `predictors`: by name, the first one leads. `log`: None keeps nothing; its `sink` is told
    every event as it happens (``Unlogged(sink=...)`` for a run without end). `clock`: integer nanoseconds on the clock of the
    frames' capture times. `status`: judge every result by its score and by its similarity to the target, tell TRACKING from
    LOST, coast and search; None: believe every result. `gyro`: how the camera turns, told by `turned`, is no longer guessed.

    `on_error`: called with every `Failure`, in whichever thread. `on_result`: called in the tracker's thread with the capture
    time, the `TrackerOutput` and the `target` it belongs to, after it has become evidence or not; what it takes, the tracker
    waits. Callbacks may call anything here but `close`; one that raises is logged and does no harm.

    The images handed in must not be changed afterwards. A source whose times jump back needs a new live tracker. Threads
    start here and end with `close`, or at the end of a ``with`` block. `times` holds seconds of the stages ``track``,
    ``lane``, ``predict`` (the predictors, not the question) and ``frame_age`` (capture to `submit`).
    """

    def __init__(
        self,
        tracker: Any,
        predictors: Mapping[str, Predictor],
        propagator: Optional[Propagator] = None,
        search_region: str = "last",
        log: Optional[EventLog] = None,
        clock: Callable[[], int] = time.time_ns,
        config: Optional[LiveConfig] = None,
        on_error: Optional[Callable[[Failure], None]] = None,
        status: Optional[PresenceConfig] = None,
        on_result: Optional[OnResult] = None,
        gyro: Optional[Gyro] = None,
    ):
        self.config = config or LiveConfig()
        self.times = StageTimes()
        self._tracker = as_tracker(tracker) if status is None else AppearanceTracker(as_tracker(tracker))
        self._on_result = on_result
        self._lead = next(iter(predictors), "")
        self._clock = clock
        self._failures = Failures(on_error)
        recent = RecentFrames(self.config.memory_s, self.config.memory_frames, self.config.memory_bytes)
        pipeline = Pipeline(predictors, search_region, log, status, gyro)
        self._state = LiveState(pipeline, recent, clock, self.times, lane=propagator is not None)
        self._busy_since: Optional[float] = None
        self._stall_told = False
        self._view = View()
        works: List[Tuple[str, Callable[[], None]]] = [("tracker", self._tracker_work)]
        if propagator is not None:
            self._lane = Propagating(self._view, propagator)
            works.append(("propagation", self._lane_work))
        sys.setswitchinterval(min(sys.getswitchinterval(), self.config.switch_interval_s))
        self._threads = [threading.Thread(target=work, name=f"pvtpp {name}", daemon=True) for name, work in works]
        for thread in self._threads:
            thread.start()

    def submit(self, frame: Frame) -> bool:
        """Take the newest frame; never waits for anybody's work. False (and counted) for a frame that is not newer than the
        newest, while paused, and after `close`."""
        state = self._state
        with state.lock:
            state.counts["paused"] += state.paused
            accepted = not (state.closed or state.paused) and state.accept(frame)
        if self.stalled and not self._stall_told:
            self._stall_told = True
            self._report("stall", TimeoutError(f"the tracker has been at one frame for over {self.config.stall_s} s"))
        return accepted

    def turned(self, measured_ns: int, rate: ArrayLike) -> None:
        """A gyro's sample: angular velocity (3,), radians per second in IMU axes, on the clock of the frames. Raises InputError
        for one that is not newer than the last, or no rate, or where there is no `gyro`."""
        with self._state.lock:
            if not self._state.closed:
                self._state.pipeline.turned(self._state.now(), int(measured_ns), rate)

    def init(self, at: Union[Frame, int], box: ArrayLike) -> None:
        """A new target, seen at `box` (``[cx, cy, w, h]``, pixels) in this frame, or in the one captured at this time.

        The frame may lie in the past: the tracker starts there, the propagation carries the box to the newest frame, and
        there the tracker goes on. Predictions are of the new target at once. Raises InputError for a bad box, for a time of
        which no frame is in memory, and after `close`.
        """
        box = as_box(box, "first box")
        with self._state.lock:
            if self._state.closed:
                raise InputError("init() after close(): start a new live tracker")
            self._state.begin_target(at if isinstance(at, Frame) else self._state.remembered(int(at)), box)

    def predict(self, t_ns: Optional[int] = None, predictor: Optional[str] = None) -> Optional[Prediction]:
        """Where the target is at `t_ns` (None: now), says this predictor (None: the leading one). None without a target.

        From any thread, without a lock; `Prediction.age` tells how old the evidence is.
        """
        trajectory = self.trajectory(predictor)
        if trajectory is None:
            return None
        return self._state.pipeline.answer(trajectory, self._clock() if t_ns is None else t_ns)

    def trajectory(self, predictor: Optional[str] = None) -> Optional[Trajectory]:
        """The current trajectory of this predictor (None: the leading one); None without a target."""
        listening = self._state.pipeline.predictors
        if predictor is not None and predictor not in listening:
            raise InputError(f"no predictor {predictor!r} listens, expected one of: {', '.join(listening)}")
        return self._state.current.get(predictor or self._lead)

    def reset(self) -> None:
        """Forget the target; frames are still taken, for the next `init`."""
        with self._state.lock:
            self._state.end_target()

    def pause(self) -> None:
        """Refuse frames until `resume`. The target stays: predictions go on by the last trajectory, older by the second, and
        `status` says so."""
        with self._state.lock:
            self._state.paused = True

    def resume(self) -> None:
        """Take frames again, with the same target."""
        with self._state.lock:
            self._state.paused = False

    def close(self, timeout: float = 5.0) -> bool:
        """Forget the target and end the threads; may be called twice. False where a stage still hangs after `timeout`
        seconds: its thread cannot be ended from outside, but nothing it still finds is used."""
        with self._state.lock:
            self._state.close()
        until = time.monotonic() + timeout
        others = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in others:
            thread.join(max(until - time.monotonic(), 0))
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
        return self._state.active

    @property
    def paused(self) -> bool:
        return self._state.paused

    @property
    def target(self) -> int:
        """The number of the newest target: how often `init` was called."""
        return self._state.pipeline.target

    @property
    def status(self) -> Optional[Status]:
        """TRACKING, UNCERTAIN or LOST at this moment: should frames or results stay away, time alone makes it worse. From any
        thread, without a lock. None without a target, and where nobody judges."""
        return self._state.pipeline.status_at(self._clock()) if self._state.active else None

    @property
    def stalled(self) -> bool:
        """Whether the tracker has been at one frame for longer than allowed."""
        since = self._busy_since
        return since is not None and time.perf_counter() - since > self.config.stall_s

    @property
    def errors(self) -> List[Failure]:
        """The newest failures, oldest first."""
        return self._failures.newest

    @property
    def counts(self) -> Dict[str, int]:
        """``frames`` taken, ``duplicates``, ``out_of_order`` and ``paused`` ones refused; frames that the tracker and the lane
        skipped (``tracker_dropped``, ``lane_dropped``); ``late_answers`` for a target that was gone; ``errors``."""
        state = self._state
        with state.lock:
            counted = {
                name: state.counts[name] for name in ("frames", "duplicates", "out_of_order", "paused", "late_answers")
            }
        dropped = {"tracker_dropped": state.for_tracker.dropped, "lane_dropped": state.for_lane.dropped}
        return {**counted, **dropped, "errors": self._failures.count}

    def _tracker_work(self) -> None:
        state = self._state
        while state.for_tracker.wait():
            try:
                self._initialise()
                with state.lock:
                    state.lane_done.wait_for(lambda: not state.lane_is_awaited(), self.config.lane_wait_s)
                    todo = state.next_pass()
                while todo:
                    todo = self._track(todo)
            except (
                BaseException
            ) as error:  # Whatever a tracker or a predictor raises, an exit too, the next frame is tried.
                self._report("track", error)

    def _initialise(self) -> None:
        with self._state.lock:
            asked, self._state.asked = self._state.asked, None
            generation = self._state.generation
        if asked is None:
            return
        try:
            self._busy_since = time.perf_counter()
            self._tracker.init(*asked)
        except BaseException as error:
            # There is nothing to track with, so there is no target.
            with self._state.lock:
                if generation == self._state.generation:
                    self._state.end_target()
            self._report("init", error)
        finally:
            self._busy_since, self._stall_told = None, False

    def _track(self, todo: Pass) -> Optional[Pass]:
        begin = self._busy_since = time.perf_counter()
        try:
            output = checked_output(self._tracker, self._tracker.track(todo.frame, todo.search_box))
        finally:
            self._busy_since, self._stall_told = None, False
        self.times.add("track", time.perf_counter() - begin)
        with self._state.lock:
            late = todo.generation != self._state.generation
            following = self._state.finish_pass(todo, output)
        if self._on_result and not late:
            try:
                self._on_result(todo.frame.t_ns, output, todo.target)
            except BaseException as error:
                self._report("on_result", error)
        return following

    def _lane_work(self) -> None:
        while self._state.for_lane.wait():
            frame = self._state.for_lane.pop()
            begin = time.perf_counter()
            found = None
            with self._state.lock:
                seen = self._view.seen = self._state.lane_begins(frame)
            try:
                if frame is not None:
                    self._lane.push(frame)
                if seen.newest_anchor is not None:
                    found = self._lane.carry()
            except BaseException as error:  # A frame that the lane cannot use costs one frame, not the lane.
                self._report("lane", error)
            try:
                with self._state.lock:
                    self._state.propagated(seen, found)
            except BaseException as error:
                self._report("lane", error)
            self.times.add("lane", time.perf_counter() - begin)

    def _report(self, stage: str, error: BaseException) -> None:
        with self._state.lock:
            now = self._state.now()
        # Of an exit alone, its text would be a number.
        self._failures.report(
            now, stage, error if isinstance(error, Exception) else RuntimeError(f"it raised {error!r}")
        )
