"""The operator's tools with a real master: a box by command line, and what they refuse."""

from __future__ import annotations

import sys

import pytest
from node_helpers import until


def test_a_box_by_command_line_begins_a_target(operator, world):
    operator.launch("_tracker:=bright_spot:BrightSpot", "_predictor:=hold", "_propagation:=none")
    operator.film()
    selector = world.node("roi_selector", "init_roi:=/camera/init_roi", "_xywh:=90, 90, 20, 20")
    assert selector.wait() == 0, selector.output
    until(lambda: operator.heard["target"] and operator.newest("target").target_id == 1)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["_xywh:=a box"], "~xywh is 'a box', expected left, top, width, height: four numbers, or -"),
        (
            ["_image_transport:=pigeon"],
            "SelectorConfig.image_transport is 'pigeon', allowed is one of: raw, compressed",
        ),
    ],
)
def test_the_selector_says_what_it_does_not_take(world, arguments, text):
    node = world.node("roi_selector", f"__name:=selector_{abs(hash(text))}", *arguments)
    assert node.wait() == 2 and text in node.output, node.output


def test_the_player_says_what_it_cannot_play(world, tmp_path):
    node = world.node("sequence_player", "_dataset:=folder", f"_root:={tmp_path}", "__name:=player_of_nothing")
    assert node.wait() == 2 and str(tmp_path) in node.output and "Traceback" not in node.output, node.output


def test_stamp_offset_listens_to_running_topics_and_says_what_is_missing(world):
    import rospy
    from sensor_msgs.msg import CameraInfo

    publisher = rospy.Publisher("/camera/camera_info", CameraInfo, queue_size=1, latch=True)
    publisher.publish(CameraInfo(K=[300, 0, 160, 0, 300, 90, 0, 0, 1], P=[300, 0, 160, 0, 0, 300, 90, 0, 0, 0, 1, 0]))
    try:
        node = world.node("stamp_offset", "--seconds", "4")
        assert node.wait() == 1 and "Traceback" not in node.output
        text = "0 images on /camera/image_raw, 0 samples on /imu/data after the first camera_info: too few to compare"
        assert f"stamp_offset: {text}" in node.output, node.output
    finally:
        publisher.unregister()


def test_roslaunch_knows_every_launch_file(world):
    from ros_world import ROOT, run

    for name, arguments in (
        ("tracker", []),
        ("simulation", []),
        ("bag", ["bag:=/x.bag", "image:=/image"]),
        ("drone", []),
    ):
        path = ROOT / "ros_nodes" / "launch" / f"{name}.launch"
        said = run(["roslaunch", "--nodes", path, *arguments], world.folder, **world.env)
        assert "/camera/tracker" in said or name == "tracker" and "/tracker" in said


def test_a_bag_in_a_loop_in_its_own_time_begins_anew_at_every_turn(world, tmp_path):
    import rosbag
    import rospy
    from node_helpers import spot_image, spot_xywh
    from sensor_msgs.msg import Image

    from pvtpp.msg import Roi, Target
    from pvtpp.srv import Init
    from pvtpp_ros_nodes import conversions, images

    path = tmp_path / "spot.bag"
    with rosbag.Bag(str(path), "w") as bag:
        for index in range(90):
            t_ns = 10**18 + index * 10**9 // 30
            message = images.fill_image(Image(), spot_image(100, 100))
            conversions.set_header(message.header, t_ns, "camera")
            bag.write("/recorded/image", message, rospy.Time(*divmod(t_ns, 10**9)))
    targets = []
    reader = rospy.Subscriber("/camera/tracker/target", Target, targets.append, queue_size=1000)
    arguments = [
        f"bag:={path}",
        "image:=/recorded/image",
        "loop:=true",
        "tracker:=bright_spot:BrightSpot",
        "predictor:=hold",
    ]
    launch = world.process(["roslaunch", "pvtpp", "bag.launch", f"python:={sys.executable}", *arguments])
    try:
        until(lambda: "went back" in launch.output or "was set back" in launch.output, what="the first turn")
        begin = rospy.ServiceProxy("/camera/tracker/init", Init)
        until(lambda: begin(conversions.fill_roi(Roi(), 0, "", spot_xywh(100, 100))).success)
        until(lambda: len(targets) > 10)
        # By the bag's time, not by that of the wall.
        assert abs(conversions.stamp_ns(targets[-1].header.stamp) - 10**18) < 4 * 10**9
        turns = launch.output.count("the target is forgotten")
        until(lambda: launch.output.count("the target is forgotten") > turns, 60, "another turn")
        assert "Traceback" not in launch.output
    finally:
        launch.stop()
        reader.unregister()
        rospy.delete_param("/use_sim_time")


def test_help_is_there_without_a_master(world):
    from ros_world import ROOT, run

    for program in ("tracker_node", "sequence_player", "roi_selector"):
        path = ROOT / "ros_nodes" / "scripts" / program
        said = run(
            [sys.executable, path, "--help"], world.folder, **{**world.env, "ROS_MASTER_URI": "http://localhost:1"}
        )
        assert said.startswith(f"rosrun pvtpp {program}") and "(default " in said


def test_a_simulation_without_a_loop_ends_with_its_sequence(world, tmp_path):
    import cv2
    from node_helpers import spot_image, spot_xywh

    folder = tmp_path / "spot" / "img"
    folder.mkdir(parents=True)
    for index in range(20):
        cv2.imwrite(str(folder / f"{index:03d}.png"), spot_image(100, 100))
    line = ",".join(map(str, spot_xywh(100, 100)))
    (tmp_path / "spot" / "groundtruth.txt").write_text(f"{line}\n" * 20)
    arguments = ["dataset:=folder", f"root:={tmp_path}", "loop:=false", "tracker:=bright_spot:BrightSpot"]
    launch = world.process(
        ["roslaunch", "pvtpp", "simulation.launch", f"python:={sys.executable}", "predictor:=hold", *arguments]
    )
    launch.wait()
    assert "20 frames" in launch.output and "Traceback" not in launch.output, launch.output
