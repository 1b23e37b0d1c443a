"""What a process takes: its own figures move as they must."""

import os
import subprocess
import sys

import pytest

from pvtpp_benchmarks.process_use import cpu_s, resident_mib

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="no /proc here")


def test_work_takes_cpu_time_and_memory_is_resident():
    before = cpu_s()
    while cpu_s() < before + 0.05:
        sum(range(10_000))
    there = resident_mib()
    block = bytearray(os.urandom(1 << 20)) * 64
    assert resident_mib() > there + 32 and len(block) == 64 << 20


def test_another_process_is_seen_by_its_number_whatever_its_name():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert cpu_s(process.pid) < 60 and 0 < resident_mib(process.pid) < 1024
        process.communicate(b"\n")
