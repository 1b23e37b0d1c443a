"""What all tests of the live tracker share: none of them may leave a thread behind."""

import threading
import time

import pytest


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 60
    while not set(threading.enumerate()) <= before:
        assert time.monotonic() < end, f"left behind: {set(threading.enumerate()) - before}"
        time.sleep(0.001)
