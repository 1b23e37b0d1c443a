"""The repository as a package of ROS 2: built by ament_cmake, what it installs, and where ROS 2 finds that.

The messages are left out: building them takes a minute, and this Python has them already.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not there for this Python: make ros2")

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = ("-DPVTPP_MESSAGES=OFF", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={sys.executable}")


def run(command, **env):
    done = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The install space, and the environment in which ROS 2 knows it."""
    folder = tmp_path_factory.mktemp("ament")
    build, install = folder / "build", folder / "install"
    env = {
        "ROS_VERSION": "2",
        "ROS_DISTRO": "jazzy",
        "CMAKE_PREFIX_PATH": sys.prefix,
        "AMENT_PREFIX_PATH": sys.prefix,
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": "",
    }
    run(["cmake", "-S", ROOT, "-B", build, f"-DCMAKE_INSTALL_PREFIX={install}", *OPTIONS], **env)
    run(["cmake", "--build", build], **env)
    run(["cmake", "--install", build], **env)
    (site,) = install.glob("lib/python3*/site-packages")
    env["AMENT_PREFIX_PATH"] = f"{install}{os.pathsep}{sys.prefix}"
    env["PYTHONPATH"] = str(site)
    return install, site, env


def test_ros2_run_finds_the_programs_by_the_index(installed):
    install, _, env = installed
    code = "from ament_index_python.packages import get_package_prefix; print(get_package_prefix('pvtpp'))"
    assert run([sys.executable, "-c", code], **env).strip() == str(install)
    programs = {path.name for path in (install / "lib" / "pvtpp").iterdir()}
    assert {"tracker_node", "sequence_player", "roi_selector", "stamp_offset", "bag_eval"} <= programs
    for name in sorted(programs):
        path = install / "lib" / "pvtpp" / name
        assert os.access(str(path), os.X_OK)
        # By the file itself, as ros2 run does: env finds this Python first.
        assert name in run([path, "--help"], **env).splitlines()[0]


def test_the_python_packages_are_the_installed_ones_and_whole(installed):
    _, site, env = installed
    names = "pvtpp, pvtpp_trackers.registry, pvtpp_benchmarks, pvtpp_ros_nodes.ros2.tracker_node"
    code = f"import sys, {names}; print(*(sys.modules[name].__file__ for name in sys.argv[1:]), sep='\\n')"
    found = run([sys.executable, "-c", code, *names.split(", ")], **env).splitlines()
    assert all(line.startswith(str(site)) for line in found), found
    weights = {path.name for path in (ROOT / "pvtpp" / "weights").glob("*.onnx")}
    assert weights <= {path.name for path in (site / "pvtpp" / "weights").iterdir()}


def test_share_holds_what_ros2_launch_reads(installed):
    install, _, _ = installed
    share = install / "share" / "pvtpp"
    for folder in ("launch", "config", "rviz"):
        expected = {path.name for path in (ROOT / "ros_nodes" / "ros2" / folder).iterdir() if path.is_file()}
        assert {path.name for path in (share / folder).iterdir()} == expected
    assert (share / "fastdds.xml").is_file() and (share / "package.xml").is_file()


def test_a_node_starts_from_there_with_the_parameter_file(installed):
    install, _, env = installed
    config = install / "share" / "pvtpp" / "config" / "tracker.yaml"
    # Refused by name, so the file before it was read; the node itself has tests of its own.
    command = [
        install / "lib" / "pvtpp" / "tracker_node",
        "--ros-args",
        "--params-file",
        config,
        "-p",
        "predictor:=none",
    ]
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **env, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2 and "predictor" in done.stdout and len(done.stdout.splitlines()) == 1, done.stdout
