"""Measures by how much the stamps of images are wrong: the `~capture_offset`.

The camera is turned to and fro together with a gyro, and the rotation that the images show is compared with the gyro's.

Turn the camera by hand over a textured scene for ten seconds, about all axes; IMU and camera are fixed to each other.

  rosrun pvtpp stamp_offset turned.bag --image /camera/image_raw --camera-info /camera/camera_info --imu /imu/data
  rosrun pvtpp stamp_offset --seconds 15 --image /camera/image_raw --camera-info /camera/camera_info --imu /imu/data

With ROS 2 it is `ros2 run` in place of `rosrun`; without ROS, for bags, `python -m pvtpp_ros_nodes.stamp_offset`.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from pvtpp.camera_motion import check_rotation
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.turned_camera import TurnedCamera
from pvtpp_ros_nodes import conversions, images, parameters
from pvtpp_ros_nodes.bag_reader import Bag
from pvtpp_ros_nodes.bearing import Camera
from pvtpp_ros_nodes.connection import Connection, connect
from pvtpp_ros_nodes.imu import Sample, Samples

QUEUE = 1000
"""Messages that may wait while two images are compared."""


class Recording:
    """What the topics of images and IMU show.

    Parameters
    ----------
    options
        Of the command line.

    Attributes
    ----------
    on
        The functions that take messages, by topic. The calibration comes first: before it, images are of no use.
    """

    def __init__(self, options: argparse.Namespace):
        self._options = options
        self._topic = options.image
        self._turned: Optional[TurnedCamera] = None
        self._stretch = images.StreamStretch()
        self._samples = Samples()
        self._measured: List[Sample] = []
        self.on: Dict[str, Callable[[Any], None]] = {
            options.camera_info: self._camera_info,
            options.image: self._image,
            options.imu: self._imu,
        }

    def offset(self) -> Tuple[float, float]:
        """Compute the offset, as `pvtpp.turned_camera.TurnedCamera.offset`.

        Raises
        ------
        InputError
            Something is missing, or gyro and images agree at no offset.
        """
        options = self._options
        if self._turned is None:
            raise InputError(f"nothing on {options.camera_info}: the camera's calibration is needed")
        seen = len(self._turned.t_ns)
        if seen < 2 or not self._measured:
            counts = f"{seen} images on {options.image}, {len(self._measured)} samples on {options.imu}"
            raise InputError(f"{counts} after the first camera_info: too few to compare")
        return self._turned.offset(self._measured, options.camera_from_imu)

    def _camera_info(self, message: Any) -> None:
        if self._turned is None:
            self._turned = TurnedCamera(Camera(message, self._options.rectified).matrix, self._topic)

    def _image(self, message: Any) -> None:
        if self._turned is None:
            return
        convert = images.raw_image if hasattr(message, "encoding") else images.compressed_image
        t_ns = conversions.stamp_ns(message.header.stamp)
        self._turned.add(Frame(0, t_ns, convert(message, self._stretch), source=f"{self._topic}, stamp {t_ns} ns"))

    def _imu(self, message: Any) -> None:
        try:
            sample = self._samples.take(message)
        except InputError as error:
            raise InputError(f"{self._options.imu}: {error}") from None
        if sample is not None:
            self._measured.append(sample)


def from_bag(recording: Recording, path: str) -> None:
    """Take all that a bag holds on the recording's topics, one topic after the other."""
    with Bag(path) as bag:
        for topic, take in recording.on.items():
            for message in bag.messages(topic):
                take(message)


def listen(recording: Recording, ros: Connection, seconds: float) -> None:
    """Take what comes on the recording's topics in so many seconds, or until the node is ended."""
    failed: List[InputError] = []
    lock = threading.Lock()

    def taken_by(take: Callable[[Any], None]) -> Callable[[Any], None]:
        def taken(message: Any) -> None:
            # ROS would print what a callback raises, and go on.
            try:
                with lock:
                    take(message)
            except InputError as error:
                failed.append(error)

        return taken

    info, image, imu = recording.on
    kinds = {image: "Image", info: "CameraInfo", imu: "Imu"}
    if image.endswith("/compressed"):
        kinds[image] = "CompressedImage"
    for topic, kind in kinds.items():
        ros.subscribe(topic, f"sensor_msgs/{kind}", taken_by(recording.on[topic]), QUEUE)
    until = time.monotonic() + seconds
    while time.monotonic() < until and not failed and not ros.over.is_set():
        time.sleep(0.1)
    if failed:
        raise failed[0]


def parsed(arguments: Optional[List[str]]) -> argparse.Namespace:
    """Parse the command line; None: that of this process."""
    parser = argparse.ArgumentParser(
        "stamp_offset", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bag", nargs="?", help="left out: listen to the running topics")
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="to listen for, without a bag (default: %(default)g)"
    )
    parser.add_argument("--image", default="/camera/image_raw", metavar="TOPIC", help="(default: %(default)s)")
    parser.add_argument("--camera-info", default="/camera/camera_info", metavar="TOPIC", help="(default: %(default)s)")
    parser.add_argument("--imu", default="/imu/data", metavar="TOPIC", help="(default: %(default)s)")
    parser.add_argument("--rectified", action="store_true", help="the images are rectified: the P matrix counts")
    parser.add_argument(
        "--camera-from-imu",
        default="1,0,0,0,1,0,0,0,1",
        metavar="R",
        help="nine numbers with commas, row by row, as ~camera_from_imu (--camera-from-imu=0,-1,0,..)",
    )
    return parser.parse_args(arguments)


def main(arguments: Optional[List[str]] = None) -> None:
    """Print the offset as launch and parameter files have it; where there is none, end with status 1 and a sentence."""
    options = parsed(arguments)
    try:
        rotation = np.reshape(parameters.numbers("camera_from_imu", options.camera_from_imu, 9), (3, 3))
        options.camera_from_imu = check_rotation(rotation, "--camera-from-imu")
        recording = Recording(options)
        if options.bag is None:
            ros = connect("stamp_offset", several=True)
            try:
                listen(recording, ros, options.seconds)
            finally:
                ros.close()
        else:
            from_bag(recording, options.bag)
        offset, explained = recording.offset()
    except InputError as error:
        sys.exit(f"stamp_offset: {error}")
    shown = f"the gyro then explains {100 * explained:.0f} % of the rotation that the images show"
    sys.stdout.write(f'<arg name="capture_offset" value="{offset:.4f}"/>  <!-- seconds; {shown} -->\n')
    sys.stdout.write(f"capture_offset: {offset:.4f}  # the same for a file of parameters\n")


if __name__ == "__main__":
    main()
