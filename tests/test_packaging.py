"""What an installation holds: the wheel, PyPI's `trackers` beside it, the editable install, catkin's devel space.

Environments are made without pip and see the packages of this Python, so that nothing large is downloaded. PyPI's
`trackers` is: where pip cannot, its tests skip; with PVTPP_REQUIRE_PYPI=1, as in CI, they fail instead.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import xml.etree.ElementTree as ElementTree
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "pvtpp": "pvtpp",
    "pvtpp_trackers": "trackers",
    "pvtpp_benchmarks": "benchmarks",
    "pvtpp_ros_nodes": "ros_nodes",
}
SITE_PACKAGES = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
NOT_COPIED = shutil.ignore_patterns(
    ".*", "*.egg-info", "build", "dist", "runs", "demo", "__pycache__", "node_modules", "tests"
)
MOSSE = """
print("loaded", __file__)

class Mosse:
    def init(self, image, xywh):
        self.xywh = xywh

    def update(self, image):
        return self.xywh
"""
# The other `trackers` is installed without its dependencies, so its import may end at the first of them.
IMPORT_OTHER = """
try:
    import trackers
except ModuleNotFoundError as error:
    assert error.name.split(".")[0] != "trackers", error
"""


def run(command, cwd, **variables):
    """Output of a command that must succeed, without what the caller's environment adds to Python's path."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=str(cwd),
        env={**environment, "PWD": str(cwd), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}"
    return done.stdout


def metadata(wheel, name):
    """Text of a file of the wheel's metadata."""
    (path,) = [path for path in wheel if path.endswith(name) and ".dist-info/" in path]
    return wheel[path].decode()


# The version and the ROS manifest


def test_the_version_is_written_once_and_the_ros_manifest_repeats_it():
    written = re.findall(r'^__version__ = "(.+)"$', (ROOT / "pvtpp" / "__init__.py").read_text(), re.MULTILINE)
    assert len(written) == 1
    assert written[0] not in (ROOT / "setup.py").read_text()
    assert written[0] == ElementTree.parse(str(ROOT / "package.xml")).findtext("version")
    assert run([sys.executable, "setup.py", "--version"], ROOT).split()[-1] == written[0]


@pytest.fixture(scope="module")
def manifest():
    """Function of ROS version and distribution: the build type and the names needed to run."""
    package = pytest.importorskip("catkin_pkg.package").parse_package(str(ROOT / "package.xml"))
    assert (package.name, package.package_format) == ("pvtpp", 3)

    def evaluated(version, distribution):
        package.evaluate_conditions({"ROS_VERSION": version, "ROS_PYTHON_VERSION": "3", "ROS_DISTRO": distribution})
        (build_type,) = [
            kind.content for kind in package.exports if kind.tagname == "build_type" and kind.evaluated_condition
        ]
        return build_type, {need.name for need in package.exec_depends if need.evaluated_condition}

    return evaluated


def test_the_ros_manifest_asks_for_what_each_ros_version_has(manifest):
    ros_1 = {"rospy", "roslib", "rosgraph", "rosbag", "roslaunch", "message_runtime"}
    ros_2 = {"rclpy", "rosidl_default_runtime", "launch_ros", "ros2bag"}
    build_type, names = manifest("1", "noetic")
    assert build_type == "catkin"
    assert ros_1 | {"python3-numpy", "python3-opencv", "vision_msgs", "tf2_ros"} <= names and not ros_2 & names
    build_type, names = manifest("2", "humble")
    assert build_type == "ament_cmake"
    assert ros_2 | {"python3-numpy", "python3-opencv", "vision_msgs", "tf2_ros"} <= names and not ros_1 & names
    assert "vision_msgs" not in manifest("1", "Debian")[1]


