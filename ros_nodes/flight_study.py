"""The same flight on ROS 1 and ROS 2: accuracy, rate, age, CPU, what the node adds, lateness of an IMU, memory.

    source devel/setup.bash && python -m pvtpp_ros_nodes.flight_study --json flight_study.json
    .venv-ros2/bin/python -m pvtpp_ros_nodes.flight_study --json flight_study.json --soak 600
    python -m pvtpp_ros_nodes.flight_study --table flight_study.json

Plays a sequence at its own rate to the node with all defaults, which runs on the ROS that this Python has; with both in
one file the table compares them. ``simulated`` is the simulator, fed with the times that were recorded in that flight.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np

from pvtpp import defaults, predictors, propagation
from pvtpp.arguments import check_options
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp.trajectory import Trajectory
from pvtpp.validation import above, at_least, whole_from
from pvtpp_benchmarks import simulation
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.latency_study import SLEEPER, TRACKER_MS, Process, percentiles, thirds
from pvtpp_ros_nodes.study_link import Link, link, wait
from pvtpp_trackers import registry

SETTLED_NS = 500_000_000
"""The first results are left out: how fast a target is taken in is no matter of the middleware."""
IMU_HZ = 200.0


class Flight(Process):
    """A tracker node, and what it said.

    Parameters
    ----------
    to
        The middleware.
    parameters
        Of the node.
    """

    def __init__(self, to: Link, parameters: Mapping[str, Any]):
        super().__init__(to.tracker(parameters))
        self.heard: Dict[str, List[Any]] = {}

    def hear(self, topics: Dict[str, List[Any]]) -> None:
        """Wait until the node is ready: until it says how it is, in one of the lists that messages go to."""
        self.heard = topics
        try:
            wait(lambda: topics["diagnostics"] or self.status() is not None, "a ready tracker node")
            if self.status() is not None:
                raise InputError(f"the tracker node ended with status {self.status()}")
        except InputError:
            self.stop()
            raise


class World:
    """A sequence, and the topics on which it is played again and again.

    Parameters
    ----------
    to
        The middleware.
    sequence
        What is played.
    """

    def __init__(self, to: Link, sequence: VideoSequence):
        self.sequence = sequence
        self._link = to
        self._images = to.publisher("image", "sensor_msgs/Image")
        self._samples = to.publisher("imu", "sensor_msgs/Imu")
        self._infos = to.publisher("camera_info", "sensor_msgs/CameraInfo")
        # What publishing an image takes is no time of the player's.
        self._ready = [
            images.fill_image(to.message("sensor_msgs/Image"), sequence.frame(k).image) for k in range(len(sequence))
        ]
        self.heard: Dict[str, List[Any]] = {}
        topics = {"result": "Result", "target": "Target", "events": "Event"}
        for topic, kind in topics.items():
            self.heard[topic] = []
            to.subscribe(f"tracker/{topic}", f"pvtpp/{kind}", self._taking(topic))
        self.heard["diagnostics"] = []
        to.subscribe("/diagnostics", "diagnostic_msgs/DiagnosticArray", self._taking("diagnostics"))

    def launch(self, parameters: Mapping[str, Any]) -> Flight:
        """Start a node, and wait until it is ready."""
        for messages in self.heard.values():
            messages.clear()
        flight = Flight(self._link, parameters)
        flight.hear(self.heard)
        return flight

    def play(self, imu: bool = False, seconds: float = 0.0) -> int:
        """Play the sequence once, or over and over for so many seconds, and give the target in its first frame.

        Returns
        -------
        int
            When the first frame was captured, nanoseconds.
        """
        begin, over = time.time_ns() + 200_000_000, threading.Event()
        if imu:
            sampler = threading.Thread(target=self._measure, args=(over,), daemon=True)
            sampler.start()
        offsets = self.sequence.camera_t_ns - self.sequence.camera_t_ns[0]
        period = int(offsets[-1] - offsets[-2])
        asked = threading.Thread(target=self._ask, args=(begin,), daemon=True)
        count = max(round(seconds * 1e9 / period), len(offsets))
        for number in range(count):
            # Forth and back, so that the target never jumps.
            turn, index = divmod(number, len(offsets) - 1)
            index = index if turn % 2 == 0 else len(offsets) - 1 - index
            stamp = begin + number * period
            while time.time_ns() < stamp:
                time.sleep(max((stamp - time.time_ns()) * 1e-9, 0))
            message = self._ready[index if seconds else number]
            conversions.set_header(message.header, stamp, "camera")
            self._images(message)
            if imu and number % 10 == 0:
                self._infos(self._info(stamp, message))
            if number == 0:
                asked.start()
        time.sleep(0.3)
        over.set()
        asked.join()
        return begin

    def _ask(self, stamp: int) -> None:
        roi = conversions.fill_roi(self._link.message("pvtpp/Roi"), stamp, "camera", self.sequence.ground_truth_xywh[0])
        while not self._link.init(roi):
            time.sleep(0.02)

    def _measure(self, over: threading.Event) -> None:
        """An IMU that is at rest."""
        begin, number = time.time_ns(), 0
        while not over.is_set():
            number += 1
            due = begin + round(number * 1e9 / IMU_HZ)
            time.sleep(max((due - time.time_ns()) * 1e-9, 0))
            message = self._link.message("sensor_msgs/Imu")
            conversions.set_header(message.header, time.time_ns(), "camera")
            self._samples(message)

    def _info(self, stamp: int, image: Any) -> Any:
        matrix = np.array([[500.0, 0, image.width / 2], [0, 500.0, image.height / 2], [0, 0, 1]])
        info = self._link.message("sensor_msgs/CameraInfo")
        conversions.set_header(info.header, stamp, "camera")
        return conversions.fill_camera_info(info, matrix, image.width, image.height)

    def _taking(self, topic: str) -> Callable[[Any], None]:
        messages = self.heard[topic]
        return lambda message: messages.append((time.time_ns(), message))

    def logs(self) -> List[EventLog]:
        """Return the event logs that were heard from their beginning, by target."""
        made: Dict[int, List[Any]] = {}
        for _, event in list(self.heard["events"]):
            if event.number == 0 or event.target_id in made:
                made.setdefault(event.target_id, []).append(json.loads(event.line))
        return [EventLog(lines[0]["meta"], lines[1:]) for lines in made.values()]

    def counted(self, name: str) -> int:
        """Return a count of the newest diagnostics."""
        (_, array) = self.heard["diagnostics"][-1]
        return int(next(pair.value for pair in array.status[0].values if pair.key == name))


def truth_at(sequence: VideoSequence, t_ns: np.ndarray) -> np.ndarray:
    """The target's box ``(n, 4)`` at times since the first frame, nanoseconds; straight lines between frames."""
    known, boxes = sequence.world_t_ns - sequence.world_t_ns[0], xywh_to_box(sequence.ground_truth_xywh)
    return np.stack([np.interp(t_ns, known, boxes[:, column]) for column in range(4)], axis=1)


