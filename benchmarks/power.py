"""Power mode, CPU governor and clocks of the machine: without them the figures of a timing cannot be compared.

They are read from files of the kernel and from NVIDIA's tools where these are present; anything else is left out. The
paths are those of JetPack 5 and 6. None of this has been run on a Jetson yet.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

CPUS = "sys/devices/system/cpu/cpu[0-9]*/cpufreq"
GPUS = ("ga10b", "gv11b", "gp10b", "gpu")
"""Parts of the names of GPUs among the devices of devfreq: Orin, Xavier, TX2, and newer kernels."""


def state(root: Union[str, Path] = "/") -> Dict[str, Any]:
    """Read the power state of the machine.

    Parameters
    ----------
    root
        The folder that holds the kernel's files.

    Returns
    -------
    dict
        Where known: ``l4t`` (release), ``nvpmodel`` (power mode), ``governor``, ``cpu`` and ``gpu`` (lists of lowest,
        highest and present clocks, in kHz and Hz as the kernel has them), ``fixed`` (whether all clocks are pinned, as
        by jetson_clocks) and ``nvidia_smi`` (state of a desktop GPU).
    """
    root = Path(root)
    cpu = [_clock(folder, "scaling_{}_freq") for folder in sorted(root.glob(CPUS))]
    gpu = [
        _clock(folder, "{}_freq")
        for folder in sorted(root.glob("sys/class/devfreq/*"))
        if any(name in folder.name for name in GPUS)
    ]
    clocks = [each for each in (*cpu, *gpu) if each]
    found = {
        "l4t": _first_line(root / "etc" / "nv_tegra_release"),
        "nvpmodel": _answer("nvpmodel", "-q"),
        "governor": _first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "cpu": [each for each in cpu if each],
        "gpu": [each for each in gpu if each],
        "fixed": all(each.get("min") == each.get("max") for each in clocks) if clocks else None,
        "nvidia_smi": _answer(
            "nvidia-smi",
            "--query-gpu=name,driver_version,pstate,clocks.sm,clocks.mem,power.limit",
            "--format=csv,noheader",
        ),
    }
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def _clock(folder: Path, pattern: str) -> Dict[str, int]:
    """Lowest, highest and present frequency, where the files are present."""
    read: List[Tuple[str, Optional[str]]] = [
        (name, _first_line(folder / pattern.format(name))) for name in ("min", "max", "cur")
    ]
    return {name: int(text) for name, text in read if text and text.isdigit()}


def _first_line(path: Path) -> Optional[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return lines[0].strip("\0 ") if lines else None


def _answer(*command: str) -> Optional[str]:
    """The output of a command on one line; None where it fails or says nothing."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return " ".join(done.stdout.split()) or None
