"""The one shape of all sources: frames with capture times, and how these times are known."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from enum import Enum
from typing import Callable, Iterable, Iterator, NamedTuple, Optional, Protocol

from pvtpp.tracker import Frame

SIZES_REPORTED = 3
"""So many changes of the image size are reported; a source that changes all the time would fill the screen."""
LOOK_S = 0.1
Warn = Callable[[str], None]


def ignore(text: str) -> None:
    """Take a warning that was given before."""


class Timing(str, Enum):
    """How a capture time is known, the best first."""

    FILE = "file"
    """The times in a file, or its frame rate."""
    RTCP = "rtcp"
    """The sender's clock, by the RTCP sender reports of a stream."""
    DRIVER = "driver"
    """The camera driver's own time stamp."""
    STREAM = "stream"
    """The times in a stream, as far from the clock as its fastest frames: free of jitter, not of a constant delay."""
    ARRIVAL = "arrival"
    """When the frame came."""


class Condition(str, Enum):
    """How a live source fares."""

    CONNECTING = "connecting"
    PLAYING = "playing"
    REFUSED = "refused"
    """Nobody listens there, or the request was turned down."""
    GONE = "gone"
    """It was there and has ended or broken off."""
    SILENT = "silent"
    """It is there, or was, and nothing comes."""
    UNDECODABLE = "undecodable"
    """Data comes, but no image can be made of it."""
    ENDED = "ended"
    """It is over and not tried again."""


class Status(NamedTuple):
    """How a source fares, and a sentence on it; empty where there is nothing to say."""

    condition: Condition
    text: str = ""


class Source(Protocol):
    """Frames in the order of their capture.

    Attributes
    ----------
    name
        For messages; without passwords.
    fps
        Frames per second: what it claims, measured or given.
    count
        How many frames there are, as far as known; None where nobody knows.
    live
        Whether it goes on by itself, neither waits nor starts again. Then capture times are on the clock `time.time_ns`
        and only the newest frame is ever handed out. Else they are nanoseconds since the first frame.
    timing
        How the newest frame's capture time is known.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def live(self) -> bool: ...  # noqa: D102

    @property
    def fps(self) -> float: ...  # noqa: D102

    @property
    def count(self) -> Optional[int]: ...  # noqa: D102

    @property
    def timing(self) -> Timing: ...  # noqa: D102

    def frames(self, warn: Warn = ignore) -> Iterator[Frame]:
        """Read frames; those of a live source once, from now on, those of another one from the first on.

        Parameters
        ----------
        warn
            Called with a line for each fault that does not end the reading, in whichever thread.

        Raises
        ------
        InputError
            Where it cannot be read, or no further.
        """

    def close(self) -> None:
        """End the reading, also from another thread."""


@contextmanager
def closed_when(source: Source, over: Callable[[], bool]) -> Iterator[None]:
    """Close the source during the block as soon as `over` says so, and at its end: who waits for a frame goes on."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_S):
            if over():
                source.close()
                return

    thread = threading.Thread(target=look, name="pvtpp source end", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        source.close()


def sizes_reported(frames: Iterable[Frame], name: str, warn: Warn) -> Iterator[Frame]:
    """Pass frames on, and report where the size of their images changes."""
    shape, changes = None, 0
    for frame in frames:
        height, width = frame.image.shape[:2]
        if shape is not None and shape != (height, width):
            changes += 1
            if changes <= SIZES_REPORTED:
                more = "; later changes are not reported" if changes == SIZES_REPORTED else ""
                warn(
                    f"{name}: from frame {frame.index} on the images are {width} x {height} pixels, before they were "
                    f"{shape[1]} x {shape[0]}{more}"
                )
        shape = height, width
        yield frame
