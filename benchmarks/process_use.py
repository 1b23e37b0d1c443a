"""What a process takes of the machine, by Linux's /proc."""

from __future__ import annotations

import os
from typing import Union


def cpu_s(pid: Union[int, str] = "self") -> float:
    """Return the CPU time that a process has used so far, seconds."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: Union[int, str] = "self") -> float:
    """Return the resident memory of a process, MiB; NaN where the system does not report it."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024
    except (OSError, StopIteration):
        return float("nan")
