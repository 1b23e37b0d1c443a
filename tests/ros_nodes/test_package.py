"""The repository as a catkin package: built both ways, imported from every space, started by roslaunch and rostest."""

from __future__ import annotations

import ast
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import ros_world
from ros_world import ROOT, SYSTEM_PYTHON

IMPORT = (
    "import pvtpp, pvtpp.boxes, pvtpp.msg, pvtpp.srv, pvtpp_trackers.registry, pvtpp_ros_nodes.core; "
    "from pvtpp.msg import Target; "
    "print(pvtpp.__file__, pvtpp.msg.__file__, Target().box, len(pvtpp_trackers.registry.names()))"
)


def imported(*places, cwd="/"):
    """What the import prints under the distribution's own Python, with these places alone on its path. Its NumPy and
    OpenCV may be missing there, so this environment's come last."""
    own = [path for path in sys.path if path.endswith("site-packages")]
    path = os.pathsep.join(map(str, [*places, *own]))
    return ros_world.run([SYSTEM_PYTHON, "-c", IMPORT], cwd, PYTHONPATH=path)


def test_messages_import_from_the_devel_space(devel):
    said = imported(ros_world.site_of(devel))
    assert "[0.0, 0.0, 0.0, 0.0]" in said and str(ros_world.site_of(devel) / "pvtpp" / "msg") in said


def test_messages_import_from_the_repository_root_too(devel):
    said = imported(ROOT, ros_world.site_of(devel), cwd=ROOT)
    assert said.startswith(str(ROOT / "pvtpp" / "__init__.py")) and str(ros_world.site_of(devel)) in said


@pytest.fixture(scope="module")
def installed(ros_is_there, tmp_path_factory):
    """The install space of a plain CMake build."""
    folder = tmp_path_factory.mktemp("cmake")
    build, install = folder / "build", folder / "install"
    options = [
        f"-DPYTHON_EXECUTABLE={SYSTEM_PYTHON}",
        f"-DCMAKE_INSTALL_PREFIX={install}",
        "-DCATKIN_ENABLE_TESTING=OFF",
    ]
    # The workspace's build has done all languages already.
    for step in (["-S", ROOT, "-B", build, *options], ["--build", build], ["--install", build]):
        ros_world.run(["cmake", *step], folder, ROS_LANG_DISABLE="gencpp:genlisp")
    return install


def test_a_plain_cmake_build_installs_a_package_that_stands_alone(installed):
    said = imported(ros_world.site_of(installed))
    assert said.startswith(str(ros_world.site_of(installed) / "pvtpp" / "__init__.py")) and str(ROOT) not in said
    programs = {path.name for path in (installed / "lib" / "pvtpp").iterdir()}
    assert programs == {path.name for path in (ROOT / "ros_nodes" / "scripts").iterdir()}
    share = installed / "share" / "pvtpp"
    for kind in ("launch", "config", "rviz"):
        assert {path.name for path in (share / kind).iterdir()} == {
            path.name for path in (ROOT / "ros_nodes" / kind).iterdir()
        }
    assert (installed / "bin" / "pvtpp").exists()


def test_every_message_service_and_program_is_built():
    text = (ROOT / "CMakeLists.txt").read_text()
    for folder, kind in (("msg", "msg"), ("srv", "srv")):
        names = {path.name for path in (ROOT / "ros_nodes" / folder).iterdir()}
        assert names == set(re.findall(rf"\b\w+\.{kind}\b", text))
    programs = {path.name for path in (ROOT / "ros_nodes" / "scripts").iterdir()}
    assert programs == set(re.findall(r"ros_nodes/scripts/(\w+)", text))
    assert all(os.access(str(ROOT / "ros_nodes" / "scripts" / name), os.X_OK) for name in programs)


def test_the_manifest_names_every_ros_package_that_the_nodes_import():
    wanted = set()
    for path in [*(ROOT / "ros_nodes").glob("*.py")]:
        wanted |= set(
            re.findall(r"^(?:from|import) (\w+_msgs|std_srvs|rospy|rosbag)\b", path.read_text(), re.MULTILINE)
        )
    package = ElementTree.parse(str(ROOT / "package.xml")).getroot()
    assert "rospy" in wanted and wanted <= {need.text for need in package if need.tag.endswith("depend")}


