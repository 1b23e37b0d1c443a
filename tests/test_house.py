"""The shape of the house: which room may import which, what importing the onboard floor loads, what the wheel holds."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("pvtpp", "trackers", "benchmarks", "ros_nodes")
WORKSHOP = ("pvtpp.networks", "pvtpp.training", "pvtpp.export", "trackers.models", "benchmarks.speed", "benchmarks.studies")
FORBIDDEN_ON_THE_FLOOR = ("torch", "onnx", "matplotlib", "lightning", "tensorboard", "polygraphy")
SKIPPED_FOLDERS = {"build", "dist", "runs", "demo", "__pycache__", "node_modules"}
LONGEST_FILE = 400

# For the room with the longest matching name: what it may not import, not even inside a function.
FORBIDDEN = {
    "pvtpp": ("pvtpp.cli", "pvtpp.networks", "trackers", "benchmarks", "ros_nodes"),
    "pvtpp.networks": ("pvtpp.cli", "trackers", "benchmarks", "ros_nodes"),
    "pvtpp.training": ("pvtpp.cli", "trackers", "benchmarks", "ros_nodes"),
    "pvtpp.export": ("pvtpp.cli", "trackers", "benchmarks", "ros_nodes"),
    "pvtpp.cli": ("pvtpp.networks", "ros_nodes"),
    "pvtpp.__main__": ("pvtpp.networks", "ros_nodes"),
    "trackers": ("pvtpp.cli", "pvtpp.networks", "benchmarks", "ros_nodes"),
    "benchmarks": ("pvtpp.cli", "pvtpp.networks", "pvtpp.training", "pvtpp.export", "trackers", "ros_nodes", "torch"),
    "benchmarks.speed": (),
    "benchmarks.studies": (),
    "ros_nodes": ("pvtpp.cli", "pvtpp.networks", "pvtpp.training", "pvtpp.export", "torch"),
}


def within(module, room):
    return module == room or module.startswith(room + ".")


def imported(module, source, is_package=False):
    """Dotted names that the source of `module` imports: at the top, in functions, relatively, by literal name."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join(parents + ([node.module] if node.module else []))
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def wrong_imports(module, source, is_package=False):
    room = max((room for room in FORBIDDEN if within(module, room)), key=len)
    return [
        f"{module}:{line} imports {name}; {room} may not"
        for line, name in imported(module, source, is_package)
        for forbidden in FORBIDDEN[room]
        if within(name, forbidden)
    ]


def modules():
    """(dotted name, path, is package) of every module of the four rooms."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            yield ".".join(parts[:-1] if is_package else parts), path, is_package


def project_files():
    """Every file a commit could hold: no hidden folder but .ci, no environment, nothing that a tool wrote."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if (not name.startswith(".") or name == ".ci")
            and name not in SKIPPED_FOLDERS
            and not name.endswith(".egg-info")
        ]
        yield from (Path(folder) / name for name in files)


def test_imports_run_one_way():
    wrong = [line for name, path, package in modules() for line in wrong_imports(name, path.read_text(), package)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pvtpp.track", "import trackers"),
        ("pvtpp.track", "def f():\n    from benchmarks.pairing import pair"),
        ("pvtpp.track", "from . import cli"),
        ("pvtpp.runtime.live", "from ..cli import main"),
        ("pvtpp.track", "import importlib\nimportlib.import_module('trackers.nanotrack')"),
        ("pvtpp.inference.torch_runtime", "import pvtpp.networks.motion"),
        ("pvtpp.cli.demo", "from pvtpp import networks"),
        ("trackers.replay", "from benchmarks import metrics"),
        ("benchmarks.run", "from trackers.registry import create"),
        ("benchmarks.run", "def f():\n    import torch.nn"),
        ("ros_nodes.node", "import pvtpp.cli.main"),
    ],
)
def test_a_wrong_import_is_found_wherever_it_hides(module, source):
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pvtpp.cli.demo", "from benchmarks import metrics\nimport trackers.registry"),
        ("pvtpp.training.module", "import torch\nfrom pvtpp.networks import motion"),
        ("trackers.nanotrack", "from pvtpp import boxes\nfrom . import siamese"),
        ("benchmarks.speed.nanotrack", "import torch, trackers.nanotrack"),
        ("benchmarks.run", "import torchless, trackers_of_others"),
        ("ros_nodes.node", "import rospy, trackers, benchmarks, pvtpp.runtime.live"),
    ],
)
def test_a_permitted_import_is_let_through(module, source):
    assert wrong_imports(module, source) == []


# Run in a fresh interpreter: the watcher refuses what is forbidden whether or not it is installed here, so that
# `try: import torch` fails on a machine without torch as well, and reports who asked.
IMPORT_ALL = """
import importlib, importlib.abc, json, sys, traceback

class Watcher(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in forbidden:
            asked.append([importing, name])
            raise ImportError(name + " is not part of the onboard floor")

names, forbidden = json.load(sys.stdin)
asked, broken = [], []
sys.meta_path.insert(0, Watcher())
for importing in names:
    try:
        importlib.import_module(importing)
    except Exception:
        broken.append([importing, traceback.format_exc()])
print(json.dumps([asked, broken]))
"""


