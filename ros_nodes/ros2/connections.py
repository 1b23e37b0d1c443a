"""The topics and services of the tracker node, for the core that ROS 1 and ROS 2 share."""

from __future__ import annotations

from typing import Any, List

from pvtpp_msgs.msg import Roi
from pvtpp_msgs.srv import Init
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu
from std_srvs.srv import SetBool, Trigger

from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.core import Core
from pvtpp_ros_nodes.middleware import camera_info_beside
from pvtpp_ros_nodes.ros2.once import Once
from pvtpp_ros_nodes.ros2.rclpy_basics import QOS, connected, overridable, profile
from pvtpp_ros_nodes.ros2.rclpy_middleware import RclpyMiddleware
from pvtpp_ros_nodes.ros2.spinning import Helper

IMU_QUEUE = 200
"""Messages of 0.2 s of the fastest IMU; each one takes microseconds."""


class Connections:
    """A `Core`, with topics and services of the same names as in ROS 1.

    Quick services and the parameters, where a predictor may have to be loaded, are served by the node itself.
    Images, requests for a target, which may wait for their image, and the IMU, whose samples must not wait for
    images, have a helper with a thread of its own each.

    Parameters
    ----------
    node
        The node.
    config
        The parameters.
    overrides
        Of QoS profiles.

    Attributes
    ----------
    core
        The core.

    Raises
    ------
    InputError
        Something cannot be loaded, or connected.
    """

    def __init__(self, node: Node, config: NodeConfig, overrides: List[Parameter]):
        self._node = node
        self._helpers: List[Helper] = []
        self._services: List[Any] = []
        image = node.resolve_topic_name("image")
        topic = image + ("/compressed" if config.image_transport == "compressed" else "")
        self._middleware = RclpyMiddleware(node)
        try:
            self.core = Core(config, self._middleware, topic)
        except Exception:
            self._middleware.close()
            raise
        try:
            self._connect(config, overrides, image, topic)
        except Exception:
            self.close()
            raise
        self.core.ready()

    def _connect(self, config: NodeConfig, overrides: List[Parameter], image: str, topic: str) -> None:
        node, core = self._node, self.core
        requests = self._helper("requests", overrides)
        requests.create_service(Init, node.resolve_service_name("~/init"), self._init)
        # A reliable subscription hears reliable publishers alone, and one that is not may lose a single region.
        once, roi = Once(core.on_roi), node.resolve_topic_name("init_roi")
        self._listen(requests, Roi, roi, once.reliable, 1, reliable=True)
        requests.create_subscription(Roi, roi, once.best_effort, profile(1, reliable=False))
        try:
            from vision_msgs.msg import Detection2DArray
        except ImportError:
            pass
        else:
            name = node.resolve_topic_name("init_detections")
            self._listen(requests, Detection2DArray, name, core.on_detections, 1)
        if config.imu:
            samples, name = self._helper("imu", overrides), node.resolve_topic_name("imu")
            self._listen(samples, Imu, name, core.on_imu, IMU_QUEUE)
        for name, kind, answer in (("~/reset", Trigger, self._reset), ("~/pause", SetBool, self._pause)):
            self._services.append(node.create_service(kind, name, answer))
        calibration = node.resolve_topic_name("camera_info")
        if calibration == node.get_namespace().rstrip("/") + "/camera_info":
            # Not remapped itself.
            calibration = camera_info_beside(image)
        camera = self._helper("camera", overrides)
        self._listen(camera, CameraInfo, calibration, core.on_camera_info, 1)
        kind = CompressedImage if config.image_transport == "compressed" else Image
        self._listen(camera, kind, topic, core.on_image, 1)
        for helper in self._helpers:
            helper.start()

    def close(self) -> None:
        """Publish the events that wait, then end all threads, topics and services."""
        for helper in self._helpers:
            helper.close()
        for service in self._services:
            self._node.destroy_service(service)
        self.core.close()
        self._middleware.close()

    def _helper(self, purpose: str, overrides: List[Parameter]) -> Node:
        self._helpers.append(Helper(self._node, purpose, overrides))
        return self._helpers[-1].node

    def _listen(self, node: Node, kind: Any, topic: str, take: Any, depth: int, reliable: bool = False) -> None:
        qos, options = profile(depth, reliable), overridable()
        connected(topic, lambda: node.create_subscription(kind, topic, take, qos, qos_overriding_options=options))
        # Helpers have no services for parameters: what became of the overrides can be read from the node itself.
        prefix = f"{QOS}.{topic}"
        for name, each in node.get_parameters_by_prefix(prefix).items():
            if not self._node.has_parameter(f"{prefix}.{name}"):
                described = node.describe_parameter(f"{prefix}.{name}")
                self._node.declare_parameter(f"{prefix}.{name}", each.value, described, ignore_override=True)

    def _init(self, request: Any, response: Any) -> Any:
        response.success, response.message, response.target_id = self.core.init(request.roi)
        return response

    def _reset(self, request: Any, response: Any) -> Any:
        response.success, response.message = self.core.reset()
        return response

    def _pause(self, request: Any, response: Any) -> Any:
        response.success, response.message = self.core.pause(request.data)
        return response
