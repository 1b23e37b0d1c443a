"""A camera, its clock and a tracker in trouble, for `pvtpp_benchmarks.speed.trouble_soak`.

Everything that happens is drawn from one seeded generator, and counted. The world's time is in nanoseconds since the
start and is never wrong; the clock, the capture times, the images and the tracker are.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.speed.live_soak import shown
from pvtpp_benchmarks.speed.propagation_frame import scene

EPOCH_NS = 1_800_000_000 * 10**9
HOUR_NS = 3600 * 10**9
RECALLED_S = 1.5
"""A new target is given on a frame that is at most so old, seconds."""
SMALL_STEP_NS = 200_000_000
"""The live tracker need not notice that its clock was set back by less: a clock may also stand still for a moment."""
STEP_FORGOTTEN_NS = 300_000_000
"""So long after a small step back the evidence may seem newer by as much: no answer that is older is fresh."""
PATIENCE_S = 3.0
"""A target that is LOST for so long is given again, as a person would do."""


class World:
    """The truth: images of the generated aerial clip, played forwards and backwards in real time.

    Parameters
    ----------
    size
        Width and height of the images, pixels.
    fps
        Frames per second.
    """

    def __init__(self, size: Tuple[int, int], fps: float):
        large, self._boxes = scene(*size)
        small = [cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for image in large]
        self._images = {1.0: large, 0.5: small}
        self._width = size[0]
        self.fps = fps
        self._began_ns = time.monotonic_ns()

    def now(self) -> int:
        """Time since the start, nanoseconds."""
        return time.monotonic_ns() - self._began_ns

    def captured(self, index: int) -> int:
        """When frame `index` is captured, nanoseconds since the start."""
        return round(index * 1e9 / self.fps)

    def image(self, index: int, scale: float) -> np.ndarray:
        """Image of frame `index` in a buffer of its own, as a camera gives it; `scale` is 1 or 0.5."""
        return self._images[scale][shown(index)].copy()

    def box(self, index: int, scale: float) -> np.ndarray:
        """True box in frame `index`, ``[cx, cy, w, h]`` in pixels of an image of this scale."""
        return self._boxes[shown(index)] * scale

    def box_at(self, t_ns: int) -> np.ndarray:
        """True box at any time, between two frames on the straight line; pixels of the image of full size."""
        place = t_ns * 1e-9 * self.fps
        index = int(place)
        before, after = self._boxes[shown(index)], self._boxes[shown(index + 1)]
        return before + (place - index) * (after - before)

    def way(self, from_ns: int, to_ns: int) -> float:
        """How far the target has moved between two times, along its path, pixels of the full size."""
        times = np.linspace(max(from_ns, 0), max(to_ns, from_ns, 0), 8)
        path = np.array([self.box_at(round(t_ns))[:2] for t_ns in times])
        return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())

    def scale_of(self, image: np.ndarray) -> float:
        """Scale of an image: its width relative to the full one."""
        return image.shape[1] / self._width


class SettableClock:
    """Integer nanoseconds that go on with real time, and are set forward or back now and then.

    Attributes
    ----------
    offset_ns
        Clock minus time of the world.
    steps
        How often it was set.
    """

    def __init__(self, world: World):
        self._world = world
        self.offset_ns, self.steps = EPOCH_NS, 0
        # When it was last set back by a small step, in the world's time, and by how much.
        self._small_back = (0, 0)

    def __call__(self) -> int:
        """Return what the clock says."""
        return self._world.now() + self.offset_ns

    def set(self, by_ns: int) -> None:
        """Set it by so much; above 0 forward."""
        if -SMALL_STEP_NS < by_ns < 0:
            self._small_back = self._world.now(), self.small_step_back() - by_ns
        self.steps += 1
        self.offset_ns += by_ns

    def small_step_back(self) -> int:
        """By how much it was just set back in small steps, nanoseconds; 0 if it was not."""
        set_ns, by_ns = self._small_back
        return by_ns if self._world.now() - set_ns < STEP_FORGOTTEN_NS else 0


class MoodyTracker:
    """A tracker that knows the truth; its next call raises or hangs where `next_call` or `next_init` say so.

    Parameters
    ----------
    world
        Knows the truth.
    seconds
        Processing time of a frame.
    """

    def __init__(self, world: World, seconds: float):
        self._world, self._seconds = world, seconds
        self.next_call: Optional[Callable[[], None]] = None
        self.next_init: Optional[Callable[[], None]] = None

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start, unless there is trouble; nothing is remembered."""
        trouble, self.next_init = self.next_init, None
        if trouble is not None:
            trouble()

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """The true box of the frame, in the scale of its image; or trouble."""
        trouble, self.next_call = self.next_call, None
        if trouble is not None:
            trouble()
        time.sleep(self._seconds)
        return TrackerOutput(self._world.box(frame.index, self._world.scale_of(frame.image)))


