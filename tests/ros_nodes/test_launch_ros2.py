"""The launch files of ROS 2 against launch's documented calls: every parameter of the node is an argument and reaches
it as what it is. They are not run: no launch comes with the wheels that the tests have."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import launch_standin
import pytest
from launch_standin import ExecuteProcess, Node, Shutdown

from pvtpp.errors import InputError
from pvtpp_ros_nodes.config import NodeConfig

ROOT = Path(__file__).resolve().parents[2]
ROS2 = ROOT / "ros_nodes" / "ros2"
PARAMETERS = {field.name: field.default for field in fields(NodeConfig)}
IMU = {"imu", "camera_from_imu", "imu_bias"}
# What a launch file leaves out, since it has no such input.
WITHOUT = {"tracker": set(), "drone": set(), "bag": set(), "simulation": IMU, "camera": IMU | {"image_transport"}}
NEEDED = {"bag": {"bag": "/data/flight", "image": "/camera/image_raw"}}
OTHER = {bool: "false", int: "7", float: "2", str: "01"}
files = pytest.mark.parametrize("name", sorted(WITHOUT))


@pytest.fixture(autouse=True)
def launch(monkeypatch):
    launch_standin.install(monkeypatch)
    monkeypatch.delenv("FASTRTPS_DEFAULT_PROFILES_FILE", raising=False)


def launched(name, **arguments):
    return launch_standin.launched(name, **{**NEEDED.get(name, {}), **arguments})


def tracker(actions):
    (found,) = [each for each in actions if getattr(each, "executable", "") == "tracker_node"]
    return found


def test_no_launch_file_is_left_out():
    assert {path.name.split(".")[0] for path in (ROS2 / "launch").glob("*.launch.py")} == set(WITHOUT)


@files
def test_every_parameter_of_the_node_is_an_argument_and_reaches_it_typed(name):
    names = {each: "target_rate" if (name, each) == ("bag", "rate") else each for each in PARAMETERS}
    expected = {}
    arguments = {}
    for parameter in set(PARAMETERS) - WITHOUT[name] - {"imu"}:
        kind = type(PARAMETERS[parameter])
        arguments[names[parameter]] = OTHER[kind]
        expected[parameter] = kind(OTHER[kind]) if kind is not bool else False
    node = tracker(launched(name, **arguments))
    given = {key: value for key, value in node.values.items() if key != "use_sim_time"}
    assert given == expected
    assert {key: type(value) for key, value in given.items()} == {key: type(expected[key]) for key in expected}
    # Texts stay texts, also those that look like numbers.
    texts = [key for key in expected if isinstance(expected[key], str)]
    assert all(node.parameters[key].value_type is str for key in texts)


@files
def test_what_is_not_given_is_the_files(name):
    node = tracker(launched(name))
    assert set(node.parameters) <= {"use_sim_time"}
    assert node.files == [str(ROS2 / "config" / "tracker.yaml")] and Path(node.files[0]).is_file()
    assert tracker(launched(name, config="/own.yaml")).files == ["/own.yaml"]


@files
def test_every_argument_has_a_meaning(name):
    declared, _ = launch_standin.described(name)
    assert all(len(each.description) > 8 for each in declared.values())
    assert [each.name for each in declared.values() if each.default_value is None] == list(NEEDED.get(name, {}))


@files
def test_what_is_started_of_ours_is_installed_and_loses_no_images(name, monkeypatch):
    programs = {path.name for folder in ("scripts", "ros2/scripts") for path in (ROOT / "ros_nodes" / folder).iterdir()}
    ours = [each for each in launched(name, python="/venv/bin/python") if getattr(each, "package", "") == "pvtpp"]
    assert {each.executable for each in ours} <= programs and {each.prefix for each in ours} == {"/venv/bin/python"}
    profile = {"FASTRTPS_DEFAULT_PROFILES_FILE": str(ROS2 / "fastdds.xml")}
    assert all(each.additional_env == profile and each.namespace == "camera" for each in ours)
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", "/own.xml")
    assert tracker(launched(name)).additional_env is None and tracker(launched(name)).prefix is None


@pytest.mark.parametrize("name", ["tracker", "bag", "drone"])
def test_an_imu_is_named_by_its_topic(name):
    node = tracker(launched(name, imu="/mavros/imu/data", camera_from_imu="0,-1,0, 0,0,-1, 1,0,0"))
    assert node.values["imu"] is True and node.remappings["imu"] == "/mavros/imu/data"
    assert "imu" not in tracker(launched(name)).remappings


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"presence": "maybe"}, "presence is 'maybe', allowed is true or false"),
        ({"threads": "2.5"}, "threads is '2.5', allowed is a whole number"),
        ({"lead_time": "soon"}, "lead_time is 'soon', allowed is a number"),
    ],
)
def test_what_is_not_of_the_parameters_type_is_named(arguments, text):
    with pytest.raises(InputError, match=text):
        launched("drone", **arguments)


def test_without_a_loop_all_ends_with_what_is_played():
    (player,) = [each for each in launched("simulation", loop="false") if each.cmd[1] == "sequence_player"]
    assert isinstance(player.on_exit, Shutdown) and player.values == {
        "dataset": "generated",
        "loop": False,
        "speed": 1.0,
    }
    (player,) = [each for each in launched("simulation", sequence="01") if each.cmd[1] == "sequence_player"]
    assert player.on_exit is None and player.values["loop"] is True and player.values["sequence"] == "01"
    once, again = launched("bag")[-1], launched("bag", loop="true", rate="2")[-1]
    assert isinstance(once.on_exit, Shutdown) and once.cmd[:4] == ["ros2", "bag", "play", "/data/flight"]
    assert again.on_exit is None and "--loop" in again.cmd and again.cmd[again.cmd.index("-r") + 1] == "2"
    assert tracker(launched("bag")).values["use_sim_time"] is True and "--clock" in once.cmd


def recorded(actions):
    """The pattern of the recorder's topics, None without one."""
    found = [each.cmd for each in actions if type(each) is ExecuteProcess and each.cmd[:3] == ["ros2", "bag", "record"]]
    return re.compile(found[0][found[0].index("--regex") + 1]) if found else None


