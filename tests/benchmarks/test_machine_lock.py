"""The lock of wall-clock runs: one holder per machine, released when its process ends."""

import os
import subprocess
import sys
import threading

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks import machine_lock

HOLD = """
import sys
import threading
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


def test_runs_of_a_cluster_share_a_machine_and_a_run_on_the_wall_clock_does_not_join_them(lock):
    with machine_lock.shared_machine(), machine_lock.shared_machine():
        with pytest.raises(InputError, match="runs of a cluster are under way"), machine_lock.exclusive_machine():
            pass
    with machine_lock.exclusive_machine():
        pass


def test_a_run_of_a_cluster_waits_for_the_end_of_one_on_the_wall_clock(lock):
    order = []

    def share():
        with machine_lock.shared_machine():
            order.append("shared")

    sharer = threading.Thread(target=share)
    with machine_lock.exclusive_machine():
        sharer.start()
        # It can only be waiting, or not have come so far.
        order.append("exclusive")
    sharer.join()
    assert order == ["exclusive", "shared"]
