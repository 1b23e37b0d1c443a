"""What went wrong in threads that nobody can catch an exception from."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Callable, Deque, List, NamedTuple, Optional

KEPT = 100
_LOG = logging.getLogger(__name__)


class Failure(NamedTuple):
    """What went wrong, and when.

    Attributes
    ----------
    t_ns
        When, nanoseconds on the live tracker's clock.
    stage
        ``init``, ``track``, ``propagate``, ``encode``, ``predict``, ``stall`` (the tracker hangs), ``on_result``, or
        a notice: ``capture time`` (frames are refused), ``clock`` (it was set), ``size`` (the images changed theirs).
    error
        What was raised.
    """

    t_ns: int
    stage: str
    error: Exception


class Failures:
    """Keeps the newest failures, counts all, logs them as warnings and calls `on_error`, if there is one.

    Only `on_error` sees an error's traceback and cause. What is kept has type and message, and holds no images.
    """

    def __init__(self, on_error: Optional[Callable[[Failure], None]] = None):
        self._on_error = on_error
        self._lock = threading.Lock()
        self._newest: Deque[Failure] = deque(maxlen=KEPT)
        self._count = 0

    def report(self, t_ns: int, stage: str, error: Exception) -> None:
        """Take one more failure; see `Failure` for the arguments."""
        failure = Failure(t_ns, stage, error)
        with self._lock:
            self._newest.append(failure)
            self._count += 1
        _LOG.warning("%s: %s", stage, error)
        if self._on_error:
            try:
                self._on_error(failure)
            except Exception:
                # Raised into a worker it would end the tracking.
                _LOG.exception("on_error raised")
        _let_go(error)

    @property
    def newest(self) -> List[Failure]:
        """At most `KEPT`, oldest first."""
        with self._lock:
            return list(self._newest)

    @property
    def count(self) -> int:
        """How many failures there were."""
        return self._count


def _let_go(error: Exception) -> None:
    """Remove what holds on to the frames of the stack, and with them to images."""
    for holding in ("__traceback__", "__context__", "__cause__"):
        setattr(error, holding, None)
    if type(error) is AttributeError:
        # The object that lacks the attribute, from Python 3.10 on; often the image.
        error.obj = None
