"""Bags of ROS 1, and of ROS 2 in sqlite3 and MCAP, are read equally, without ROS; what is none is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from bag_files import KINDS, as_of_humble, path_of, written
from node_helpers import BEGIN_NS, FRAME_NS, FakeMiddleware, image_message, roi_message, spot_image, spot_xywh

from pvtpp.errors import InputError
from pvtpp_ros_nodes import bags
from pvtpp_ros_nodes.bag_reader import Bag


def generation(kind):
    return FakeMiddleware(1 if kind == "ros1" else 2)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def recorded(kind, tmp_path):
    """A bag of ten images, received late, and their truth, without the last."""
    path, middleware = path_of(tmp_path, kind), generation(kind)
    with written(path, kind) as write:
        for index in range(10):
            t_ns = BEGIN_NS + index * FRAME_NS
            write("/camera/image", t_ns + 5_000_000, "sensor_msgs/Image", image_message(middleware, index, 100 + index))
            if index < 9:
                roi = roi_message(middleware, spot_xywh(100 + index, 100), index)
                write("/camera/ground_truth", t_ns + 6_000_000, "pvtpp/Roi", roi)
    return path


def test_images_and_truth_are_read_to_the_bit(recorded):
    with Bag(str(recorded)) as bag:
        assert bag.topics == ["/camera/ground_truth", "/camera/image"]
        truth = bags.truth_of_bag(bag, "/camera/ground_truth")
        sequence = bags.BagSequence.of(bag, "/camera/image", truth)
        assert truth.t_ns.tolist() == [BEGIN_NS + index * FRAME_NS for index in range(9)]
        assert truth.xywh.tolist() == [spot_xywh(100 + index, 100) for index in range(9)]
        assert len(sequence) == 10 and np.isnan(sequence.ground_truth_xywh[9]).all()
        # In any order: each image is found by when it was received.
        for index in (9, 0, 4):
            assert (sequence.frame(index).image == spot_image(100 + index, 100)).all()


def test_messages_are_read_by_when_they_were_received(recorded):
    with Bag(str(recorded)) as bag:
        at = BEGIN_NS + 4 * FRAME_NS + 5_000_000
        assert [t_ns for t_ns, _ in bag.records("/camera/image", at, at + 1)] == [at]
        assert list(bag.records("/camera/image", at + 1, at + 2)) == []


def test_a_topic_that_is_not_there_is_named_with_those_that_are(recorded):
    with Bag(str(recorded)) as bag, pytest.raises(InputError, match="nothing on /x; it holds /camera/ground_truth, /c"):
        bag.messages("/x")


def test_two_images_of_the_same_nanosecond_are_both_found(kind, tmp_path):
    path, middleware = path_of(tmp_path, kind), generation(kind)
    with written(path, kind) as write:
        for index in range(4):
            write("/image", BEGIN_NS + index // 2, "sensor_msgs/Image", image_message(middleware, index, 100 + index))
        for index in range(2):
            write("/truth", BEGIN_NS, "pvtpp/Roi", roi_message(middleware, spot_xywh(100, 100), index))
    with Bag(str(path)) as bag:
        sequence = bags.BagSequence.of(bag, "/image", bags.truth_of_bag(bag, "/truth"))
        for index in range(4):
            assert (sequence.frame(index).image == spot_image(100 + index, 100)).all()


def test_humbles_bags_are_read_by_our_own_definitions(tmp_path):
    path, middleware = tmp_path / "humble", FakeMiddleware(2)
    with written(path, "sqlite3") as write:
        write("/truth", BEGIN_NS, "pvtpp/Roi", roi_message(middleware, [1, 2, 3, 4], 0))
        write("/image", BEGIN_NS, "sensor_msgs/Image", image_message(middleware, 0))
    as_of_humble(path)
    with Bag(str(path)) as bag:
        assert next(bag.messages("/truth")).xywh.tolist() == [1, 2, 3, 4]
        assert next(bag.messages("/image")).width == 320


def test_what_is_no_bag_is_refused_by_name(tmp_path):
    (tmp_path / "empty").mkdir()
    for name, content in (("text.bag", b"no bag"), ("nothing.bag", b""), ("text.mcap", b"no bag"), ("text.db3", b"x")):
        (tmp_path / name).write_bytes(content)
    for name in ("empty", "text.bag", "nothing.bag", "text.mcap", "text.db3"):
        with pytest.raises(InputError, match=f"{name}: cannot be read as a bag"):
            Bag(str(tmp_path / name))
    with pytest.raises(InputError, match="/no/such.bag: there is no such file or folder"):
        Bag("/no/such.bag")


def test_a_bag_that_is_cut_off_is_refused_by_name(recorded, kind):
    (file,) = [recorded] if kind == "ros1" else [each for each in recorded.iterdir() if each.suffix != ".yaml"]
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match=r"(cannot be read as a bag|cannot be read to its end) \(.+\)"):
        with Bag(str(recorded)) as bag:
            list(bag.messages("/camera/image"))


def test_without_rosbags_the_line_says_what_to_install():
    code = (
        "import sys; sys.modules['rosbags'] = None\nfrom pvtpp_ros_nodes import bag_eval\nbag_eval.main(['flight.bag'])"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert done.stdout.startswith("bag_eval: flight.bag: reading bags needs rosbags") and "pvtpp[bags]" in done.stdout
