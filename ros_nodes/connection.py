"""What the tools need of ROS: the interface that rospy and rclpy fill, and which of the two a tool gets."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import fields
from importlib.util import find_spec
from typing import Any, Callable, List, Protocol, Type, TypeVar

from pvtpp.errors import InputError
from pvtpp_ros_nodes import parameters

Config = TypeVar("Config")


class Publisher(Protocol):
    """Sends on one topic.

    Attributes
    ----------
    topic
        Its name, resolved.
    """

    topic: str

    def publish(self, message: Any) -> None:
        """Send; does nothing once the node was ended."""

    def readers(self) -> int:
        """Count who reads."""


class Connection(Protocol):
    """A node of ROS 1 or ROS 2. Topics are relative to its namespace and can be remapped.

    Attributes
    ----------
    over
        Set when the node was ended from outside.
    """

    over: threading.Event

    def now_ns(self) -> int:
        """ROS time in nanoseconds, simulated where that is asked for."""

    def parameter(self, name: str, default: Any) -> Any:
        """Read a parameter of the node's own."""

    def given(self) -> List[str]:
        """List the parameters that the node was started with, as far as ROS tells."""

    def message(self, kind: str) -> Any:
        """Make an empty message of this kind (``pvtpp/Roi``)."""

    def resolved(self, topic: str) -> str:
        """Resolve a topic's name."""

    def publisher(self, topic: str, kind: str, queue: int) -> Publisher:
        """Announce messages of this kind; `queue` of them may wait for a slow reader."""

    def subscribe(self, topic: str, kind: str, take: Callable[[Any], None], queue: int) -> None:
        """Call `take` with every message of a sensor, in a thread of its own; `queue` of them may wait for it."""

    def log(self, level: str, text: str) -> None:
        """Log at level ``info``, ``warning`` or ``error``."""

    def close(self) -> None:
        """End the node."""


def connect(name: str, several: bool = False) -> Connection:
    """Become a node of the ROS that is there: as ``ROS_VERSION`` says, or whichever can be imported.

    Parameters
    ----------
    name
        Of the node.
    several
        Whether there may be several of this name at once; such a node takes no arguments of ROS, and Ctrl-C is left
        to Python.

    Raises
    ------
    InputError
        There is no ROS for this Python.
    """
    version = os.environ.get("ROS_VERSION") or ("1" if find_spec("rospy") else "2" if find_spec("rclpy") else "")
    if not version:
        raise InputError(f"neither rospy nor rclpy is there for {sys.executable}; is ROS's setup.bash sourced?")
    try:
        if version == "1":
            from pvtpp_ros_nodes.rospy_connection import RospyConnection

            return RospyConnection(name, several)
        from pvtpp_ros_nodes.ros2.rclpy_connection import RclpyConnection

        return RclpyConnection(name, several)
    except ImportError as error:
        raise InputError(f"no ROS {version} for {sys.executable} ({error}); is its setup.bash sourced?") from None


def run(name: str, usage: str, kind: Type[Config], work: Callable[[Connection, Config], None]) -> None:
    """Run a tool as a node. What is wrong with its parameters is one line in the log and exit status 2.

    Parameters
    ----------
    name
        Of the node.
    usage
        The first lines of its help, which needs no ROS.
    kind
        The dataclass of its parameters.
    work
        What it does; it raises InputError for what it cannot work with.
    """
    if parameters.wants_help(sys.argv[1:]):
        sys.stdout.write(parameters.help_text(usage, kind, "_NAME:=VALUE; on ROS 2 -p NAME:=VALUE") + "\n")
        return
    try:
        connection = connect(name)
    except InputError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(2)
    try:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        for other in set(connection.given()) - set(names):
            raise InputError(f"there is no parameter {other!r}; there are {', '.join(names)}")
        work(connection, parameters.read(kind, connection.parameter))
    except InputError as error:
        connection.log("error", str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        pass
    finally:
        connection.close()
