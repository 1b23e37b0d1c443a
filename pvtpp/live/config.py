"""The limits of a live tracker: what it remembers, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.validation import above, check, optional, whole_from


@dataclass(frozen=True)
class LiveConfig:
    """What a live tracker remembers, and how long it waits.

    Attributes
    ----------
    memory_s, memory_frames, memory_bytes
        Limits of the frames on which `init` may still be called: seconds, frames, bytes of image.
    stall_s
        A tracker that takes longer than this for one frame counts as stalled, seconds.
    wait_s
        How long the tracker waits at most for the propagation of its last result and the prediction from it, where
        these say where it looks next, seconds.
    switch_interval_s
        How long a thread that computes in Python may at most hold up the others, seconds (`sys.setswitchinterval`). A
        setting of the whole process, so it is only lowered where that is asked for, and set back by `close`; None
        leaves it alone. A tracker written in Python makes the answers late by the interpreter's own 5 ms, several
        times a frame: 0.001 is better for those.
    capture_times
        What is taken for a capture time; others are refused and reported.
    """

    memory_s: float = 2.0
    memory_frames: int = 256
    memory_bytes: int = 384 << 20
    stall_s: float = 1.0
    wait_s: float = 0.1
    switch_interval_s: Optional[float] = None
    capture_times: CaptureTimeConfig = CaptureTimeConfig()

    def __post_init__(self) -> None:
        positive = above(0)
        check(
            self,
            {
                "memory_s": positive,
                "memory_frames": whole_from(1),
                "memory_bytes": whole_from(1),
                "stall_s": positive,
                "wait_s": positive,
                "switch_interval_s": optional(positive),
            },
        )
