"""What studies need of a middleware: a node of their own on ROS 1 or ROS 2, and the tracker node's command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Callable, Dict, List, Mapping, Protocol

from pvtpp.errors import InputError

NAMESPACE = "/camera"
WAIT_S = 60.0
Publish = Callable[[Any], None]


class Link(Protocol):
    """A node of one middleware, alone in a world of its own. Topics are below `NAMESPACE`.

    Attributes
    ----------
    name
        Of the middleware.
    """

    name: str

    def message(self, kind: str) -> Any:
        """Make an empty message of this kind (``pvtpp/Roi``)."""

    def publisher(self, topic: str, kind: str) -> Publish:
        """Announce messages of this kind; call what is returned with each."""

    def subscribe(self, topic: str, kind: str, take: Callable[[Any], None]) -> None:
        """Call `take` with every message, in order."""

    def init(self, roi: Any) -> bool:
        """Call the tracker's service ``init``; whether there is a new target."""

    def tracker(self, parameters: Mapping[str, Any]) -> List[str]:
        """Return the command that runs the tracker node."""

    def close(self) -> None:
        """End the node, and the world."""


class Ros1Link:
    """`Link` by rospy, with a master on a free port."""

    name = "ROS 1"

    def __init__(self) -> None:
        import rosgraph
        import rospy

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        os.environ.update(
            ROS_MASTER_URI=f"http://127.0.0.1:{port}", ROS_IP="127.0.0.1", ROS_HOME=tempfile.mkdtemp(prefix="study_")
        )
        command = ["rosmaster", "--core", "-p", str(port)]
        self._master = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(lambda: rosgraph.is_master_online() or self._master.poll() is not None, "a ROS master")
        self._rospy = rospy
        rospy.init_node("study", disable_signals=True)

    def message(self, kind: str) -> Any:
        """As `Link.message`."""
        return self._kind(kind)()

    def publisher(self, topic: str, kind: str) -> Publish:
        """As `Link.publisher`."""
        publisher = self._rospy.Publisher(f"{NAMESPACE}/{topic}", self._kind(kind), queue_size=100, tcp_nodelay=True)
        return publisher.publish

    def subscribe(self, topic: str, kind: str, take: Callable[[Any], None]) -> None:
        """As `Link.subscribe`."""
        name = topic if topic.startswith("/") else f"{NAMESPACE}/{topic}"
        self._rospy.Subscriber(name, self._kind(kind), take, queue_size=10_000, tcp_nodelay=True)

    def init(self, roi: Any) -> bool:
        """As `Link.init`."""
        from pvtpp.srv import Init

        name = f"{NAMESPACE}/tracker/init"
        self._rospy.wait_for_service(name, WAIT_S)
        return bool(self._rospy.ServiceProxy(name, Init)(roi).success)

    def tracker(self, parameters: Mapping[str, Any]) -> List[str]:
        """As `Link.tracker`."""
        code = "from pvtpp_ros_nodes.tracker_node import main; main()"
        # What a node before was given stays with the master.
        if self._rospy.has_param(f"{NAMESPACE}/tracker"):
            self._rospy.delete_param(f"{NAMESPACE}/tracker")
        given = [f"_{name}:={_text(value)}" for name, value in parameters.items()]
        return [sys.executable, "-c", code, f"__ns:={NAMESPACE}", *given]

    def close(self) -> None:
        """As `Link.close`."""
        self._rospy.signal_shutdown("done")
        self._master.terminate()
        self._master.wait(20)

    def _kind(self, kind: str) -> Any:
        package, _, name = kind.partition("/")
        return getattr(import_module(f"{package}.msg"), name)


class Ros2Link:
    """`Link` by rclpy, on loopback; as all its processes with the profile of Fast DDS that is shipped."""

    name = "ROS 2"

    def __init__(self) -> None:
        os.environ.update(
            ROS_DOMAIN_ID=str(1 + os.getpid() % 100),
            ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
            FASTRTPS_DEFAULT_PROFILES_FILE=os.path.join(os.path.dirname(__file__), "ros2", "fastdds.xml"),
        )
        import rclpy

        from pvtpp_ros_nodes.ros2.rclpy_middleware import profile
        from pvtpp_ros_nodes.ros2.spinning import Spinning

        self._rclpy, self._profile = rclpy, profile
        rclpy.init()
        self._node = rclpy.create_node("study", namespace=NAMESPACE)
        self._init = self._node.create_client(import_module("pvtpp_msgs.srv").Init, "tracker/init")
        self._spinning = Spinning(self._node)

    def message(self, kind: str) -> Any:
        """As `Link.message`."""
        return self._kind(kind)()

    def publisher(self, topic: str, kind: str) -> Publish:
        """As `Link.publisher`."""
        made = self._node.create_publisher(self._kind(kind), topic, self._profile(10, reliable=False))
        return made.publish

    def subscribe(self, topic: str, kind: str, take: Callable[[Any], None]) -> None:
        """As `Link.subscribe`."""
        self._node.create_subscription(self._kind(kind), topic, take, self._profile(10_000, reliable=True))

    def init(self, roi: Any) -> bool:
        """As `Link.init`."""
        if not self._init.wait_for_service(WAIT_S):
            raise InputError("the tracker node offers no service init")
        done = threading.Event()
        future = self._init.call_async(self._init.srv_type.Request(roi=roi))
        future.add_done_callback(lambda _: done.set())
        return done.wait(WAIT_S) and bool(future.result().success)

    def tracker(self, parameters: Mapping[str, Any]) -> List[str]:
        """As `Link.tracker`."""
        given = [part for name, value in parameters.items() for part in ("-p", f"{name}:={_text(value)}")]
        module = "pvtpp_ros_nodes.ros2.tracker_node"
        return [sys.executable, "-m", module, "--ros-args", "-r", f"__ns:={NAMESPACE}", *given]

    def close(self) -> None:
        """As `Link.close`."""
        self._spinning.stop()
        self._node.destroy_node()
        self._rclpy.try_shutdown()

    def _kind(self, kind: str) -> Any:
        package, _, name = kind.partition("/")
        return getattr(import_module(f"{'pvtpp_msgs' if package == 'pvtpp' else package}.msg"), name)


LINKS: Dict[str, Callable[[], Link]] = {"rospy": Ros1Link, "rclpy": Ros2Link}


def link() -> Link:
    """Make a node of the ROS that this Python has.

    Raises
    ------
    InputError
        It has none, or none with our messages.
    """
    found = [library for library in LINKS if find_spec(library)]
    if not found:
        raise InputError("this Python has no ROS: source devel/setup.bash, or see `make ros2`")
    try:
        return LINKS[found[0]]()
    except ImportError as error:
        raise InputError(f"our messages are not built for this Python: {error}") from None


def wait(condition: Callable[[], Any], what: str, seconds: float = WAIT_S) -> None:
    """Wait until it is so; InputError where it does not come in so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise InputError(f"waited {seconds:g} s for {what}")
        time.sleep(0.01)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
