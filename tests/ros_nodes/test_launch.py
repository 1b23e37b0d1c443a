"""The launch files against the node's parameters: every parameter is an argument, and what is none is refused."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import fields
from pathlib import Path

import pytest

from pvtpp_ros_nodes import parameters
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.player import PlayerConfig

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = ROOT / "ros_nodes" / "launch"
PARAMETERS = {field.name for field in fields(NodeConfig)}
IMU = {"imu", "camera_from_imu", "imu_bias"}
# What a launch file leaves out, since it has no such input, or calls otherwise.
WITHOUT = {
    "tracker": set(),
    "drone": set(),
    "bag": set(),
    "simulation": IMU,
    "webcam": IMU | {"image_transport"},
}
needed = {"bag": ["bag:=/x.bag", "image:=/image"]}


def declared(root):
    return [each.get("name") for each in root.findall("arg")]


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_every_parameter_of_the_node_is_an_argument_and_reaches_it(name):
    root = ElementTree.parse(str(LAUNCH / f"{name}.launch")).getroot()
    arguments = set(declared(root))
    assert PARAMETERS - WITHOUT[name] | {"config", "python"} <= arguments
    if name == "tracker":
        given = {param.get("name"): param.get("value") for param in root.iter("param")}
        assert given == {each: f"$(arg {each})" for each in PARAMETERS}
        return
    (include,) = [each for each in root.iter("include") if each.get("file", "").endswith("/tracker.launch")]
    handed_on = {each.get("name"): each.get("value") for each in include.iter("arg")}
    assert PARAMETERS - WITHOUT[name] | {"config", "python"} <= set(handed_on)
    for each, value in handed_on.items():
        if name == "bag" and each == "rate":
            assert value == "$(arg target_rate)"
        elif each not in ("imu", "respawn"):
            assert value == f"$(arg {each})"


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_the_arguments_that_are_allowed_are_those_that_are_declared(name):
    root = ElementTree.parse(str(LAUNCH / f"{name}.launch")).getroot()
    (allowed,) = [each.get("value") for each in root.findall("arg") if each.get("name") == "allowed"]
    assert allowed.split() == sorted(set(allowed.split()), key=allowed.split().index)
    assert set(allowed.split()) == set(declared(root)) - {"allowed", "unknown"}


def test_no_launch_file_is_left_out():
    assert {path.stem for path in LAUNCH.glob("*.launch")} == set(WITHOUT)


def roslaunch(*arguments):
    if shutil.which("roslaunch") is None:
        pytest.skip("roslaunch is not installed")
    done = subprocess.run(["roslaunch", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_an_unknown_argument_is_refused_by_name(name):
    path = str(LAUNCH / f"{name}.launch")
    status, said = roslaunch("--nodes", path, *needed.get(name, []))
    assert status == 0 and "/tracker" in said
    status, said = roslaunch("--nodes", path, *needed.get(name, []), "predicter:=motion", "image_transprt:=raw")
    assert "unknown launch arguments: image_transprt predicter" in said and "/tracker\n" not in said


def test_arguments_reach_the_node_and_what_is_not_given_is_the_file_s(tmp_path):
    config = tmp_path / "own.yaml"
    config.write_text("rate: 20.0\nbackend: onnxruntime\ntracker: csrt\n")
    status, said = roslaunch(
        "--dump-params", str(LAUNCH / "drone.launch"), f"config:={config}", "presence:=true", "threads:=2", "imu:=/imu"
    )
    given = dict(re.findall(r"^/camera/tracker/(\w+): (.*)$", said, re.MULTILINE))
    assert status == 0 and given == {
        "rate": "20.0", "backend": "onnxruntime", "tracker": "csrt", "presence": "true", "threads": "2", "imu": "true",
    }  # fmt: skip


def test_without_a_loop_all_ends_with_what_is_played():
    simulation, bag = (ElementTree.parse(str(LAUNCH / f"{name}.launch")).getroot() for name in ("simulation", "bag"))
    (player,) = [each for each in simulation.iter("node") if each.get("type") == "sequence_player"]
    assert player.get("required") == "$(eval not loop)"
    once, again = [each for each in bag.iter("node") if each.get("type") == "play"]
    assert (once.get("unless"), once.get("required")) == ("$(arg loop)", "true")
    assert (again.get("if"), again.get("required")) == ("$(arg loop)", None)


@pytest.mark.parametrize("kind", [NodeConfig, PlayerConfig])
def test_help_names_every_parameter_with_its_default_and_a_meaning(kind):
    text = parameters.help_text("rosrun it", kind)
    for field in fields(kind):
        (found,) = re.findall(rf"  ~{field.name} \(default {re.escape(repr(field.default))}\)\n      (.*)", text)
        assert len(found) > 10, field.name


def test_help_needs_no_master():
    assert parameters.wants_help(["--help"]) and parameters.wants_help(["a:=b", "-h"])
    assert not parameters.wants_help(["_rate:=50", "__name:=help"])
    text = (ROOT / "ros_nodes" / "tracker_node.py").read_text()
    main = text[text.index("def main()") :]
    assert main.index("wants_help") < main.index("init_node")


@pytest.mark.parametrize("tool", ["sequence_player", "roi_selector"])
def test_help_of_a_tool_needs_no_ros(tool):
    code = (
        "import sys, runpy; sys.modules.update(rospy=None, rclpy=None)\n"
        f"sys.argv[1:] = ['--help']; runpy.run_module('pvtpp_ros_nodes.{tool}', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"rosrun pvtpp {tool}"), done.stdout
    assert f"ros2 run pvtpp {tool}" in done.stdout and "(default " in done.stdout


def test_a_tool_without_ros_says_what_is_missing():
    code = (
        "import sys, importlib.util\n"
        "importlib.util.find_spec = lambda name: None\n"
        "from pvtpp_ros_nodes.sequence_player import main\n"
        "main()"
    )
    env = {name: value for name, value in os.environ.items() if name != "ROS_VERSION"}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    assert done.returncode == 2 and done.stdout.startswith("sequence_player: neither rospy nor rclpy is there for ")
    assert len(done.stdout.splitlines()) == 1