class _Submitted(NamedTuple):
    """A frame with a right capture time, as the live tracker was given it."""

    frame_index: int
    t_ns: int
    scale: float


class TroubledCamera:
    """Delivers frames to a live tracker in real time, while troubles come at random.

    Parameters
    ----------
    world, clock, tracker, live
        What the troubles happen to.
    rng
        Decides which troubles come, when, and how long they last.
    period_s
        Mean time between two troubles, seconds.
    pace
        What lasts, lasts so many times shorter.

    Attributes
    ----------
    counts : Counter
        How often each trouble came, and how many frames each bad capture time was given.
    newest_ns : int
        When the newest frame was captured that the live tracker could take as evidence, in the world's time.
    recent : deque
        The last troubles: when (nanoseconds of the world), and which.
    """

    def __init__(
        self,
        world: World,
        clock: SettableClock,
        tracker: MoodyTracker,
        live: LiveTracker,
        rng: np.random.Generator,
        period_s: float,
        pace: float,
    ):
        self._world, self._clock, self._tracker, self._live = world, clock, tracker, live
        self._rng, self._period_s, self._pace = rng, period_s, pace
        self.counts: Counter = Counter()
        self.newest_ns = 0
        self.recent: Deque[Tuple[int, str]] = deque(maxlen=4)
        # When the images got which scale; read by another thread, so replaced and never changed.
        self._scales: Tuple[Tuple[int, float], ...] = ((0, 1.0),)
        self._submitted: Deque[_Submitted] = deque(maxlen=math.ceil(RECALLED_S * world.fps))
        self._until: Dict[str, int] = {}
        self._bad_stamp, self._bad_left = "", 0
        self._late_offset: Optional[int] = None
        self._next_trouble_ns = 0
        self._without_target_ns: Optional[int] = None
        self._troubles: List[Tuple[float, Callable[[], str]]] = [
            (2, self._set_clock),
            (2, self._stamp_badly),
            (1, self._change_size),
            (1, self._fall_silent),
            (1, self._raise),
            (1, self._hang),
            (0.5, self._raise_at_start),
            (3.5, self._give_target),
            (0.5, self._reset),
            (0.5, self._pause),
        ]

    def run(self, seconds: float) -> None:
        """Deliver frames for so long."""
        index, world = -1, self._world
        self._next_trouble_ns = round(self._wait() * 1e9)
        while True:
            # Of frames that this thread came too late for, the newest is delivered.
            index = max(index + 1, math.floor(world.now() * 1e-9 * world.fps))
            captured_ns = world.captured(index)
            if captured_ns > seconds * 1e9:
                return
            time.sleep(max(captured_ns - world.now(), 0) * 1e-9)
            self._end_what_is_over(captured_ns)
            if captured_ns >= self._next_trouble_ns:
                weights = np.array([weight for weight, _ in self._troubles])
                trouble = self._troubles[self._rng.choice(len(weights), p=weights / weights.sum())][1]()
                self.counts[trouble] += 1
                self.recent.append((captured_ns, trouble))
                self._next_trouble_ns = captured_ns + round(self._wait() * 1e9)
            if "silent" not in self._until:
                self._deliver(index, captured_ns)
            self._care_for_target(captured_ns)

    def scales(self, from_ns: int, to_ns: int) -> List[float]:
        """Scales of the images captured in this span of the world's time."""
        known = self._scales
        ends = [begin for begin, _ in known[1:]] + [to_ns + 1]
        return [scale for (begin, scale), end in zip(known, ends) if begin <= to_ns and end > from_ns]

    def _wait(self) -> float:
        return float(self._rng.exponential(self._period_s))

    def _lasting(self, name: str, least_s: float, most_s: float) -> None:
        """Let something last from now on, between `least_s` and `most_s` seconds."""
        span_s = self._rng.uniform(least_s, most_s) / self._pace
        self._until[name] = max(self._world.now() + round(span_s * 1e9), self._until.get(name, 0))

    def _end_what_is_over(self, now_ns: int) -> None:
        for name in [name for name, until in self._until.items() if until <= now_ns]:
            del self._until[name]
            if name == "paused":
                self._live.resume()
            elif name == "half size":
                self._set_scale(1.0, now_ns)

    def _set_scale(self, scale: float, now_ns: int) -> None:
        self._scales = (*self._scales[-7:], (now_ns, scale))

    def _deliver(self, index: int, captured_ns: int) -> None:
        scale = self._scales[-1][1]
        offset_ns, self._late_offset = self._late_offset or self._clock.offset_ns, None
        right_ns = captured_ns + offset_ns
        t_ns = self._stamp(right_ns)
        if t_ns == right_ns and not self._live.paused:
            self.newest_ns = captured_ns
        self.counts["frames"] += 1
        if self._live.submit(Frame(index, t_ns, self._world.image(index, scale))):
            self._submitted.append(_Submitted(index, t_ns, scale))

    def _stamp(self, right_ns: int) -> int:
        """The capture time that the frame gets."""
        if not self._bad_left or not self._submitted:
            return right_ns
        self._bad_left -= 1
        self.counts[f"frames stamped: {self._bad_stamp}"] += 1
        last_ns = self._submitted[-1].t_ns
        return {
            "seconds": right_ns // 10**9,
            "an hour ahead": right_ns + HOUR_NS,
            "repeated": last_ns,
            "out of order": last_ns - round(self._rng.integers(1, 10) * 1e9 / self._world.fps),
        }[self._bad_stamp]

    def _care_for_target(self, now_ns: int) -> None:
        """Give the target again where there has been none for a while, as a person would do."""
        if self._live.active and self._live.presence is not Presence.LOST:
            self._without_target_ns = None
            return
        if self._without_target_ns is None:
            patience = PATIENCE_S if self._live.active else self._rng.uniform(0.1, 1.0)
            self._without_target_ns = now_ns + round(patience / self._pace * 1e9)
        if now_ns >= self._without_target_ns and self._submitted:
            self._without_target_ns = None
            self.counts["given again, as there was no target"] += 1
            self._init(self._submitted[-1])

    def _init(self, seen: _Submitted) -> None:
        try:
            self._live.init(seen.t_ns, self._world.box(seen.frame_index, seen.scale))
        except InputError:
            # Of a frame that is not in memory any more, or was stamped before the clock was set.
            self.counts["new targets refused"] += 1

    # The troubles; each returns what it is called.

    def _set_clock(self) -> str:
        by_s = math.exp(self._rng.uniform(math.log(0.005), math.log(7200))) * self._rng.choice([-1, 1])
        if self._rng.uniform() < 0.3:
            # The next frame was stamped before the clock was set.
            self._late_offset = self._clock.offset_ns
        self._clock.set(round(by_s * 1e9))
        return f"clock set {'forward' if by_s > 0 else 'back'}" + (
            " with a frame on its way" if self._late_offset else ""
        )

    def _stamp_badly(self) -> str:
        self._bad_stamp = str(self._rng.choice(["seconds", "an hour ahead", "repeated", "out of order"]))
        self._bad_left = int(self._rng.integers(1, 16))
        return f"bad capture times: {self._bad_stamp}"

    def _change_size(self) -> str:
        if self._scales[-1][1] == 1.0:
            self._set_scale(0.5, self._world.now())
        self._lasting("half size", 0.3, 3)
        return "images of half size"

    def _fall_silent(self) -> str:
        self._lasting("silent", 0.5, 4)
        return "silent camera"

    def _raise(self) -> str:
        self._tracker.next_call = _raise
        return "tracker raises"

    def _hang(self) -> str:
        span_s = self._rng.uniform(0.2, 2.5) / self._pace
        self._tracker.next_call = lambda: time.sleep(span_s)
        return "tracker hangs"

    def _raise_at_start(self) -> str:
        self._tracker.next_init = _raise
        self._give_target()
        return "tracker raises at a new target"

    def _give_target(self) -> str:
        if self._submitted:
            self._init(self._submitted[self._rng.integers(len(self._submitted))])
        return "new target on a past frame"

    def _reset(self) -> str:
        self._live.reset()
        return "reset"

    def _pause(self) -> str:
        self._live.pause()
        self._lasting("paused", 0.3, 2)
        return "pause"


def _raise() -> Any:
    raise RuntimeError("trouble of the soak")
