"""Standard output and standard error where a text does not fit their encoding, or nobody reads them any more."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import Any, Iterator, Optional, Tuple


class ForgivingStream:
    """A text stream that goes on, into nothing, where writing fails: the work of a command matters more than its text.

    Parameters
    ----------
    stream
        The stream behind it. Where its encoding lacks a character and that was an error, a question mark is written.

    Attributes
    ----------
    error
        Why writing failed; None where it did not, or where the reader has read enough (a closed pipe).
    """

    def __init__(self, stream: Any):
        self.error: Optional[OSError] = None
        self._stream = stream
        self._failed = False
        self._strict = getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure")
        if self._strict:
            stream.reconfigure(errors="replace")

    def write(self, text: str) -> int:
        """Write `text`."""
        if not self._failed:
            try:
                return int(self._stream.write(text))
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Write what is still in memory."""
        if not self._failed:
            try:
                self._stream.flush()
            except OSError as error:
                self._fail(error)

    def restore(self) -> None:
        """Flush, and leave the stream behind it as it was."""
        self.flush()
        if self._strict:
            self._stream.reconfigure(errors="strict")

    def _fail(self, error: OSError) -> None:
        self._failed = True
        self.error = None if error.errno == errno.EPIPE else error
        # What is still in memory would fail again at the end of the process.
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def forgiving() -> Iterator[Tuple[ForgivingStream, ForgivingStream]]:
    """Replace `sys.stdout` and `sys.stderr` during the block; for a closed one the null device is taken."""
    before = sys.stdout, sys.stderr
    if None in before:
        _occupy_closed_descriptors()
    null = open(os.devnull, "w", encoding="utf-8") if None in before else None
    out, err = (ForgivingStream(null if stream is None else stream) for stream in before)
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = before
        out.restore()
        err.restore()
        if null is not None:
            null.close()


def _occupy_closed_descriptors() -> None:
    """Open the null device where descriptor 0, 1 or 2 is closed: a file opened later would get its number.

    Libraries that print to descriptor 1 or 2 would then write into that file.
    """
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            return
