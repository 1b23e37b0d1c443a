"""The error of the images' stamps is found from what a bag holds, and where it cannot be, the sentence says why."""

from __future__ import annotations

import numpy as np
import pytest
from bag_files import KINDS, path_of, written
from node_helpers import FakeMiddleware
from swung_flight import clip_message, imu_message, info_message, swung_clip

from pvtpp.errors import InputError
from pvtpp_ros_nodes import stamp_offset

BEGIN_NS, MS = 10**18, 1_000_000
LATE_MS = 30
INFO, IMAGE, IMU = "/camera/camera_info", "/camera/image_raw", "/imu/data"
TYPES = {INFO: "sensor_msgs/CameraInfo", IMAGE: "sensor_msgs/Image", IMU: "sensor_msgs/Imu"}
AXES = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


@pytest.fixture(scope="module")
def clip():
    return swung_clip(1.6)


def recorded(clip, middleware, rates, late_ms=LATE_MS, step=1):
    """The messages of a camera that stamps late."""
    begin = BEGIN_NS + late_ms * MS
    frames = range(0, len(clip), step)
    return {
        INFO: [info_message(middleware, clip.gyro.camera_matrix)],
        IMAGE: [clip_message(middleware, clip, index, begin + int(clip.camera_t_ns[index])) for index in frames],
        IMU: [imu_message(middleware, BEGIN_NS + int(t_ns), rate) for t_ns, rate in zip(clip.gyro.t_ns, rates)],
    }


@pytest.fixture
def bag(tmp_path):
    """Function of messages by topic that writes them into a bag, and returns its path."""

    def holds(messages, kind="ros1"):
        path = path_of(tmp_path, kind, "turned")
        with written(path, kind) as write:
            for topic, those in messages.items():
                for message in those:
                    write(topic, BEGIN_NS, TYPES[topic], message)
        return str(path)

    return holds


@pytest.mark.parametrize("rotation", [np.eye(3), AXES], ids=["straight", "turned"])
def test_late_stamps_are_found_and_the_line_for_the_launch_file_is_printed(bag, clip, middleware, capsys, rotation):
    kind = KINDS[0] if middleware.generation == 1 else KINDS[-1]
    path = bag(recorded(clip, middleware, clip.gyro.rates @ rotation), kind)
    stamp_offset.main([path, "--camera-from-imu=" + ",".join(map(str, rotation.ravel()))])
    said = capsys.readouterr().out
    assert said.startswith('<arg name="capture_offset" value="')
    assert float(said.split('"')[3]) == pytest.approx(-LATE_MS * 1e-3, abs=0.005)


def without(messages, topic):
    return {name: kept for name, kept in messages.items() if name != topic}


@pytest.mark.parametrize("topic", [INFO, IMAGE, IMU])
def test_a_topic_that_is_not_there_is_named_with_those_that_are(bag, clip, middleware1, topic):
    path = bag(without(recorded(clip, middleware1, clip.gyro.rates, step=8), topic))
    with pytest.raises(SystemExit, match=f"turned.bag: nothing on {topic}; it holds /"):
        stamp_offset.main([path])


def test_wrong_axes_are_named(bag, clip, middleware1):
    path = bag(recorded(clip, middleware1, -clip.gyro.rates, late_ms=0))
    with pytest.raises(SystemExit, match="stamp_offset: .*check axes and sign first.*the angular velocity is negated"):
        stamp_offset.main([path])


def test_a_calm_camera_says_so(bag, clip, middleware1):
    still = recorded(clip, middleware1, 0 * clip.gyro.rates)
    for message in still[IMAGE]:
        message.data = still[IMAGE][0].data
    path = bag(still)
    with pytest.raises(SystemExit, match="too calm"):
        stamp_offset.main([path])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--camera-from-imu=1,2"], "~?-*camera.from.imu is '1,2', expected 9 finite numbers"),
        (["--camera-from-imu=2,0,0,0,1,0,0,0,1"], "is no rotation"),
        (["/no/such.bag"], "/no/such.bag: "),
    ],
)
def test_what_cannot_be_read_is_named(arguments, text):
    with pytest.raises(SystemExit, match=text):
        stamp_offset.main(["x.bag", *arguments] if arguments[0].startswith("-") else arguments)


def test_images_whose_stamps_do_not_increase_are_named(bag, clip, middleware1):
    messages = recorded(clip, middleware1, clip.gyro.rates, step=8)
    messages[IMAGE].append(messages[IMAGE][0])
    path = bag(messages)
    with pytest.raises(SystemExit, match=r"/camera/image_raw: an image of stamp \d+ ns after one of \d+ ns"):
        stamp_offset.main([path])


def test_a_real_bag_is_read(ros_is_there, clip, tmp_path, capsys):
    import rosbag
    import rospy
    from sensor_msgs.msg import CameraInfo, Image, Imu

    kinds = {"sensor_msgs/CameraInfo": CameraInfo, "sensor_msgs/Image": Image, "sensor_msgs/Imu": Imu}
    middleware = FakeMiddleware()
    middleware.message = lambda kind: kinds[kind]()
    path = tmp_path / "turned.bag"
    with rosbag.Bag(str(path), "w") as out:
        for topic, messages in recorded(clip, middleware, clip.gyro.rates).items():
            for message in messages:
                stamp = message.header.stamp
                message.header.stamp = rospy.Time(stamp.secs, stamp.nsecs)
                out.write(topic, message, rospy.Time(10**9))
    stamp_offset.main([str(path)])
    assert float(capsys.readouterr().out.split('"')[3]) == pytest.approx(-LATE_MS * 1e-3, abs=0.005)


def test_too_few_images_are_counted(middleware1):
    recording = stamp_offset.Recording(stamp_offset.parsed([]))
    with pytest.raises(InputError, match="nothing on /camera/camera_info"):
        recording.offset()
    recording.on[INFO](info_message(middleware1, np.array([[300.0, 0, 160], [0, 300, 90], [0, 0, 1]])))
    with pytest.raises(InputError, match="0 images on /camera/image_raw, 0 samples on /imu/data"):
        recording.offset()
    recording.on[IMU](imu_message(middleware1, 5, (0, 0, 0)))
    with pytest.raises(InputError, match="/imu/data: a sample of stamp 5 ns came after one of 5 ns"):
        recording.on[IMU](imu_message(middleware1, 5, (0, 0, 0)))