def test_both_nodes_offer_all_that_the_core_asks_for():
    def methods(path, name):
        (found,) = [
            node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef) and node.name == name
        ]
        return {each.name: [a.arg for a in each.args.args] for each in found.body if isinstance(each, ast.FunctionDef)}

    asked = methods(ROOT / "ros_nodes" / "middleware.py", "Middleware")
    for path, name in (("tracker_node.py", "RospyMiddleware"), ("ros2/rclpy_middleware.py", "RclpyMiddleware")):
        offered = methods(ROOT / "ros_nodes" / path, name)
        assert len(asked) == 6 and {key: offered.get(key) for key in asked} == asked


def test_both_connections_offer_all_that_the_tools_ask_for():
    def methods(path, name):
        (found,) = [
            node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef) and node.name == name
        ]
        return {each.name: [a.arg for a in each.args.args] for each in found.body if isinstance(each, ast.FunctionDef)}

    for name, count in (("Connection", 9), ("Publisher", 2)):
        asked = methods(ROOT / "ros_nodes" / "connection.py", name)
        for path, prefix in (("rospy_connection.py", "Rospy"), ("ros2/rclpy_connection.py", "Rclpy")):
            offered = methods(ROOT / "ros_nodes" / path, prefix + name)
            assert len(asked) == count and {key: offered.get(key) for key in asked} == asked


def test_the_messages_of_ros_2_are_the_same_files_at_the_same_version():
    folder = ROOT / "ros_nodes" / "ros2" / "pvtpp_msgs"
    text = (folder / "CMakeLists.txt").read_text()
    for kind in ("msg", "srv"):
        assert set(re.findall(rf"{kind}/(\w+\.{kind})", text)) == {
            p.name for p in (ROOT / "ros_nodes" / kind).iterdir()
        }
    version = ElementTree.parse(str(folder / "package.xml")).findtext("version")
    assert version == ElementTree.parse(str(ROOT / "package.xml")).findtext("version")


def test_rostest_runs_the_simulation_and_the_target_is_followed(world):
    said = ros_world.run(
        ["rostest", ROOT / "tests" / "ros_nodes" / "tracker.test", f"python:={sys.executable}"],
        world.folder,
        **{**world.env, "PVTPP_CACHE": str(world.folder)},
    )
    assert "FAILURES: 0" in said and "TESTS: 1" in said


def test_every_launch_file_starts_what_there_is(ros_is_there):
    programs = {path.name for path in (ROOT / "ros_nodes" / "scripts").iterdir()}
    files = sorted((ROOT / "ros_nodes" / "launch").glob("*.launch"))
    assert {path.stem for path in files} >= {"webcam", "bag", "simulation", "drone"}
    for path in files:
        for node in ElementTree.parse(str(path)).getroot().iter("node"):
            assert node.get("pkg") != "pvtpp" or node.get("type") in programs
            for rosparam in node.iter("rosparam"):
                found = rosparam.get("file").replace("$(find pvtpp)", str(ROOT))
                assert "$" in found or Path(found).is_file()


def test_ci_installs_what_the_message_of_a_skipped_test_names():
    script = (ROOT / ".ci" / "run").read_text()
    listed = script[script.index("packages=(") : script.index("missing=()")]
    assert set(ros_world.PACKAGES.split()) <= set(listed.split())
    assert "PVTPP_REQUIRE_ROS=1" in script


def test_the_package_of_ros_2_installs_every_program_and_file_that_there_is():
    text = (ROOT / "ros_nodes" / "ros2" / "ament.cmake").read_text()
    tools = {path.name for path in (ROOT / "ros_nodes" / "scripts").iterdir()} - {"tracker_node"}
    assert set(re.findall(r"ros_nodes/scripts/(\w+)", text)) == tools
    nodes = list((ROOT / "ros_nodes" / "ros2" / "scripts").iterdir())
    assert "tracker_node" in {path.name for path in nodes}
    for path in nodes:
        (module,) = re.findall(r"from pvtpp_ros_nodes\.([\w.]+) import main", path.read_text())
        assert os.access(str(path), os.X_OK) and (ROOT / "ros_nodes" / (module.replace(".", "/") + ".py")).is_file()
    for folder in ("launch", "config", "rviz"):
        assert f"ros_nodes/ros2/{folder}" in text and any((ROOT / "ros_nodes" / "ros2" / folder).iterdir())
