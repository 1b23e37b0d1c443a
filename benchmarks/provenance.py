"""The origin of a result: versions, commit, hardware, seed and command."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, Dict, Iterable, List, Optional

import pvtpp
from pvtpp_benchmarks import power
from pvtpp_benchmarks.datasets.sequence import VideoSequence

LIBRARIES = ("numpy", "cv2", "onnxruntime")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def facts(seed: int, power_state: bool = True) -> Dict[str, Any]:
    """The entry ``protocol`` of every JSON file that pvtpp writes.

    Parameters
    ----------
    seed
        Of what was run.
    power_state
        Also the power state, for which NVIDIA's tools are run where there are any; that takes up to seconds.

    Returns
    -------
    dict
        Versions, commit, hardware, power state (`pvtpp_benchmarks.power`), load, threads, runtime providers, seed and
        command.
    """
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
        **({"power": power.state()} if power_state else {}),
        "load": load(),
        "threads": threads(),
        "providers": providers(),
        "seed": seed,
        "command": shlex.join([*program.split(), *sys.argv[1:]]),
    }


def data_facts(name: str, sequences: Iterable[VideoSequence]) -> Dict[str, Any]:
    """The data that a result is of: name, number of sequences and camera frames, and a digest of boxes and rates."""
    listed = sorted((sequence.name, sequence.digest(), len(sequence)) for sequence in sequences)
    content = hashlib.sha256(repr([each[:2] for each in listed]).encode()).hexdigest()[:12]
    return {"dataset": name, "sequences": len(listed), "frames": sum(each[2] for each in listed), "digest": content}


def load() -> Optional[List[float]]:
    """The mean number of processes that wanted to run in the last 1, 5 and 15 minutes; None where unknown."""
    try:
        return [round(each, 2) for each in os.getloadavg()]
    except (OSError, AttributeError):
        return None


def threads() -> Dict[str, Any]:
    """How many processors this process may use, the threads of OpenCV, and the settings that others read."""
    found: Dict[str, Any] = {}
    if hasattr(os, "sched_getaffinity"):
        found["processors"] = len(os.sched_getaffinity(0))
    with suppress(ImportError):
        found["cv2"] = import_module("cv2").getNumThreads()
    return {**found, **{name: os.environ[name] for name in THREADS if os.environ.get(name)}}


def providers() -> List[str]:
    """The execution providers that ONNX Runtime has here, by priority; empty without it."""
    try:
        return list(import_module("onnxruntime").get_available_providers())
    except (ImportError, AttributeError):
        return []


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
