"""What all tests of the live tracker share: their helpers, and that none of them may leave a thread behind."""

import sys
import threading
import time
from pathlib import Path

import pytest

HELPERS = str(Path(__file__).parent / "helpers")
if HELPERS not in sys.path:
    sys.path.append(HELPERS)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 60
    while not set(threading.enumerate()) <= before:
        assert time.monotonic() < end, f"left behind: {set(threading.enumerate()) - before}"
        time.sleep(0.001)
