"""The online clock, simulated: what a tracker of a given speed would have seen and answered, in integer nanoseconds.

The tracker takes the newest frame whenever it is free; one faster than the camera waits for the next frame, one slower
skips. Its predictor runs after each result on the same processor, so a predictor's cost delays what follows. The first box
is known at once (initialising is free for the score, as in the published protocol) but the world goes on while the tracker
initialises. At equal times a frame arrives before a result is due, and a result is there before anyone asks.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import Any, Callable, Dict, Mapping, Optional

import numpy as np

from benchmarks.datasets.sequence import Sequence
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.runtime.log import EventLog
from pvtpp.runtime.pipeline import Pipeline
from pvtpp.tracker import Tracker, TrackerOutput

SCHEDULES = ("async", "paper")
_ARRIVAL, _DONE = 0, 1


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
    log = EventLog(meta)
    pipeline = Pipeline(predictors, search_region, log)
    times = sequence.camera_t_ns
    events: list = []
    order = count()

    def at(t_ns: int, priority: int, action: Callable[[int], None]) -> None:
        heapq.heappush(events, (int(t_ns), priority, next(order), action))

    newest, taken, idle = start, start, False

    def arrive(t_ns: int, index: int) -> None:
        nonlocal newest
        newest = index
        pipeline.frame_arrived(t_ns, index, t_ns)
        if index + 1 < len(times):
            at(times[index + 1], _ARRIVAL, lambda t: arrive(t, index + 1))
        if idle:
            take(t_ns)

    def take(t_ns: int) -> None:
        """The tracker is free: on to the newest frame, or wait for one."""
        nonlocal taken, idle
        idle = newest == taken
        if not idle:
            taken = newest
            track(t_ns, taken)

    def track(t_ns: int, index: int) -> None:
        search_box = pipeline.tracker_started(t_ns, index, int(times[index]))
        output = tracker.track(sequence.frame(index), search_box)
        at(t_ns + processing(index - start), _DONE, lambda t: finish(t, index, output))

    def finish(t_ns: int, index: int, output: TrackerOutput) -> None:
        pipeline.tracker_finished(t_ns, index, int(times[index]), output)
        predict_then_go_on(t_ns)

    def predict_then_go_on(t_ns: int) -> None:
        nonlocal taken
        grabbed = newest if schedule == "paper" and newest != taken else None
        if grabbed is not None:
            taken = grabbed

        def predicted(t: int) -> None:
            pipeline.predict(t)
            if grabbed is None:
                take(t)
            else:
                track(t, grabbed)

        at(t_ns + predictor_ns, _DONE, predicted)

    first_ns = int(times[start])
    frame = sequence.frame(start)
    pipeline.frame_arrived(first_ns, start, first_ns)
    pipeline.init(first_ns, start, first_ns, first_box)
    tracker.init(frame, first_box)
    if start + 1 < len(times):
        at(times[start + 1], _ARRIVAL, lambda t: arrive(t, start + 1))
    at(first_ns + processing(0), _DONE, take)
    while events:
        t_ns, _, _, action = heapq.heappop(events)
        action(t_ns)
    return log
