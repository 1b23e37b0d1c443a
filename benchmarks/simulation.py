"""The online clock, simulated: what a tracker of a given speed would have seen and answered, in integer nanoseconds.

The tracker takes the newest frame whenever it is free; one faster than the camera waits for the next frame, one slower
skips. Its predictor runs after each result on the same processor, so a predictor's cost delays what follows. The first box
is known at once (initialising is free for the score, as in the published protocol) but the world goes on while the tracker
initialises. At equal times a frame arrives before a result is due, and a result is there before anyone asks.

The fast lane, where there is one, works on every camera frame as it arrives and on every result, one job after the other;
what it finds is available after the time of the steps it measured. On a core of its own it delays nobody but itself and who
waits for it; on the tracker's core (`shared`) its time comes on top of the tracker's.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import Any, Callable, Deque, Dict, Mapping, Optional

import numpy as np

from benchmarks.datasets.sequence import Sequence
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.runtime.fast_lane import FastLane
from pvtpp.runtime.log import EventLog
from pvtpp.runtime.pipeline import Pipeline
from pvtpp.tracker import Frame, Tracker

SCHEDULES = ("async", "paper")
CORES = ("own", "shared")
_ARRIVAL, _DONE = 0, 1

Job = Callable[[int], None]


@dataclass(frozen=True)
class Propagation:
    """A fast lane and its price: nanoseconds for each step it measures, and the core it runs on."""

    propagator: Propagator
    step_ns: int = 0
    core: str = "own"

    def __post_init__(self) -> None:
        if self.core not in CORES:
            raise InputError(f"unknown propagation core {self.core!r}, expected one of: {', '.join(CORES)}")
        if self.step_ns < 0:
            raise InputError(f"propagation step_ns must be 0 or more, got {self.step_ns}")


def simulate(
    sequence: Sequence,
    tracker: Tracker,
    predictors: Mapping[str, Predictor],
    processing: Callable[[int], int],
    *,
    first_box: np.ndarray,
    start: int = 0,
    predictor_ns: int = 0,
    schedule: str = "async",
    search_region: str = "last",
    propagation: Optional[Propagation] = None,
    meta: Optional[Dict[str, Any]] = None,
) -> EventLog:
    """Run the tracker over the sequence from camera frame `start` and return the event log.

    `processing`: nanoseconds by the camera frame's number in this run (0 is the initialisation). `predictor_ns`: what each
    prediction costs. `schedule`: ``async``: predict, then take the newest frame; ``paper``: take the newest frame, predict
    for the frames to come, then track the frame taken. `first_box`: ``[cx, cy, w, h]`` at frame `start`.
    """
    if schedule not in SCHEDULES:
        raise InputError(f"unknown schedule {schedule!r}, expected one of: {', '.join(SCHEDULES)}")
    if not 0 <= start < len(sequence):
        raise InputError(f"{sequence.name}: start frame {start} is outside 0..{len(sequence) - 1}")
    if propagation and schedule == "paper":
        raise InputError("schedule 'paper' knows no propagation, use 'async'")
    log = EventLog(meta)
    pipeline = Pipeline(predictors, search_region, log)
    run = _Run(sequence, tracker, pipeline, processing, start, predictor_ns, schedule, propagation)
    run.play(first_box)
    return log


class _Run:
    """The state of one simulation: what is due when, which frame the tracker has, what the fast lane still has to do."""

    def __init__(
        self,
        sequence: Sequence,
        tracker: Tracker,
        pipeline: Pipeline,
        processing: Callable[[int], int],
        start: int,
        predictor_ns: int,
        schedule: str,
        propagation: Optional[Propagation],
    ):
        self.sequence, self.tracker, self.pipeline = sequence, tracker, pipeline
        self.processing, self.predictor_ns, self.schedule = processing, predictor_ns, schedule
        self.times = sequence.camera_t_ns
        self.start = self.newest = self.taken = start
        self.frame = sequence.frame(start)
        self.idle = False
        self.propagation = propagation
        self.lane = FastLane(pipeline, propagation.propagator) if propagation else None
        self.lane_jobs: Deque[Job] = deque()
        self.lane_busy = False
        self.lane_until = 0
        # Time that the fast lane takes away from the tracker on a shared core, until the tracker's pass is done.
        self.stolen_ns = 0
        self._due: list = []
        self._order = count()

    def play(self, first_box: np.ndarray) -> None:
        first_ns = int(self.times[self.start])
        self.pipeline.frame_arrived(first_ns, self.start, first_ns)
        self.pipeline.init(first_ns, self.start, first_ns, first_box)
        self.tracker.init(self.frame, first_box)
        if self.lane:
            self.lane.push(self.frame)
        self._expect_frame(self.start + 1)
        self._busy(first_ns, self.processing(0), self.take)
        while self._due:
            t_ns, _, _, action = heapq.heappop(self._due)
            action(t_ns)

    def _at(self, t_ns: int, priority: int, action: Job) -> None:
        heapq.heappush(self._due, (int(t_ns), priority, next(self._order), action))

    def _busy(self, t_ns: int, duration: int, then: Job) -> None:
        """The tracker works for `duration`, longer by what the fast lane takes away meanwhile; then `then`."""
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

    def arrive(self, t_ns: int, index: int) -> None:
        self.newest, self.frame = index, self.sequence.frame(index)
        self.pipeline.frame_arrived(t_ns, index, t_ns)
        self._expect_frame(index + 1)
        if self.lane:
            frame = self.frame
            self._lane_does(t_ns, lambda now: self.propagate(now, frame))
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
            waits = self.propagation.core == "shared" or self.pipeline.search_region == "predicted"
            self._lane_does(t_ns, lambda now: self.propagate(now, None, self.take if waits else None))
            if not waits:
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

        self._at(t_ns + self.predictor_ns, _DONE, predicted)

    def _lane_does(self, t_ns: int, job: Job) -> None:
        if self.lane_busy:
            self.lane_jobs.append(job)
        else:
            job(t_ns)

    def propagate(self, t_ns: int, frame: Optional[Frame], then: Optional[Job] = None) -> None:
        """One job of the fast lane: look at a new frame if there is one, carry the anchor, predict."""
        assert self.lane is not None and self.propagation is not None
        self.lane_busy = True
        steps = self.lane.push(frame) if frame else 0
        found = self.lane.carry()
        cost = (steps + found.steps) * self.propagation.step_ns + self.predictor_ns
        if self.propagation.core == "shared":
            self.stolen_ns += cost
        self.lane_until = t_ns + cost

        def done(now: int) -> None:
            if self.pipeline.carried(now, found.anchor_ns, found.carried, found.bridge):
                self.pipeline.predict(now)
            self.lane_busy = False
            if self.lane_jobs:
                self.lane_jobs.popleft()(now)
            if then:
                then(now)

        self._at(t_ns + cost, _DONE, done)
