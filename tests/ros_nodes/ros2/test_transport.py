"""Fast DDS with the profile that is shipped: no image is lost."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="this Python has no ROS 2: make ros2, then make test-ros2")

from node_helpers import until
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.ros2.rclpy_basics import profile

COUNT, ON_THE_WAY = 60, 3


def test_images_of_1280_x_720_arrive_best_effort_to_the_last_one(operator2):
    """The next one is sent when the reader has all but `ON_THE_WAY`, so that a slow machine loses none by itself."""
    operator2.processes.append(operator2.world.run("image_reader"))
    seen = []
    wide = operator2.node.create_publisher(Image, "/wide", profile(10, reliable=False))
    operator2.node.create_subscription(Header, "/seen", seen.append, 100)
    until(lambda: wide.get_subscription_count() and operator2.node.count_publishers("/seen"), what="a reader")
    message = images.fill_image(Image(), np.zeros((720, 1280, 3), dtype=np.uint8))

    def stamps():
        return [stamp for stamp in (conversions.stamp_ns(header.stamp) for header in list(seen)) if stamp]

    def found():
        """The reader may find this end later than it is found itself; small images do not fill its queue."""
        wide.publish(images.fill_image(Image(), np.zeros((4, 4, 3), dtype=np.uint8)))
        return bool(seen)

    until(found, what="a reader that reads")
    for index in range(COUNT):
        conversions.set_header(message.header, index + 1, "")
        wide.publish(message)
        until(lambda index=index: len(stamps()) > index - ON_THE_WAY, 20, f"image {index - ON_THE_WAY}")
    until(lambda: len(stamps()) == COUNT, 20, "the last images")
    assert stamps() == list(range(1, COUNT + 1))
