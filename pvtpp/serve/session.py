"""What a service does, without the network: frames go to the live tracker, commands come from people.

Everything here may be called from any thread.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Sequence

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker, OnResult
from pvtpp.live.recent_frames import NotInMemory
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.pictures import Picture, Pictures
from pvtpp.serve.recording import Recording
from pvtpp.sources.source import Source
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Prediction

NO_TARGET, PAUSED = "NO TARGET", "PAUSED"
FPS_OVER_S = 2.0
SAID_FOR_S = 15.0
DRAWN_S = 120.0
"""Nobody takes longer to draw a box: an older capture time is a wrong one."""
_LOG = logging.getLogger(__name__)
MakeLive = Callable[[OnResult], LiveTracker]


class Session:
    """Follows one source for as long as the service runs.

    Parameters
    ----------
    make_live
        Makes the live tracker, whose clock is `time.time_ns`, given its `on_result`.
    source
        A live one. It is read in a thread of its own from `start` on.
    predictors
        Names, for the table of a recording.
    config
        Of the pictures.
    folder
        Where recordings go.
    warn
        Called with a line for what everybody should know.
    """

    def __init__(
        self,
        make_live: MakeLive,
        source: Source,
        predictors: Sequence[str],
        config: ServeConfig,
        folder: str,
        warn: Callable[[str], None],
    ):
        self.source = source
        self._predictors, self._folder, self._warn_others = list(predictors), folder, warn
        self._latency_s: Optional[float] = None
        self._message, self._said_s = "", 0.0
        self._viewers_wait: Callable[[], bool] = lambda: False
        self._recording: Optional[Recording] = None
        self._record_lock = threading.Lock()
        self._arrived: List[float] = []
        self.timings: Dict[str, int] = {}
        self.live = make_live(self._on_result)
        self.pictures = Pictures(config.picture_width, config.quality, config.picture_fps, self._pictures_wanted)
        self.pictures.takers.append(self._record)
        self._thread = threading.Thread(target=self._read, name="pvtpp session", daemon=True)

    def start(self, viewers_wait: Callable[[], bool]) -> None:
        """Begin to read; `viewers_wait` says whether anybody waits for a picture."""
        self._viewers_wait = viewers_wait
        self._thread.start()

    def close(self) -> None:
        """End everything."""
        self.source.close()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self.pictures.close()
        try:
            self.stop_recording()
        except InputError as error:
            self._warn(str(error))
        self.live.close()

    def init(self, t_ns: int, box: ArrayLike) -> int:
        """Begin with a new target, seen in the frame captured at `t_ns`; returns its number.

        Raises
        ------
        InputError
            For a box that is none or not in the image, and for a frame that is no longer in memory.
        """
        newest = self.pictures.newest
        try:
            self.live.init(t_ns, box)
        except NotInMemory:
            age_s = 0.0 if newest is None else (newest.t_ns - t_ns) * 1e-9
            if 0 < age_s < DRAWN_S:
                raise InputError(
                    f"the picture on which the target was drawn is {age_s:.1f} s older than the newest one and no "
                    "longer in memory; draw it faster"
                ) from None
            raise
        return self.live.target

    def reset(self) -> None:
        """Forget the target."""
        self.live.reset()

    def pause(self) -> None:
        """Take no frames for the tracker; pictures go on."""
        self.live.pause()

    def resume(self) -> None:
        """Take frames again."""
        self.live.resume()

    def start_recording(self) -> str:
        """Begin a recording, where there is none; returns its folder. Raises InputError where that cannot be."""
        with self._record_lock:
            if self._recording is None:
                self._recording = Recording(self._folder, self.live, self._predictors)
        return self._folder

    def stop_recording(self) -> Optional[str]:
        """End the recording; returns its newest video, None where there was none."""
        with self._record_lock:
            recording, self._recording = self._recording, None
            if recording is None:
                return None
            recording.close()
            return recording.path or None

    @property
    def status(self) -> str:
        """PAUSED, NO TARGET, TRACKING, UNCERTAIN or LOST."""
        if self.live.paused:
            return PAUSED
        if not self.live.active:
            return NO_TARGET
        presence = self.live.presence
        return "TRACKING" if presence is None else presence.value

    def state(self) -> Dict[str, Any]:
        """What there is to know, as JSON: boxes ``[cx, cy, w, h]`` in pixels of the camera's image."""
        live, source = self.live, self.source
        now_ns = time.time_ns()
        made = live.predict(now_ns)
        recording = self._recording
        status = getattr(source, "status", None)
        condition = "playing" if status is None else status.condition.value
        delay_s = getattr(source, "delay_s", None)
        return {
            "type": "state",
            "now_ns": str(now_ns),
            "status": self.status,
            "target": live.target if live.active else None,
            "probability": _rounded(live.probability if live.active else None, 4),
            **_predicted(made),
            "velocity": None if made is None else [round(float(v), 1) for v in made.velocity],
            "latency_ms": _rounded(self._latency_s if live.active else None, 1, 1e3),
            "recording": None
            if recording is None
            else {"path": recording.path, "frames": recording.frames, "s": round(time.monotonic() - recording.begun_s)},
            "source": {
                "name": source.name,
                "condition": condition,
                "text": "" if status is None else status.text,
                "timing": source.timing.value,
                "fps": self._fps(),
                "delay_ms": _rounded(delay_s, 1, 1e3),
                "frames": sum(self.timings.values()),
            },
            "failures": len(live.errors),
            "message": self._to_be_said(condition),
        }

    def about(self, picture: Picture) -> Dict[str, Any]:
        """What goes with a picture: its capture time, where the target was then, and where it is now."""
        frame = picture.frame
        now = self.live.predict()
        return {
            "t_ns": str(frame.t_ns),
            "index": frame.index,
            "width": picture.image_size[0],
            "height": picture.image_size[1],
            "status": self.status,
            **_predicted(self.live.predict(frame.t_ns)),
            "now": None if now is None else _box(now),
        }

    def _pictures_wanted(self) -> bool:
        return self._recording is not None or self._viewers_wait()

    def _on_result(self, t_ns: int, output: TrackerOutput, target: int) -> None:
        self._latency_s = (time.time_ns() - t_ns) * 1e-9

    def _fps(self) -> Optional[float]:
        arrived = self._arrived[-30:]
        if len(arrived) < 2 or time.monotonic() - arrived[-1] > FPS_OVER_S:
            return None
        return round((len(arrived) - 1) / max(arrived[-1] - arrived[0], 1e-6), 1)

    def _read(self) -> None:
        try:
            for frame in self.source.frames(self._warn):
                self._take(frame)
        except InputError as error:
            self._warn(str(error))
        except Exception as error:
            _LOG.exception("the source failed")
            self._warn(f"{self.source.name}: {type(error).__name__}: {error}")

    def _take(self, frame: Frame) -> None:
        self.live.submit(frame)
        self.pictures.put(frame)
        timing = self.source.timing.value
        self.timings[timing] = self.timings.get(timing, 0) + 1
        # Replaced whole, for those who read it meanwhile.
        self._arrived = [*self._arrived[-30:], time.monotonic()]

    def _record(self, picture: Picture) -> None:
        with self._record_lock:
            if self._recording is None:
                return
            try:
                self._recording.add(picture)
            except InputError as error:
                self._recording = None
                self._warn(str(error))

    def _warn(self, text: str) -> None:
        self._message, self._said_s = text, time.monotonic()
        self._warn_others(text)

    def _to_be_said(self, condition: str) -> str:
        """What was said last, for a while, or for as long as the source does not play."""
        recent = time.monotonic() - self._said_s < SAID_FOR_S
        if self._message and (recent or condition != "playing"):
            return self._message
        failures = self.live.errors
        return f"{failures[-1].stage}: {failures[-1].error}" if failures else ""


def _predicted(made: Optional[Prediction]) -> Dict[str, Any]:
    if made is None:
        return {"box": None, "sigma": None, "age_ms": None}
    sigma = [round(float(value), 2) for value in made.sigma]
    return {"box": _box(made), "sigma": sigma, "age_ms": _rounded(made.age, 1, 1e3)}


def _box(made: Prediction) -> List[float]:
    return [round(float(value), 2) for value in made.box]


def _rounded(value: Optional[float], digits: int, scale: float = 1.0) -> Optional[float]:
    return None if value is None else round(float(value) * scale, digits)
