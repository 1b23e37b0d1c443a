"""ROS, MAVLink and the page for a browser: what they take, and how right they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Tuple

from pvtpp.files import read_json
from pvtpp_benchmarks.results_pages.blocks import (
    Block,
    Content,
    Lines,
    from_json,
    listed,
    paragraph,
    percent,
    size,
    table,
    three,
)
from pvtpp_benchmarks.results_pages.measured import made_on, measured

Entry = Mapping[str, Any]


def ros_latency(content: Content) -> Lines:
    """What the node of ROS 1 adds to a tracker in a callback."""
    rows: List[Tuple[str, Callable[[Entry], str]]] = [
        ("a bare node, median", lambda at: f"{at['bare_ms']['p50']:.1f} ms"),
        ("the node adds, median", lambda at: f"{max(at['added_ms'], 0.0):.1f} ms"),
        ("`~target`", lambda at: f"{at['target_hz']:.2f} Hz"),
        (
            "its jitter, median and 99 %",
            lambda at: f"{at['target_jitter_ms']['p50']:.2f} and {at['target_jitter_ms']['p99']:.1f} ms",
        ),
        ("predicting and publishing", lambda at: f"{percent(at['publishing_cores'], 1)} % of a core"),
    ]
    cells = [[words, *(text(at) for at in content["sizes"].values())] for words, text in rows]
    settings = content["settings"]
    of = f"{settings['fps']:.0f} fps, a tracker that sleeps {settings['tracker_ms']:.0f} ms."
    return measured(content, ["", *content["sizes"]], cells, of)


def _thirds(memory: Any, ages: Any) -> List[List[str]]:
    """Lines of a table of the first, second and last third of a long run."""
    return [
        ["age of evidence, median, ms", *(f"{each['p50']:.1f}" for each in ages)],
        ["age of evidence, 95 %, ms", *(f"{each['p95']:.1f}" for each in ages)],
        ["memory, MiB", *(f"{each:.1f}" for each in memory)],
    ]


THIRDS = ["", "first third", "second", "last"]


def ros_soak(content: Content) -> Lines:
    """The node of ROS 1 for minutes."""
    ((name, at),) = content["sizes"].items()
    rows = _thirds(at["memory_mib_thirds"], at["evidence_age_ms_thirds"])
    of = f"{content['settings']['soak'] / 60:.0f} minutes at {content['settings']['fps']:.0f} fps, {name}."
    return measured(content, THIRDS, rows, of)


def ros2_soak(content: Content) -> Lines:
    """The node of ROS 2 for minutes."""
    flight = content["flights"]["ROS 2"]
    soak = flight["soak"]
    rows = _thirds(soak["memory_mib_thirds"], soak["evidence_age_ms_thirds"])
    return measured(flight, THIRDS, rows, f"{soak['seconds'] / 60:.0f} minutes.")


def _measured(given: float, simulated: float) -> str:
    return f"{three(given)}, {three(simulated)}"


FLIGHT: List[Tuple[str, Callable[[Entry], str]]] = [
    (
        "IoU of `~result`; in the simulator",
        lambda at: _measured(at["flight"]["iou_result"], at["flight"]["iou_simulated"]["result"]),
    ),
    (
        "IoU of `~target` at its own time; in the simulator",
        lambda at: _measured(at["flight"]["iou_target"], at["flight"]["iou_simulated"]["target"]),
    ),
    (
        "`~target`, slowest and fastest pass",
        lambda at: f"{min(at['flight']['target_hz']):.1f} and {max(at['flight']['target_hz']):.1f} Hz",
    ),
    (
        "age of evidence, median and 95 %",
        lambda at: f"{listed(at['flight']['evidence_age_ms'][key] for key in ('p50', 'p95'))} ms",
    ),
    ("images lost", lambda at: str(at["flight"]["images_lost"])),
    (
        "cores, idle and tracking",
        lambda at: f"{at['flight']['cores_idle']:.2f} and {at['flight']['cores_tracking']:.2f}",
    ),
    ("transport and node, beside the tracker", lambda at: f"{at['added']['added_ms']:.1f} ms"),
    (
        "lateness of an IMU's samples, median and 99 %",
        lambda at: f"{listed(at['imu']['late_ms'][key] for key in ('p50', 'p99'))} ms",
    ),
    (
        "images lost without and with the IMU",
        lambda at: f"{at['imu']['images_lost_without']} and {at['imu']['images_lost_with']}",
    ),
]
"""What is compared, in words."""


def flights(root: Path) -> Lines:
    """The same flight on ROS 1 and ROS 2."""
    found = read_json(str(root / "ros_nodes/flight_study.json"))["flights"]
    names = sorted(found)
    again = read_json(str(root / "ros_nodes/flight_soak.json"))["flights"]["ROS 2"]["imu"]["late_ms"]["p99"]
    rows = [[words, *(text(found[name]) for name in names)] for words, text in FLIGHT]
    passes = f"{found[names[0]]['flight']['passes']} passes under each."
    noise = f"In the run below, the 99 % of an IMU's lateness on ROS 2 was {again:.1f} ms."
    return measured(found[names[0]], ["", *names], rows, f"{passes} {noise}")


TRANSPORTS = {"default": "default Fast DDS", "shipped": "the profile `fastdds.xml`"}
QUALITIES = {"sensor data": "best effort", "reliable": "reliable"}


def transport(content: Content) -> Lines:
    """Images between two processes, with and without the profile."""
    rows = []
    for name, words in TRANSPORTS.items():
        for row in content["rows"]:
            if row["transport"] == name:
                share = f"{row['arrived']} of {content['sent']}"
                times = [f"{row['ms'][key]:.1f}" for key in ("p50", "p95", "p99")]
                rows.append([words, QUALITIES[row["quality"]], row["size"], share, *times])
    heads = ["transport", "reliability", "image", "arrive", "delay, ms, median", "95 %", "99 %"]
    return measured(content, heads, rows, f"{content['fps']:.0f} Hz.")


def mavlink(content: Content) -> Lines:
    """Rectangles that a ground station receives."""
    names = ("received_iou", "simulator_iou", "without_lead_iou")
    rows = [[row["clip"], f"{row['received']:,}", *(three(row[name]) for name in names)] for row in content["rows"]]
    means = [sum(row[name] for row in content["rows"]) / len(content["rows"]) for name in names]
    rows.append(["mean over clips", f"{sum(row['received'] for row in content['rows']):,}", *map(three, means)])
    heads = ["clip", "rectangles", "IoU, as received", "simulator, same lead", "without a lead"]
    return measured(content, heads, rows)


def clicks(content: Content) -> Lines:
    """Boxes made of one click: means over clips, and the clips on which the motion misleads."""
    rows, worse = [], []
    for data, each in content["iou"].items():
        for row in each:
            if row["clip"] != "mean":
                if not row["beside"] and row["motion"] < row["square"]:
                    worse.append(f"{row['clip']} ({three(row['motion'])} against {three(row['square'])})")
                continue
            where = f"up to {row['beside']:g} of a side beside" if row["beside"] else "the centre"
            cells = [three(row["square"]), three(row["motion"]), f"{percent(row['found'])} %"]
            rows.append([where, f"{data}, {len({of['clip'] for of in each}) - 1}", *cells])
    heads = ["clicked", "clips", "square of a tenth of the width", "by motion, else the square", "found by motion"]
    below = f"Worse than the square, where the centre is clicked: {', '.join(worse) or 'none'}."
    words = f"{made_on(content)} {content['clicks']} clicks on each clip."
    return [*table(heads, rows), "", *paragraph(below), "", *paragraph(words)]


def streams(content: Content) -> Lines:
    """Sources by network: capture times and delays."""
    rows = []
    for name, at in content["kinds"].items():
        age = f"{at['evidence_age_ms']['p50']:.0f}, {at['evidence_age_ms']['p95']:.0f}"
        cells = [f"{at['time_error_ms']['p50']:.1f}", f"{at['delay_ms']['p50']:.0f}", age]
        rows.append([f"`{name}://`", f"`{at['timing']}`", *cells, f"{at['beyond_delay_frames']:.2f}"])
    heads = ["source", "capture times by", "their error", "delay of a frame", "age of the evidence, 95 %"]
    heads += ["beyond the delay, frames"]
    settings = content["settings"]
    of = f"{size(settings['size'])} at {settings['fps']:.0f} fps, a tracker of {settings['tracker_ms']:.0f} ms."
    of += " Times are medians, ms."
    return measured(content, heads, rows, of)


def interrupted(content: Content) -> Lines:
    """A source that is interrupted."""
    ((name, at),) = content["kinds"].items()
    rows = [
        ["interruptions", str(at["troubles"])],
        ["connections made", str(at["connections"])],
        ["presence at the end", at["presence"]],
        ["memory at the begin, at most, at the end", f"{listed(at['memory_mib'])} MiB"],
    ]
    of = f"{content['settings']['seconds'] / 60:.0f} minutes of `{name}://`."
    return measured(content, ["what", "measured"], rows, of)


LOADS = {
    "alone": "the live tracker alone",
    "service": "the service, nobody looks",
    "one_viewer": "one viewer",
    "three_viewers": "three viewers",
    "large_bodies": "attack: bodies of 1 GB",
    "many_connections": "attack: 10,000 connections",
    "slow_readers": "attack: viewers that read nothing",
    "malformed": "attack: malformed WebSockets",
}
"""Runs, in words."""


def served(content: Content) -> Lines:
    """What viewers and attacks cost the tracker."""
    rows = []
    for name, words in LOADS.items():
        run = content["runs"][name]
        ages = [f"{run['evidence_age_frames'][key]:.2f}" for key in ("p50", "p99")]
        rows.append([words, f"{run['cpu_percent']:.0f} %", *ages, f"{run['pictures_per_s']:.0f}"])
    heads = ["run", "of a core, the tracker's process", "age of evidence, frames, median", "99 %", "pictures/s"]
    settings = content["settings"]
    of = f"{settings['seconds']:.0f} s each, {size(settings['size'])} at {settings['fps']:.0f} fps."
    return measured(content, heads, rows, of)


BLOCKS: Dict[str, Block] = {
    "interfaces.ros_latency": from_json("ros_nodes/latency_study.json", ros_latency),
    "interfaces.ros_soak": from_json("ros_nodes/soak_study.json", ros_soak),
    "interfaces.flights": flights,
    "interfaces.ros2_soak": from_json("ros_nodes/flight_soak.json", ros2_soak),
    "interfaces.transport": from_json("ros_nodes/ros2/transport_study.json", transport),
    "interfaces.mavlink": from_json("benchmarks/studies/mavlink_boxes.json", mavlink),
    "interfaces.clicks": from_json("benchmarks/studies/point_selection.json", clicks),
    "interfaces.streams": from_json("benchmarks/speed/stream_age.json", streams),
    "interfaces.interrupted": from_json("benchmarks/speed/stream_trouble.json", interrupted),
    "interfaces.served": from_json("benchmarks/speed/serve_load.json", served),
}
