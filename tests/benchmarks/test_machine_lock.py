"""The lock of wall-clock runs: one holder per machine, released when its process ends."""

import os
import subprocess
import sys

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks import machine_lock

HOLD = """
import sys
from pvtpp_benchmarks import machine_lock
machine_lock.lock_path = lambda: sys.argv[1]
with machine_lock.exclusive_machine():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path, monkeypatch):
    path = str(tmp_path / "lock")
    monkeypatch.setattr(machine_lock, "lock_path", lambda: path)
    return path


def test_another_process_is_refused_with_the_holder_named_until_the_holder_is_killed(lock):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"process {holder.pid}, lock {lock}"), machine_lock.exclusive_machine():
        pass
    holder.kill()
    holder.communicate()
    with machine_lock.exclusive_machine():
        pass


def test_a_block_that_raises_releases_the_lock(lock):
    with pytest.raises(ValueError), machine_lock.exclusive_machine():
        raise ValueError
    with machine_lock.exclusive_machine():
        assert open(lock).read() == str(os.getpid())


def test_a_lock_that_cannot_be_opened_is_named(monkeypatch):
    monkeypatch.setattr(machine_lock, "lock_path", lambda: "/nowhere/at/all/lock")
    with pytest.raises(InputError, match="/nowhere/at/all/lock"), machine_lock.exclusive_machine():
        pass
