"""A sequence is played at its own times, with exact stamps, images and truth where they belong."""

from __future__ import annotations

import threading

import numpy as np

from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_ros_nodes.player import PlayerConfig, play


class Blank(VideoSequence):
    """Grey images."""

    def frame(self, index):
        return Frame(index, int(self.camera_t_ns[index]), np.full((8, 8, 3), 90, np.uint8))


def played(clip, over=None, **settings):
    shown, truth = [], []
    over = over or threading.Event()
    config = PlayerConfig(dataset="folder", **settings)
    play(
        clip,
        config,
        10**18,
        lambda frame, t: shown.append((frame.index, t)),
        lambda xywh, t: truth.append((xywh[0], t)),
        over,
    )
    return shown, truth


def test_camera_and_world_each_at_their_own_rate():
    boxes = np.tile([1.0, 2, 3, 4], (7, 1))
    boxes[:, 0] = range(7)
    clip = Blank("clip", boxes, world_fps=90.0, camera_fps=30.0)
    shown, truth = played(clip)
    assert shown == [(index, 10**18 + int(clip.camera_t_ns[index])) for index in range(3)]
    assert truth == [(float(index), 10**18 + int(clip.world_t_ns[index])) for index in range(7)]
    shown, truth = played(clip, first=1, speed=2.0)
    assert [index for index, _ in shown] == [1, 2] and truth[0] == (3.0, 10**18)
    assert shown[1][1] == 10**18 + round((int(clip.camera_t_ns[2]) - int(clip.camera_t_ns[1])) / 2)


def test_it_ends_early_when_asked():
    over = threading.Event()
    over.set()
    assert played(Blank("clip", np.tile([1.0, 2, 3, 4], (7, 1))), over) == ([], [])
