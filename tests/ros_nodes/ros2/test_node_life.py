"""The life of a node of ROS 2: how it starts, is interrupted, killed, started again, and what becomes of time."""

from __future__ import annotations

import signal

import pytest

pytest.importorskip("rclpy", reason="this Python has no ROS 2: make ros2, then make test-ros2")

from node_helpers import spot_image, spot_xywh, until
from pvtpp_msgs.msg import Roi
from ros2_operator import NODE, QUICK
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from pvtpp_ros_nodes import conversions, images


def test_an_interrupt_while_tracking_ends_it_in_peace_with_every_event(operator2):
    operator2.launch()
    operator2.film()
    operator2.init()
    operator2.more("result", 20)
    (node,) = operator2.processes
    node.stop(signal.SIGINT)
    assert node.popen.returncode == 0
    assert "Traceback" not in node.output and "RCLError" not in node.output and "[ERROR]" not in node.output
    # `log_of` asserts that no number is missing.
    assert len(operator2.finished_log(1).of_kind("result")) >= 20


def test_a_node_that_was_killed_starts_again(operator2):
    node = operator2.launch()
    operator2.film()
    operator2.init()
    operator2.more("result", 3)
    node.stop(signal.SIGKILL)
    operator2.launch()
    operator2.status_is(conversions.NO_TARGET)
    operator2.init()
    assert operator2.more("result", 3)[-1].target_id == 1


def test_a_simulated_clock_that_is_set_back_begins_anew(operator2):
    clock = operator2.node.create_publisher(Clock, "/clock", 10)
    node = operator2.launch("-p", "use_sim_time:=true")
    until(lambda: operator2._images.get_subscription_count() and clock.get_subscription_count(), what="a reader")
    now = [100 * 10**9]

    def tick(condition):
        """A step of 20 ms, with an image; True when it is so."""
        now[0] += 20_000_000
        message = Clock()
        conversions.set_stamp(message.clock, now[0])
        clock.publish(message)
        image = images.fill_image(Image(), spot_image(100, 100))
        conversions.set_header(image.header, now[0], "camera")
        operator2._images.publish(image)
        operator2.sent.append((now[0], 100))
        return condition()

    def followed():
        heard = operator2.heard["result"]
        return bool(heard) and now[0] - conversions.stamp_ns(heard[-1].header.stamp) < 10**9

    until(lambda: tick(lambda: len(operator2.sent) > 5 and _asked(operator2)), what="a target")
    until(lambda: tick(followed), what="results")
    now[0] -= 50 * 10**9
    until(lambda: tick(lambda: "the target is forgotten, waiting for a new one" in node.output), what="a word of it")
    until(lambda: tick(lambda: _asked(operator2)), what="a target of the new time")
    until(lambda: tick(lambda: followed() and operator2.newest("result").target_id >= 2), what="results")
    node.stop(signal.SIGINT)
    assert node.popen.returncode == 0 and "Traceback" not in node.output


def _asked(operator):
    """Ask for a target on the newest image; whether there is one."""
    return operator.call("init", roi=conversions.fill_roi(Roi(), 0, "", spot_xywh(100, 100))).success


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-p", "rate:=fast"], "NodeConfig.rate is 'fast', allowed is a number from 1 to 1000"),
        (["-p", "rate:=-5"], "NodeConfig.rate is -5, allowed is a number from 1 to 1000"),
        (["-p", "presence:=1"], "NodeConfig.presence is 1, allowed is true or false"),
        (["-p", "predictor:=nonsense"], "~predictor: unknown predictor 'nonsense', expected one of"),
        (["-p", "tracker:=nonsense"], "unknown tracker 'nonsense', expected one of"),
        (["-p", "presense:=true"], "there is no parameter 'presense'; there are tracker, "),
        (["-p", "rate:=[1,"], "the arguments cannot be read: "),
        (["-p", "qos_overrides./camera/image.subscription.reliability:=maybe"], "qos_overrides of /camera/image: "),
        (["_rate:=5"], "the arguments cannot be read: "),
    ],
    ids=lambda each: each[-1] if isinstance(each, list) else "",
)
def test_what_is_not_allowed_is_one_line_and_status_2(world2, arguments, text):
    node = world2.run(NODE, *QUICK, *arguments)
    assert node.wait() == 2
    (line,) = node.output.splitlines()
    assert line.startswith("tracker: ") and text in line
