"""An event log that is written as it happens: a killed run keeps what was written, a long one needs no more memory."""

from __future__ import annotations

import json
import os
import queue
import threading
from types import TracebackType
from typing import Any, Dict, List, Optional, TextIO, Type

from pvtpp.core.event_log import EventLog, header_line, row_line
from pvtpp.errors import InputError

FAILURES = (OSError, TypeError, ValueError)
"""What writing raises: the disk, or numbers and objects that JSON has no place for."""


class LogFile(EventLog):
    """Writes every row to a file; use it as a context manager, or call `close`.

    The header is written with the first row, when the run has said what it is. What `meta` gains later goes into the
    closing row.

    Parameters
    ----------
    path
        The file; its folder is made. An old file there is replaced at once.
    meta
        As of `EventLog`.
    keep
        Keep the rows in memory too.
    background
        Write in a thread of its own, so that whoever adds a row never waits for the disk.

    Raises
    ------
    InputError
        Where the file cannot be written, when it is opened; for what fails later, in `close`.
    """

    def __init__(self, path: str, meta: Optional[Dict[str, Any]] = None, keep: bool = False, background: bool = False):
        super().__init__(meta)
        self.path = os.fspath(path)
        self._keeps, self._written = keep, 0
        self._header: Optional[Dict[str, Any]] = None
        self._error: Optional[Exception] = None
        try:
            os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            # Line by line, so that a killed process has lost at most the row it was at.
            self._file: Optional[TextIO] = open(self.path, "w", encoding="ascii", buffering=1)
        except OSError as error:
            raise InputError(f"{self.path}: cannot write ({error.strerror or error})") from None
        # Held while the file is written to: rows may come from any thread, and one may come while the file is closed.
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Optional[list]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="pvtpp log", daemon=True) if background else None
        if self._thread is not None:
            self._thread.start()

    def _keep(self, row: list) -> None:
        if self._keeps:
            self.rows.append(row)
        if self._thread is None:
            self._write(row)
        else:
            self._waiting.put(row)

    def close(self) -> None:
        """Write what waits and the closing row; may be called twice. Rows that come later are not written.

        Raises
        ------
        InputError
            Where a row could not be written; once.
        """
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None
        with self._lock:
            file, self._file = self._file, None
            if file is None:
                return
            try:
                if self._error is None:
                    if self._header is None:
                        file.write(self._begin())
                    header = self._header or {}
                    gained = {name: value for name, value in _plain(self.meta).items() if header.get(name) != value}
                    file.write(row_line(["end", self._written, gained]))
            except FAILURES as error:
                self._error = error
            try:
                file.close()
            except OSError as error:
                self._error = self._error or error
        if self._error is not None:
            reason = getattr(self._error, "strerror", None) or self._error
            raise InputError(f"{self.path}: the event log is not whole ({reason})")

    def __enter__(self) -> LogFile:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], at: Optional[TracebackType]
    ) -> None:
        self.close()

    def _work(self) -> None:
        while True:
            row = self._waiting.get()
            if row is None:
                return
            self._write(row)

    def _write(self, row: list) -> None:
        with self._lock:
            if self._file is None or self._error is not None:
                return
            try:
                if self._header is None:
                    self._file.write(self._begin())
                self._file.write(row_line(row))
                self._written += 1
            except FAILURES as error:
                self._error = error

    def _begin(self) -> str:
        self._header = _plain(self.meta)
        return header_line(self.meta)


def _plain(meta: Dict[str, Any]) -> Dict[str, Any]:
    plain: Dict[str, Any] = json.loads(json.dumps(meta))
    return plain


def rows_of(log: EventLog) -> List[list]:
    """Return the rows of a log, read back from its file where it kept none."""
    if isinstance(log, LogFile) and not log.rows:
        return EventLog.read(log.path).rows
    return log.rows
