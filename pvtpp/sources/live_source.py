"""A camera or a stream, read in a thread of its own: whoever takes frames gets the newest one, and never a queue."""

from __future__ import annotations

import threading
import time
from typing import Callable, Iterator, NamedTuple, Optional, Protocol

import numpy as np

from pvtpp.errors import InputError
from pvtpp.live.mailbox import Mailbox
from pvtpp.sources.capture_clock import Arrival, CaptureClock
from pvtpp.sources.source import Condition, Status, Timing, Warn, ignore, sizes_reported
from pvtpp.tracker import Frame, check_image

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
"""Between two attempts to connect; doubled after each failure."""
STEADY_S = 5.0
"""A connection that held for so long makes the next pause a short one."""
DEFAULT_FPS = 30.0
NAP_S = 0.1
"""So often who waits for a frame looks whether there will be another one."""


class Fault(Exception):
    """A connection failed.

    Attributes
    ----------
    condition
        In which way.
    """

    def __init__(self, condition: Condition, text: str):
        super().__init__(text)
        self.condition = condition


class Shot(NamedTuple):
    """An image that came: its times, and a function that makes it, uint8 BGR ``(height, width, 3)``, or raises Fault.

    The function is called only where the image is taken, by who takes it.
    """

    arrival: Arrival
    load: Callable[[], np.ndarray]


class Connection(Protocol):
    """One connection to a camera or a stream.

    Attributes
    ----------
    fps
        Frames per second that it claims; 0 where it does not.
    """

    fps: float

    def read(self) -> Optional[Shot]:
        """Wait for the next image; None where only time has passed. Raises Fault."""

    def close(self) -> None:
        """Let go of it."""


class LiveSource:
    """Follows the protocol `Source`.

    Parameters
    ----------
    name
        For messages.
    connect
        Makes a connection; raises Fault.
    clock
        Turns arrivals into capture times.
    patient
        Try for as long as it takes. Else, where the first attempt fails, `frames` raises InputError.
    again
        Connect again after a failure; else the first one ends it.
    fps
        Overrules what the source claims.

    Attributes
    ----------
    status
        How it fares.
    connections
        How many have delivered frames.
    """

    live = True
    count = None

    def __init__(
        self,
        name: str,
        connect: Callable[[], Connection],
        clock: CaptureClock,
        patient: bool = False,
        again: bool = True,
        fps: Optional[float] = None,
    ):
        self.name = name
        self.status = Status(Condition.CONNECTING)
        self.connections = 0
        self._connect, self._clock = connect, clock
        self._patient, self._again = patient, again
        self._fps, self._claimed = fps, 0.0
        self._closed, self._over = threading.Event(), threading.Event()
        self._newest: Mailbox[Frame] = Mailbox()
        self._failure: Optional[InputError] = None
        self._thread: Optional[threading.Thread] = None
        self._warn: Warn = ignore
        self._count = 0
        self._delay_ns: Optional[int] = None

    @property
    def fps(self) -> float:
        """Frames per second: as given, else as claimed, else 30."""
        return self._fps or self._claimed or DEFAULT_FPS

    @property
    def timing(self) -> Timing:
        """How the newest frame's capture time is known."""
        return self._clock.timing

    @property
    def dropped(self) -> int:
        """Frames that were replaced by newer ones before anybody took them."""
        return self._newest.dropped

    @property
    def delay_s(self) -> Optional[float]:
        """From the capture, as far as known, to the arrival of the newest frame, seconds; None before the first."""
        return None if self._delay_ns is None else self._delay_ns * 1e-9

    def frames(self, warn: Warn = ignore) -> Iterator[Frame]:
        """Yield the newest frame each time, as `Source.frames`; once."""
        if self._thread is not None:
            raise InputError(f"{self.name}: a live source is read once")
        self._warn = warn
        self._thread = threading.Thread(target=self._read, name=f"pvtpp source {self.name}", daemon=True)
        self._thread.start()
        return sizes_reported(self._taken(), self.name, warn)

    def close(self) -> None:
        """End the reading, as `Source.close`. The reading thread ends when its connection lets it."""
        self._closed.set()
        self._newest.close()

    def join(self, timeout: float) -> bool:
        """Wait `timeout` seconds at most for the reading thread; False where its connection still holds it."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._thread is None or not self._thread.is_alive()

    def _taken(self) -> Iterator[Frame]:
        try:
            while self._newest.wait(NAP_S):
                # In this order: the last frame comes before the end.
                over, frame = self._over.is_set(), self._newest.pop()
                if frame is not None:
                    try:
                        frame.image  # noqa: B018
                    except Fault:
                        # A damaged one; its connection says when there are too many of them.
                        continue
                    yield frame
                elif over:
                    break
        finally:
            self.close()
        if self._failure is not None:
            raise self._failure

    # What follows runs in the reading thread.

    def _read(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._closed.is_set():
            begun = time.monotonic()
            try:
                self._follow()
            except Fault as fault:
                self._note(fault)
            except Exception as error:
                # A library's own failure must not end the reading without a word.
                self._note(Fault(Condition.UNDECODABLE, f"{self.name}: {type(error).__name__}: {error}"))
            if not self._again or not (self._patient or self.connections):
                break
            if time.monotonic() - begun > STEADY_S:
                pause_s = FIRST_PAUSE_S
            self._closed.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        if not (self.connections or self._closed.is_set()) and self.status.text:
            self._failure = InputError(self.status.text)
        self.status = Status(Condition.ENDED, self.status.text)
        self._over.set()

    def _follow(self) -> None:
        connection = self._connect()
        try:
            self._claimed = connection.fps if 0 < connection.fps <= 1000 else 0.0
            self._clock.restart()
            playing, problem = False, None
            while not self._closed.is_set():
                shot = connection.read()
                if shot is None:
                    continue
                if not playing:
                    playing = True
                    self._plays()
                self._take(shot)
                if self._clock.problem != problem:
                    problem = self._clock.problem
                    self._warn(f"{self.name}: {problem}")
        finally:
            connection.close()

    def _plays(self) -> None:
        if self.status.condition is not Condition.CONNECTING:
            # It was said to be refused or the like.
            self._warn(f"{self.name}: playing{' again' if self.connections else ''}")
        self.connections += 1
        self.status = Status(Condition.PLAYING)

    def _take(self, shot: Shot) -> None:
        t_ns = self._clock.captured(shot.arrival)
        self._delay_ns = shot.arrival.arrived_ns - t_ns
        self._newest.put(Frame(self._count, t_ns, lambda: check_image(shot.load(), self.name), self.name))
        self._count += 1

    def _note(self, fault: Fault) -> None:
        before, self.status = self.status, Status(fault.condition, str(fault))
        # Once, not with every attempt; the first one that fails for good is raised instead.
        if before.condition is not fault.condition and (self._patient or self.connections):
            self._warn(str(fault))
