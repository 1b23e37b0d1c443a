"""The online clock on the wall: a sequence delivered at its own frame rate to a live tracker, scored by the same protocol.

The log's times are those of the sequence: 0 is the capture of its first frame, and a frame is handed over at its capture
time, decoded beforehand as a camera would have it. Nothing else may run on the machine meanwhile: what slows the tracker
is measured as the tracker's slowness.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import Frame, Tracker
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.simulation import LaneJob, Propagation, simulate

MakeLive = Callable[[EventLog, Callable[[], int]], LiveTracker]
NEVER_NS = 3600 * 10**9


class SequenceClock:
    """Integer nanoseconds that stand at `t_ns` until `start`, and go on with the wall from there; they never jump back."""

    def __init__(self, t_ns: int):
        self._t_ns = t_ns
        self._began_ns: Optional[int] = None

    def start(self, began_ns: Optional[int] = None) -> None:
        """`began_ns`: when it was `t_ns`, by `time.perf_counter_ns` (None: now)."""
        self._began_ns = time.perf_counter_ns() if began_ns is None else began_ns

    def __call__(self) -> int:
        passed = 0 if self._began_ns is None else time.perf_counter_ns() - self._began_ns
        return self._t_ns + passed

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or soon after; at once if it is over."""
        while True:
            left = (t_ns - self()) * 1e-9
            if left <= 0:
                return
            time.sleep(left)


def run_wall(
    sequence: VideoSequence,
    make_live: MakeLive,
    *,
    first_box: np.ndarray,
    start: int = 0,
    meta: Optional[Dict[str, Any]] = None,
) -> EventLog:
    """Deliver the sequence from camera frame `start` in real time and return the event log.

    `make_live`: a live tracker that writes this log on this clock; it is closed here. `first_box`: ``[cx, cy, w, h]`` at
    frame `start`. The log's meta tells under ``wall`` how late the frames were delivered (milliseconds), what was dropped
    and how long each stage took. A tracker that failed, or hangs at the end, is an InputError: half a run is not a run.
    """
    if not 0 <= start < len(sequence):
        raise InputError(f"{sequence.name}: start frame {start} is outside 0..{len(sequence) - 1}")
    times = sequence.camera_t_ns
    log = EventLog({"schedule": "async", **(meta or {}), "clock": "wall"})
    clock = SequenceClock(int(times[start]))
    live = make_live(log, clock)
    late: List[float] = []
    frame = _decoded(sequence, start)
    try:
        clock.start()
        live.submit(frame)
        live.init(frame, first_box)
        for index in range(start + 1, len(sequence)):
            frame = _decoded(sequence, index)
            clock.sleep_until(int(times[index]))
            late.append((clock() - int(times[index])) * 1e-6)
            live.submit(frame)
        # What becomes available within the last world frame still counts, for the larger permitted latencies.
        clock.sleep_until(int(times[-1]) + round(1e9 / sequence.world_fps))
    finally:
        ended = live.close()
    if not ended:
        raise InputError(
            f"{sequence.name}: the tracker hangs: long after the last frame it is not back; half a run is no run"
        )
    failures = [failure for failure in live.errors if failure.stage != "stall"]
    if failures:
        raise InputError(
            f"{sequence.name}: {failures[0].stage} failed {len(failures)} times, first with: {failures[0].error}"
        )
    log.meta["wall"] = {
        "late_ms": [round(float(np.percentile(late or [0.0], q)), 3) for q in (50, 95, 100)],
        "counts": live.counts,
        "stages_ms": {
            stage: [each.samples, round(each.median * 1e3, 3), round(each.p95 * 1e3, 3)]
            for stage, each in live.times.summary().items()
        },
    }
    return log


def _decoded(sequence: VideoSequence, index: int) -> Frame:
    frame = sequence.frame(index)
    # Annotations alone have no image, and some trackers need none; whoever does will say so.
    with suppress(InputError):
        frame.image  # noqa: B018
    return frame


