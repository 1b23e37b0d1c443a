"""A flight on real ROS 2, from the player through the node into bags, which score as the node's own log does."""

from __future__ import annotations

import json
import time

import cv2
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not there for this Python: make ros2")
pytest.importorskip("pvtpp_msgs", reason="the messages of ROS 2 are not built: make ros2")

from bag_files import KINDS, path_of, types
from node_helpers import log_of, spot_image, spot_xywh, until
from pvtpp_msgs.msg import Event, Roi
from rclpy.serialization import deserialize_message
from ros2_tools import Node2, Program
from rosbags.rosbag2 import StoragePlugin, Writer

from pvtpp import predictors
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp_ros_nodes import bag_eval, bags, conversions
from pvtpp_ros_nodes.bag_reader import Bag

EVENTS, TRUTH = "/camera/tracker/events", "/camera/ground_truth"
FRAMES = 60
PREDICTOR = "constant_velocity"
NODE = ("-p", "tracker:=bright_spot:BrightSpot", "-p", f"predictor:={PREDICTOR}", "-p", "propagation:=none")


class Recorder:
    """Topics into a bag of each kind, byte by byte and with the times of arrival, as `ros2 bag record` does."""

    def __init__(self, operator, folder):
        self.paths = {kind: path_of(folder, kind) for kind in KINDS if kind != "ros1"}
        self.raw = {EVENTS: [], TRUTH: []}
        for topic, message in ((EVENTS, Event), (TRUTH, Roi)):
            operator.read(topic, message, lambda data, topic=topic: self._take(topic, data), raw=True)

    def _take(self, topic, data):
        self.raw[topic].append((time.time_ns(), data))

    def messages(self, topic, kind):
        return [deserialize_message(data, kind) for _, data in list(self.raw[topic])]

    def write(self):
        for kind, path in self.paths.items():
            with Writer(path, version=9, storage_plugin=StoragePlugin[kind.upper()]) as writer:
                for topic, name in ((EVENTS, "Event"), (TRUTH, "Roi")):
                    connection = writer.add_connection(topic, f"pvtpp_msgs/msg/{name}", typestore=types(kind))
                    for t_ns, data in self.raw[topic]:
                        writer.write(connection, t_ns, data)


@pytest.fixture(scope="module")
def flight(tmp_path_factory):
    """The recorder of one flight."""
    folder = tmp_path_factory.mktemp("flight")
    images = folder / "data" / "spot" / "img"
    images.mkdir(parents=True)
    for index in range(FRAMES):
        cv2.imwrite(str(images / f"{index:03d}.png"), spot_image(60 + 3 * index, 100))
    lines = [",".join(map(str, spot_xywh(60 + 3 * index, 100))) for index in range(FRAMES)]
    (images.parent / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    (folder / "logs").mkdir()
    operator = Node2("recorder")
    recorder = Recorder(operator, folder)
    names = ("--ros-args", "-r", "__ns:=/camera")
    node = Program(folder / "logs", "ros2.tracker_node", *names, *NODE)
    played = ("-p", "dataset:=folder", "-p", f"root:={folder / 'data'}", "-p", "wait_s:=120")
    player = Program(folder / "logs", "sequence_player", *names, *played)
    try:
        assert player.wait() == 0, player.output
        # The first may be lost while nodes find one another.
        last = spot_xywh(60 + 3 * (FRAMES - 1), 100)
        until(
            lambda: recorder.raw[TRUTH] and recorder.messages(TRUTH, Roi)[-1].xywh.tolist() == last,
            what="the last of the truth",
        )
        assert node.alive, node.output
    finally:
        player.stop()
        status = node.stop()
        # What the node published before its end is still on the way.
        until(lambda: recorder.raw[EVENTS], what="events")
        operator.close()
        recorder.write()
    assert status == 0 and "Traceback" not in node.output, node.output
    return recorder


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ros1"])
def test_a_bag_scores_exactly_as_the_event_log_does(flight, kind, tmp_path):
    log = log_of(flight.messages(EVENTS, Event))
    known = flight.messages(TRUTH, Roi)
    truth = bags.Truth.of([conversions.stamp_ns(roi.header.stamp) for roi in known], [roi.xywh for roi in known], "")
    out = tmp_path / "rows.json"
    bag_eval.main([str(flight.paths[kind]), "--json", str(out), "--logs", str(tmp_path), "--mode", "otb,strict"])
    rows = json.loads(out.read_text())["rows"]
    assert rows == [{"target": 1, **bag_eval.score(log, truth, PREDICTOR, mode)} for mode in ("otb", "strict")]
    assert FRAMES // 2 < rows[0]["frames"] <= FRAMES and rows[0]["auc"] > 0.5
    assert EventLog.read(str(tmp_path / "target1.jsonl")).rows == log.rows
    assert replay(log, {PREDICTOR: predictors.create(PREDICTOR)}).rows == log.rows


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ros1"])
def test_what_the_definitions_in_the_bag_say_is_what_was_sent(flight, kind):
    with Bag(str(flight.paths[kind])) as bag:
        for topic, message_type in ((EVENTS, Event), (TRUTH, Roi)):
            sent, found = flight.messages(topic, message_type), list(bag.messages(topic))
            assert len(found) == len(sent)
        assert [each.line for each in bag.messages(EVENTS)] == [each.line for each in flight.messages(EVENTS, Event)]
