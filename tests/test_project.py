"""The shape of the project: which package may import which, what the onboard part loads, what the wheel holds."""

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
FOLDERS = {
    "pvtpp": "pvtpp",
    "pvtpp_trackers": "trackers",
    "pvtpp_benchmarks": "benchmarks",
    "pvtpp_ros_nodes": "ros_nodes",
}
DEVELOPMENT = (
    "pvtpp.networks",
    "pvtpp.training",
    "pvtpp.export",
    "pvtpp_trackers.models",
    "pvtpp_benchmarks.exporting",
    "pvtpp_benchmarks.speed",
    "pvtpp_benchmarks.studies",
)
NOT_ONBOARD = ("torch", "onnx", "matplotlib", "lightning", "tensorboard", "polygraphy")
SKIPPED_FOLDERS = {"build", "dist", "runs", "demo", "__pycache__", "node_modules"}
LONGEST_FILE = 400

# For the package with the longest matching name: what it may not import, not even inside a function.
ABOVE = ("pvtpp_trackers", "pvtpp_benchmarks", "pvtpp_ros_nodes")
# What the networks of trackers may import beside each other; the other modules of that folder are adapters.
SHARED = ("__init__", "crop", "decode", "siamese_configs")
ADAPTERS = tuple(
    f"pvtpp_trackers.{path.stem}" for path in sorted((ROOT / "trackers").glob("*.py")) if path.stem not in SHARED
)
FORBIDDEN = {
    "pvtpp": ("pvtpp.cli", "pvtpp.networks", *ABOVE),
    # The public face is lazy: what it offers of other packages is imported when it is asked for.
    "pvtpp.public": ("pvtpp.cli", "pvtpp.networks", "pvtpp_ros_nodes"),
    "pvtpp.networks": ("pvtpp.cli", *ABOVE),
    "pvtpp.training": ("pvtpp.cli", *ABOVE),
    "pvtpp.export": ("pvtpp.cli", *ABOVE),
    "pvtpp.cli": ("pvtpp.networks", "pvtpp_ros_nodes"),
    "pvtpp_trackers": ("pvtpp.cli", "pvtpp.networks", "pvtpp_benchmarks", "pvtpp_ros_nodes"),
    # Adapters load the networks, the networks know nothing of adapters.
    "pvtpp_trackers.models": ("pvtpp.cli", "pvtpp.networks", "pvtpp_benchmarks", "pvtpp_ros_nodes", *ADAPTERS),
    "pvtpp_benchmarks": ("pvtpp.cli", "pvtpp.networks", "pvtpp.training", "pvtpp.export", "pvtpp_ros_nodes", "torch"),
    "pvtpp_benchmarks.exporting": ("pvtpp.cli", "pvtpp_ros_nodes"),
    "pvtpp_benchmarks.speed": ("pvtpp.cli", "pvtpp_ros_nodes"),
    "pvtpp_benchmarks.studies": ("pvtpp.cli", "pvtpp_ros_nodes"),
    "pvtpp_ros_nodes": ("pvtpp.cli", "pvtpp.networks", "pvtpp.training", "pvtpp.export", "torch"),
}


def within(module, package):
    return module == package or module.startswith(package + ".")


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
    package = max((package for package in FORBIDDEN if within(module, package)), key=len)
    return [
        f"{module}:{line} imports {name}; {package} may not"
        for line, name in imported(module, source, is_package)
        for forbidden in FORBIDDEN[package]
        if within(name, forbidden)
    ]


def modules():
    """(dotted name, path, is package) of every module of the four packages."""
    for top, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = (top, *path.relative_to(ROOT / folder).with_suffix("").parts)
            is_package = parts[-1] == "__init__"
            yield ".".join(parts[:-1] if is_package else parts), path, is_package


