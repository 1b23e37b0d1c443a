"""What studies need of a middleware: a node of their own on ROS 1 or ROS 2, and the tracker node's command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Callable, List, Mapping, Protocol

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
        if self._master.poll() is not None:
            raise InputError(f"rosmaster ended with status {self._master.returncode}")
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
        given = [f"_{name}:={written(value)}" for name, value in parameters.items()]
        return [sys.executable, "-c", code, f"__ns:={NAMESPACE}", *given]

    def close(self) -> None:
        """As `Link.close`."""
        self._rospy.signal_shutdown("done")
        self._master.terminate()
        self._master.wait(20)

    def _kind(self, kind: str) -> Any:
        package, _, name = kind.partition("/")
        return getattr(import_module(f"{package}.msg"), name)


def link() -> Link:
    """Make a node of the ROS that this Python has.

    Raises
    ------
    InputError
        It has none, or none with our messages.
    """
    try:
        if find_spec("rospy"):
            return Ros1Link()
        if find_spec("rclpy"):
            from pvtpp_ros_nodes.ros2.study_link import Ros2Link

            return Ros2Link()
    except ImportError as error:
        raise InputError(f"our messages are not built for this Python: {error}") from None
    raise InputError("this Python has no ROS: source devel/setup.bash, or see `make ros2`")


def wait(condition: Callable[[], Any], what: str, seconds: float = WAIT_S) -> None:
    """Wait until it is so; InputError where it does not come in so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise InputError(f"waited {seconds:g} s for {what}")
        time.sleep(0.01)


def written(value: Any) -> str:
    """Write a parameter as ROS's command lines read it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
