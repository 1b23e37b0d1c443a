"""Worker processes for runs that do not depend on one another."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Iterator, Optional

from pvtpp.errors import InputError


@contextmanager
def workers(count: int) -> Iterator[Optional[Executor]]:
    """Give a pool of `count` processes for the block, or None for this process alone.

    They are started anew, not copied: a tracker that owns threads or a GPU does not survive being copied.
    """
    if count < 1:
        raise InputError(f"--workers must be at least 1, got {count}")
    if count == 1:
        yield None
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield pool
