"""What the parties of a live tracker share: the pipeline, the frames in memory, the target, and the one short lock."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Callable, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.runtime.fast_lane import Lane
from pvtpp.runtime.mailbox import Mailbox
from pvtpp.runtime.pipeline import Pipeline
from pvtpp.runtime.recent_frames import RecentFrames
from pvtpp.runtime.stage_times import StageTimes
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Trajectory


class Pass(NamedTuple):
    """One pass of the tracker; the target it belongs to (`generation`) may be gone when it is done."""

    generation: int
    frame: Frame
    search_box: Optional[np.ndarray]


class Seen(NamedTuple):
    """What the fast lane may know of the pipeline: read in one go, so that target, anchor and box belong together.

    `anchors` counts the tracker results up to this one.
    """

    target: int
    anchors: int
    newest_anchor: Optional[Tuple[int, np.ndarray]]
    newest_box: Optional[np.ndarray]


class LiveState:
    """Its methods, `now` included, are called under `lock` (which `lane_done` shares); none of them takes longer than the
    predictors do. `current` is replaced and never changed, so it may be read without."""

    def __init__(self, pipeline: Pipeline, recent: RecentFrames, clock: Callable[[], int], times: StageTimes, lane: bool):
        self.pipeline, self.recent, self.times, self.lane = pipeline, recent, times, lane
        self.lock = threading.Lock()
        self.lane_done = threading.Condition(self.lock)
        self.for_tracker: Mailbox[Frame] = Mailbox()
        self.for_lane: Mailbox[Frame] = Mailbox()
        self.current: Mapping[str, Trajectory] = {}
        self.counts: Counter = Counter()
        self.active = self.closed = False
        # Counts targets and ends of targets: what was begun for another one is not used.
        self.generation = 0
        self.asked: Optional[Tuple[Frame, np.ndarray]] = None
        self._clock = clock
        self._now_ns: Optional[int] = None
        self._catching_up = False
        self._taken_ns = 0
        self._idle = False
        self._begun: Optional[Pass] = None
        # Anchors there were, and how many of them the fast lane has dealt with.
        self._anchors = self._carried = 0

    def now(self) -> int:
        # The system's clock may be set back; the pipeline's never is.
        now = int(self._clock())
        self._now_ns = now if self._now_ns is None else max(now, self._now_ns)
        return self._now_ns

    def accept(self, frame: Frame) -> bool:
        """The camera delivered this frame; False if it is not newer than the newest."""
        newest = self.recent.newest
        if newest is not None and frame.t_ns <= newest.t_ns:
            self.counts["duplicates" if frame.t_ns == newest.t_ns else "out_of_order"] += 1
            return False
        now = self.now()
        self.recent.push(frame)
        self.counts["frames"] += 1
        self.times.add("frame_age", (now - frame.t_ns) * 1e-9)
        self.pipeline.frame_arrived(now, frame.index, frame.t_ns)
        if self.active:
            self.for_tracker.put(frame)
        if self._idle:
            # Here and not when the tracker's thread wakes up: what it takes depends on recorded events alone.
            self._begun = self.begin_pass()
            self.for_tracker.wake()
        if self.lane:
            self.for_lane.put(frame)
        return True

    def remembered(self, t_ns: int) -> Frame:
        """The frame captured at this time; InputError if it is not in memory."""
        frame = self.recent.find(t_ns)
        if frame is None:
            oldest, newest = self.recent.oldest, self.recent.newest
            held = f"from t_ns={oldest.t_ns} to t_ns={newest.t_ns}" if oldest and newest else "none so far"
            raise InputError(f"no frame captured at t_ns={t_ns} is in memory; there are {len(self.recent)}, {held}")
        return frame

    def begin_target(self, frame: Frame, box: np.ndarray) -> None:
        """A new target: predictions are of it at once, tracker and fast lane are told."""
        if self.recent.newest is None or frame.t_ns > self.recent.newest.t_ns:
            self.accept(frame)
        self.end_target()
        self.pipeline.init(self.now(), frame.index, frame.t_ns, box)
        self.current = self.pipeline.trajectories
        self.active, self.asked, self._taken_ns = True, (frame, box), frame.t_ns
        self._anchors += 1
        newest = self.recent.newest
        self._catching_up = newest is not None and newest.t_ns > frame.t_ns
        if newest is not None and self._catching_up:
            self.for_tracker.put(newest)
        self.for_tracker.wake()
        self.for_lane.wake()

    def end_target(self) -> None:
        """No target any more; what tracker and fast lane are still at will not be used."""
        self.generation += 1
        self.active, self.asked, self.current = False, None, {}
        self._idle, self._begun = False, None
        self.for_tracker.pop()

    def close(self) -> None:
        self.end_target()
        self.closed = True
        self.for_tracker.close()
        self.for_lane.close()
        self.lane_done.notify_all()

    def next_pass(self) -> Optional[Pass]:
        """What the tracker is to do now: the pass that began when its frame arrived, or else `begin_pass`."""
        begun, self._begun = self._begun, None
        return begun or self.begin_pass()

    def begin_pass(self) -> Optional[Pass]:
        """The tracker is free: on to the newest frame, or wait for one; None too if there is another target to begin with."""
        self._idle = False
        if not self.active or self.asked:
            return None
        frame = self.for_tracker.pop()
        if frame is None or frame.t_ns <= self._taken_ns:
            self._idle = True
            return None
        search_box = self.pipeline.tracker_started(self.now(), frame.index, frame.t_ns)
        if self._catching_up and search_box is None:
            # Its own last result is as old as the frame the target was given on.
            search_box = self.pipeline.evidence_box()
        self._catching_up, self._taken_ns = False, frame.t_ns
        return Pass(self.generation, frame, search_box)

    def finish_pass(self, done: Pass, output: TrackerOutput) -> Optional[Pass]:
        """The tracker's answer, and what it takes next in the same moment; None where it has to wait, for a frame or for
        what the fast lane makes of this answer."""
        if done.generation != self.generation:
            self.counts["late_answers"] += 1
            return None
        now = self.now()
        self.pipeline.tracker_finished(now, done.frame.index, done.frame.t_ns, output)
        self._anchors += 1
        if self.lane:
            self.for_lane.wake()
        else:
            self._predict(now)
        if not self.lane_is_awaited():
            return self.begin_pass()
        self.for_tracker.wake()
        return None

    def lane_is_awaited(self) -> bool:
        """Whether the tracker is to look where the fast lane has the target, and the lane has not come that far yet."""
        wanted = self._catching_up or self.pipeline.search_region != "last"
        return self.lane and wanted and self._carried < self._anchors and not self.asked and not self.closed

    def look(self) -> Seen:
        if not self.active:
            return Seen(self.generation, self._anchors, None, None)
        return Seen(self.generation, self._anchors, self.pipeline.anchor(), self.pipeline.evidence_box())

    def carried(self, seen: Seen, found: Optional[Lane]) -> None:
        """What the fast lane found for what it had seen; None where it failed, then the anchor stands for itself."""
        if seen.target == self.generation and self.active:
            now = self.now()
            if found is None or self.pipeline.carried(now, found.anchor_ns, found.carried, found.bridge):
                self._predict(now)
        self._carried = seen.anchors
        self.lane_done.notify_all()

    def _predict(self, now: int) -> None:
        begin = time.perf_counter()
        self.current = self.pipeline.predict(now)
        self.times.add("predict", time.perf_counter() - begin)
