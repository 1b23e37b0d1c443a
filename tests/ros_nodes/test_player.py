"""A sequence is played at its own times, with exact stamps, images and truth where they belong."""

from __future__ import annotations

import threading

import numpy as np

from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.synthetic import render
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.player import PlayerConfig, camera_matrix, play


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


def test_the_camera_of_a_generated_clip_is_known(middleware):
    clip = render()
    matrix = camera_matrix(clip)
    info = conversions.fill_camera_info(middleware.message("sensor_msgs/CameraInfo"), matrix, *clip.size)
    camera = Camera(info)
    scene_camera = clip.scene.camera_at(0.0)
    assert matrix[0, 0] == matrix[1, 1] == scene_camera.focal
    # The middle of the image is straight ahead.
    np.testing.assert_allclose(camera.rays(np.array([scene_camera.centre]))[0], [0, 0, 1], atol=1e-9)
    assert (info.width, info.height) == clip.size


def test_the_camera_of_a_sequence_with_a_gyro_is_the_recording_s():
    matrix = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
    gyro = GyroRecording(np.array([0, 10**7]), np.zeros((2, 3)), matrix, np.eye(3), "made")
    assert (camera_matrix(Blank("clip", np.tile([1.0, 2, 3, 4], (7, 1)), gyro=gyro)) == matrix).all()


def test_the_camera_of_other_sequences_is_not_known():
    assert camera_matrix(Blank("clip", np.tile([1.0, 2, 3, 4], (7, 1)))) is None
