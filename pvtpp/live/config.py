"""The bounds of a live tracker: what it remembers, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pvtpp.errors import InputError


@dataclass(frozen=True)
class LiveConfig:
    """`memory_s`, `memory_frames` and `memory_bytes` bound the frames on which `init` may still be called. A tracker that
    takes longer than `stall_s` counts as stalled. `lane_wait_s`: how long the tracker waits at most for the propagation,
    where it is to look at what the lane has found. `switch_interval_s`: how long a thread that computes in Python may hold up
    the others; the interpreter's own 5 ms, several times a frame, would make the propagation late. It is lowered to this for
    the whole process, and stays so."""

    memory_s: float = 2.0
    memory_frames: int = 256
    memory_bytes: int = 384 << 20
    stall_s: float = 1.0
    lane_wait_s: float = 0.1
    switch_interval_s: float = 0.001

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            if not getattr(self, name) > 0:
                raise InputError(f"LiveConfig.{name} is {getattr(self, name)!r}, it must be above 0")