def fly(world: World, passes: int) -> Dict[str, Any]:
    """Fly the sequence so often with the default tracker; figures over all passes."""
    flight = world.launch({})
    try:
        idle = round(flight.cores(3.0), 3)
        rows: Dict[str, List[Any]] = {"result": [], "target": [], "age": [], "hz": [], "cpu": [], "late": []}
        simulated, lost = [], 0
        end = int(world.sequence.camera_t_ns[-1] - world.sequence.camera_t_ns[0])
        for _ in range(passes):
            for topic in ("result", "target", "events"):
                world.heard[topic].clear()
            before, began, taken = flight.cpu_s(), time.monotonic(), world.counted("frames")
            begin = world.play()
            rows["cpu"].append((flight.cpu_s() - before) / (time.monotonic() - began))
            wait(lambda: len(world.heard["diagnostics"]) > 1, "diagnostics")
            for topic in ("result", "target"):
                at = [(conversions.stamp_ns(each.header.stamp) - begin, each) for _, each in world.heard[topic]]
                at = [(t_ns, each) for t_ns, each in at if SETTLED_NS <= t_ns <= end]
                stamps = np.array([t_ns for t_ns, _ in at])
                found = np.array([each.box for _, each in at])
                rows[topic].append(iou(found, truth_at(world.sequence, stamps)))
                if topic == "target":
                    rows["age"].append([each.horizon * 1e9 for _, each in at])
                    rows["hz"].append((len(stamps) - 1) / (stamps[-1] - stamps[0]) * 1e9)
            log = world.logs()[-1]
            rows["late"].extend(row[1] - row[3] for row in log.of_kind("frame"))
            simulated.append(simulate(world.sequence, log, _medians(world)))
            world.heard["diagnostics"].clear()
            wait(lambda: world.heard["diagnostics"], "diagnostics")
            lost += len(world.sequence) - (world.counted("frames") - taken)
        ages = np.concatenate(rows["age"])
        return {
            "passes": passes,
            "results": sum(map(len, rows["result"])),
            "iou_result": _mean(rows["result"]),
            "iou_target": _mean(rows["target"]),
            "iou_target_passes": [round(float(each.mean()), 4) for each in rows["target"]],
            "iou_simulated": {key: _mean([each[key] for each in simulated]) for key in ("result", "target")},
            "target_hz": [round(each, 2) for each in rows["hz"]],
            "evidence_age_ms": percentiles(ages),
            "image_late_ms": percentiles(np.array(rows["late"])),
            "images_lost": lost,
            "cores_idle": idle,
            "cores_tracking": round(float(np.median(rows["cpu"])), 3),
        }
    finally:
        flight.stop()


