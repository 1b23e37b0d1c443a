"""A sequence as a camera would deliver it: images and ground truth at their own times, with exact stamps."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Callable, Dict, Sequence, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets import available, load
from pvtpp_benchmarks.datasets.sequence import VideoSequence as Clip
from pvtpp_benchmarks.wall import SequenceClock
from pvtpp_ros_nodes.parameters import check

GENERATED = "generated"


@dataclass(frozen=True)
class PlayerConfig:
    """Every field is the private parameter of its name.

    `dataset`, `root`, `split`, `sequence`: what to play, `sequence` empty for the first one; ``generated`` needs neither root
    nor split. `speed`: 1 as it was recorded. `first`: the first camera frame. `loop`: over and over, until the node ends.
    `init`: also send the first box as ``init_roi``. `wait_s`: seconds to wait at most until somebody reads the images.
    `delay`: seconds from a frame's stamp to its publication, as a camera's driver takes them.
    """

    dataset: str = GENERATED
    root: str = ""
    split: str = ""
    sequence: str = ""
    speed: float = 1.0
    first: int = 0
    loop: bool = False
    init: bool = True
    wait_s: float = 30.0
    delay: float = 0.0
    image_transport: str = "raw"
    frame_id: str = "camera_optical_frame"

    def __post_init__(self) -> None:
        check(self, RANGES, {"dataset": (GENERATED, *available()), "image_transport": ("raw", "compressed")})

    def clip(self) -> Clip:
        """The sequence to play. Raises InputError where there is none, and where it has no first box or no images."""
        if self.dataset == GENERATED:
            from pvtpp_benchmarks.synthetic import render

            clip: Clip = render()
            for index in range(len(clip)):
                # Rendering takes longer than a frame's time; what was rendered is kept as JPEG.
                clip.frame(index).image  # noqa: B018
        else:
            clips = load(self.dataset, self.root, self.split or None)
            clip = clips[self.sequence or 0]
        if not self.first < len(clip):
            raise InputError(f"~first is {self.first}, allowed is 0 to {len(clip) - 1} in {clip.name}")
        if self.init and not np.isfinite(clip.ground_truth_xywh[self.first * clip.stride]).all():
            raise InputError(f"{clip.name}: the target is absent in camera frame {self.first}, choose another ~first")
        # Asked for once, so that a sequence without images is refused here.
        clip.frame(self.first).image  # noqa: B018
        return clip


RANGES: Dict[str, Tuple[float, float]] = {
    "speed": (0.01, 100.0),
    "first": (0, math.inf),
    "wait_s": (0.0, math.inf),
    "delay": (0.0, 10.0),
}

ShowFrame = Callable[[Frame, int], None]
ShowTruth = Callable[[Sequence[float], int], None]


def play(
    clip: Clip, config: PlayerConfig, begin_ns: int, show: ShowFrame, truth: ShowTruth, over: threading.Event
) -> float:
    """Call `show` with every camera frame and `truth` with every world frame's box (xywh) at their times, `delay` late, each
    with its exact time: `begin_ns` is frame `first`'s. Ends early when `over` is set.

    Frames are decoded before they are due. Returns by how many seconds the latest was late beyond `delay`.
    """
    first_ns = int(clip.camera_t_ns[config.first])
    clock = SequenceClock(first_ns)
    clock.start()
    frame, late_ns = _decoded(clip, config.first), 0
    for world in range(config.first * clip.stride, len(clip.ground_truth_xywh)):
        t_ns = round((int(clip.world_t_ns[world]) - first_ns) / config.speed)
        due_ns = first_ns + t_ns + round(config.delay * 1e9)
        clock.sleep_until(due_ns)
        late_ns = max(late_ns, clock() - due_ns)
        if over.is_set():
            break
        if world % clip.stride == 0:
            show(frame, begin_ns + t_ns)
        truth(clip.ground_truth_xywh[world].tolist(), begin_ns + t_ns)
        if world % clip.stride == 0 and frame.index + 1 < len(clip):
            frame = _decoded(clip, frame.index + 1)
    return late_ns * 1e-9


def _decoded(clip: Clip, index: int) -> Frame:
    frame = clip.frame(index)
    frame.image  # noqa: B018
    return frame
