"""A sequence as a camera would deliver it: images and ground truth at their own times, with exact stamps."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Callable, Dict, Optional, Sequence

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.validation import Rule, check, one_of
from pvtpp_benchmarks.datasets import available, load
from pvtpp_benchmarks.datasets.sequence import VideoSequence as Clip
from pvtpp_benchmarks.wall import SequenceClock
from pvtpp_ros_nodes.parameters import SWITCH, TEXT, real, whole

GENERATED = "generated"


@dataclass(frozen=True)
class PlayerConfig:
    """The parameters of the player. Every field is the private parameter of its name.

    Attributes
    ----------
    dataset, root, split
        The data set to play from; ``generated`` needs neither root nor split.
    sequence
        What to play; empty for the first sequence.
    speed
        1 as it was recorded, 2 twice as fast.
    first
        The first camera frame.
    loop
        Over and over, until the node ends.
    init
        Also send the first box as ``init_roi``.
    wait_s
        How many seconds to wait at most until somebody reads the images.
    delay
        Seconds from a frame's stamp to its publication, as a camera's driver takes them.
    image_transport
        ``raw`` or ``compressed``.
    frame_id
        Of the messages' headers.

    Raises
    ------
    InputError
        A parameter is not allowed.
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
        check(self, {"dataset": one_of((GENERATED, *available())), **RULES})

    def clip(self) -> Clip:
        """Load the sequence to play.

        Raises
        ------
        InputError
            There is none, or it has no first box or no images.
        """
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


RULES: Dict[str, Rule] = {
    "root": TEXT,
    "split": TEXT,
    "sequence": TEXT,
    "speed": real(0.01, 100.0),
    "first": whole(0, math.inf),
    "loop": SWITCH,
    "init": SWITCH,
    "wait_s": real(0.0, math.inf),
    "delay": real(0.0, 10.0),
    "image_transport": one_of(("raw", "compressed")),
    "frame_id": TEXT,
}

ShowFrame = Callable[[Frame, int], None]
ShowTruth = Callable[[Sequence[float], int], None]


def camera_matrix(clip: Clip) -> Optional[np.ndarray]:
    """Return the matrix ``(3, 3)`` of the camera that recorded a sequence, pixels; None where it is not known.

    It is known of generated clips and of sequences with the recording of a gyro.
    """
    if clip.gyro is not None:
        return np.asarray(clip.gyro.camera_matrix, dtype=np.float64)
    scene = getattr(clip, "scene", None)
    if scene is None:
        return None
    camera = scene.camera_at(0.0)
    return np.array([[camera.focal, 0, camera.centre[0]], [0, camera.focal, camera.centre[1]], [0, 0, 1]])


def play(
    clip: Clip, config: PlayerConfig, begin_ns: int, show: ShowFrame, truth: ShowTruth, over: threading.Event
) -> float:
    """Play a sequence: camera frames and ground truth, each at its own time. Frames are decoded before they are due.

    Parameters
    ----------
    clip
        The sequence.
    config
        Says from where, how fast and how late.
    begin_ns
        The time of frame `first`, nanoseconds.
    show
        Called with every camera frame and its exact time in nanoseconds, `delay` after that time.
    truth
        Called likewise with the box of every world frame, ``[left, top, w, h]`` in pixels.
    over
        Ends it early when set.

    Returns
    -------
    float
        By how many seconds the latest frame was late beyond `delay`.
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
