"""The newest frame as a JPEG picture, made once for all who look, in a thread of its own, and only while one does."""

from __future__ import annotations

import logging
import threading
from typing import Callable, List, NamedTuple, Optional, Tuple

from pvtpp.live.mailbox import Mailbox
from pvtpp.tracker import Frame

_LOG = logging.getLogger(__name__)


class Picture(NamedTuple):
    """A frame as JPEG.

    Attributes
    ----------
    frame
        The frame; its image may be larger.
    jpeg
        The file.
    size
        Width and height of the picture, pixels.
    image_size
        Those of the frame's image.
    """

    frame: Frame
    jpeg: bytes
    size: Tuple[int, int]
    image_size: Tuple[int, int]


class Pictures:
    """Makes pictures of frames.

    Parameters
    ----------
    width
        Larger images are reduced to this width, pixels.
    quality
        1 to 100.
    fps
        So many a second at most.
    wanted
        Whether anybody looks; called in whichever thread.
    """

    def __init__(self, width: int, quality: int, fps: float, wanted: Callable[[], bool]):
        self._width, self._quality, self._wanted = width, quality, wanted
        # A little less, or a camera of this rate would lose every second frame to jitter.
        self._least_ns = round(0.9e9 / fps)
        self._waiting: Mailbox[Frame] = Mailbox()
        self._newest: Optional[Frame] = None
        self._put_ns: Optional[int] = None
        self.takers: List[Callable[[Picture], None]] = []
        self.count = 0
        self._thread = threading.Thread(target=self._run, name="pvtpp pictures", daemon=True)
        self._thread.start()

    @property
    def newest(self) -> Optional[Frame]:
        """The newest frame; None before the first."""
        return self._newest

    def put(self, frame: Frame) -> None:
        """Take the newest frame; returns at once."""
        self._newest = frame
        if self._put_ns is not None and 0 <= frame.t_ns - self._put_ns < self._least_ns:
            return
        if self._wanted():
            self._put_ns = frame.t_ns
            self._waiting.put(frame)

    def again(self) -> None:
        """Make a picture of the newest frame for somebody who has just come; nothing newer may follow."""
        if self._newest is not None:
            self._waiting.put(self._newest)

    def encoded(self, frame: Frame) -> Picture:
        """Make the picture of a frame, in the caller's thread."""
        import cv2

        image = frame.image
        height, width = image.shape[:2]
        if width > self._width:
            size = (self._width, max(round(height * self._width / width), 1))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self._quality])[1].tobytes()
        return Picture(frame, jpeg, (image.shape[1], image.shape[0]), (width, height))

    def close(self, timeout: float = 2.0) -> None:
        """End the thread."""
        self._waiting.close()
        self._thread.join(timeout)

    def _run(self) -> None:
        while self._waiting.wait():
            frame = self._waiting.pop()
            if frame is None:
                continue
            try:
                picture = self.encoded(frame)
                self.count += 1
                for take in tuple(self.takers):
                    take(picture)
            except Exception:
                # One picture less; the next one is tried.
                _LOG.exception("no picture of %s", frame.source)
