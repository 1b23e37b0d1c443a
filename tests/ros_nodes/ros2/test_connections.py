"""Topics of the ROS 2 node: their profiles, the names they follow, and who waits for whom."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("rclpy", reason="this Python has no ROS 2: make ros2, then make test-ros2")

from node_helpers import until
from rclpy.parameter import Parameter
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import Imu

from pvtpp_ros_nodes import conversions


@pytest.fixture
def held(tmp_path):
    """Files that hold images or requests of `held_node`, as long as they exist; and their variables."""
    files = {"HELD_IMAGES": tmp_path / "images", "HELD_REQUESTS": tmp_path / "requests"}
    yield files, {name: str(file) for name, file in files.items()}
    for file in files.values():
        file.unlink(missing_ok=True)


def reliabilities(infos):
    return {info.node_name: info.qos_profile.reliability for info in infos}


def test_profiles_are_overridden_by_parameters_and_camera_info_is_beside_the_image(operator2):
    image, imu, target = "/front/image_raw", "/camera/imu", "/camera/tracker/target"
    overrides = {
        f"{image}.subscription.reliability": "reliable",
        f"{image}.subscription.depth": "4",
        f"{imu}.subscription.reliability": "reliable",
        f"{target}.publisher.reliability": "best_effort",
    }
    given = [each for name, value in overrides.items() for each in ("-p", f"qos_overrides.{name}:={value}")]
    operator2.launch("-r", f"image:={image}", "-p", "imu:=true", *given)
    node = operator2.node
    until(lambda: node.get_subscriptions_info_by_topic(image), what="the subscription of the image")
    assert reliabilities(node.get_subscriptions_info_by_topic(image)) == {"_tracker_camera": ReliabilityPolicy.RELIABLE}
    assert reliabilities(node.get_subscriptions_info_by_topic(imu)) == {"_tracker_imu": ReliabilityPolicy.RELIABLE}
    assert reliabilities(node.get_publishers_info_by_topic(target)) == {"tracker": ReliabilityPolicy.BEST_EFFORT}
    assert operator2.get(f"qos_overrides.{image}.subscription.depth") == 4
    assert operator2.get(f"qos_overrides.{imu}.subscription.reliability") == "reliable"
    assert operator2.describe(f"qos_overrides.{image}.subscription.reliability").read_only
    assert node.count_subscribers("/front/camera_info") == 1 and node.count_subscribers("/camera/camera_info") == 0
    # Best effort is the default; regions are heard from publishers of both kinds.
    assert set(reliabilities(node.get_subscriptions_info_by_topic("/front/camera_info")).values()) == {
        ReliabilityPolicy.BEST_EFFORT
    }
    heard = [info.qos_profile.reliability for info in node.get_subscriptions_info_by_topic("/camera/init_roi")]
    assert sorted(heard) == [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT]


def test_no_image_waits_for_a_request(operator2, held):
    files, variables = held
    operator2.launch(module="held_node", **variables)
    operator2.film()
    operator2.init()
    operator2.more("result", 3)
    files["HELD_REQUESTS"].touch()
    waiting = [operator2.send("init", roi=operator2.roi()) for _ in range(6)]
    operator2.more("result", 20)
    # Nor does another kind of request.
    operator2.pause(True)
    operator2.pause(False)
    rate = Parameter("rate", value=50).to_parameter_msg()
    waiting.append(operator2.send("set_parameters", parameters=[rate]))
    operator2.more("result", 20)
    assert not any(future.done() for future in waiting)
    files["HELD_REQUESTS"].unlink()
    until(lambda: all(future.done() for future in waiting), what="all answers")


def test_no_sample_of_the_imu_waits_for_an_image(operator2, held):
    files, variables = held
    operator2.launch("-p", "imu:=true", module="held_node", **variables)
    imu, over = operator2.node.create_publisher(Imu, "imu", 10), threading.Event()

    def measure():
        while not over.wait(0.005):
            message = Imu()
            conversions.set_header(message.header, time.time_ns(), "imu")
            imu.publish(message)

    sampler = threading.Thread(target=measure, daemon=True)
    sampler.start()
    operator2.film()

    def samples():
        return int(operator2.diagnosis(1)[2]["samples"])

    until(lambda: samples() > 0, what="samples")
    files["HELD_IMAGES"].touch()
    count = samples()
    until(lambda: samples() > count + 200, what="samples while an image waits")
    files["HELD_IMAGES"].unlink()
    until(lambda: "image age (ms)" in operator2.diagnosis()[2], what="images")
    over.set()
    sampler.join()
