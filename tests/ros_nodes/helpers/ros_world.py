"""A real ROS 1 for the tests: a workspace built with catkin, a master on a free port, nodes as own processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from pkgutil import extend_path

import pvtpp

ROOT = Path(__file__).resolve().parents[3]
SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = (
    "python3-roslaunch python3-rosmaster rosout python3-rospy python3-sensor-msgs python3-geometry-msgs "
    "python3-std-msgs python3-std-srvs python3-diagnostic-msgs python3-rosbag python3-rostopic python3-rostest "
    "librostest-dev catkin python3-catkin-pkg ros-message-generation ros-message-runtime ros-std-msgs ros-sensor-msgs "
    "ros-geometry-msgs ros-diagnostic-msgs ros-std-srvs libstd-msgs-dev libgeometry-msgs-dev cmake g++"
)
TOOLS = ("catkin_make", "roslaunch", "rosmaster", "rostest", "cmake")


def missing():
    """What of ROS 1 is not installed; empty where all is."""
    found = [tool for tool in TOOLS if shutil.which(tool) is None]
    try:
        import rosbag  # noqa: F401
        import rospy  # noqa: F401
    except ImportError as error:
        found.append(str(error))
    return ", ".join(found)


def is_systems_python():
    """Whether this Python is of the version that the distribution's packages are for."""
    said = subprocess.check_output([SYSTEM_PYTHON, "-c", "import sys; print(*sys.version_info[:2])"], text=True)
    return said.split() == [str(part) for part in sys.version_info[:2]]


def run(command, cwd, **env):
    """The output of a command that must succeed; catkin_make goes by PWD."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=str(cwd),
        env={**os.environ, "PWD": str(cwd), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}"
    return done.stdout


def site_of(space):
    """Where a devel or install space has its Python packages."""
    (site,) = [path for path in Path(space).glob("lib/python3*/*-packages") if path.is_dir()]
    return site


def build_workspace(folder):
    """A catkin workspace of this repository alone; returns its devel space."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "pvtpp").symlink_to(ROOT, target_is_directory=True)
    run(["catkin_make", f"-DPYTHON_EXECUTABLE={SYSTEM_PYTHON}"], folder)
    return folder / "devel"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """The environment of every ROS process of the tests, and the master."""

    def __init__(self, devel, folder):
        self.port, self.folder = free_port(), folder
        site = site_of(devel)
        self.devel = devel
        share = [str(devel.parent / "src"), "/usr/share"]
        os.environ.update(
            ROS_MASTER_URI=f"http://127.0.0.1:{self.port}",
            ROS_IP="127.0.0.1",
            ROS_HOME=str(folder / "ros"),
            ROS_PACKAGE_PATH=os.pathsep.join(share),
            CMAKE_PREFIX_PATH=str(devel),
        )
        self.env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(site), str(Path(__file__).parent)]),
            "PYTHONUNBUFFERED": "1",
        }
        # This process as a workspace's own: the generated messages beside the source.
        sys.path.append(str(site))
        pvtpp.__path__ = extend_path(pvtpp.__path__, "pvtpp")
        self.master = None
        self.start_master()

    def start_master(self):
        self.master = subprocess.Popen(
            ["rosmaster", "--core", "-p", str(self.port)],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        import rosgraph

        end = time.monotonic() + 60
        while not rosgraph.is_master_online():
            assert time.monotonic() < end, "no master"
            time.sleep(0.05)

    def stop_master(self):
        self.master.terminate()
        self.master.wait(20)

    def node(self, name, *arguments, **env):
        """A node of the package under this Python, with its output in a file."""
        script = [sys.executable, str(self.devel / "lib" / "pvtpp" / name)]
        return Process(script + list(arguments), self.folder / f"{name}.log", {**self.env, **env})

    def process(self, command, **env):
        return Process(command, self.folder / f"{Path(command[0]).name}.log", {**self.env, **env})


class Process:
    """A process whose output can be read while it runs."""

    def __init__(self, command, path, env):
        self._path = path
        with open(path, "wb") as out:
            self.popen = subprocess.Popen(
                command, env=env, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
            )

    @property
    def output(self):
        return self._path.read_text(errors="replace")

    @property
    def alive(self):
        return self.popen.poll() is None

    def wait(self, seconds=120):
        return self.popen.wait(seconds)

    def stop(self, how=signal.SIGINT):
        if self.alive:
            os.killpg(self.popen.pid, how)
            try:
                self.popen.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)
                self.popen.wait(20)
