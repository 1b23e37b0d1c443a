"""Lets an operator draw the first box on the running image, or sends one given on the command line.

  rosrun pvtpp roi_selector image:=/camera/image init_roi:=/camera/init_roi
  rosrun pvtpp roi_selector _xywh:="310, 200, 40, 25" init_roi:=/camera/init_roi

In the window: space stops at an image, the mouse draws, enter sends, escape goes on, q ends.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any, List, Optional, Tuple

import cv2
import numpy as np
import rospy
from sensor_msgs.msg import CompressedImage, Image

from pvtpp.errors import InputError
from pvtpp.live.mailbox import Mailbox
from pvtpp.msg import Roi
from pvtpp.tracker import Frame
from pvtpp.validation import check, one_of
from pvtpp_ros_nodes import conversions, images, parameters

WINDOW = "space, draw, enter"
READER_S = 10.0
USAGE = "rosrun pvtpp roi_selector image:=/camera/image init_roi:=/camera/init_roi [_NAME:=VALUE ..]"


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
    config
        The parameters.
    """

    def __init__(self, config: SelectorConfig):
        self._xywh = config.given()
        self._compressed = config.image_transport == "compressed"
        self._newest: Mailbox[Any] = Mailbox()
        self._stretch = images.StreamStretch()
        self._requests = rospy.Publisher("init_roi", Roi, queue_size=1)
        if self._xywh is None:
            topic = rospy.resolve_name("image") + ("/compressed" if self._compressed else "")
            kind = CompressedImage if self._compressed else Image
            rospy.Subscriber(topic, kind, self._newest.put, queue_size=1, buff_size=1 << 25, tcp_nodelay=True)

    def run(self) -> None:
        """Send the given box, or let the operator draw until the window is closed."""
        if self._xywh is not None:
            self._wait_for_reader()
            self._send(conversions.fill_roi(Roi(), 0, "", self._xywh))
            # It is on its way when the connection closes behind it.
            time.sleep(0.5)
            return
        shown: Optional[Tuple[Any, np.ndarray]] = None
        while not rospy.is_shutdown():
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
            return Frame(0, 0, convert(message, self._stretch)).image
        except InputError as error:
            rospy.logerr_throttle(1.0, f"image: {error}")
            return None

    def _draw(self, message: Any, image: np.ndarray) -> None:
        xywh = cv2.selectROI(WINDOW, image, showCrosshair=False)
        if min(xywh[2:]) > 0:
            header = message.header
            self._send(conversions.fill_roi(Roi(), conversions.stamp_ns(header.stamp), header.frame_id, xywh))

    def _send(self, roi: Any) -> None:
        self._requests.publish(roi)
        rospy.loginfo("sent %s", ", ".join(f"{value:g}" for value in roi.xywh))

    def _wait_for_reader(self) -> None:
        until = time.monotonic() + READER_S
        while not self._requests.get_num_connections() and time.monotonic() < until and not rospy.is_shutdown():
            time.sleep(0.05)
        if not self._requests.get_num_connections():
            raise InputError(f"nobody reads {self._requests.resolved_name}; is the tracker node running?")


def main() -> None:
    """Run ``rosrun pvtpp roi_selector``."""
    if parameters.wants_help(sys.argv[1:]):
        sys.stdout.write(parameters.help_text(USAGE, SelectorConfig) + "\n")
        return
    rospy.init_node("roi_selector")
    try:
        RoiSelector(parameters.read(SelectorConfig, lambda name, default: rospy.get_param("~" + name, default))).run()
    except InputError as error:
        rospy.logfatal("%s", error)
        sys.exit(2)
