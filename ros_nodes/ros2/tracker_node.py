"""The tracker node of ROS 2: rclpy for the core that ROS 1 and ROS 2 share. Not run by its authors yet.

  python3 -m pvtpp_ros_nodes.ros2.tracker_node --ros-args -r image:=/camera/image_raw -p predictor:=motion

Messages are those of the package ``pvtpp_msgs`` beside this file, built by colcon.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Dict

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from pvtpp_msgs.msg import Roi
from pvtpp_msgs.srv import Init
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu
from std_srvs.srv import SetBool, Trigger

from pvtpp.errors import InputError
from pvtpp_ros_nodes import parameters
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.core import Core
from pvtpp_ros_nodes.middleware import OUTPUTS

NEWEST_IMAGE = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
IMU_QUEUE = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.BEST_EFFORT)
THREADS = 4
"""For images, for the IMU, for the clock, and for requests: one of these may wait for an image that is on its way."""
USAGE = "python3 -m pvtpp_ros_nodes.ros2.tracker_node --ros-args -r image:=/camera/image_raw [-p NAME:=VALUE ..]"


class RclpyMiddleware:
    """`Middleware` by rclpy. Optional outputs are left out where their messages are not installed.

    Parameters
    ----------
    node
        Publishes and logs.

    Raises
    ------
    InputError
        Other messages are not installed.
    """

    def __init__(self, node: Node):
        self._node = node
        kinds = (DiagnosticArray, DiagnosticStatus, KeyValue, Image)
        self._kinds: Dict[str, Any] = {f"{kind.__module__.split('.')[0]}/{kind.__name__}": kind for kind in kinds}
        self._publishers: Dict[str, Any] = {}
        self._tf: Any = None
        for topic, output in OUTPUTS.items():
            try:
                kind = self._kind(output.kind)
            except (ImportError, AttributeError):
                if not output.optional:
                    raise InputError(f"the messages {output.kind} are not installed; build pvtpp_msgs") from None
                continue
            qos = QoSProfile(
                history=HistoryPolicy.KEEP_LAST,
                depth=output.queue,
                durability=DurabilityPolicy.TRANSIENT_LOCAL if output.latched else DurabilityPolicy.VOLATILE,
            )
            name = "/diagnostics" if topic == "diagnostics" else f"~/{topic}"
            self._publishers[topic] = node.create_publisher(kind, name, qos)

    def now_ns(self) -> int:
        """As `Middleware.now_ns`."""
        return self._node.get_clock().now().nanoseconds

    def message(self, kind: str) -> Any:
        """As `Middleware.message`."""
        return self._kind(kind)()

    def publish(self, topic: str, message: Any) -> None:
        """As `Middleware.publish`."""
        self._publishers[topic].publish(message)

    def listeners(self, topic: str) -> int:
        """As `Middleware.listeners`."""
        publisher = self._publishers.get(topic)
        return 0 if publisher is None else publisher.get_subscription_count()

    def rotation(self, to_frame: str, from_frame: str) -> Any:
        """As `Middleware.rotation`."""
        try:
            import tf2_ros
        except ImportError as error:
            raise InputError(f"tf cannot be asked ({error})") from None
        if self._tf is None:
            self._tf = tf2_ros.Buffer()
            self._tf_listener = tf2_ros.TransformListener(self._tf, self._node)
        try:
            return self._tf.lookup_transform(to_frame, from_frame, Time()).transform.rotation
        except tf2_ros.TransformException:
            return None

    def log(self, level: str, text: str) -> None:
        """As `Middleware.log`."""
        getattr(self._node.get_logger(), level)(text)

    def _kind(self, kind: str) -> Any:
        if kind not in self._kinds:
            package, _, name = kind.partition("/")
            # In ROS 2 a Python package cannot hold messages of its own.
            module = import_module(f"{'pvtpp_msgs' if package == 'pvtpp' else package}.msg")
            self._kinds[kind] = getattr(module, name)
        return self._kinds[kind]


class TrackerNode(Node):
    """Connects a `Core` with topics and services of the same names as in ROS 1."""

    def __init__(self) -> None:
        super().__init__("tracker")
        config = parameters.read(NodeConfig, lambda name, default: self.declare_parameter(name, default).value)
        compressed = config.image_transport == "compressed"
        topic = self.resolve_topic_name("image") + ("/compressed" if compressed else "")
        self.core = Core(config, RclpyMiddleware(self), topic)
        requests = ReentrantCallbackGroup()
        self.create_service(Init, "~/init", self._init, callback_group=requests)
        self.create_service(Trigger, "~/reset", self._reset, callback_group=requests)
        self.create_service(SetBool, "~/pause", self._pause, callback_group=requests)
        self.create_subscription(Roi, "init_roi", self.core.on_roi, 1, callback_group=requests)
        self.create_subscription(CameraInfo, "camera_info", self.core.on_camera_info, NEWEST_IMAGE)
        self.create_subscription(CompressedImage if compressed else Image, topic, self.core.on_image, NEWEST_IMAGE)
        if config.imu:
            group = MutuallyExclusiveCallbackGroup()
            self.create_subscription(Imu, "imu", self.core.on_imu, IMU_QUEUE, callback_group=group)
        self.core.ready()

    def _init(self, request: Any, response: Any) -> Any:
        response.success, response.message, response.target_id = self.core.init(request.roi)
        return response

    def _reset(self, request: Any, response: Any) -> Any:
        response.success, response.message = self.core.reset()
        return response

    def _pause(self, request: Any, response: Any) -> Any:
        response.success, response.message = self.core.pause(request.data)
        return response


def main() -> None:
    """Run the node. A parameter that is not allowed is one line and exit status 2."""
    if parameters.wants_help(sys.argv[1:]):
        sys.stdout.write(parameters.help_text(USAGE, NodeConfig) + "\n")
        return
    rclpy.init()
    try:
        node = TrackerNode()
    except InputError as error:
        sys.stderr.write(f"tracker: {error}\n")
        sys.exit(2)
    executor = MultiThreadedExecutor(THREADS)
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.core.close()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
