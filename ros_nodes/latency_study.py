"""Measures what the tracker node costs: the time it adds, the jitter of ``~target``, CPU, and whether memory grows.

    source devel/setup.bash && python -m pvtpp_ros_nodes.latency_study --json latency_study.json
    python -m pvtpp_ros_nodes.latency_study --soak 600

Starts a master, the node with its default propagation and predictor, and for comparison a bare node that runs the same
tracker in its callback and publishes its box: from an image's stamp to the reader of that box is transport and tracker.
The tracker sleeps `--tracker-ms`. Both get the same images at `--fps`, one node after the other.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from pvtpp.arguments import check_options
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.validation import above
from pvtpp_benchmarks import process_use
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_ros_nodes.study_link import Ros1Link, wait

SIZES = ((640, 360), (1280, 720))
TRACKER_MS = "PVTPP_LATENCY_TRACKER_MS"
WARM_UP_S = 2.0
SLEEPER = {"tracker": "pvtpp_ros_nodes.latency_study:Sleeper", "presence": False}
"""Parameters of a node whose tracker sleeps."""
BARE = "from pvtpp_ros_nodes.latency_study import bare; bare()"


class Sleeper:
    """A tracker that sleeps, and returns its first box."""

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Remember the box."""
        self._box = box

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Sleep as long as the environment says."""
        frame.image  # noqa: B018
        time.sleep(float(os.environ[TRACKER_MS]) * 1e-3)
        return TrackerOutput(self._box)


def bare() -> None:
    """Run the bare node: the tracker in the callback, its box with the header of the image."""
    import rospy
    from sensor_msgs.msg import Image

    from pvtpp.msg import Result
    from pvtpp_ros_nodes import images

    rospy.init_node("bare")
    tracker = Sleeper()
    tracker.init(Frame(0, 0), np.array([1.0, 1, 1, 1]))
    results = rospy.Publisher("/bare/result", Result, queue_size=10, tcp_nodelay=True)

    def track(message: Any) -> None:
        output = tracker.track(Frame(0, 0, images.raw_image(message)))
        results.publish(Result(header=message.header, box=output.box.tolist()))

    rospy.Subscriber("/camera/image", Image, track, queue_size=1, buff_size=1 << 25, tcp_nodelay=True)
    rospy.spin()


class Process:
    """A node as a process of its own.

    Parameters
    ----------
    command
        Runs the node.
    """

    def __init__(self, command: Sequence[str]):
        self._popen = subprocess.Popen(command)

    def status(self) -> Optional[int]:
        """Return the exit status; None while the process runs."""
        return self._popen.poll()

    def cpu_s(self) -> float:
        """Return the CPU time used so far, seconds."""
        return process_use.cpu_s(self._popen.pid)

    def resident_mib(self) -> float:
        """Return the resident memory, MiB."""
        return process_use.resident_mib(self._popen.pid)

    def cores(self, seconds: float) -> float:
        """Return how many cores the process uses on average over the next seconds."""
        before, began = self.cpu_s(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_s() - before) / (time.monotonic() - began)

    def stop(self) -> None:
        """End the process."""
        self._popen.terminate()
        try:
            self._popen.wait(20)
        except subprocess.TimeoutExpired:
            self._popen.kill()


class Reader:
    """Notes when messages arrive on a topic, and what their stamps are.

    Parameters
    ----------
    topic
        The topic.
    kind
        The class of its messages.
    """

    def __init__(self, topic: str, kind: Any):
        import rospy

        from pvtpp_ros_nodes import conversions

        self._rows: List[Tuple[int, int, int]] = []

        def take(message: Any) -> None:
            horizon_ns = round(getattr(message, "horizon", 0.0) * 1e9)
            self._rows.append((time.time_ns(), conversions.stamp_ns(message.header.stamp), horizon_ns))

        self._reader = rospy.Subscriber(topic, kind, take, queue_size=1000, tcp_nodelay=True)

    def rows(self) -> np.ndarray:
        """Return arrival, stamp and horizon (0 where there is none) of each message, int64 nanoseconds ``(n, 3)``."""
        return np.array(self._rows, dtype=np.int64).reshape(-1, 3)

    def forget(self) -> None:
        """Forget the messages so far."""
        self._rows.clear()

    def wait(self) -> None:
        """Wait for the first message; InputError where none comes."""
        wait(lambda: self._rows, "an answer of the node; is the workspace sourced and built?")


class Camera:
    """Publishes textured images at a steady rate, in a thread of its own, each with the stamp of its publication.

    Parameters
    ----------
    size
        Width and height, pixels.
    fps
        The rate, Hz.
    """

    def __init__(self, size: Tuple[int, int], fps: float):
        import rospy
        from sensor_msgs.msg import Image

        from pvtpp_ros_nodes import conversions, images

        rng = np.random.default_rng(0)
        ground = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        ready = [images.fill_image(Image(), np.roll(ground, 2 * step, axis=1)) for step in range(8)]
        publisher = rospy.Publisher("/camera/image", Image, queue_size=10, tcp_nodelay=True)
        self._over = threading.Event()

        def film() -> None:
            begin, index = time.monotonic(), 0
            while not self._over.wait(max(begin + index / fps - time.monotonic(), 0)):
                message = ready[abs(index % 14 - 7)]
                conversions.set_header(message.header, time.time_ns(), "camera")
                publisher.publish(message)
                index += 1

        self._thread = threading.Thread(target=film, daemon=True)
        self._thread.start()
        self._publisher = publisher

    def stop(self) -> None:
        """End the thread and the topic."""
        self._over.set()
        self._thread.join()
        self._publisher.unregister()


def follow(to: Ros1Link, size: Tuple[int, int], options: argparse.Namespace, seconds: float) -> Dict[str, Any]:
    """Measure the node on images of this size.

    Parameters
    ----------
    to
        The middleware.
    size
        Width and height, pixels.
    options
        Of the command line.
    seconds
        For how long.

    Returns
    -------
    dict
        Figures by name.
    """
    from pvtpp.msg import Result, Roi, Status, Target
    from pvtpp_ros_nodes import conversions

    node = Process(to.tracker(SLEEPER))
    results, targets = Reader("/camera/tracker/result", Result), Reader("/camera/tracker/target", Target)
    try:
        Reader("/camera/tracker/status", Status).wait()
        camera = Camera(size, options.fps)
        box = [size[0] / 2 - 30, size[1] / 2 - 20, 60, 40]
        while not to.init(conversions.fill_roi(Roi(), 0, "", box)):
            time.sleep(0.1)
        time.sleep(WARM_UP_S)
        results.forget()
        targets.forget()
        memory = []
        for _ in range(max(round(seconds), 3)):
            time.sleep(1)
            memory.append(node.resident_mib())
        tracked, published = results.rows(), targets.rows()
        camera.stop()
        time.sleep(1)
        # No images any more: what is used now is used to predict and to publish.
        cpu = node.cores(options.idle_s)
    finally:
        node.stop()
    return {
        "result_ms": percentiles(tracked[:, 0] - tracked[:, 1]),
        "target_hz": round((len(published) - 1) / ((published[-1, 1] - published[0, 1]) * 1e-9), 3),
        "target_jitter_ms": percentiles(np.abs(np.diff(published[:, 1]) - 1e7)),
        "target_transport_ms": percentiles(published[:, 0] - published[:, 1]),
        "publishing_cores": round(cpu, 4),
        **thirds(published[:, 2], memory),
    }


def follow_bare(size: Tuple[int, int], options: argparse.Namespace) -> Dict[str, float]:
    """Measure the time from an image's stamp to the reader of the bare node's box, milliseconds."""
    from pvtpp.msg import Result

    node = Process([sys.executable, "-c", BARE])
    results = Reader("/bare/result", Result)
    camera = Camera(size, options.fps)
    try:
        results.wait()
        time.sleep(WARM_UP_S)
        results.forget()
        time.sleep(options.seconds)
        rows = results.rows()
    finally:
        camera.stop()
        node.stop()
    return percentiles(rows[:, 0] - rows[:, 1])


def percentiles(nanoseconds: np.ndarray) -> Dict[str, float]:
    """Compute p50, p95 and p99 of durations in nanoseconds, in milliseconds."""
    return {f"p{q}": round(float(np.percentile(nanoseconds, q)) * 1e-6, 3) for q in (50, 95, 99)}


def thirds(ages_ns: np.ndarray, memory_mib: Sequence[float]) -> Dict[str, List[Any]]:
    """Figures of each third of a run: percentiles of the age of evidence, and the median of memory."""
    return {
        "evidence_age_ms_thirds": [percentiles(third) for third in np.array_split(ages_ns, 3)],
        "memory_mib_thirds": [round(float(np.median(third)), 1) for third in np.array_split(memory_mib, 3)],
    }


def measure(options: argparse.Namespace) -> Dict[str, Any]:
    """Measure as the command line asks: figures by image size. Raises InputError without ROS 1 or a workspace."""
    os.environ[TRACKER_MS] = str(options.tracker_ms)
    try:
        import pvtpp.msg  # noqa: F401

        to = Ros1Link()
    except ImportError as error:
        raise InputError(f"this needs ROS 1 and a built workspace: source devel/setup.bash ({error})") from None
    try:
        if options.soak:
            return {"x".join(map(str, SIZES[0])): follow(to, SIZES[0], options, options.soak)}
        found = {}
        for size in SIZES:
            plain, figures = follow_bare(size, options), follow(to, size, options, options.seconds)
            added = round(figures["result_ms"]["p50"] - plain["p50"], 3)
            found["x".join(map(str, size))] = {"bare_ms": plain, "added_ms": added, **figures}
        return found
    finally:
        to.close()


def main(arguments: Optional[List[str]] = None) -> int:
    """Print the figures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="per size and node (default: %(default)s)")
    parser.add_argument(
        "--soak", type=float, default=0.0, metavar="S", help="one run this long instead, 640x360, 600 to publish"
    )
    parser.add_argument("--idle-s", type=float, default=5.0, help="for the CPU of publishing (default: %(default)s)")
    parser.add_argument("--fps", type=float, default=30.0, help="default: %(default)s")
    parser.add_argument("--tracker-ms", type=float, default=20.0, help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_options(options, dict.fromkeys(("seconds", "idle_s", "fps", "tracker_ms"), above(0)))
        check_writable(options.json)
        figures = measure(options)
    except InputError as error:
        parser.error(str(error))
    protocol = facts(0)
    print(f"{options.fps:g} fps, tracker {options.tracker_ms:g} ms, {protocol['hardware']['machine']}")
    for size, rows in figures.items():
        for name, value in rows.items():
            print(f"{size:>10} {name:>24}  {value}")
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key != "json"}
        write_json(options.json, {"protocol": protocol, "settings": settings, "sizes": figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