class Delivered(VideoSequence):
    """A sequence whose camera delivered when a log says it did; capture times stay those of the sequence."""

    _arrived_ns: np.ndarray

    @classmethod
    def of(cls, sequence: VideoSequence, log: EventLog) -> Delivered:
        made = cls(
            sequence.name, sequence.ground_truth_xywh, sequence.world_fps, sequence.camera_fps, sequence.image_paths
        )
        start = log.of_kind("init")[0][2]
        arrived = sequence.camera_t_ns.copy()
        for _, t_ns, frame, _ in log.of_kind("frame"):
            # The first one is where the clocks of both begin.
            if frame != start:
                arrived[frame] = t_ns
        object.__setattr__(made, "_arrived_ns", arrived)
        object.__setattr__(made, "frame", sequence.frame)
        return made

    @property
    def camera_t_ns(self) -> np.ndarray:
        return self._arrived_ns


def recorded_times(log: EventLog) -> Callable[[int], int]:
    """Processing times of a recorded run, as `simulate` takes them: by the camera frame's number in the run, nanoseconds.

    A pass begins in the moment of the event that makes it possible (a frame, an answer, the propagation's), so nothing lies
    between; one without an answer takes for ever.
    """
    start, begun = log.of_kind("init")[0][2:4]
    finished = {row[2]: row[1] for row in log.of_kind("result")}
    started = {row[2]: row[1] for row in log.of_kind("start")}
    durations = {frame: finished[frame] - t_ns for frame, t_ns in started.items() if frame in finished}
    durations[start] = min(started.values(), default=NEVER_NS) - begun
    return lambda number: durations.get(number + start, NEVER_NS)


def recorded_predictions(log: EventLog) -> Callable[[int], int]:
    """What each prediction of a recorded run cost, by the time of what it was made from: the result, or what was propagated."""
    costs: Dict[int, int] = {}
    begun = None
    for row in log.rows:
        if row[0] in ("result", "propagated"):
            begun = row[1]
        elif row[0] == "trajectory" and begun is not None:
            costs.setdefault(begun, row[1] - begun)
    return lambda t_ns: costs.get(t_ns, 0)


def recorded_lane(log: EventLog) -> Tuple[LaneJob, ...]:
    """The jobs of a recorded run's propagation; without what it was still at in the end, or did without a target."""
    frames = {row[3]: row[2] for row in log.of_kind("frame")}
    jobs = []
    begun = None
    for row in log.of_kind("lane", "propagated"):
        if row[0] == "lane":
            begun = row
        elif begun is not None:
            jobs.append(LaneJob(begun[1], None if begun[2] is None else frames[begun[2]], row[1]))
            begun = None
    return tuple(jobs)


def simulate_recorded(
    log: EventLog,
    sequence: VideoSequence,
    tracker: Tracker,
    predictors: Mapping[str, Predictor],
    first_box: np.ndarray,
    propagator: Optional[Propagator] = None,
) -> EventLog:
    """The same run on the simulated clock, fed with the recorded arrivals and processing times of tracker, predictors and
    propagation (`propagator`, where there was one): the same frames are processed, and the same is known at the same times.

    InputError where the log has a propagation and `propagator` is None.
    """
    lane = recorded_lane(log)
    if lane and propagator is None:
        raise InputError(f"{sequence.name}: the run had a propagation; it takes a propagator to simulate it")
    judged = log.meta.get("presence_config")
    simulated = simulate(
        Delivered.of(sequence, log),
        tracker,
        predictors,
        recorded_times(log),
        first_box=first_box,
        start=log.of_kind("init")[0][2],
        predictor_ns=recorded_predictions(log),
        search_region=log.meta.get("search_region", "last"),
        propagation=None if propagator is None else Propagation(propagator, recorded=lane),
        status=PresenceConfig.from_dict(judged) if judged else None,
    )
    # The recorded run ended there, whatever its tracker was still at.
    return EventLog(log.meta, [row for row in simulated.rows if row[1] <= log.rows[-1][1]])