def test_what_is_recorded_is_what_scoring_needs():
    assert recorded(launched("simulation")) is None and recorded(launched("drone", record="")) is None
    pattern = recorded(launched("simulation", record="/tmp/flight"))
    for topic in ("/camera/tracker/events", "/camera/tracker/status", "/camera/ground_truth"):
        assert pattern.search(topic)
    assert not pattern.search("/camera/image") and not pattern.search("/camera/tracker/events_of_others")
    pattern = recorded(launched("drone", camera="/front"))
    for topic in ("/front/tracker/events", "/front/tracker/target", "/front/init_roi", "/diagnostics"):
        assert pattern.search(topic)
    assert not pattern.search("/camera/tracker/events")


def test_on_a_drone_the_node_is_started_again_in_the_cameras_namespace():
    node = tracker(launched("drone", camera="front", image="/other/image"))
    assert node.respawn is True and node.namespace == "front"
    assert node.remappings == {"image": "/other/image", "camera_info": "camera_info"}
    assert (
        tracker(launched("tracker", respawn="true")).respawn is True and tracker(launched("tracker")).respawn is False
    )


def test_rviz_shows_what_is_installed():
    (rviz,) = [each for each in launched("simulation", rviz="true") if each.cmd[0] == "rviz2"]
    assert isinstance(rviz, Node) and rviz.cmd[-1] == str(ROS2 / "rviz" / "tracker.rviz")
    text = Path(rviz.cmd[-1]).read_text()
    assert "rviz_default_plugins/Image" in text and "Value: /camera/tracker/debug_image" in text
    assert not re.search(r"Class: rviz/", text)


def test_a_camera_of_this_computer_is_followed_and_drawn_in():
    driver, node, selector = launched("camera", device="/dev/video2")
    assert driver.package == "v4l2_camera" and driver.values["video_device"] == "/dev/video2"
    assert node.remappings == selector.remappings == {"image": "image_raw"}
    assert selector.executable == "roi_selector" and not selector.files


def test_the_file_of_parameters_says_what_that_of_ros_1_says():
    def entries(path):
        return dict(re.findall(r"^ *(\w+): (\S.*?) +#", path.read_text(), re.MULTILINE))

    ours, of_ros_1 = entries(ROS2 / "config" / "tracker.yaml"), entries(ROOT / "ros_nodes" / "config" / "tracker.yaml")
    assert ours == of_ros_1 and set(ours) <= set(PARAMETERS)
    assert "/**:\n  ros__parameters:\n" in (ROS2 / "config" / "tracker.yaml").read_text()


def test_the_example_includes_the_tracker_with_arguments_that_it_takes():
    """A robot's own launch file: what it includes is installed, and the tracker gets what it asks for."""
    camera, included, controller = launch_standin.loaded(ROOT / "examples" / "follow.launch.py")
    assert Path(included.path) == ROS2 / "launch" / "drone.launch.py" and Path(included.path).is_file()
    node = tracker(launched("drone", **included.arguments))
    assert node.namespace == camera.namespace == included.arguments["camera"]
    assert node.values == {"tracker": "nanotrack-v3", "rate": 100.0, "lead_time": 0.05}
    assert isinstance(controller, Node)
