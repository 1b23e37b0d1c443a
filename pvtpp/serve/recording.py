"""A recording: the pictures as a video with their capture times, and where the target was in each, as a table."""

from __future__ import annotations

import csv
import os
import shutil
import time
from contextlib import suppress
from fractions import Fraction
from typing import Any, Optional, Sequence, Tuple

from pvtpp.errors import InputError
from pvtpp.live.frame_record import COLUMNS, FrameRecord
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.serve.pictures import Picture
from pvtpp.sources.stream import library

LEAST_FREE = 200 << 20
"""Bytes that are left free on the disk."""
LOOK_EVERY = 30
"""So many pictures pass between two looks at the disk."""


class Recording:
    """Writes ``<folder>/<begin>.mkv`` (MJPEG, not encoded again, times in milliseconds) and ``<begin>.csv`` beside it.

    The table has the columns of `pvtpp track --out`. Both files can be read when the process is killed. Where the size
    of the pictures changes, a new pair of files begins. Not for two threads at once.

    Parameters
    ----------
    folder
        Where the files go; it is made.
    live
        Is asked where the target is.
    predictors
        Their names.

    Raises
    ------
    InputError
        Where nothing can be written there, or without PyAV.
    """

    def __init__(self, folder: str, live: LiveTracker, predictors: Sequence[str]):
        self._av = library()
        self._folder, self._live, self._predictors = folder, live, predictors
        self._size: Optional[Tuple[int, int]] = None
        self._container: Any = None
        self._stream: Any = None
        self._table: Any = None
        self._rows: Any = None
        self._start_ns = self._last_ms = 0
        self.frames = 0
        self.path = ""
        self.begun_s = time.monotonic()
        try:
            os.makedirs(folder, exist_ok=True)
            self._check_free()
            if not os.access(folder, os.W_OK):
                raise InputError(f"{folder}: cannot write there")
        except OSError as error:
            raise InputError(f"{folder}: cannot write there ({error.strerror or error})") from None

    def add(self, picture: Picture) -> None:
        """Write one more picture. Raises InputError where it cannot be written."""
        try:
            if self._size != picture.size:
                self.close()
                self._open(picture)
            if self.frames % LOOK_EVERY == 0:
                self._check_free()
            milliseconds = max((picture.frame.t_ns - self._start_ns) // 1_000_000, self._last_ms + 1)
            packet = self._av.Packet(picture.jpeg)
            packet.stream = self._stream
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = self._last_ms = milliseconds
            packet.is_keyframe = True
            self._container.mux(packet)
            self._rows.writerows(FrameRecord.of(self._live, picture.frame, self._predictors).rows())
            self.frames += 1
        except (InputError, OSError, self._av.error.FFmpegError) as error:
            # On a full disk the files cannot be finished either.
            with suppress(InputError):
                self.close()
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.path}: the recording ends, it cannot be written ({error})") from None

    def close(self) -> None:
        """Finish the files; may be called twice. Raises InputError where they cannot be finished."""
        container, self._container = self._container, None
        table, self._table = self._table, None
        self._size = None
        try:
            try:
                if container is not None:
                    container.close()
            finally:
                if table is not None:
                    table.close()
        except (OSError, self._av.error.FFmpegError) as error:
            raise InputError(f"{self.path}: the recording cannot be finished ({error})") from None

    def _open(self, picture: Picture) -> None:
        begin = os.path.join(self._folder, time.strftime("%Y%m%d-%H%M%S"))
        name, number = begin, 1
        while os.path.exists(f"{name}.mkv") or os.path.exists(f"{name}.csv"):
            number += 1
            name = f"{begin}-{number}"
        self.path = f"{name}.mkv"
        # One line of the table at a time, so that a killed process has lost at most that.
        self._table = open(f"{name}.csv", "w", encoding="utf-8", errors="surrogateescape", newline="", buffering=1)
        self._rows = csv.writer(self._table)
        self._rows.writerow(COLUMNS)
        self._container = self._av.open(self.path, "w", format="matroska", options={"flush_packets": "1"})
        self._stream = self._container.add_stream("mjpeg", rate=30)
        self._stream.width, self._stream.height = self._size = picture.size
        self._stream.pix_fmt = "yuvj420p"
        self._stream.time_base = Fraction(1, 1000)
        self._start_ns, self._last_ms = picture.frame.t_ns, -1

    def _check_free(self) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < LEAST_FREE:
            raise InputError(f"{self._folder}: {free >> 20} MiB are free, a recording leaves {LEAST_FREE >> 20} MiB")
