"""Message classes made from .msg files by our own parser, in the shape of ROS 1 or of ROS 2: for tests without ROS."""

from __future__ import annotations

import re
from dataclasses import field, make_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

OWN = Path(__file__).resolve().parents[3] / "ros_nodes" / "msg"
NUMBERS = {"bool": False, "string": "", "float32": 0.0, "float64": 0.0, "byte": 0}
NUMBERS.update({f"{sign}int{bits}": 0 for sign in ("", "u") for bits in (8, 16, 32, 64)})

# The definitions that ours build on, and those that the nodes read and write, as published with ROS.
COMMON = {
    "std_msgs/Header": "uint32 seq\ntime stamp\nstring frame_id",
    "geometry_msgs/Vector3": "float64 x\nfloat64 y\nfloat64 z",
    "geometry_msgs/Quaternion": "float64 x\nfloat64 y\nfloat64 z\nfloat64 w",
    "sensor_msgs/Imu": (
        "std_msgs/Header header\ngeometry_msgs/Quaternion orientation\nfloat64[9] orientation_covariance\n"
        "geometry_msgs/Vector3 angular_velocity\nfloat64[9] angular_velocity_covariance\n"
        "geometry_msgs/Vector3 linear_acceleration\nfloat64[9] linear_acceleration_covariance"
    ),
    "sensor_msgs/RegionOfInterest": "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify",
    "sensor_msgs/Image": (
        "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\n"
        "uint8[] data"
    ),
    "sensor_msgs/CompressedImage": "std_msgs/Header header\nstring format\nuint8[] data",
    "diagnostic_msgs/KeyValue": "string key\nstring value",
    "diagnostic_msgs/DiagnosticStatus": (
        "byte OK=0\nbyte WARN=1\nbyte ERROR=2\nbyte level\nstring name\nstring message\nstring hardware_id\n"
        "diagnostic_msgs/KeyValue[] values"
    ),
    "diagnostic_msgs/DiagnosticArray": "std_msgs/Header header\ndiagnostic_msgs/DiagnosticStatus[] status",
    "vision_msgs/Detection2DArray": "std_msgs/Header header\nvision_msgs/Detection2D[] detections",
    "vision_msgs/BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
}
CAMERA_INFO = (
    "std_msgs/Header header\nuint32 height\nuint32 width\nstring distortion_model\nfloat64[] {d}\nfloat64[9] {k}\n"
    "float64[9] {r}\nfloat64[12] {p}\nuint32 binning_x\nuint32 binning_y\nsensor_msgs/RegionOfInterest roi"
)
GENERATION = {
    1: {
        "time": "uint32 secs\nuint32 nsecs",
        "sensor_msgs/CameraInfo": CAMERA_INFO.format(d="D", k="K", r="R", p="P"),
        "vision_msgs/Pose2D": "float64 x\nfloat64 y\nfloat64 theta",
        "vision_msgs/ObjectHypothesisWithPose": "int64 id\nfloat64 score",
        "vision_msgs/Detection2D": (
            "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\nvision_msgs/BoundingBox2D bbox"
        ),
    },
    2: {
        "time": "int32 sec\nuint32 nanosec",
        "sensor_msgs/CameraInfo": CAMERA_INFO.format(d="d", k="k", r="r", p="p"),
        "vision_msgs/Point2D": "float64 x\nfloat64 y",
        "vision_msgs/Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
        "vision_msgs/ObjectHypothesis": "string class_id\nfloat64 score",
        "vision_msgs/ObjectHypothesisWithPose": "vision_msgs/ObjectHypothesis hypothesis",
        "vision_msgs/Detection2D": (
            "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\nvision_msgs/BoundingBox2D bbox\n"
            "string id"
        ),
    },
}
LINE = re.compile(r"(?P<kind>[\w/]+)(?P<array>\[(?P<size>\d*)\])?\s+(?P<name>\w+)\s*(=\s*(?P<value>\S+))?$")


def text_of(kind: str, generation: int) -> str:
    package, _, name = kind.partition("/")
    if package == "pvtpp":
        return (OWN / f"{name}.msg").read_text()
    return GENERATION[generation].get(kind) or COMMON[kind]


@lru_cache(maxsize=None)
def message_class(kind: str, generation: int = 1) -> Any:
    """The class of messages of this kind (``pvtpp/Target``), every field at its empty value."""
    package = kind.partition("/")[0]
    fields, constants = [], {}
    for raw in text_of(kind, generation).splitlines():
        stripped = raw.partition("#")[0].strip()
        if not stripped:
            continue
        found = LINE.match(stripped)
        assert found, f"{kind}: cannot read {raw!r}"
        if found["value"] is not None:
            constants[found["name"]] = int(found["value"])
            continue
        fields.append((found["name"], Any, field(default_factory=empty(found, package, generation))))
    return make_dataclass(kind.replace("/", "_"), fields, namespace=constants)


def empty(found: Any, package: str, generation: int) -> Any:
    kind = found["kind"]
    if kind not in NUMBERS:
        made = message_class(kind if "/" in kind or kind == "time" else f"{package}/{kind}", generation)
    else:
        value = NUMBERS[kind]

        def made() -> Any:
            return value

    if found["array"]:
        count = int(found["size"] or 0)
        return lambda: [made() for _ in range(count)]
    return made
