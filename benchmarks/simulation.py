"""The online clock, simulated: what a tracker of a given speed would have seen and answered, in integer nanoseconds.

The tracker takes the newest frame whenever it is free; one faster than the camera waits for the next frame, one slower
skips. Its predictor runs after each result on the same processor, so a predictor's cost delays what follows. The first box
is known at once (initialising is free for the score, as in the published protocol) but the world goes on while the tracker
initialises. At equal times a frame arrives before a result is due, and a result is there before anyone asks.

The propagation, where there is one, works on every camera frame as it arrives and on every result, one job after the other;
what it finds is available after the time of the steps it measured. On a core of its own it delays nobody but itself and who
waits for it; on the tracker's core (`shared`) its time comes on top of the tracker's. Fed with the jobs of a recorded run, it
does those at those times instead.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Callable, Deque, Dict, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from pvtpp.appearance import AppearanceTracker
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.propagating import Propagating
from pvtpp.core.state_machine import Pipeline
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import Frame, Tracker
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.named_failures import NamedFailures

SCHEDULES = ("async", "paper")
CORES = ("own", "shared")
_ARRIVAL, _DONE = 0, 1

Job = Callable[[int], None]
Cost = Callable[[int], int]


class LaneJob(NamedTuple):
    """What the propagation of a recorded run did: when it began, which camera frame it took (None: what was new was a result),
    and when it was done with it."""

    begin_ns: int
    frame: Optional[int]
    done_ns: int


@dataclass(frozen=True)
class Propagation:
    """A propagation and its price: nanoseconds for each step it measures, and the core it runs on. `recorded`: the jobs of a
    recorded run, in order, instead of one for each frame and each result at that price."""

    propagator: Propagator
    step_ns: int = 0
    core: str = "own"
    recorded: Optional[Tuple[LaneJob, ...]] = None

    def __post_init__(self) -> None:
        if self.core not in CORES:
            raise InputError(f"unknown propagation core {self.core!r}, expected one of: {', '.join(CORES)}")
        if self.step_ns < 0:
            raise InputError(f"propagation step_ns must be 0 or more, got {self.step_ns}")


def simulate(
    sequence: VideoSequence,
    tracker: Tracker,
    predictors: Mapping[str, Predictor],
    processing: Callable[[int], int],
    *,
    first_box: np.ndarray,
    start: int = 0,
    predictor_ns: Union[int, Cost] = 0,
    schedule: str = "async",
    search_region: str = "last",
    propagation: Optional[Propagation] = None,
    status: Optional[PresenceConfig] = None,
    gyro: Optional[GyroRecording] = None,
    meta: Optional[Dict[str, Any]] = None,
) -> EventLog:
    """Run the tracker over the sequence from camera frame `start` and return the event log.

    `processing`: nanoseconds by the camera frame's number in this run (0 is the initialisation). `predictor_ns`: what each
    prediction costs, or what the one costs that is begun at a given time. `schedule`: ``async``: predict, then take the
    newest frame; ``paper``: take the newest frame, predict for the frames to come, then track the frame taken. `first_box`:
    ``[cx, cy, w, h]`` at frame `start`. `status`: judge the results, as the live tracker does; None believes them all. `gyro`:
    what is known of the camera's own rotation, each sample after its delay.
    """
    if schedule not in SCHEDULES:
        raise InputError(f"unknown schedule {schedule!r}, expected one of: {', '.join(SCHEDULES)}")
    if not 0 <= start < len(sequence):
        raise InputError(f"{sequence.name}: start frame {start} is outside 0..{len(sequence) - 1}")
    if propagation and schedule == "paper":
        raise InputError("schedule 'paper' knows no propagation, use 'async'")
    log = EventLog(meta)
    pipeline = Pipeline(predictors, search_region, log, status, None if gyro is None else gyro.gyro())
    if status is not None:
        tracker = AppearanceTracker(tracker)
    cost = predictor_ns if callable(predictor_ns) else lambda t_ns: predictor_ns
    run = _Run(sequence, tracker, pipeline, processing, start, cost, schedule, propagation, gyro)
    run.play(first_box)
    return log


class _Run:
    """The state of one simulation: what is due when, which frame the tracker has, what the propagation still has to do."""

    def __init__(
        self,
        sequence: VideoSequence,
        tracker: Tracker,
        pipeline: Pipeline,
        processing: Callable[[int], int],
        start: int,
        predictor_ns: Cost,
        schedule: str,
        propagation: Optional[Propagation],
        gyro: Optional[GyroRecording],
    ):
        self.sequence, self.tracker, self.pipeline = sequence, NamedFailures(tracker, sequence.name), pipeline
        self.processing, self.predictor_ns, self.schedule = processing, predictor_ns, schedule
        self.times = sequence.camera_t_ns
        self.start = self.newest = self.taken = start
        self.frame = sequence.frame(start)
        self.idle = False
        self.gyro = gyro
        self.propagation = propagation
        self.lane = Propagating(pipeline, propagation.propagator) if propagation else None
        self.lane_jobs: Deque[Job] = deque()
        self.lane_busy = False
        self.lane_until = 0
        # Results there were, and how many of them the propagation has dealt with; one may be waited for.
        self.results = self.propagated = 0
        self.waiting = False
        # Time that the propagation takes away from the tracker on a shared core, until the tracker's pass is done.
        self.stolen_ns = 0
        self._due: list = []
        self._order = count()

    def play(self, first_box: np.ndarray) -> None:
        first_ns = int(self.times[self.start])
        if self.gyro is not None:
            self._measure(first_ns, self.gyro, 0)
        self.pipeline.frame_arrived(first_ns, self.start, first_ns)
        self.pipeline.init(first_ns, self.start, first_ns, first_box)
        self.tracker.init(self.frame, first_box)
        recorded = self.propagation.recorded if self.propagation else None
        for job in recorded or ():
            self._at(job.begin_ns, _DONE, partial(self._repeat, job))
        # A lane that ran before there was a target took the first frame then, unlogged.
        if self.lane and (recorded is None or self.start not in (job.frame for job in recorded)):
            self.lane.push(self.frame)
        self._expect_frame(self.start + 1)
        self._busy(first_ns, self.processing(0), self.take)
        while self._due:
            t_ns, _, _, action = heapq.heappop(self._due)
            action(t_ns)

    def _at(self, t_ns: int, priority: int, action: Job) -> None:
        heapq.heappush(self._due, (int(t_ns), priority, next(self._order), action))

    def _busy(self, t_ns: int, duration: int, then: Job) -> None:
        """The tracker works for `duration`, longer by what the propagation takes away meanwhile; then `then`."""
        shared = self.propagation is not None and self.propagation.core == "shared"
        self.stolen_ns = max(self.lane_until - t_ns, 0) if shared else 0

        def done(now: int) -> None:
            stolen, self.stolen_ns = self.stolen_ns, 0
            if stolen:
                self._at(now + stolen, _DONE, done)
            else:
                then(now)

        self._at(t_ns + duration, _DONE, done)

    def _expect_frame(self, index: int) -> None:
        if index < len(self.times):
            self._at(self.times[index], _ARRIVAL, lambda t_ns: self.arrive(t_ns, index))

    def _measure(self, t_ns: int, gyro: GyroRecording, index: int) -> None:
        """The samples that are known by now, from this one on, and then the others as they come."""
        while index < len(gyro.t_ns) and gyro.t_ns[index] + gyro.delay_ns <= t_ns:
            self.pipeline.turned(t_ns, int(gyro.t_ns[index]), gyro.rates[index])
            index += 1
        if index < len(gyro.t_ns):
            self._at(gyro.t_ns[index] + gyro.delay_ns, _ARRIVAL, lambda now: self._measure(now, gyro, index))

    def arrive(self, t_ns: int, index: int) -> None:
        self.newest, self.frame = index, self.sequence.frame(index)
        self.pipeline.frame_arrived(t_ns, index, t_ns)
        self._expect_frame(index + 1)
        self._ask_lane(t_ns, self.frame)
        if self.idle:
            self.take(t_ns)

    def take(self, t_ns: int) -> None:
        """The tracker is free: on to the newest frame, or wait for one."""
        self.idle = self.newest == self.taken
        if not self.idle:
            self.taken = self.newest
            self.track(t_ns, self.frame)

    def track(self, t_ns: int, frame: Frame) -> None:
        search_box = self.pipeline.tracker_started(t_ns, frame.index, frame.t_ns)
        output = self.tracker.track(frame, search_box)

        def finish(now: int) -> None:
            self.pipeline.tracker_finished(now, frame.index, frame.t_ns, output)
            self.use_result(now)

        self._busy(t_ns, self.processing(frame.index - self.start), finish)

    def use_result(self, t_ns: int) -> None:
        if self.propagation:
            self.results += 1
            self.waiting = self.propagation.core == "shared" or self.pipeline.search_region == "predicted"
            self._ask_lane(t_ns, None, self.results)
            if not self.waiting:
                self.take(t_ns)
            return
        grabbed = None
        if self.schedule == "paper" and self.newest != self.taken:
            self.taken, grabbed = self.newest, self.frame

        def predicted(now: int) -> None:
            self.pipeline.predict(now)
            if grabbed is None:
                self.take(now)
            else:
                self.track(now, grabbed)

        self._at(t_ns + self.predictor_ns(t_ns), _DONE, predicted)

    def _ask_lane(self, t_ns: int, frame: Optional[Frame], result: int = 0) -> None:
        if self.propagation is None or self.propagation.recorded is not None:
            return
        if self.lane_busy:
            self.lane_jobs.append(lambda now: self.propagate(now, frame, result))
        else:
            self.propagate(t_ns, frame, result)

    def _repeat(self, job: LaneJob, t_ns: int) -> None:
        frame = None if job.frame is None else self.sequence.frame(job.frame)
        self.propagate(t_ns, frame, self.results, job.done_ns)

    def propagate(self, t_ns: int, frame: Optional[Frame], result: int, done_ns: Optional[int] = None) -> None:
        """One job of the propagation: look at a new frame if there is one, carry the anchor, predict. `result`: the number of the
        one it is for. `done_ns`: when it was done, where that is known, else what it costs is charged."""
        assert self.lane is not None and self.propagation is not None
        self.lane_busy = True
        self.pipeline.lane_started(t_ns, None if frame is None else frame.t_ns)
        steps = self.lane.push(frame) if frame else 0
        found = self.lane.carry()
        cost = (steps + found.steps) * self.propagation.step_ns if done_ns is None else done_ns - t_ns
        if done_ns is None:
            cost += self.predictor_ns(t_ns)
        if self.propagation.core == "shared":
            self.stolen_ns += cost
        self.lane_until = t_ns + cost

        def propagated(now: int) -> None:
            fresh = self.pipeline.propagated(now, found.anchor_ns, found.propagated, found.displacement)
            if fresh and done_ns is not None:
                self._at(now + self.predictor_ns(now), _DONE, predicted)
            elif fresh:
                predicted(now)
            else:
                done(now)

        def predicted(now: int) -> None:
            self.pipeline.predict(now)
            done(now)

        def done(now: int) -> None:
            self.lane_busy = False
            self.propagated = max(self.propagated, result)
            if self.lane_jobs:
                self.lane_jobs.popleft()(now)
            if self.waiting and self.propagated == self.results:
                self.waiting = False
                self.take(now)

        self._at(t_ns + cost, _DONE, propagated)
