"""Signals that ask the process to end: Ctrl-C (SIGINT), SIGTERM and SIGHUP are handled in the same way."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, Optional

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
ONE_REQUEST_S = 0.3
"""Signals that follow the first one within so many seconds belong to it.

``timeout`` sends SIGTERM to the process and to its group; where a terminal closes, both system and shell send SIGHUP.
"""


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end.

    Attributes
    ----------
    signum
        Its number.
    """

    def __init__(self, signum: int):
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class EndRequest:
    """Whether the work is to end, by a signal or otherwise. Takes no lock, so a signal handler may set it at any time.

    Attributes
    ----------
    signum
        The first signal; None without one.
    """

    def __init__(self) -> None:
        self.signum: Optional[int] = None
        self._set = False

    def set(self) -> None:
        """Ask for the end."""
        self._set = True

    def is_set(self) -> bool:
        """Whether the end was asked for."""
        return self._set

    @property
    def status(self) -> int:
        """Exit status of a process that the signal ended, 128 and its number; 0 without one."""
        return 0 if self.signum is None else 128 + self.signum


@contextmanager
def end_requests(raising: bool, clock: Callable[[], float] = time.monotonic) -> Iterator[EndRequest]:
    """Handle signals during the block.

    The first one sets the `EndRequest`. A later one ends the process at once, as if it were not handled. SIGHUP that is
    ignored (``nohup``) stays so. Outside the main thread nothing is handled.

    Parameters
    ----------
    raising
        Also raise `Interrupted` in the main thread.
    clock
        Seconds.
    """
    request = EndRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    first_s = 0.0

    def handle(signum: int, frame: Any) -> None:
        nonlocal first_s
        if request.signum is not None:
            if clock() - first_s >= ONE_REQUEST_S:
                end_process(signum)
            return
        request.signum, first_s = signum, clock()
        request.set()
        if raising:
            raise Interrupted(signum)

    before: Dict[int, Any] = {}
    for signum in SIGNALS:
        handler = signal.getsignal(signum)
        # None: a handler that was not installed from Python, and could not be put back.
        ignored = handler is signal.SIG_IGN and (raising or signum != signal.SIGINT)
        if handler is not None and not ignored:
            before[signum] = signal.signal(signum, handle)
    try:
        yield request
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def end_process(signum: int) -> None:
    """End this process as the signal does where it is not handled."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
