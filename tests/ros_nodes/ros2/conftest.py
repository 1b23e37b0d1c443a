"""These tests run under a Python that has ROS 2: `make ros2`, then `make test-ros2`. Other Pythons skip them."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def world2(tmp_path_factory):
    """Loopback, a domain of its own, and this process as a part of it."""
    import rclpy
    import ros2_world

    world = ros2_world.World(tmp_path_factory.mktemp("ros2"))
    rclpy.init()
    yield world
    rclpy.try_shutdown()
    world.close()


@pytest.fixture
def operator2(world2):
    from ros2_operator import Operator

    made = Operator(world2)
    yield made
    made.close()
