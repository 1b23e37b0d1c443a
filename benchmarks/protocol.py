"""What a result has to say of itself: versions, commit, hardware, seed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import import_module
from typing import Any, Dict, Optional

import pvtpp

LIBRARIES = ("numpy", "cv2", "onnxruntime")


def facts(seed: int) -> Dict[str, Any]:
    """The `protocol` entry of every JSON that pvtpp writes."""
    from pvtpp.runtime.log import VERSION

    return {
        "pvtpp": pvtpp.__version__,
        "commit": commit(),
        "event_log": VERSION,
        "python": platform.python_version(),
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        "hardware": hardware(),
        "seed": seed,
        "command": " ".join(["pvtpp", *sys.argv[1:]]),
    }


def code_version() -> str:
    """The version of the code that makes a run: logs of another one are not taken for its own."""
    return f"{pvtpp.__version__}+{commit() or 'release'}"


def commit() -> Optional[str]:
    """The commit of the checkout this runs from, ``-dirty`` where tracked files differ; None outside a checkout."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not os.path.exists(os.path.join(here, ".git")):
        return None
    try:
        done = subprocess.run(
            ["git", "-C", here, "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def hardware() -> Dict[str, Any]:
    """Board or processor, and the cores this process may use."""
    return {"machine": _board() or _processor() or platform.machine(), "cores": os.cpu_count(), "system": platform.platform()}


def _board() -> Optional[str]:
    # Jetsons and other device-tree boards name themselves here.
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
