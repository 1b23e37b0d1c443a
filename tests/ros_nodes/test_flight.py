"""The whole node: launched by roslaunch, NanoTrack and the predictor on ONNX Runtime, a real sequence at 30 Hz; then
recorded, replayed, simulated and scored."""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest
from node_helpers import until

from pvtpp import defaults, predictors
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.score import score_online
from pvtpp_ros_nodes import bag_eval, bags, conversions
from pvtpp_ros_nodes.bag_reader import Bag

SEQUENCE = "Surfing06"


class Recorder:
    """Topics into a bag, as rosbag record does."""

    def __init__(self, path, topics):
        import rosbag
        import rospy

        self.count = dict.fromkeys(topics, 0)
        self.last = {}
        self._bag, self._lock = rosbag.Bag(str(path), "w"), threading.Lock()
        self._readers = [
            rospy.Subscriber(topic, kind, self._write, topic, queue_size=10_000) for topic, kind in topics.items()
        ]

    def _write(self, message, topic):
        with self._lock:
            self._bag.write(topic, message)
            self.count[topic] += 1
            self.last[topic] = message

    def close(self):
        for reader in self._readers:
            reader.unregister()
        with self._lock:
            self._bag.close()


def rebased(log, begin_ns, first_index):
    """The log by the times and numbers of the sequence that was played from `begin_ns` on."""

    def at(t_ns):
        return None if t_ns is None else t_ns - begin_ns

    rows = []
    for row in json.loads(json.dumps(log.rows)):
        row[1] = at(row[1])
        if row[0] == "propagated":
            row[2], row[3] = at(row[2]), [[at(each[0]), *each[1:]] for each in row[3]]
            row[4] = row[4] and [at(row[4][0]), *row[4][1:]]
        elif row[0] == "trajectory":
            row[3], row[4], row[6] = at(row[3]), at(row[4]), [at(t_ns) for t_ns in row[6]]
        elif row[0] == "presence":
            pass
        elif len(row) > 3:
            # All other long rows are about a frame: its number, its capture time.
            row[2], row[3] = row[2] - first_index, at(row[3])
        elif len(row) == 3 and not isinstance(row[2], str):
            # The propagation takes a frame, or none.
            row[2] = at(row[2])
        rows.append(row)
    return EventLog(log.meta, rows)


@pytest.fixture(scope="module")
def flight(world, data_root, weights_root, tmp_path_factory):
    """The bag of one run of the launch file, and the sequence that was played."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    import rospy

    from pvtpp.msg import Event, Roi, Target

    if rospy.has_param("/camera/tracker"):
        # Of the launch files of other tests: the master keeps them.
        rospy.delete_param("/camera/tracker")
    sequence = load("uav-mini", str(data_root / "uav-mini"), "test")[SEQUENCE]
    path = tmp_path_factory.mktemp("flight") / "flight.bag"
    topics = {"/camera/tracker/events": Event, "/camera/ground_truth": Roi, "/camera/tracker/target": Target}
    recorder = Recorder(path, topics)
    arguments = [f"root:={data_root / 'uav-mini'}", f"sequence:={SEQUENCE}", "dataset:=uav-mini", "loop:=false"]
    env = {"PVTPP_WEIGHTS": str(weights_root), "OMP_NUM_THREADS": "1"}
    launch = world.process(["roslaunch", "pvtpp", "simulation.launch", f"python:={sys.executable}", *arguments], **env)
    try:
        until(
            lambda: recorder.count["/camera/ground_truth"] == len(sequence) or not launch.alive,
            300,
            "the whole sequence",
        )
        assert launch.alive, launch.output
        newest = conversions.stamp_ns(recorder.last["/camera/ground_truth"].header.stamp)
        until(
            lambda: recorder.last["/camera/tracker/target"].capture_ns >= newest - 10**8,
            what="a target of the last images",
        )
    finally:
        launch.stop()
        recorder.close()
    return str(path), sequence, launch.output


@pytest.mark.real_data
def test_the_bag_scores_as_its_event_log_does_and_the_log_replays_to_the_bit(flight, tmp_path):
    path, sequence, said = flight
    assert "Traceback" not in said, said
    with Bag(path) as bag:
        ((target, log),) = bags.event_logs(bag, "/camera/tracker/events")
        truth = bags.truth_of_bag(bag, "/camera/ground_truth")
    assert target == 1 and log.meta["search_region"] == "predicted" and log.of_kind("propagated")
    again = replay(log, {defaults.PREDICTOR: predictors.create(defaults.PREDICTOR)})
    assert again.rows == log.rows
    begun = log.of_kind("init")[0]
    assert begun[3] == truth.t_ns[0] and truth.fps == sequence.world_fps
    own = rebased(log, begun[3], begun[2])
    curves = score_online(own, sequence, defaults.PREDICTOR, "otb").curves
    out = tmp_path / "rows.json"
    bag_eval.main([path, "--json", str(out), "--logs", str(tmp_path)])
    (row,) = json.loads(out.read_text())["rows"]
    assert (row["auc"], row["dp20"]) == (curves["auc"].value[0], curves["dp"].value[0])
    assert row["frames"] == len(sequence) and row["auc"] > 0
    root = os.path.join(os.environ["PVTPP_DATA"], "uav-mini")
    bag_eval.main([path, "--json", str(out), "--sequence", SEQUENCE, "--root", root])
    assert json.loads(out.read_text())["rows"][0]["auc"] == row["auc"]
    assert EventLog.read(str(tmp_path / "target1.jsonl")).rows == log.rows


@pytest.mark.real_data
def test_events_that_are_missing_are_noticed_and_images_are_tracked_where_there_are_no_events(flight, tmp_path, capsys):
    import rosbag

    path, sequence, _ = flight
    damaged, recorded = tmp_path / "damaged.bag", tmp_path / "images.bag"
    with rosbag.Bag(path) as bag, rosbag.Bag(str(damaged), "w") as out:
        for topic, message, t in bag.read_messages():
            if topic != "/camera/tracker/events" or message.number != 57:
                out.write(topic, message, t)
    with pytest.raises(SystemExit, match="the events 57 to 57 of target 1 are missing"):
        bag_eval.main([str(damaged)])
    with pytest.raises(SystemExit, match="nothing on /no/such; it holds /camera/ground_truth, /camera/tracker/events"):
        bag_eval.main([path, "--events", "/no/such"])
    with pytest.raises(SystemExit, match="cannot be read as a bag"):
        bag_eval.main([__file__])
    write_images(recorded, sequence, 20)
    bag_eval.main([str(recorded), "--image", "/camera/image", "--tracker", "csrt", "--predictors", "hold"])
    assert "hold" in capsys.readouterr().out


def write_images(path, sequence, count):
    """A bag of the first images of a sequence and their ground truth."""
    import rosbag
    import rospy
    from sensor_msgs.msg import Image

    from pvtpp.msg import Roi
    from pvtpp_ros_nodes import images

    with rosbag.Bag(str(path), "w") as bag:
        for index in range(count):
            t_ns = 10**18 + int(sequence.camera_t_ns[index])
            when = rospy.Time(*divmod(t_ns, 10**9))
            image = images.fill_image(Image(), sequence.frame(index).image)
            conversions.set_header(image.header, t_ns, "camera")
            bag.write("/camera/image", image, when)
            roi = conversions.fill_roi(Roi(), t_ns, "camera", sequence.ground_truth_xywh[index])
            bag.write("/camera/ground_truth", roi, when)
