"""Free space for what a training writes, checked before the work starts."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pvtpp.errors import InputError

CHUNK = 1 << 20
"""Bytes written at a time where space cannot be reserved."""


def require_space(folder: str | Path, size: int, purpose: str) -> None:
    """Check that a folder can take so many bytes, by reserving them in a file that is removed again.

    The file system's own figure of free space would not do: it knows no quota and no limit on the size of files.

    Parameters
    ----------
    folder
        An existing folder.
    size
        Bytes.
    purpose
        What they are for, for the message.

    Raises
    ------
    InputError
        If the folder cannot be written to or has too little space.
    """
    path = os.path.join(folder, f".space.{os.getpid()}.part")
    try:
        with open(path, "wb") as file:
            _reserve(file, size)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot write {size / 1e6:.0f} MB for {purpose} ({error.strerror or error})"
        ) from None
    finally:
        with suppress(OSError):
            os.remove(path)


def _reserve(file: BinaryIO, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, size)
            return
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
    # Random bytes, because file systems that compress store zeros for nothing.
    chunk = os.urandom(CHUNK)
    for begin in range(0, size, CHUNK):
        file.write(chunk[: size - begin])
    file.flush()