def installed(path):
    """Where a module of the checkout lies in an installation."""
    folder, *rest = path.relative_to(ROOT).parts
    return "/".join([next(name for name, own in FOLDERS.items() if own == folder), *rest])


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
        ("pvtpp.track", "import pvtpp_trackers"),
        ("pvtpp.track", "def f():\n    from pvtpp_benchmarks.pairing import pair"),
        ("pvtpp.track", "from . import cli"),
        ("pvtpp.live.live_tracker", "from ..cli import main"),
        ("pvtpp.track", "import importlib\nimportlib.import_module('pvtpp_trackers.nanotrack')"),
        ("pvtpp.inference.torch_runtime", "import pvtpp.networks.motion"),
        ("pvtpp.cli.demo", "from pvtpp import networks"),
        ("pvtpp_trackers.replay", "from pvtpp_benchmarks import metrics"),
        ("pvtpp_trackers.models.training", "from pvtpp_trackers import registry"),
        ("pvtpp_trackers.models.siamrpn", "def f():\n    from ..siamrpn import SiamRPN"),
        ("pvtpp_benchmarks.run", "from pvtpp_ros_nodes.core import Core"),
        ("pvtpp_benchmarks.run", "def f():\n    import torch.nn"),
        ("pvtpp_ros_nodes.node", "import pvtpp.cli.main"),
    ],
)
def test_a_wrong_import_is_found_wherever_it_hides(module, source):
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pvtpp.cli.demo", "from pvtpp_benchmarks import metrics\nimport pvtpp_trackers.registry"),
        ("pvtpp.training.module", "import torch\nfrom pvtpp.networks import motion"),
        ("pvtpp_trackers.nanotrack", "from pvtpp import boxes\nfrom . import siamese"),
        ("pvtpp_trackers.nanotrack", "def f():\n    from pvtpp_trackers.models import zoo"),
        ("pvtpp_trackers.models.training", "from pvtpp_trackers.siamese_configs import CONFIGS\nfrom . import parts"),
        ("pvtpp_benchmarks.speed.nanotrack", "import torch, trackers.nanotrack"),
        ("pvtpp_benchmarks.run", "import torchless, trackers_of_others"),
        ("pvtpp_ros_nodes.node", "import rospy, trackers, benchmarks, pvtpp.live.live_tracker"),
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
            raise ImportError(name + " is not part of what flies")

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
        input=json.dumps([names, NOT_ONBOARD]),
        cwd=str(folder),
        env={**os.environ, "PYTHONPATH": str(folder)} if str(folder) != os.sep else None,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def test_importing_the_onboard_part_asks_for_no_development_package():
    onboard = [
        name
        for name, _, _ in modules()
        if not any(within(name, package) for package in (*DEVELOPMENT, "pvtpp_ros_nodes"))
    ]
    assert "pvtpp.trajectory" in onboard
    asked, broken = import_all(onboard, Path(os.sep))
    assert not asked, "\n".join(f"importing {name} asks for {package}" for name, package in asked)
    assert not broken, "\n".join(f"{name} does not import:\n{error}" for name, error in broken)


@pytest.mark.parametrize("package", NOT_ONBOARD)
def test_a_guarded_import_of_a_development_package_is_noticed(tmp_path, package):
    (tmp_path / "guarded.py").write_text(f"try:\n    import {package}.inner\nexcept ImportError:\n    pass\n")
    assert import_all(["guarded"], tmp_path) == [[["guarded", package]], []]


def lines_of_code(source):
    """Lines that are neither blank nor part of a docstring: documentation is no reason to split a file."""
    documented = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(getattr(first, "value", None), ast.Constant):
            documented.update(range(first.lineno, first.end_lineno + 1))
    return sum(bool(line.strip()) and number not in documented for number, line in enumerate(source.splitlines(), 1))


def test_files_stay_small_enough_to_be_one_concept():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in project_files()
        if path.suffix == ".py"
        for lines in [lines_of_code(path.read_text())]
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


def test_the_wheel_holds_the_packages_whole_and_nothing_else(wheel):
    tops = {name.split("/")[0] for name in wheel if ".dist-info/" not in name}
    assert tops <= set(FOLDERS)
    sources = {installed(path) for _, path, _ in modules()}
    assert sources - set(wheel) == set(), "a folder of modules without __init__.py?"
    assert {name for name in wheel if name.endswith(".py")} <= sources
    assert {f"{name}/py.typed" for name, folder in FOLDERS.items() if (ROOT / folder / "py.typed").exists()} <= set(
        wheel
    )
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
