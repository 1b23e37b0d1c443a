"""Plays a sequence of any data set: ``image``, ``camera_info`` where known, ``ground_truth``, and once ``init_roi``."""

from __future__ import annotations

import time
from typing import Any, List, Sequence

from pvtpp.tracker import Frame
from pvtpp_ros_nodes import connection, conversions, images
from pvtpp_ros_nodes.connection import Connection
from pvtpp_ros_nodes.player import PlayerConfig, camera_matrix, play

LEAD_S = 0.2
"""From the start of a round to its first frame."""
LATE_S = 0.03
USAGE = """rosrun pvtpp sequence_player image:=/camera/image [_NAME:=VALUE ..]
ros2 run pvtpp sequence_player --ros-args -r image:=/camera/image [-p NAME:=VALUE ..]"""


class SequencePlayer:
    """Waits for a reader, then plays; with ``~loop`` until the node is ended.

    Parameters
    ----------
    ros
        Publishes.
    config
        The parameters.
    """

    def __init__(self, ros: Connection, config: PlayerConfig):
        self._ros, self._config, self._clip = ros, config, config.clip()
        self._compressed = config.image_transport == "compressed"
        topic = ros.resolved("image") + ("/compressed" if self._compressed else "")
        self._kind = "sensor_msgs/CompressedImage" if self._compressed else "sensor_msgs/Image"
        # As many as a reader may be late without losing one: this is for measuring, not for flying.
        self._images = ros.publisher(topic, self._kind, 10)
        self._matrix = camera_matrix(self._clip)
        self._camera_info = None if self._matrix is None else ros.publisher("camera_info", "sensor_msgs/CameraInfo", 10)
        self._truth = ros.publisher("ground_truth", "pvtpp/Roi", 100)
        self._init = ros.publisher("init_roi", "pvtpp/Roi", 1)
        self._first: List[float] = self._clip.ground_truth_xywh[config.first * self._clip.stride].tolist()

    def run(self) -> None:
        """Play until the end, or until the node is ended."""
        self._wait()
        clip, over = self._clip, self._ros.over
        while not over.is_set():
            self._ros.log("info", f"{clip.name}: {len(clip)} frames at {clip.camera_fps:g} fps")
            self._unsent = self._config.init
            begin_ns = self._ros.now_ns() + round(LEAD_S * 1e9)
            over.wait(LEAD_S)
            late = play(clip, self._config, begin_ns, self._show, self._show_truth, over)
            if late > LATE_S:
                text = f"this machine is too slow to play it: a frame came {late * 1e3:.0f} ms late"
                self._ros.log("warning", text)
            if not self._config.loop:
                break
        # The last messages are still on their way.
        over.wait(1.0)

    def _wait(self) -> None:
        until = time.monotonic() + self._config.wait_s
        wanted = [self._images] + ([self._init] if self._config.init else [])
        while time.monotonic() < until and not self._ros.over.is_set():
            if all(publisher.readers() for publisher in wanted):
                return
            time.sleep(0.05)

    def _show(self, frame: Frame, t_ns: int) -> None:
        message: Any = self._ros.message(self._kind)
        if self._compressed:
            images.fill_compressed(message, frame.image)
        else:
            images.fill_image(message, frame.image)
        conversions.set_header(message.header, t_ns, self._config.frame_id)
        self._images.publish(message)
        if self._camera_info is not None and self._matrix is not None:
            height, width = frame.image.shape[:2]
            info = self._ros.message("sensor_msgs/CameraInfo")
            conversions.fill_camera_info(info, self._matrix, width, height)
            info.header = message.header
            self._camera_info.publish(info)
        if self._unsent:
            self._unsent = False
            self._init.publish(self._roi(self._first, t_ns))

    def _show_truth(self, xywh: Sequence[float], t_ns: int) -> None:
        self._truth.publish(self._roi(xywh, t_ns))

    def _roi(self, xywh: Sequence[float], t_ns: int) -> Any:
        return conversions.fill_roi(self._ros.message("pvtpp/Roi"), t_ns, self._config.frame_id, xywh)


def main() -> None:
    """Run it as a node of the ROS that is there."""
    connection.run("sequence_player", USAGE, PlayerConfig, lambda ros, config: SequencePlayer(ros, config).run())


if __name__ == "__main__":
    main()