@pytest.mark.parametrize(
    ("version", "distribution", "folder"), [("1", "noetic", "ros_nodes"), ("2", "humble", "ros_nodes/ros2")]
)
def test_the_ros_manifest_names_every_ros_package_that_is_imported(manifest, version, distribution, folder):
    # rosbags comes by pip, where rosdep's own pip fails (PEP 668): an extra, as the inference runtime.
    # The messages of ROS 2 are built with this package.
    ours = {*FOLDERS, "numpy", "cv2", "rosbags", "pvtpp_msgs"}
    standard = getattr(sys, "stdlib_module_names", ())
    if not standard:
        pytest.skip("the names of the standard library are known from Python 3.10 on")
    imported = set()
    for path in (ROOT / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    wanted = imported - set(standard) - ours
    assert len(wanted) >= 4 and wanted <= manifest(version, distribution)[1]


# The wheel


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout, since building and installing write into it."""
    tree = tmp_path_factory.mktemp("checkout") / "pvtpp"
    shutil.copytree(str(ROOT), str(tree), ignore=NOT_COPIED)
    return tree


@pytest.fixture(scope="module")
def wheel_file(checkout, tmp_path_factory):
    """The wheel, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, checkout], folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(wheel_file):
    """Content of each file of the wheel."""
    with zipfile.ZipFile(str(wheel_file)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_packages_whole_and_nothing_else(wheel):
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == set(FOLDERS)
    sources = {
        f"{name}/{path.relative_to(ROOT / folder).as_posix()}"
        for name, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("*.py")
        # ROS 2 reads its launch files from share/.
        if not path.name.endswith(".launch.py")
    }
    assert sources - set(wheel) == set(), "a folder of modules without __init__.py?"
    assert {name for name in wheel if name.endswith(".py")} <= sources
    typed = {f"{name}/py.typed" for name, folder in FOLDERS.items() if (ROOT / folder / "py.typed").exists()}
    assert typed <= set(wheel)
    data = [path for kind in ("*.onnx", "*.json", "*.md") for path in (ROOT / "pvtpp" / "weights").glob(kind)]
    data += (ROOT / "pvtpp" / "serve" / "page").iterdir()
    assert {path.relative_to(ROOT).as_posix() for path in data} <= set(wheel)
    assert "pvtpp_benchmarks/published/elae.json" in wheel
    assets = (ROOT / "benchmarks" / "report" / "assets").iterdir()
    assert {f"pvtpp_benchmarks/report/assets/{path.name}" for path in assets} <= set(wheel)
    # Humble's bags are read by these.
    assert {f"pvtpp_ros_nodes/msg/{path.name}" for path in (ROOT / "ros_nodes" / "msg").iterdir()} <= set(wheel)


def test_the_wheel_needs_numpy_alone_and_brings_its_command_and_licence(wheel):
    needs = re.findall(r"^Requires-Dist: ([\w.-]+)(.*)$", metadata(wheel, "/METADATA"), re.MULTILINE)
    assert [name for name, condition in needs if "extra ==" not in condition] == ["numpy"]
    assert "pvtpp = pvtpp.cli.main:main" in metadata(wheel, "entry_points.txt")
    assert "Apache License" in metadata(wheel, "LICENSE")


# Environments


class Environment:
    """A virtual environment that sees, after its own packages, those of the Python that runs the tests."""

    def __init__(self, folder):
        venv.create(str(folder), symlinks=True, with_pip=False)
        self.bin = folder / "bin"
        self.python = self.bin / "python"
        (self.site,) = folder.glob("lib/python*/site-packages")
        (self.site / "packages_of_the_tests.pth").write_text("\n".join(SITE_PACKAGES) + "\n")

    def install(self, *arguments):
        run(
            [*PIP, "--python", self.python, "install", "--no-deps", "--no-index", "--ignore-installed", *arguments],
            self.site,
        )
        return self

    def distribution(self, name):
        (found,) = self.site.glob(f"{name}-*.dist-info")
        return Distribution.at(found)

    def files_of(self, code, cwd):
        """What ``__file__`` is in each of our packages and in the modules that `code` imports besides."""
        named = f"import {', '.join(FOLDERS)}, json, sys\n{code}\n" + (
            "print(json.dumps({name: module.__file__ for name, module in sys.modules.items()"
            " if getattr(module, '__file__', None)}))"
        )
        return json.loads(run([self.python, "-c", named], cwd).splitlines()[-1])


@pytest.fixture(scope="module")
def other_wheel(tmp_path_factory):
    """The wheel of PyPI's `trackers`."""
    if sys.version_info < (3, 10):
        pytest.skip("PyPI's trackers needs Python 3.10")
    folder = tmp_path_factory.mktemp("other")
    download = [*PIP, "download", "--no-deps", "--only-binary", ":all:", "--retries", "1", "--timeout", "20"]
    try:
        run([*download, "-d", folder, "trackers"], folder)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        reason = f"pip cannot download PyPI's trackers: {str(error)[-600:]}"
        (pytest.fail if os.environ.get("PVTPP_REQUIRE_PYPI") else pytest.skip)(reason)
    (file,) = folder.glob("*.whl")
    return file


BOTH = ["ours, other", "other, ours"]
with_both = pytest.mark.parametrize("environment", BOTH, indirect=True)


@pytest.fixture(scope="module", params=["ours", *BOTH])
def environment(request, wheel_file, tmp_path_factory):
    """An environment with our wheel, without PyPI's `trackers` and with it, installed in either order."""
    made = Environment(tmp_path_factory.mktemp("environment"))
    for name in request.param.split(", "):
        made.install(wheel_file if name == "ours" else request.getfixturevalue("other_wheel"))
    return made


@with_both
def test_with_pypis_trackers_both_import_each_its_own(environment, tmp_path):
    files = environment.files_of(IMPORT_OTHER, tmp_path)
    assert {name: files[name] for name in FOLDERS} == {
        name: str(environment.site / name / "__init__.py") for name in FOLDERS
    }
    find = "import importlib.util; print(importlib.util.find_spec('trackers').origin)"
    assert run([environment.python, "-c", find], tmp_path).split()[-1] == str(
        environment.site / "trackers" / "__init__.py"
    )


@with_both
def test_neither_installation_overwrites_a_file_of_the_other(environment):
    ours, others = environment.distribution("pvtpp"), environment.distribution("trackers")
    assert not {str(file) for file in ours.files} & {str(file) for file in others.files}
    for file in [*ours.files, *others.files]:
        if file.hash is not None:
            digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
            assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == file.hash.value, file


@with_both
def test_with_pypis_trackers_a_tracker_of_ours_can_be_checked(environment, tmp_path):
    assert (
        run([environment.bin / "pvtpp", "check", "csrt"], tmp_path).rstrip().splitlines()[-1]
        == "csrt: keeps the contract"
    )


def test_a_users_own_folder_called_trackers_is_loaded(environment, tmp_path):
    (tmp_path / "trackers").mkdir()
    (tmp_path / "trackers" / "mosse.py").write_text(MOSSE)
    said = run([environment.bin / "pvtpp", "check", "trackers.mosse:Mosse"], tmp_path)
    assert f"loaded {tmp_path / 'trackers' / 'mosse.py'}" in said
    assert "trackers.mosse:Mosse: keeps the contract" in said


# The editable install


@pytest.fixture(scope="module")
def editable(checkout, tmp_path_factory):
    """An environment with an editable install of the copied checkout."""
    made = Environment(tmp_path_factory.mktemp("editable"))
    return made.install("--no-build-isolation", "--editable", checkout)


def test_the_editable_install_imports_from_the_checkout(editable, checkout, tmp_path):
    added = checkout / "trackers" / "added_later.py"
    added.write_text("")
    files = editable.files_of("import pvtpp_trackers.added_later", tmp_path)
    assert {name: files[name] for name in FOLDERS} == {
        name: str(checkout / folder / "__init__.py") for name, folder in FOLDERS.items()
    }
    assert files["pvtpp_trackers.added_later"] == str(added)
    assert run([editable.bin / "pvtpp", "--version"], tmp_path).startswith("pvtpp ")


def test_a_measurement_runs_from_the_root_of_the_checkout(editable, checkout):
    said = run([editable.python, "-m", "pvtpp_benchmarks.speed.scoring", "--help"], checkout)
    assert said.startswith("usage:")


# catkin's devel space


def test_the_devel_space_hides_no_other_package(tmp_path):
    if shutil.which("cmake") is None or shutil.which("catkin_make") is None:
        reason = "catkin is not installed (apt-get install catkin cmake ros-message-generation)"
        (pytest.fail if os.environ.get("PVTPP_REQUIRE_ROS") else pytest.skip)(reason)
    devel, other = tmp_path / "devel", tmp_path / "other"
    options = ["-DPYTHON_EXECUTABLE=/usr/bin/python3", "-DCATKIN_ENABLE_TESTING=OFF", f"-DCATKIN_DEVEL_PREFIX={devel}"]
    run(["cmake", "-S", ROOT, "-B", tmp_path / "build", *options], tmp_path)
    (site,) = devel.glob("lib/python3*/*-packages")
    (other / "trackers").mkdir(parents=True)
    (other / "trackers" / "__init__.py").write_text("")
    code = f"import {', '.join(FOLDERS)}, pvtpp_trackers.registry, trackers, sys\n" + (
        "for name in sys.argv[1:]: print(sys.modules[name].__file__)\nprint(*sys.path, sep='\\n')"
    )
    names = [*FOLDERS, "pvtpp_trackers.registry", "trackers"]
    path = os.pathsep.join(map(str, [site, other, *SITE_PACKAGES]))
    said = run([sys.executable, "-c", code, *names], tmp_path, PYTHONPATH=path).splitlines()
    assert said[: len(names)] == [
        *(str(ROOT / folder / "__init__.py") for folder in FOLDERS.values()),
        str(ROOT / "trackers" / "registry.py"),
        str(other / "trackers" / "__init__.py"),
    ]
    assert str(ROOT) not in said[len(names) :]


# Files that repeat the folders


def test_every_tool_knows_the_same_packages():
    pairs = {f"{name}:{folder}" for name, folder in FOLDERS.items()}
    (listed,) = re.findall(r"^PACKAGES := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(listed.split()) == pairs
    configured = (ROOT / "pyproject.toml").read_text()
    for key in ("packages", "known-first-party"):
        (names,) = re.findall(rf"^{key} = (\[.+\])$", configured, re.MULTILINE)
        assert set(ast.literal_eval(names)) == set(FOLDERS)
    (folders,) = re.findall(r"^foreach\(folder (.+)\)$", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert set(folders.split()) == set(FOLDERS.values())


def test_lint_covers_every_python_file():
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    covered = {Path(line) for line in run([ruff, "check", "--show-files", "."], ROOT).splitlines()}
    listed = run(["git", "ls-files", "-co", "--exclude-standard"], ROOT).splitlines()
    python = {
        ROOT / name
        for name in listed
        if (ROOT / name).is_file()
        and (name.endswith((".py", ".pyi")) or (ROOT / name).read_bytes().startswith(b"#!/usr/bin/env python"))
    }
    programs = (ROOT / "ros_nodes").glob("**/scripts/[a-z]*")
    assert {ROOT / "setup.py", *programs} <= python
    assert python <= covered, python - covered
