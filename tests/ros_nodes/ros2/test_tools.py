"""The tools on real ROS 2: a sequence is played to the bit, a box is sent, stamps are measured, faults are one line."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not there for this Python: make ros2")
pytest.importorskip("pvtpp_msgs", reason="the messages of ROS 2 are not built: make ros2")

from node_helpers import spot_image, spot_xywh, until
from pvtpp_msgs.msg import Roi
from ros2_tools import Node2, Program
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu
from swung_flight import imu_message, info_message, swung_clip

from pvtpp_ros_nodes import conversions, images, stamp_offset
from pvtpp_ros_nodes.connection import connect

FRAMES = 12


@pytest.fixture
def operator():
    made = Node2()
    yield made
    made.close()


@pytest.fixture
def start(tmp_path):
    """Function of a module and its arguments that starts it; what still runs at the end is ended."""
    (tmp_path / "logs").mkdir()
    started = []

    def program(module, *arguments):
        started.append(Program(tmp_path / "logs", module, *arguments))
        return started[-1]

    yield program
    for each in started:
        each.stop()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data set of one sequence: a white square that moves right."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "spot" / "img"
    folder.mkdir(parents=True)
    for index in range(FRAMES):
        cv2.imwrite(str(folder / f"{index:03d}.png"), spot_image(100 + index, 100))
    lines = [",".join(map(str, spot_xywh(100 + index, 100))) for index in range(FRAMES)]
    (root / "spot" / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    return root


def played(data, *arguments):
    names = ("-r", "__ns:=/camera", "-p", "dataset:=folder", "-p", f"root:={data}")
    return ["--ros-args", *names, *arguments]


@pytest.mark.parametrize("transport", ["raw", "compressed"])
def test_a_sequence_is_played_with_exact_stamps_and_its_truth(operator, start, data, transport):
    raw = transport == "raw"
    topic = "/camera/image" if raw else "/camera/image/compressed"
    operator.read(topic, Image if raw else CompressedImage)
    operator.read("/camera/ground_truth", Roi)
    operator.read("/camera/init_roi", Roi)
    # A whole number serves as a real one.
    depth = f"qos_overrides.{topic}.publisher.depth:=20"
    arguments = ("-p", "speed:=1", "-p", f"image_transport:={transport}", "-p", depth, "-p", "use_sim_time:=false")
    player = start("sequence_player", *played(data, *arguments))
    assert player.wait() == 0 and f"spot: {FRAMES} frames at 30 fps" in player.output, player.output
    heard = operator.heard
    until(lambda: len(heard[topic]) == len(heard["/camera/ground_truth"]) == FRAMES, what="all of it")
    stamps = [conversions.stamp_ns(message.header.stamp) for message in heard[topic]]
    assert [conversions.stamp_ns(roi.header.stamp) for roi in heard["/camera/ground_truth"]] == stamps
    np.testing.assert_allclose(np.diff(stamps), 1e9 / 30, atol=2)
    for index, message in enumerate(heard[topic]):
        found = images.raw_image(message) if raw else images.compressed_image(message)()
        shown = spot_image(100 + index, 100)
        assert (found == (shown if raw else cv2.imdecode(cv2.imencode(".jpg", shown)[1], cv2.IMREAD_COLOR))).all()
    (given,) = heard["/camera/init_roi"]
    assert given.xywh.tolist() == spot_xywh(100, 100) and conversions.stamp_ns(given.header.stamp) == stamps[0]


def test_a_box_is_sent_by_command_line(operator, start):
    operator.read("/camera/init_roi", Roi)
    selector = start("roi_selector", "--ros-args", "-r", "__ns:=/camera", "-p", "xywh:=90, 90, 20.5, 20")
    assert selector.wait() == 0 and "sent 90, 90, 20.5, 20" in selector.output, selector.output
    until(lambda: operator.heard["/camera/init_roi"], what="the box")
    (roi,) = operator.heard["/camera/init_roi"]
    assert roi.xywh.tolist() == [90, 90, 20.5, 20] and conversions.stamp_ns(roi.header.stamp) == 0


@pytest.mark.parametrize(
    ("module", "arguments", "text"),
    [
        (
            "sequence_player",
            ["-p", "speed:=fast"],
            "PlayerConfig.speed is 'fast', allowed is a number from 0.01 to 100",
        ),
        ("sequence_player", ["-p", "dataset:=folder", "-p", "root:=/no/such"], "/no/such"),
        ("roi_selector", ["-p", "xywh:=a box"], "~xywh is 'a box', expected left, top, width, height: four numbers"),
        ("roi_selector", ["-p", "image_transport:=pigeon"], "'pigeon', allowed is one of: raw, compressed"),
        ("roi_selector", ["-p", "xyxy:=1,2,3,4"], "there is no parameter 'xyxy'; there are image_transport, xywh"),
        (
            "roi_selector",
            ["-p", "qos_overrides./init_roi.publisher.reliability:=maybe", "-p", "xywh:=1,2,3,4"],
            "qos_overrides of init_roi: ",
        ),
        ("roi_selector", ["-p", "xywh"], "roi_selector: the arguments cannot be read: "),
    ],
)
def test_what_cannot_be_taken_is_one_line_and_status_2(start, module, arguments, text):
    program = start(module, "--ros-args", *arguments)
    assert program.wait() == 2 and text in program.output, program.output
    assert len(program.output.splitlines()) == 1


def test_an_argument_that_is_none_of_ros_is_named(start):
    program = start("roi_selector", "xywh:=1,2,3,4")
    assert program.wait() == 2
    assert program.output.startswith("roi_selector: unknown argument 'xywh:=1,2,3,4'; a parameter is given as --ros-a")


def test_ctrl_c_ends_the_player_in_its_loop(operator, start, data):
    operator.read("/camera/image", Image)
    player = start("sequence_player", *played(data, "-p", "loop:=true", "-p", "init:=false"))
    until(lambda: len(operator.heard["/camera/image"]) > 2 * FRAMES, what="a second round")
    assert player.stop() == 0 and "Traceback" not in player.output and "rror" not in player.output, player.output


class Kinds:
    """The middleware that `swung_flight` makes messages by."""

    generation = 2
    kinds = {"sensor_msgs/Imu": Imu, "sensor_msgs/CameraInfo": CameraInfo}

    def message(self, kind):
        return self.kinds[kind]()


def test_late_stamps_are_measured_on_running_topics(operator):
    clip, late_ns, begin_ns = swung_clip(1.6), 30_000_000, 10**18
    options = stamp_offset.parsed(["--image", "/camera/image_raw/compressed"])
    options.camera_from_imu = np.eye(3)
    recording = stamp_offset.Recording(options)
    taken = dict.fromkeys(recording.on, 0)

    def counted(topic, take):
        def count(message):
            take(message)
            taken[topic] += 1

        return count

    info, image, imu = recording.on
    recording.on.update({topic: counted(topic, take) for topic, take in recording.on.items()})
    publishers = {
        topic: operator.publisher(topic, kind)
        for topic, kind in {info: CameraInfo, image: CompressedImage, imu: Imu}.items()
    }
    ros = connect("stamp_offset", several=True)
    listening = threading.Thread(target=stamp_offset.listen, args=(recording, ros, 300.0))
    listening.start()
    for publisher in publishers.values():
        until(lambda publisher=publisher: publisher.get_subscription_count(), what="a reader")

    def known():
        publishers[info].publish(info_message(Kinds(), clip.gyro.camera_matrix))
        return taken[info]

    until(known, what="the calibration")
    for t_ns, rate in zip(clip.gyro.t_ns.tolist(), clip.gyro.rates):
        publishers[imu].publish(imu_message(Kinds(), begin_ns + t_ns, rate))
    for index in range(len(clip)):
        message = images.fill_compressed(CompressedImage(), clip.frame(index).image)
        conversions.set_header(message.header, begin_ns + int(clip.camera_t_ns[index]) + late_ns, "camera")
        publishers[image].publish(message)
    until(lambda: taken[image] == len(clip) and taken[imu] == len(clip.gyro.t_ns), what="all messages")
    ros.over.set()
    listening.join(60)
    ros.close()
    offset, explained = recording.offset()
    assert offset == pytest.approx(-0.03, abs=0.005) and explained > 0.5
