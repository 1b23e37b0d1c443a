"""A node that reads best-effort images and sends the stamp of each back."""

from __future__ import annotations

import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pvtpp_ros_nodes.ros2.rclpy_basics import profile

if __name__ == "__main__":
    rclpy.init()
    node = rclpy.create_node("reader")
    seen = node.create_publisher(Header, "seen", 100)
    node.create_subscription(Image, "wide", lambda image: seen.publish(image.header), profile(10, reliable=False))
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
