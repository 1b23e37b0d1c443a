"""What the parties of a live tracker share: the pipeline, the frames in memory, the target, and the one short lock."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Callable, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.core.propagating import Lane
from pvtpp.core.state_machine import Pipeline
from pvtpp.errors import InputError
from pvtpp.live.mailbox import Mailbox
from pvtpp.live.recent_frames import RecentFrames
from pvtpp.live.stage_times import StageTimes
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Trajectory


class Pass(NamedTuple):
    """One pass of the tracker; the target it belongs to (`generation`) may be gone when it is done. `target`: its number."""

    generation: int
    target: int
    frame: Frame
    search_box: Optional[np.ndarray]


class Seen(NamedTuple):
    """What the propagation may know of the pipeline: read in one go, so that target, anchor and box belong together.

    `anchors` counts the tracker results up to this one.
    """

    target: int
    anchors: int
    newest_anchor: Optional[Tuple[int, np.ndarray]]
    newest_box: Optional[np.ndarray]


class View:
    """The pipeline as the propagation sees it from its own thread: as it was when somebody last looked under the lock."""

    def __init__(self) -> None:
        self.seen = Seen(0, 0, None, None)

    @property
    def target(self) -> int:
        return self.seen.target

    def anchor(self) -> Tuple[int, np.ndarray]:
        if self.seen.newest_anchor is None:
            raise InputError("no target: the propagation has nothing to carry")
        return self.seen.newest_anchor

    def evidence_box(self) -> Optional[np.ndarray]:
        return self.seen.newest_box


class LiveState:
    """Its methods, `now` included, are called under `lock` (which `lane_done` shares); none of them takes longer than the
    predictors do. `current` is replaced and never changed, so it may be read without.

    What the tracker takes next is decided where the event happens that frees it or brings its frame, not when its thread
    wakes up: so it depends on recorded events alone.
    """

    def __init__(
        self, pipeline: Pipeline, recent: RecentFrames, clock: Callable[[], int], times: StageTimes, lane: bool
    ):
        self.pipeline, self.recent, self.times, self.lane = pipeline, recent, times, lane
        self.lock = threading.Lock()
        self.lane_done = threading.Condition(self.lock)
        self.for_tracker: Mailbox[Frame] = Mailbox()
        self.for_lane: Mailbox[Frame] = Mailbox()
        self.current: Mapping[str, Trajectory] = {}
        self.counts: Counter = Counter()
        self.active = self.paused = self.closed = False
        # Counts targets and ends of targets: what was begun for another one is not used.
        self.generation = 0
        self.asked: Optional[Tuple[Frame, np.ndarray]] = None
        self._clock = clock
        self._now_ns: Optional[int] = None
        self._catching_up = False
        self._taken_ns = 0
        # The tracker waits: for a frame, or for the propagation.
        self._idle = self._waiting = False
        self._begun: Optional[Pass] = None
        # Anchors there were, and how many of them the propagation has dealt with.
        self._anchors = self._propagated = 0

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
            self._begin_now(now)
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
        """A new target: predictions are of it at once, tracker and propagation are told."""
        if self.recent.newest is None or frame.t_ns > self.recent.newest.t_ns:
            self.accept(frame)
        self._forget()
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
        """No target any more; what tracker and propagation are still at will not be used."""
        if self.active:
            self.pipeline.reset(self.now())
        self._forget()

    def close(self) -> None:
        self.end_target()
        self.closed = True
        self.for_tracker.close()
        self.for_lane.close()
        self.lane_done.notify_all()

    def next_pass(self) -> Optional[Pass]:
        """What the tracker is to do now: the pass that has begun, or else whatever there is."""
        begun, self._begun = self._begun, None
        return begun or self._begin_pass(self.now())

    def finish_pass(self, done: Pass, output: TrackerOutput) -> Optional[Pass]:
        """The tracker's answer, and what it takes next in the same moment; None where it has to wait, for a frame or for
        what the propagation makes of this answer."""
        if done.generation != self.generation:
            self.counts["late_answers"] += 1
            return None
        now = self.now()
        self.pipeline.tracker_finished(now, done.frame.index, done.frame.t_ns, output)
        self._anchors += 1
        if self.lane:
            self.for_lane.wake()
        else:
            now = self._predict()
        if not self.lane_is_awaited():
            return self._begin_pass(now)
        self._waiting = True
        self.for_tracker.wake()
        return None

    def lane_is_awaited(self) -> bool:
        """Whether the tracker is to look where the propagation has the target, and the lane has not come that far yet."""
        wanted = self._catching_up or self.pipeline.search_region != "last"
        return self.lane and wanted and self._propagated < self._anchors and not self.asked and not self.closed

    def lane_begins(self, frame: Optional[Frame]) -> Seen:
        """The propagation takes this frame, or only what is new; what it may know."""
        self.pipeline.lane_started(self.now(), None if frame is None else frame.t_ns)
        if not self.active:
            return Seen(self.generation, self._anchors, None, None)
        return Seen(self.generation, self._anchors, self.pipeline.anchor(), self.pipeline.evidence_box())

    def propagated(self, seen: Seen, found: Optional[Lane]) -> None:
        """What the propagation found for what it had seen; None where it failed, then the anchor stands for itself."""
        now = self.now()
        if seen.target == self.generation and self.active:
            if found is None or self.pipeline.propagated(now, found.anchor_ns, found.propagated, found.displacement):
                now = self._predict()
        self._propagated = seen.anchors
        if self._waiting and not self.lane_is_awaited():
            self._begin_now(now)
        self.lane_done.notify_all()

    def _begin_now(self, now: int) -> None:
        """The tracker's thread sleeps: begin for it, and wake it."""
        self._begun = self._begin_pass(now)
        self.for_tracker.wake()

    def _begin_pass(self, now: int) -> Optional[Pass]:
        """The tracker is free: on to the newest frame, or wait for one; None too if there is another target to begin with."""
        self._idle = self._waiting = False
        if not self.active or self.asked:
            return None
        frame = self.for_tracker.pop()
        if frame is None or frame.t_ns <= self._taken_ns:
            self._idle = True
            return None
        # While it catches up, its own last result is as old as the frame the target was given on.
        search_box = self.pipeline.tracker_started(now, frame.index, frame.t_ns, catch_up=self._catching_up)
        self._catching_up, self._taken_ns = False, frame.t_ns
        return Pass(self.generation, self.pipeline.target, frame, search_box)

    def _forget(self) -> None:
        self.generation += 1
        self.active, self.asked, self.current = False, None, {}
        self._idle = self._waiting = False
        self._begun = None
        self.for_tracker.pop()

    def _predict(self) -> int:
        """Trajectories anew; returns when they became current, which is when they were made."""
        begin = time.perf_counter()
        made = self.pipeline.compute()
        now = self.now()
        self.pipeline.publish(now, made)
        self.current = made
        self.times.add("predict", time.perf_counter() - begin)
        return now
