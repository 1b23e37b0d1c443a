"""A real ROS 2 for the tests: loopback only, a domain of its own, and nothing left behind in shared memory."""

from __future__ import annotations

import os
import random
import socket
import sys
from pathlib import Path

from ros_world import ROOT, Process

PROFILE = ROOT / "ros_nodes" / "ros2" / "fastdds.xml"
SHARED = Path("/dev/shm")


def free_domain():
    """A domain that no participant of this computer is in: the port of its first one is free."""
    for domain in random.Random(os.getpid()).sample(range(1, 100), 99):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", 7410 + 250 * domain))
            except OSError:
                continue
        return domain
    raise AssertionError("every ROS 2 domain is in use")


def segments():
    """Fast DDS's files in shared memory."""
    return {path for path in SHARED.glob("*fast*") if "rtps" in path.name or "dds" in path.name}


def in_use():
    """Files in shared memory that a living process has open or mapped."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [os.readlink(str(each)) for each in (process / "fd").iterdir()]
            mapped = (process / "maps").read_text(errors="replace").splitlines()
        except OSError:
            continue
        found.update(link for link in links if link.startswith(str(SHARED)))
        found.update(line.split(None, 5)[-1] for line in mapped if str(SHARED) in line)
    return found


class World:
    """The environment of every process of the tests, this one's included.

    Processes are nodes by module: ``pvtpp_ros_nodes.ros2.tracker_node``.
    """

    def __init__(self, folder):
        self.folder = folder
        self.domain = free_domain()
        self._before = segments()
        os.environ.update(
            ROS_DOMAIN_ID=str(self.domain),
            ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
            ROS_LOG_DIR=str(folder / "log"),
            RCUTILS_COLORIZED_OUTPUT="0",
            FASTRTPS_DEFAULT_PROFILES_FILE=str(PROFILE),
        )
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        self.env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._count = 0

    def run(self, module, *arguments, also=(), **env):
        """A process of this Python; `arguments` are those of ROS, `also` are others."""
        self._count += 1
        command = [sys.executable, "-m", module, *map(str, also), *(["--ros-args", *arguments] if arguments else [])]
        return Process(command, self.folder / f"{self._count}.log", {**self.env, **env})

    def close(self):
        """Remove what killed processes of these tests have left in shared memory."""
        used = in_use()
        for path in segments() - self._before:
            if str(path) not in used:
                path.unlink()
