"""What a process takes: its own figures move as they must."""

import os
import subprocess
import sys

import pytest

from pvtpp_benchmarks.process_use import cpu_s, resident_mib

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="no /proc here")


def test_work_takes_cpu_time():
    before = cpu_s()
    while cpu_s() < before + 0.05:
        sum(range(10_000))


def test_another_process_is_seen_by_its_number_and_what_it_fills_is_resident():
    # In a process of its own: this one may have memory left over from other tests.
    code = "input(); block = bytearray(b'1') * (64 << 20); print(len(block), flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        there = resident_mib(process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == b"67108864"
        assert there + 32 < resident_mib(process.pid) < there + 256 and cpu_s(process.pid) < 60
        process.communicate(b"\n")
