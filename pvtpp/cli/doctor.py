"""What this machine has of what pvtpp can use, and what to install for the rest, on one page.

A line begins with ok, with -- where something optional is missing, or with !! where nothing works without it; the exit
status is 1 where there is such a line. Nothing is changed, and nothing is opened but the clock: cameras are listed, not
tried.

  pvtpp doctor
"""

from __future__ import annotations

import argparse
import glob
import os
import platform
import sys
import time
from importlib import import_module, metadata, util
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Tuple

import pvtpp
from pvtpp import defaults, opencv, weights
from pvtpp.cli import output
from pvtpp.errors import InputError
from pvtpp.inference import tensorrt_library
from pvtpp_benchmarks.report.files import check_writable, write_json

OK, MISSING, BROKEN = "ok", "--", "!!"
LATE_MS = 5.0
"""A thread that wakes up later than this in the median makes every answer late."""
NAPS = 50


class Finding(NamedTuple):
    """One line: its section, its name, whether it is there (`OK`, `MISSING`, `BROKEN`), and what is known of it."""

    section: str
    name: str
    state: str
    text: str


EXTRAS: Tuple[Tuple[str, str, str, str], ...] = (
    ("pymavlink", "pymavlink", "mavlink", "a camera component for ground stations (track --mavlink)"),
    ("mcap", "mcap", "mcap", "exports for Foxglove (log export)"),
    ("foxglove", "foxglove-sdk", "foxglove", "a live view in Foxglove (track --foxglove)"),
    ("aiohttp", "aiohttp", "serve", "a page for a board without a screen (serve)"),
    ("av", "av", "streams", "cameras of the network (track, serve)"),
    ("rosbags", "rosbags", "bags", "bags of ROS 1 and ROS 2 (bag_eval)"),
    ("matplotlib", "matplotlib", "report", "plots"),
    ("distributed", "distributed", "cluster", "runs on a Dask cluster (eval --cluster)"),
    ("scipy", "scipy", "matlab", "result sets of UAV toolkits as MATLAB files (convert, replay)"),
    ("onnx", "onnx", "weights", "joining split network files, exports"),
    ("torch", "torch", "train", "training, and trackers in PyTorch"),
)
"""Import name, distribution, extra of pvtpp, and what it is for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--json", metavar="FILE", help="write the same as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the page; returns 1 where something is missing without which nothing works."""
    check_writable(options.json)
    found = findings()
    if options.json:
        write_json(options.json, [each._asdict() for each in found])
    output.say("\n".join(page(found)))
    return int(any(each.state == BROKEN for each in found))


def findings() -> List[Finding]:
    """Look at this machine."""
    parts: Tuple[Callable[[], Iterator[Finding]], ...] = (
        _machine,
        _python,
        _runtimes,
        _weights,
        _cameras,
        _clocks,
        _ros,
        _extras,
    )
    return [finding for part in parts for finding in part()]


def page(found: List[Finding]) -> Iterator[str]:
    """Make the lines of the page."""
    section = ""
    for each in found:
        if each.section != section:
            section = each.section
            yield f"{section}:"
        yield f"  {each.state} {each.name}: {each.text}"


def _machine() -> Iterator[Finding]:
    model = _read("/proc/device-tree/model") or platform.machine()
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB of memory"
    yield Finding("machine", "model", OK, f"{model}, {os.cpu_count()} cores{memory}, {platform.system()}")
    governor = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor and governor != "performance":
        yield Finding("machine", "frequency", MISSING, f"governor {governor}: timings vary (Jetson: jetson_clocks)")
    elif governor:
        yield Finding("machine", "frequency", OK, f"governor {governor}")


def _python() -> Iterator[Finding]:
    section = "library"
    yield Finding(section, "pvtpp", OK, f"{pvtpp.__version__}, Python {platform.python_version()}, {sys.executable}")
    problem = opencv.problem()
    if problem is not None:
        yield Finding(section, "OpenCV", BROKEN, problem)
        return
    import cv2

    built = cv2.getBuildInformation() if hasattr(cv2, "getBuildInformation") else ""
    can = [name for name in ("GStreamer", "FFMPEG") if _is_built(built, name)]
    yield Finding(
        section, "OpenCV", OK, f"{cv2.__version__}, video by {', '.join(can) or 'neither GStreamer nor FFmpeg'}"
    )


def _is_built(built: str, name: str) -> bool:
    lines = [line for line in built.splitlines() if line.strip().startswith(f"{name}:")]
    return bool(lines) and "YES" in lines[0]


