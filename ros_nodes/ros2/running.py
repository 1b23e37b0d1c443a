"""From the command line to a node that runs, and to its end: one line for what is not allowed, and no event lost."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any, Callable

import rclpy

from pvtpp.errors import InputError
from pvtpp_ros_nodes import parameters
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.ros2.rclpy_basics import start
from pvtpp_ros_nodes.ros2.spinning import Spinning


def run(make: Callable[[], Any], program: str) -> int:
    """Run a node until it is interrupted.

    Parameters
    ----------
    make
        Makes the node, which has ``close``, called before it is destroyed.
    program
        The module's name, for the text of ``--help``.

    Returns
    -------
    int
        The exit status: 2 where an argument or a parameter is not allowed.
    """
    usage = f"python3 -m {program} --ros-args -r image:=/camera/image_raw [-p NAME:=VALUE ..]"
    if parameters.wants_help(sys.argv[1:]):
        sys.stdout.write(parameters.help_text(usage, NodeConfig, "-p NAME:=VALUE") + "\n")
        return 0
    over = threading.Event()
    _interrupted(over)
    try:
        start(sys.argv)
        node = make()
    except InputError as error:
        sys.stderr.write(f"tracker: {error}\n")
        rclpy.try_shutdown()
        return 2
    node.context.on_shutdown(over.set)
    spinning = Spinning(node)
    over.wait()
    # While the context still lives: the events that wait go out, and their readers get them.
    spinning.stop()
    node.close()
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


def _interrupted(over: threading.Event) -> None:
    """Let the first SIGINT or SIGTERM set the event, and the second one end the process at once."""

    def handle(number: int, frame: Any) -> None:
        over.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
