"""The wall clock: a sequence is delivered to a live tracker at its own frame rate, and scored by the same protocol.

The log's times are those of the sequence: 0 is the capture of its first frame. A frame is delivered at its capture
time, already decoded, as from a camera. Nothing else may run on the machine meanwhile: what slows the tracker down is
measured as the tracker's own time.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Callable, List, Optional

import numpy as np

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.sequence import VideoSequence

GOES_ON = ("stall", "size")
"""Reports of a live tracker that goes on: it was slow for once, or the images have another size from now on."""
MakeLive = Callable[[EventLog, Callable[[], int]], LiveTracker]


class SequenceClock:
    """Integer nanoseconds that stand at `t_ns` until `start`, go on with the wall from there, and never jump back."""

    def __init__(self, t_ns: int):
        self._t_ns = t_ns
        self._began_ns: Optional[int] = None

    def start(self, began_ns: Optional[int] = None) -> None:
        """Let the time pass; `began_ns` is when it was `t_ns`, by `time.perf_counter_ns` (None: now)."""
        self._began_ns = time.perf_counter_ns() if began_ns is None else began_ns

    def __call__(self) -> int:
        """Return the time of the sequence, nanoseconds."""
        passed = 0 if self._began_ns is None else time.perf_counter_ns() - self._began_ns
        return self._t_ns + passed

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or soon after; at once if that is past."""
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
    log: Optional[EventLog] = None,
) -> EventLog:
    """Deliver the sequence in real time.

    Parameters
    ----------
    sequence
        Frames, and when they were captured.
    make_live
        Makes a live tracker that writes this log on this clock; it is closed here.
    first_box
        The target at frame `start`, ``[cx, cy, w, h]``, pixels.
    start
        Number of the camera frame to start from.
    log
        Where the events go; None makes a new log.

    Returns
    -------
    EventLog
        Its meta has an entry ``wall``: how late frames were delivered (milliseconds), what was passed over, how long
        each stage took, and the machine's load average before and after (None where the system has none).

    Raises
    ------
    InputError
        For a tracker that failed, or hangs at the end: half a run is not a run.
    """
    if not 0 <= start < len(sequence):
        raise InputError(f"{sequence.name}: start frame {start} is outside 0..{len(sequence) - 1}")
    times = sequence.camera_t_ns
    log = EventLog() if log is None else log
    log.meta.update(schedule="async", clock="wall")
    before = _load()
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
    failures = [failure for failure in live.errors if failure.stage not in GOES_ON]
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
        "load": None if before is None else [before, _load()],
    }
    return log


def _load() -> Optional[float]:
    """How many processes wanted to run, mean over the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _decoded(sequence: VideoSequence, index: int) -> Frame:
    frame = sequence.frame(index)
    # Annotations alone have no image, and some trackers need none; whoever does will say so.
    with suppress(InputError):
        frame.image  # noqa: B018
    return frame
