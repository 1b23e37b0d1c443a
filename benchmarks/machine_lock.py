"""A lock for runs on the wall clock: two at once on a machine would slow each other down and measure that.

Runs of a cluster share it: no run on the wall clock begins on a machine that they use, and they wait for its end.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from typing import Iterator

from pvtpp.errors import InputError


def lock_path() -> str:
    """The lock file of this machine, one for all its users."""
    return os.path.join(tempfile.gettempdir(), "pvtpp-wall-clock.lock")


@contextmanager
def exclusive_machine() -> Iterator[None]:
    """Hold the machine's lock during the block.

    The system releases the lock when the process ends, even if it is killed. Without POSIX locks (Windows) nothing is
    locked.

    Raises
    ------
    InputError
        If another run holds the lock, with its process number, or runs of a cluster share it; if the lock file cannot
        be opened.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path = lock_path()
    file = _opened(path)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(_held(file, path)) from None
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(file)


@contextmanager
def shared_machine() -> Iterator[None]:
    """Share the machine's lock during the block, with all others that do; waits for the end of `exclusive_machine`."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    file = _opened(lock_path())
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


def _opened(path: str) -> int:
    try:
        # With O_CREAT, Linux refuses to open another user's file in a shared folder.
        file = os.open(path, os.O_RDWR | (0 if os.path.exists(path) else os.O_CREAT), 0o666)
    except OSError as error:
        raise InputError(f"{path}: cannot open the lock of wall-clock runs ({error.strerror or error})") from None
    with suppress(OSError):
        # The umask may have removed the permissions that other users need; only the owner can restore them.
        os.fchmod(file, 0o666)
    return file


def _held(file: int, path: str) -> str:
    """Say who has the lock."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
        return (
            f"another run on the wall clock is under way on this machine (process {holder}, lock {path}); "
            "they would slow each other down, so wait for it to end"
        )
    return (
        f"runs of a cluster are under way on this machine (lock {path}); they would slow a run on the wall clock down, "
        "so wait for them to end"
    )
