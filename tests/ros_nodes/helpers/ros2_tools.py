"""A real ROS 2 for the tests of the tools: nodes as processes of this Python, and a node of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path

# A domain of this run's own, on this machine alone.
os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ.setdefault(
    "FASTRTPS_DEFAULT_PROFILES_FILE", str(Path(__file__).resolve().parents[3] / "ros_nodes" / "ros2" / "fastdds.xml")
)

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import QoSProfile


class Node2:
    """A node of the test; what it reads is in `heard` by topic, as messages, or as bytes where it is read raw."""

    def __init__(self, name="operator"):
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context)
        self.node = rclpy.create_node(name, context=self._context)
        self.heard = defaultdict(list)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def read(self, topic, kind, take=None, raw=False):
        """Reliable, so that nothing is lost on the way."""
        take = take or self.heard[topic].append
        self.node.create_subscription(kind, topic, take, QoSProfile(depth=2000), raw=raw)

    def publisher(self, topic, kind):
        return self.node.create_publisher(kind, topic, QoSProfile(depth=2000))

    def close(self):
        self._executor.shutdown()
        self._thread.join(20)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _spin(self):
        try:
            self._executor.spin()
        except ExternalShutdownException:
            pass


class Program:
    """A module of ours as a process: ``Program(folder, "sequence_player", "--ros-args", ..)``."""

    def __init__(self, folder, module, *arguments):
        self._path = folder / f"{module}_{len(list(folder.iterdir()))}.log"
        helpers = str(Path(__file__).parent)
        path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), helpers])
        with open(self._path, "wb") as out:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", f"pvtpp_ros_nodes.{module}", *map(str, arguments)],
                env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    @property
    def output(self):
        return self._path.read_text(errors="replace")

    @property
    def alive(self):
        return self.popen.poll() is None

    def wait(self, seconds=120):
        return self.popen.wait(seconds)

    def stop(self):
        """Ctrl-C; the status it ends with."""
        if self.alive:
            self.popen.send_signal(signal.SIGINT)
        try:
            return self.popen.wait(30)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait(20)