def import_all(names, folder):
    """What of the forbidden each import asked for, and which imports failed."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        input=json.dumps([names, FORBIDDEN_ON_THE_FLOOR]),
        cwd=str(folder),
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def test_importing_the_onboard_floor_asks_for_no_workshop_package():
    floor = [name for name, _, _ in modules() if not any(within(name, room) for room in (*WORKSHOP, "ros_nodes"))]
    assert "pvtpp.trajectory" in floor
    asked, broken = import_all(floor, ROOT)
    assert not asked, "\n".join(f"importing {name} asks for {package}" for name, package in asked)
    assert not broken, "\n".join(f"{name} does not import:\n{error}" for name, error in broken)


@pytest.mark.parametrize("package", FORBIDDEN_ON_THE_FLOOR)
def test_a_guarded_import_of_a_workshop_package_is_noticed(tmp_path, package):
    (tmp_path / "guarded.py").write_text(f"try:\n    import {package}.inner\nexcept ImportError:\n    pass\n")
    assert import_all(["guarded"], tmp_path) == [[["guarded", package]], []]


def test_files_stay_small_enough_to_be_one_concept():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in project_files()
        if path.suffix == ".py"
        for lines in [len(path.read_text().splitlines())]
        if lines > LONGEST_FILE
    }
    assert not long, f"longer than {LONGEST_FILE} lines: {long}"


def test_only_ci_knows_where_shared_files_lie():
    # Written in two parts, so that this file does not name it either.
    wanted = ("../" + "shared").encode()
    naming = [str(path.relative_to(ROOT)) for path in project_files() if wanted in path.read_bytes()]
    assert naming == [os.path.join(".ci", "run")]


def test_the_version_is_written_once_and_the_ros_manifest_repeats_it():
    written = re.findall(r'^__version__ = "(.+)"$', (ROOT / "pvtpp" / "__init__.py").read_text(), re.MULTILINE)
    assert len(written) == 1
    assert written[0] not in (ROOT / "setup.py").read_text()
    assert written[0] == ElementTree.parse(str(ROOT / "package.xml")).findtext("version")
    asked = [sys.executable, "setup.py", "--version"]
    assert subprocess.check_output(asked, cwd=str(ROOT), text=True).split()[-1] == written[0]


def test_the_ros_manifest_is_valid_and_asks_for_rospy_under_ros_1_alone():
    package = pytest.importorskip("catkin_pkg.package").parse_package(str(ROOT / "package.xml"))
    assert (package.name, package.package_format) == ("pvtpp", 3)

    def needs(ros_version):
        package.evaluate_conditions({"ROS_VERSION": ros_version, "ROS_PYTHON_VERSION": "3"})
        chosen = [kind.content for kind in package.exports if kind.tagname == "build_type" and kind.evaluated_condition]
        return chosen, {need.name for need in package.exec_depends if need.evaluated_condition}

    build_type, names = needs("1")
    assert build_type == ["catkin"]
    assert {"rospy", "message_runtime", "python3-numpy"} <= names
    build_type, names = needs("2")
    assert build_type == ["ament_python"]
    assert not {"rospy", "message_runtime"} & names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without network from a copy, since building writes into the tree it builds."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    for path in project_files():
        copy = tree / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(path), str(copy))
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    run = subprocess.run([*build, str(tree)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(str(built)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_rooms_whole_and_nothing_else(wheel):
    tops = {name.split("/")[0] for name in wheel if ".dist-info/" not in name}
    assert tops <= set(ROOMS)
    sources = {str(path.relative_to(ROOT)) for _, path, _ in modules()}
    assert sources - set(wheel) == set(), "a folder of modules without __init__.py?"
    assert {name for name in wheel if name.endswith(".py")} <= sources
    assert {f"{room}/py.typed" for room in ROOMS if (ROOT / room / "py.typed").exists()} <= set(wheel)
    data = [path for kind in ("*.onnx", "*.json", "*.md") for path in (ROOT / "pvtpp" / "weights").glob(kind)]
    assert {str(path.relative_to(ROOT)) for path in data} <= set(wheel)


def test_the_wheel_needs_numpy_alone_and_brings_its_command_and_licence(wheel):
    def info(name):
        (path,) = [path for path in wheel if path.endswith(name) and ".dist-info/" in path]
        return wheel[path].decode()

    needs = re.findall(r"^Requires-Dist: ([\w.-]+)(.*)$", info("/METADATA"), re.MULTILINE)
    assert [name for name, condition in needs if "extra ==" not in condition] == ["numpy"]
    assert "pvtpp = pvtpp.cli.main:main" in info("entry_points.txt")
    assert "Apache License" in info("LICENSE")
