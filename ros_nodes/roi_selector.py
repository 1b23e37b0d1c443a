"""Lets an operator draw the first box on the running image, or sends one given on the command line.

  rosrun pvtpp roi_selector image:=/camera/image init_roi:=/camera/init_roi
  rosrun pvtpp roi_selector _xywh:="310, 200, 40, 25" init_roi:=/camera/init_roi
  ros2 run pvtpp roi_selector --ros-args -p xywh:="310, 200, 40, 25" -r init_roi:=/camera/init_roi

In the window: space stops at an image, the mouse draws, enter sends, escape goes on, q ends.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import cv2
import numpy as np

from pvtpp.errors import InputError
from pvtpp.live.mailbox import Mailbox
from pvtpp.tracker import Frame
from pvtpp.validation import check, one_of
from pvtpp_ros_nodes import connection, conversions, images, parameters
from pvtpp_ros_nodes.connection import Connection

WINDOW = "space, draw, enter"
READER_S = 10.0
USAGE = """rosrun pvtpp roi_selector image:=/camera/image init_roi:=/camera/init_roi [_NAME:=VALUE ..]
ros2 run pvtpp roi_selector --ros-args -r image:=/camera/image -r init_roi:=/camera/init_roi [-p NAME:=VALUE ..]"""


@dataclass(frozen=True)
class SelectorConfig:
    """The parameters of the selector. Every field is the private parameter of its name.

    Attributes
    ----------
    image_transport
        ``raw`` or ``compressed``.
    xywh
        Left, top, width and height in pixels, sent at once for the newest image, without a window; ``-`` for a window.

    Raises
    ------
    InputError
        A parameter is not allowed.
    """

    image_transport: str = "raw"
    xywh: str = "-"

    def __post_init__(self) -> None:
        check(self, {"image_transport": one_of(("raw", "compressed")), "xywh": parameters.TEXT})

    def given(self) -> Optional[List[float]]:
        """Read `xywh`.

        Returns
        -------
        list or None
            The four numbers; None for a window.

        Raises
        ------
        InputError
            It is anything else.
        """
        if self.xywh == "-":
            return None
        try:
            left, top, width, height = (float(part) for part in self.xywh.strip("[]() ").split(","))
        except ValueError:
            raise InputError(f"~xywh is {self.xywh!r}, expected left, top, width, height: four numbers, or -") from None
        return [left, top, width, height]


class RoiSelector:
    """Sends Roi messages with the stamp of the image that they were drawn on.

    Parameters
    ----------
    ros
        Publishes, and receives the images.
    config
        The parameters.
    """

    def __init__(self, ros: Connection, config: SelectorConfig):
        self._ros, self._xywh = ros, config.given()
        self._compressed = config.image_transport == "compressed"
        self._newest: Mailbox[Any] = Mailbox()
        self._stretch = images.StreamStretch()
        self._refused = ""
        self._requests = ros.publisher("init_roi", "pvtpp/Roi", 1)
        if self._xywh is None:
            topic = ros.resolved("image") + ("/compressed" if self._compressed else "")
            kind = "sensor_msgs/CompressedImage" if self._compressed else "sensor_msgs/Image"
            ros.subscribe(topic, kind, self._newest.put, 1)

    def run(self) -> None:
        """Send the given box, or let the operator draw until the window is closed."""
        if self._xywh is not None:
            self._wait_for_reader()
            self._send(0, "", self._xywh)
            # It is on its way when the connection closes behind it.
            self._ros.over.wait(0.5)
            return
        shown: Optional[Tuple[Any, np.ndarray]] = None
        while not self._ros.over.is_set():
            message = self._newest.pop()
            image = None if message is None else self._image(message)
            if image is not None:
                shown = message, image
                cv2.imshow(WINDOW, image)
            key = cv2.waitKey(10) & 0xFF
            if key == ord("q"):
                return
            if key == ord(" ") and shown is not None:
                self._draw(*shown)

    def _image(self, message: Any) -> Optional[np.ndarray]:
        convert = images.compressed_image if self._compressed else images.raw_image
        try:
            image = Frame(0, 0, convert(message, self._stretch)).image
        except InputError as error:
            # Once, as long as it is the same with every image.
            if self._refused != str(error):
                self._ros.log("error", f"image: {error}")
            self._refused = str(error)
            return None
        self._refused = ""
        return image

    def _draw(self, message: Any, image: np.ndarray) -> None:
        xywh = cv2.selectROI(WINDOW, image, showCrosshair=False)
        if min(xywh[2:]) > 0:
            self._send(conversions.stamp_ns(message.header.stamp), message.header.frame_id, xywh)

    def _send(self, t_ns: int, frame_id: str, xywh: Sequence[float]) -> None:
        self._requests.publish(conversions.fill_roi(self._ros.message("pvtpp/Roi"), t_ns, frame_id, xywh))
        self._ros.log("info", "sent " + ", ".join(f"{value:g}" for value in xywh))

    def _wait_for_reader(self) -> None:
        until = time.monotonic() + READER_S
        while not self._requests.readers() and time.monotonic() < until and not self._ros.over.is_set():
            time.sleep(0.05)
        if not self._requests.readers() and not self._ros.over.is_set():
            raise InputError(f"nobody reads {self._requests.topic}; is the tracker node running?")


def main() -> None:
    """Run it as a node of the ROS that is there."""
    connection.run("roi_selector", USAGE, SelectorConfig, lambda ros, config: RoiSelector(ros, config).run())


if __name__ == "__main__":
    main()
