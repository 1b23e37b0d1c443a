"""The managed node: it loads, tracks, pauses and frees as it is asked, and says why it cannot."""

from __future__ import annotations

import signal

import pytest

pytest.importorskip("rclpy", reason="this Python has no ROS 2: make ros2, then make test-ros2")

from lifecycle_msgs.msg import Transition
from node_helpers import until
from ros2_operator import QUICK

from pvtpp_ros_nodes import conversions


def change(operator, name):
    """Whether this transition succeeded, and the state after it."""
    transition = Transition(id=getattr(Transition, f"TRANSITION_{name.upper()}"))
    done = operator.call("change_state", transition=transition).success
    return done, operator.call("get_state").current_state.label


def test_it_loads_tracks_pauses_goes_on_and_frees(operator2):
    node = operator2.world.run("pvtpp_ros_nodes.ros2.managed_tracker_node", *QUICK)
    operator2.processes.append(node)
    assert operator2.set(tracker="nonsense")[0]
    assert change(operator2, "configure") == (False, "unconfigured")
    until(lambda: "unknown tracker 'nonsense'" in node.output)
    assert not operator2.set(rate="fast")[0] and operator2.set(tracker="bright_spot:BrightSpot")[0]
    assert change(operator2, "configure") == (True, "inactive")
    assert "ready: pvtpp" in node.output and operator2.newest("status").text in ("ready, no target", "paused")
    assert not operator2.set(tracker="csrt")[0]
    operator2.film()
    assert change(operator2, "activate") == (True, "active")
    first = operator2.init()
    operator2.more("result", 3)
    assert change(operator2, "deactivate") == (True, "inactive")
    operator2.status_is(conversions.PAUSED)
    # What was on its way has come with the diagnostics of two seconds.
    operator2.more("diagnostics", 2)
    count = {topic: len(operator2.heard[topic]) for topic in ("target", "result", "trajectory")}
    operator2.more("diagnostics")
    assert count == {topic: len(operator2.heard[topic]) for topic in count}
    assert change(operator2, "activate") == (True, "active")
    assert operator2.more("result", 3)[-1].target_id == first
    assert change(operator2, "deactivate")[0] and change(operator2, "cleanup") == (True, "unconfigured")
    # Of the whole life of the target no event is missing.
    assert operator2.finished_log(first).of_kind("result")
    until(lambda: not operator2._images.get_subscription_count(), what="no reader of images")
    assert change(operator2, "configure") == (True, "inactive") and change(operator2, "activate")[0]
    assert operator2.init() == 1
    until(lambda: operator2.newest("result").target_id == 1)
    operator2.more("result", 2)
    node.stop(signal.SIGINT)
    assert node.popen.returncode == 0 and "Traceback" not in node.output, node.output