def simulate(sequence: VideoSequence, log: EventLog, medians_ns: Mapping[str, int]) -> Dict[str, np.ndarray]:
    """Fly in the simulator with the times of a flight; IoU of result and target, as for the flight itself.

    What the images took to the node, in the median, is added to when everything became known.
    """
    first = log.of_kind("init")[0]
    begun: Dict[int, int] = {row[2]: row[1] for row in log.of_kind("track")}
    took = {row[2] - first[2]: row[1] - begun[row[2]] for row in log.of_kind("result") if row[2] in begun}
    usual = int(np.median(list(took.values())))
    late = int(np.median([row[1] - row[3] for row in log.of_kind("frame")]))
    made = simulation.simulate(
        sequence,
        registry.create(defaults.TRACKER),
        {defaults.PREDICTOR: predictors.create(defaults.PREDICTOR)},
        lambda number: took.get(number, usual),
        first_box=xywh_to_box(sequence.ground_truth_xywh[0]),
        predictor_ns=medians_ns["predict"],
        search_region=defaults.SEARCH_REGION,
        propagation=simulation.Propagation(propagation.create(defaults.PROPAGATION), medians_ns["propagate"]),
        presence=PresenceConfig(),
    )
    origin = int(sequence.camera_t_ns[0])
    end = int(sequence.camera_t_ns[-1]) - origin
    results = [row for row in made.of_kind("result") if row[3] - origin >= SETTLED_NS]
    seen = np.array([row[3] - origin for row in results])
    known = [(row[1] - origin + late, row[3:]) for row in made.of_kind("trajectory")]
    asked, boxes, newest = np.arange(SETTLED_NS, end, 10_000_000), [], 0
    for t_ns in asked.tolist():
        while newest + 1 < len(known) and known[newest + 1][0] <= t_ns:
            newest += 1
        boxes.append(Trajectory.from_row(known[newest][1]).at(t_ns + origin).box)
    return {
        "result": iou(np.array([row[4] for row in results]), truth_at(sequence, seen)),
        "target": iou(np.array(boxes), truth_at(sequence, asked)),
    }


def added(world: World, to: Link, options: argparse.Namespace) -> Dict[str, Any]:
    """From an image's stamp to the reader of its result, with a tracker that sleeps; less that sleep it is added."""
    os.environ[TRACKER_MS] = str(options.tracker_ms)
    flight = world.launch(SLEEPER)
    try:
        world.play(seconds=options.seconds)
        rows = [(at, conversions.stamp_ns(each.header.stamp)) for at, each in world.heard["result"]][10:]
        took = percentiles(np.array([at - stamp for at, stamp in rows]))
        return {"result_ms": took, "added_ms": round(took["p50"] - options.tracker_ms, 3)}
    finally:
        flight.stop()


def with_imu(world: World, seconds: float) -> Dict[str, Any]:
    """Fly with an IMU at `IMU_HZ`: how late its samples are, and whether images are lost that were not lost without."""
    figures: Dict[str, Any] = {}
    for name, imu in (("without", False), ("with", True)):
        given = {"imu": True, "camera_from_imu": "1, 0, 0, 0, 1, 0, 0, 0, 1"} if imu else {}
        flight = world.launch(given)
        try:
            world.play(imu, seconds)
            world.heard["diagnostics"].clear()
            wait(lambda: world.heard["diagnostics"], "diagnostics")
            sent = max(round(seconds * world.sequence.camera_fps), len(world.sequence))
            figures[f"images_lost_{name}"] = sent - world.counted("frames")
            if imu:
                late = [row[1] - row[2] for log in world.logs() for row in log.of_kind("gyro")]
                if not late:
                    raise InputError("the node has not used the IMU")
                figures.update(samples=len(late), late_ms={**percentiles(np.array(late)), "max": max(late) * 1e-6})
        finally:
            flight.stop()
    return figures


def soak(world: World, seconds: float) -> Dict[str, Any]:
    """Fly for long: memory and age of evidence in each third."""
    flight, memory, over = world.launch({}), [], threading.Event()

    def look() -> None:
        while not over.wait(1.0):
            memory.append(flight.resident_mib())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        world.play(seconds=seconds)
        over.set()
        watcher.join()
        # The first seconds are of loading.
        ages = np.array([each.horizon * 1e9 for _, each in world.heard["target"]])
        return {"seconds": seconds, **thirds(ages, memory[5:])}
    finally:
        flight.stop()


