"""The origin of a result: versions, commit, hardware, seed and command."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import sys
from importlib import import_module
from typing import Any, Dict, Optional

import pvtpp

LIBRARIES = ("numpy", "cv2", "onnxruntime")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def facts(seed: int) -> Dict[str, Any]:
    """The entry ``protocol`` of every JSON file that pvtpp writes: versions, commit, hardware, seed and command."""
    from pvtpp.core.event_log import VERSION

    libraries = {name: version for name in LIBRARIES if (version := _version(name))}
    own = {"pvtpp": pvtpp.__version__, "event_log": VERSION, "python": platform.python_version()}
    program = os.path.basename(sys.argv[0])
    # `python -m` puts the file of the script into sys.argv, but the command to repeat needs the name of its module.
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and program.endswith(".py"):
        program = f"python -m {spec.name[: -len('.__main__')] if spec.name.endswith('.__main__') else spec.name}"
    return {
        "versions": {**own, **libraries},
        "commit": commit(),
        "hardware": hardware(),
        "seed": seed,
        "command": shlex.join([*program.split(), *sys.argv[1:]]),
    }


def code_version() -> str:
    """The version of the code that makes a run: version, commit and, of a changed checkout, a digest of the changes."""
    name = commit() or "release"
    return f"{pvtpp.__version__}+{name}" + (f".{_changes()}" if name.endswith("-dirty") else "")


def commit() -> Optional[str]:
    """The commit of this checkout, with ``-dirty`` where tracked files differ from it; None outside a checkout."""
    if not os.path.exists(os.path.join(ROOT, ".git")):
        return None
    return _git("describe", "--always", "--dirty", "--abbrev=12").strip() or None


def _changes() -> str:
    """A digest of the difference from the commit, so that two states of work in progress are two versions."""
    return hashlib.sha256(_git("diff", "HEAD").encode()).hexdigest()[:8]


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", ROOT, *arguments], capture_output=True, text=True, errors="replace", timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def hardware() -> Dict[str, Any]:
    """The machine (board or processor), the number of its cores, and the operating system."""
    return {
        "machine": _board() or _processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


def _board() -> Optional[str]:
    # Here Jetsons and other boards with a device tree give their name.
    return _first_line("/proc/device-tree/model").strip("\0") or None


def _processor() -> Optional[str]:
    for line in _text("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return None


def _first_line(path: str) -> str:
    return (_text(path).splitlines() or [""])[0]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _version(module: str) -> Optional[str]:
    try:
        return str(import_module(module).__version__)
    except ImportError:
        return None
