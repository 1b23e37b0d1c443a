"""The tracker node of ROS 1: parameters, topics and services for the core that ROS 1 and ROS 2 share."""

from __future__ import annotations

import sys
from typing import Any, Dict

import roslib.message
import rospy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu
from std_srvs.srv import SetBool, Trigger

from pvtpp.errors import InputError
from pvtpp.msg import Roi
from pvtpp.srv import Init
from pvtpp_ros_nodes import parameters
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.core import Core
from pvtpp_ros_nodes.middleware import OUTPUTS, camera_info_beside
from pvtpp_ros_nodes.registration import Registration
from pvtpp_ros_nodes.rotations import Rotations

BUFFER_BYTES = 1 << 25
"""More than the largest image: with less, rospy keeps old ones in its socket whatever the queue size."""
IMU_QUEUE = 200
"""Messages of 0.2 s of the fastest IMU; each one takes microseconds."""
LOGS = {"info": rospy.loginfo, "warning": rospy.logwarn, "error": rospy.logerr}
USAGE = "rosrun pvtpp tracker_node image:=/camera/image camera_info:=/camera/camera_info [_NAME:=VALUE ..]"


class RospyMiddleware:
    """`Middleware` by rospy. Optional outputs are left out where their messages are not installed.

    Raises
    ------
    InputError
        Other messages are not installed.
    """

    LOSS_ADVICE = "this computer or the link to the camera is too slow for them"

    def __init__(self) -> None:
        self._kinds: Dict[str, Any] = {}
        self._publishers: Dict[str, rospy.Publisher] = {}
        self._rotations = Rotations(rospy.Time(0))
        for topic, output in OUTPUTS.items():
            kind = self._kind(output.kind)
            if kind is None:
                if not output.optional:
                    raise InputError(
                        f"the messages {output.kind} are not installed; source the workspace's devel/setup.bash"
                    )
                continue
            name = "/diagnostics" if topic == "diagnostics" else f"~{topic}"
            self._publishers[topic] = rospy.Publisher(
                name, kind, queue_size=output.queue, latch=output.latched, tcp_nodelay=True
            )

    def now_ns(self) -> int:
        """As `Middleware.now_ns`."""
        return rospy.get_rostime().to_nsec()

    def message(self, kind: str) -> Any:
        """As `Middleware.message`."""
        return self._kind(kind)()

    def publish(self, topic: str, message: Any) -> None:
        """As `Middleware.publish`."""
        try:
            self._publishers[topic].publish(message)
        except rospy.ROSException:
            # Threads go on for a moment after the node was ended.
            if not rospy.is_shutdown():
                raise

    def listeners(self, topic: str) -> int:
        """As `Middleware.listeners`."""
        publisher = self._publishers.get(topic)
        return 0 if publisher is None else publisher.get_num_connections()

    def rotation(self, to_frame: str, from_frame: str) -> Any:
        """As `Middleware.rotation`."""
        return self._rotations.ask(to_frame, from_frame)

    def log(self, level: str, text: str) -> None:
        """As `Middleware.log`."""
        LOGS[level]("%s", text)

    def _kind(self, kind: str) -> Any:
        if kind not in self._kinds:
            self._kinds[kind] = roslib.message.get_message_class(kind)
        return self._kinds[kind]


class TrackerNode:
    """Connects a `Core` with topics and services; see docs/how-to/ros.md for their names.

    Parameters
    ----------
    config
        The parameters.
    """

    def __init__(self, config: NodeConfig):
        compressed = config.image_transport == "compressed"
        image, calibration = rospy.resolve_name("image"), rospy.resolve_name("camera_info")
        topic = image + ("/compressed" if compressed else "")
        if calibration == rospy.get_namespace() + "camera_info":
            # Not remapped itself.
            calibration = camera_info_beside(image)
        self.core = Core(config, RospyMiddleware(), topic)
        rospy.Service("~init", Init, lambda request: self.core.init(request.roi))
        rospy.Service("~reset", Trigger, lambda request: self.core.reset())
        rospy.Service("~pause", SetBool, lambda request: self.core.pause(request.data))
        rospy.Subscriber("init_roi", Roi, self.core.on_roi, queue_size=1)
        rospy.Subscriber(calibration, CameraInfo, self.core.on_camera_info, queue_size=1)
        kind = CompressedImage if compressed else Image
        rospy.Subscriber(topic, kind, self.core.on_image, queue_size=1, buff_size=BUFFER_BYTES, tcp_nodelay=True)
        detections = roslib.message.get_message_class("vision_msgs/Detection2DArray")
        if detections is not None:
            rospy.Subscriber("init_detections", detections, self.core.on_detections, queue_size=1)
        if config.imu:
            rospy.Subscriber("imu", Imu, self.core.on_imu, queue_size=IMU_QUEUE, tcp_nodelay=True)
        self._registration = Registration()
        # Called while topics are still open: the events that wait go out.
        rospy.on_shutdown(self._close)
        self.core.ready()

    def spin(self) -> None:
        """Run until the node is ended."""
        rospy.spin()

    def _close(self) -> None:
        self._registration.close()
        self.core.close()


def main() -> None:
    """Run ``rosrun pvtpp tracker_node``. A parameter that is not allowed is one line in the log and exit status 2."""
    if parameters.wants_help(sys.argv[1:]):
        sys.stdout.write(parameters.help_text(USAGE, NodeConfig) + "\n")
        return
    rospy.init_node("tracker")
    try:
        node = TrackerNode(parameters.read(NodeConfig, lambda name, default: rospy.get_param("~" + name, default)))
    except InputError as error:
        rospy.logfatal("%s", error)
        sys.exit(2)
    node.spin()
