"""What the tests of MAVLink share: the helpers, also those of the live tracker, and that no thread is left behind."""

import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("pymavlink")

for folder in (Path(__file__).parent / "helpers", Path(__file__).parents[1] / "live" / "helpers"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 60
    while not set(threading.enumerate()) <= before:
        assert time.monotonic() < end, f"left behind: {set(threading.enumerate()) - before}"
        time.sleep(0.001)