def _runtimes() -> Iterator[Finding]:
    section = "inference"
    runtime = _imported("onnxruntime")
    if isinstance(runtime, str):
        text = (
            f"{runtime}: pip install 'pvtpp[cpu]', or 'pvtpp[gpu]' with an NVIDIA GPU; JetPack has a wheel of its own"
        )
        yield Finding(section, "ONNX Runtime", BROKEN, text)
    else:
        providers = [name.replace("ExecutionProvider", "") for name in runtime.get_available_providers()]
        yield Finding(section, "ONNX Runtime", OK, f"{runtime.__version__}, providers {', '.join(providers)}")
        both = [name for name in ("onnxruntime", "onnxruntime-gpu") if _version(name)]
        if len(both) > 1:
            text = f"{' and '.join(both)} overwrite one another: uninstall both, then install one"
            yield Finding(section, "ONNX Runtime", BROKEN, text)
    library, problems = tensorrt_library.look()
    if library is not None:
        yield Finding(section, "TensorRT", OK, library.title)
    for problem in problems:
        yield Finding(section, "TensorRT", MISSING, f"only for NVIDIA GPUs: {problem}")


def _weights() -> Iterator[Finding]:
    for entry in weights.list_entries():
        try:
            yield Finding("weights", entry.name, OK, str(weights.path(entry.name)))
        except weights.MissingWeights:
            pulled = all(file.url for file in entry.files)
            how = f"pvtpp weights pull {entry.name}" if pulled else f"by hand, from {entry.note}"
            default = ", the default tracker's" if defaults.TRACKER.startswith(entry.name) else ""
            yield Finding("weights", entry.name, MISSING, f"not here{default}: {how}")
        except InputError as error:
            yield Finding("weights", entry.name, MISSING, str(error))


def _cameras() -> Iterator[Finding]:
    found = sorted(glob.glob("/dev/video*"))
    for device in found:
        name = _read(f"/sys/class/video4linux/{os.path.basename(device)}/name") or "no name"
        may = os.access(device, os.R_OK | os.W_OK)
        text = (
            name if may else f"{name}; not allowed to open it: sudo usermod -aG video {os.environ.get('USER', 'USER')}"
        )
        yield Finding("cameras", device, OK if may else MISSING, text)
    if not found:
        yield Finding("cameras", "/dev/video*", MISSING, "none is connected")


def _clocks() -> Iterator[Finding]:
    section = "clocks"
    source = _read("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    late = wake_up_ms()
    text = f"a thread wakes up {late:.2f} ms late in the median" + (f", clock source {source}" if source else "")
    yield Finding(section, "wake-up", OK if late < LATE_MS else MISSING, text)
    synchronised = _synchronised()
    if synchronised is None:
        text = "not known whether it is synchronised (chrony or systemd-timesyncd); capture times of others need that"
        yield Finding(section, "system time", MISSING, text)
    else:
        yield Finding(section, "system time", OK, synchronised)


def wake_up_ms() -> float:
    """How late a thread wakes up that sleeps for a millisecond, median, milliseconds."""
    late = []
    for _ in range(NAPS):
        start = time.perf_counter()
        time.sleep(1e-3)
        late.append((time.perf_counter() - start - 1e-3) * 1e3)
    return sorted(late)[NAPS // 2]


def _synchronised() -> Optional[str]:
    if os.path.exists("/run/systemd/timesync/synchronized"):
        return "synchronised by systemd-timesyncd"
    for name in ("/run/chrony/chronyd.pid", "/run/chronyd.pid", "/var/run/ptp4l"):
        if os.path.exists(name):
            return f"{os.path.basename(name).split('.')[0]} is running"
    return None


def _ros() -> Iterator[Finding]:
    distribution = os.environ.get("ROS_DISTRO", "")
    for name, package, page in (("ROS 1", "rospy", "ros.md"), ("ROS 2", "rclpy", "ros2.md")):
        if _is_there(package):
            yield Finding("ROS", name, OK, f"{package} is there" + (f", {distribution}" if distribution else ""))
        else:
            missing = f"no {package} in this Python; source the setup.bash of ROS, docs/how-to/{page}"
            yield Finding("ROS", name, MISSING, missing)


def _extras() -> Iterator[Finding]:
    for module, distribution, extra, purpose in EXTRAS:
        if _is_there(module):
            yield Finding("extras", module, OK, f"{_version(distribution) or 'no version'}: {purpose}")
        else:
            yield Finding("extras", module, MISSING, f"{purpose}: pip install 'pvtpp[{extra}]'")


def _imported(name: str) -> Any:
    """The module, or why it cannot be imported."""
    if not _is_there(name):
        return "not installed"
    try:
        return import_module(name)
    except Exception as error:
        return f"does not load ({type(error).__name__}: {str(error)[:120]})"


def _is_there(name: str) -> bool:
    try:
        return util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip("\0 \n")
    except OSError:
        return ""
