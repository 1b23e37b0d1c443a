"""Plays a sequence of any data set: ``image``, ``camera_info`` where known, ``ground_truth``, and once ``init_roi``."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, List, Sequence

import cv2
import rospy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pvtpp.errors import InputError
from pvtpp.msg import Roi
from pvtpp.tracker import Frame
from pvtpp_ros_nodes import conversions, images, parameters
from pvtpp_ros_nodes.player import PlayerConfig, camera_matrix, play

LEAD_S = 0.2
"""From the start of a round to its first frame."""
LATE_S = 0.03
USAGE = "rosrun pvtpp sequence_player image:=/camera/image [_NAME:=VALUE ..]"


class SequencePlayer:
    """Waits for a reader, then plays; with ``~loop`` until the node is ended.

    Parameters
    ----------
    config
        The parameters.
    """

    def __init__(self, config: PlayerConfig):
        self._config, self._clip = config, config.clip()
        self._over = threading.Event()
        self._compressed = config.image_transport == "compressed"
        topic = rospy.resolve_name("image") + ("/compressed" if self._compressed else "")
        kind = CompressedImage if self._compressed else Image
        # As many as a reader may be late without losing one: this is for measuring, not for flying.
        self._images = rospy.Publisher(topic, kind, queue_size=10, tcp_nodelay=True)
        self._matrix = camera_matrix(self._clip)
        self._camera_info = None if self._matrix is None else rospy.Publisher("camera_info", CameraInfo, queue_size=10)
        self._truth = rospy.Publisher("ground_truth", Roi, queue_size=100)
        self._init = rospy.Publisher("init_roi", Roi, queue_size=1)
        self._first: List[float] = self._clip.ground_truth_xywh[config.first * self._clip.stride].tolist()

    def run(self) -> None:
        """Play until the end, or until the node is ended."""
        rospy.on_shutdown(self._over.set)
        self._wait()
        while not rospy.is_shutdown():
            rospy.loginfo("%s: %d frames at %g fps", self._clip.name, len(self._clip), self._clip.camera_fps)
            self._unsent = self._config.init
            begin_ns = rospy.get_rostime().to_nsec() + round(LEAD_S * 1e9)
            self._over.wait(LEAD_S)
            late = play(self._clip, self._config, begin_ns, self._show, self._show_truth, self._over)
            if late > LATE_S:
                rospy.logwarn("this machine is too slow to play it: a frame came %.0f ms late", late * 1e3)
            if not self._config.loop:
                break
        # The last messages are still on their way.
        self._over.wait(1.0)

    def _wait(self) -> None:
        until = time.monotonic() + self._config.wait_s
        wanted = [self._images] + ([self._init] if self._config.init else [])
        while time.monotonic() < until and not self._over.is_set():
            if all(publisher.get_num_connections() for publisher in wanted):
                return
            time.sleep(0.05)

    def _show(self, frame: Frame, t_ns: int) -> None:
        if self._compressed:
            message: Any = CompressedImage(format="jpeg", data=cv2.imencode(".jpg", frame.image)[1].tobytes())
        else:
            message = images.fill_image(Image(), frame.image)
        conversions.set_header(message.header, t_ns, self._config.frame_id)
        self._images.publish(message)
        if self._camera_info is not None and self._matrix is not None:
            height, width = frame.image.shape[:2]
            info = conversions.fill_camera_info(CameraInfo(), self._matrix, width, height)
            info.header = message.header
            self._camera_info.publish(info)
        if self._unsent:
            self._unsent = False
            self._init.publish(conversions.fill_roi(Roi(), t_ns, self._config.frame_id, self._first))

    def _show_truth(self, xywh: Sequence[float], t_ns: int) -> None:
        self._truth.publish(conversions.fill_roi(Roi(), t_ns, self._config.frame_id, xywh))


def main() -> None:
    """Run ``rosrun pvtpp sequence_player _dataset:=uav-mini _root:=data/uav-mini _sequence:=Surfing06``."""
    if parameters.wants_help(sys.argv[1:]):
        sys.stdout.write(parameters.help_text(USAGE, PlayerConfig) + "\n")
        return
    rospy.init_node("sequence_player")
    try:
        player = SequencePlayer(
            parameters.read(PlayerConfig, lambda name, default: rospy.get_param("~" + name, default))
        )
    except InputError as error:
        rospy.logfatal("%s", error)
        sys.exit(2)
    player.run()
