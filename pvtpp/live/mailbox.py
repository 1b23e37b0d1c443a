"""A place for one thing, the newest: who puts never waits, who takes never sees an old one, and no queue builds."""

from __future__ import annotations

import threading
from typing import Generic, Optional, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Put by any thread, taken by one. `dropped` counts what was replaced before anybody took it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Optional[T] = None
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> None:
        """Leave `item` in place of what lies there; after `close` it is ignored."""
        with self._changed:
            if self._closed:
                return
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def pop(self) -> Optional[T]:
        """Take what lies there, None if nothing does."""
        with self._changed:
            item, self._item = self._item, None
            return item

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until something lies there, or `close`, or `timeout` seconds are over; False once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout)
            return not self._closed

    def close(self) -> None:
        """Empty it for good; `wait` returns False from now on."""
        with self._changed:
            self._item, self._closed = None, True
            self._changed.notify_all()