def table(content: Mapping[str, Any]) -> List[str]:
    """Write the figures of each middleware as rows of a table."""
    names = list(content["flights"])
    rows: Dict[str, List[str]] = {}

    def add(name: str, values: Sequence[Any]) -> None:
        rows[name] = [str(value) for value in values]

    found = [content["flights"][name] for name in names]
    add("IoU of result", [each["flight"]["iou_result"] for each in found])
    add("the simulator's", [each["flight"]["iou_simulated"]["result"] for each in found])
    add("IoU of ~target at its own time", [each["flight"]["iou_target"] for each in found])
    add("the simulator's, target", [each["flight"]["iou_simulated"]["target"] for each in found])
    add("~target, Hz", [f"{min(each['flight']['target_hz'])}..{max(each['flight']['target_hz'])}" for each in found])
    ages = [each["flight"]["evidence_age_ms"] for each in found]
    add("age of evidence, median and p95, ms", [f"{age['p50']:.1f}, {age['p95']:.1f}" for age in ages])
    add("images lost", [each["flight"]["images_lost"] for each in found])
    add("cores, idle and tracking", [f"{e['flight']['cores_idle']}, {e['flight']['cores_tracking']}" for e in found])
    add("added to the tracker's time, ms", [each["added"]["added_ms"] for each in found])
    add("IMU at 200 Hz: p99 of lateness, ms", [each["imu"]["late_ms"]["p99"] for each in found])
    add(
        "images lost without and with it",
        [f"{e['imu']['images_lost_without']}, {e['imu']['images_lost_with']}" for e in found],
    )
    if all("soak" in each for each in found):
        add("memory in thirds of the soak, MiB", [each["soak"]["memory_mib_thirds"] for each in found])
    lines = [f"| | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    return lines + [f"| {name} | {' | '.join(values)} |" for name, values in rows.items()]


def measure(options: argparse.Namespace) -> Dict[str, Any]:
    """Measure on the ROS that this Python has; figures by the middleware's name."""
    to = link()
    try:
        sequence = load(options.dataset, options.root, options.split or None)[options.sequence]
        world = World(to, sequence)
        found = {
            "flight": fly(world, options.passes),
            "added": added(world, to, options),
            "imu": with_imu(world, options.seconds),
        }
        if options.soak:
            found["soak"] = soak(world, options.soak)
        return {to.name: {"protocol": facts(0), **found}}
    finally:
        to.close()


def _mean(each: Sequence[np.ndarray]) -> float:
    return round(float(np.concatenate(each).mean()), 4)


def _medians(world: World) -> Dict[str, int]:
    """Median times of the stages, nanoseconds, as the newest diagnostics say."""
    (_, array) = world.heard["diagnostics"][-1]
    values = {pair.key: pair.value for pair in array.status[0].values}
    return {
        stage: round(float(values[f"{stage} median, p95 (ms)"].split(",")[0]) * 1e6)
        for stage in ("propagate", "predict")
    }


def main(arguments: Optional[List[str]] = None) -> int:
    """Print the figures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("PVTPP_DATA", "data")
    parser.add_argument("--dataset", default="uav-mini", help="default: %(default)s")
    parser.add_argument("--root", default=os.path.join(data, "uav-mini"), help="default: %(default)s")
    parser.add_argument("--split", default="test", help="default: %(default)s")
    parser.add_argument("--sequence", default="Surfing06", help="default: %(default)s")
    parser.add_argument("--passes", type=int, default=5, help="of the flight (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="with the IMU and the tracker that sleeps")
    parser.add_argument("--tracker-ms", type=float, default=20.0, help="that it sleeps (default: %(default)s)")
    parser.add_argument("--soak", type=float, default=0.0, metavar="S", help="also fly for so long, 600 to publish")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here, beside those of the other ROS")
    parser.add_argument("--table", metavar="FILE", help="measure nothing, print the table of this file")
    options = parser.parse_args(arguments)
    try:
        if options.table:
            with open(options.table, encoding="utf-8") as file:
                print("\n".join(table(json.load(file))))
            return 0
        positive = dict.fromkeys(("seconds", "tracker_ms"), above(0))
        check_options(options, {"passes": whole_from(1), **positive, "soak": at_least(0)})
        check_writable(options.json)
        content: Dict[str, Any] = {"flights": {}}
        if options.json and os.path.exists(options.json):
            with open(options.json, encoding="utf-8") as file:
                content = json.load(file)
        content["flights"].update(measure(options))
    except (InputError, OSError, ValueError, KeyError) as error:
        parser.error(str(error))
    print("\n".join(table(content)))
    if options.json:
        write_json(options.json, content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
