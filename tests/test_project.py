"""The shape of the project: which package may import which, what onboard code loads, how long a file may be."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
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
NOT_ONBOARD = ("torch", "onnx", "matplotlib", "lightning", "tensorboard")
SKIPPED_FOLDERS = {"build", "dist", "runs", "demo", "__pycache__", "node_modules"}
LONGEST_FILE = 400

# What a package may not import, not even inside a function. The longest name that matches a module applies to it.
ABOVE = ("pvtpp_trackers", "pvtpp_benchmarks", "pvtpp_ros_nodes")
# What the networks of trackers may import beside each other; the other modules of that folder are adapters.
SHARED = ("__init__", "crop", "decode", "siamese_configs")
ADAPTERS = tuple(
    f"pvtpp_trackers.{path.stem}" for path in sorted((ROOT / "trackers").glob("*.py")) if path.stem not in SHARED
)
FORBIDDEN = {
    "pvtpp": ("pvtpp.cli", "pvtpp.networks", *ABOVE),
    # It imports what it offers of other packages on first use.
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


def project_files():
    """Every file of the checkout that could be committed: no hidden folder but .ci, and nothing that a tool wrote."""
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
def test_a_wrong_import_is_found_in_every_form(module, source):
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pvtpp.cli.demo", "from pvtpp_benchmarks import metrics\nimport pvtpp_trackers.registry"),
        ("pvtpp.training.module", "import torch\nfrom pvtpp.networks import motion"),
        ("pvtpp_trackers.nanotrack", "from pvtpp import boxes\nfrom . import siamese"),
        ("pvtpp_trackers.nanotrack", "def f():\n    from pvtpp_trackers.models import zoo"),
        ("pvtpp_trackers.models.training", "from pvtpp_trackers.siamese_configs import CONFIGS\nfrom . import parts"),
        ("pvtpp_benchmarks.speed.nanotrack", "import torch, pvtpp_trackers.nanotrack"),
        ("pvtpp_benchmarks.run", "import torchless, pvtpp_ros_nodes_of_others"),
        ("pvtpp_ros_nodes.node", "import rospy, pvtpp_trackers, pvtpp_benchmarks, pvtpp.live.live_tracker"),
    ],
)
def test_a_permitted_import_passes(module, source):
    assert wrong_imports(module, source) == []


def test_no_import_names_a_folder():
    """At the root of the checkout, and only there, such an import works, and loads a second copy of our modules."""
    folders = "|".join(folder for name, folder in FOLDERS.items() if folder != name)
    pattern = re.compile(rf"\bfrom ({folders})(\.\w+)* import\b|(\bimport|-m) ({folders})\.")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in project_files()
        if path.suffix in (".py", ".md", ".launch", ".test", "") and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


# Run in a fresh interpreter. The finder refuses the forbidden packages whether or not they are installed, and records
# who imports them, so that `try: import torch` is found on a machine without torch as well.
IMPORT_ALL = """
import importlib, importlib.abc, json, sys, traceback

class Refusal(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in forbidden:
            refused.append([importing, name])
            raise ImportError(name + " is not part of onboard code")

names, forbidden = json.load(sys.stdin)
refused, broken = [], []
sys.meta_path.insert(0, Refusal())
for importing in names:
    try:
        importlib.import_module(importing)
    except Exception:
        broken.append([importing, traceback.format_exc()])
print(json.dumps([refused, broken]))
"""


def import_all(names, folder):
    """[module, forbidden package it imports] and [module, its error], of modules imported in a fresh interpreter."""
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


def test_onboard_code_imports_no_development_package():
    onboard = [
        name
        for name, _, _ in modules()
        if not any(within(name, package) for package in (*DEVELOPMENT, "pvtpp_ros_nodes"))
    ]
    assert "pvtpp.trajectory" in onboard
    refused, broken = import_all(onboard, Path(os.sep))
    assert not refused, "\n".join(f"importing {name} imports {package}" for name, package in refused)
    assert not broken, "\n".join(f"{name} does not import:\n{error}" for name, error in broken)


@pytest.mark.parametrize("package", NOT_ONBOARD)
def test_a_guarded_import_of_a_development_package_is_found(tmp_path, package):
    (tmp_path / "guarded.py").write_text(f"try:\n    import {package}.inner\nexcept ImportError:\n    pass\n")
    assert import_all(["guarded"], tmp_path) == [[["guarded", package]], []]


def lines_of_code(source):
    """Number of lines that are neither blank nor part of a docstring: documentation is no reason to split a file."""
    documented = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(getattr(first, "value", None), ast.Constant):
            documented.update(range(first.lineno, first.end_lineno + 1))
    return sum(bool(line.strip()) and number not in documented for number, line in enumerate(source.splitlines(), 1))


def test_no_file_is_too_long():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in project_files()
        if path.suffix == ".py"
        for lines in [lines_of_code(path.read_text())]
        if lines > LONGEST_FILE
    }
    assert not long, f"longer than {LONGEST_FILE} lines: {long}"


def test_only_ci_names_the_folder_of_shared_files():
    # In two parts, so that this file does not name it.
    wanted = ("../" + "shared").encode()
    naming = [str(path.relative_to(ROOT)) for path in project_files() if wanted in path.read_bytes()]
    assert naming == [os.path.join(".ci", "run")]


def test_no_committed_figure_names_a_folder_of_the_machine_that_it_is_from():
    """The command of a figure is one that others run: its paths are relative."""
    named = []
    for path in (each for each in project_files() if each.suffix == ".json"):
        for command in re.findall(r'"command": "([^"]*)"', path.read_text(encoding="utf-8")):
            named += [f"{path.relative_to(ROOT)}: {word}" for word in re.split(r"[\s=:]", command) if word[:1] == "/"]
    assert not named
