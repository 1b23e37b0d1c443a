"""Fakes of messages and of the middleware, for everything that needs no ROS."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

HELPERS = str(Path(__file__).parent / "helpers")
if HELPERS not in sys.path:
    sys.path.append(HELPERS)

import ros_world  # noqa: E402
from node_helpers import QUICK, FakeMiddleware, until  # noqa: E402

from pvtpp_ros_nodes.config import NodeConfig  # noqa: E402
from pvtpp_ros_nodes.core import Core  # noqa: E402


@pytest.fixture(params=[1, 2], ids=["ros1", "ros2"])
def middleware(request):
    return FakeMiddleware(request.param)


@pytest.fixture
def middleware1():
    return FakeMiddleware()


@pytest.fixture
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    until(lambda: set(threading.enumerate()) <= before, what="the end of all threads")


@pytest.fixture
def start(no_thread_is_left):
    """Makes cores by the clock of their middleware, and ends them."""
    made = []

    def make(middleware, **settings):
        config = NodeConfig(**{**QUICK, **settings})
        made.append(Core(config, middleware, "/camera/image", clock=lambda: middleware.seconds))
        made[-1].ready()
        return made[-1]

    yield make
    for core in made:
        core.close()


@pytest.fixture(scope="session")
def ros_is_there():
    """Skips where ROS 1 is not installed; a failure instead where PVTPP_REQUIRE_ROS is set."""
    lacking = ros_world.missing()
    if lacking:
        text = f"ROS 1 is not there for this Python ({lacking}); on Debian: apt-get install {ros_world.PACKAGES}"
        # rospy is the distribution's own Python's; another one cannot have it.
        required = os.environ.get("PVTPP_REQUIRE_ROS") and ros_world.is_systems_python()
        (pytest.fail if required else pytest.skip)(text)


@pytest.fixture(scope="session")
def devel(ros_is_there, tmp_path_factory):
    """The devel space of a catkin workspace with this repository in it."""
    return ros_world.build_workspace(tmp_path_factory.mktemp("catkin"))


@pytest.fixture(scope="session")
def world(devel, tmp_path_factory):
    """A master, and this process as a node of it."""
    made = ros_world.World(devel, tmp_path_factory.mktemp("ros"))
    import rospy

    rospy.init_node("operator", anonymous=True, disable_signals=True)
    yield made
    rospy.signal_shutdown("the tests are over")
    made.stop_master()


@pytest.fixture
def operator(world):
    """Who looks at one tracker node: sends pictures, listens to everything; ends what it began."""
    from ros_operator import Operator

    made = Operator(world)
    yield made
    made.close()
