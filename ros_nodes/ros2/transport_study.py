"""Measures how many images Fast DDS delivers, by size, profile of quality and profile of transport.

    python -m pvtpp_ros_nodes.ros2.transport_study --json transport_study.json

A bare publisher and a bare subscriber, two processes on this computer: 150 images at 30 Hz. ``sensor data`` is best
effort with the newest 5 kept, as camera drivers do, ``reliable`` keeps the newest 10. ``shipped`` is the file
`fastdds.xml` beside this one, ``default`` no file at all.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import Any, Dict, List, Optional

import numpy as np
import rclpy
from sensor_msgs.msg import Image

from pvtpp.errors import InputError
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.latency_study import percentiles
from pvtpp_ros_nodes.ros2.rclpy_basics import profile
from pvtpp_ros_nodes.ros2.spinning import Spinning

SIZES = ((640, 360), (1280, 720))
PROFILES = {"sensor data": (5, False), "reliable": (10, True)}
TRANSPORTS = {"default": "", "shipped": os.path.join(os.path.dirname(os.path.abspath(__file__)), "fastdds.xml")}
COUNT, FPS = 150, 30.0
TOPIC = "/transport_study"


def read(depth: int, reliable: bool) -> None:
    """Run the subscriber, until its publisher is gone; prints how long each image took, nanoseconds."""
    rclpy.init()
    node = rclpy.create_node("reader")
    took: List[int] = []

    def take(image: Image) -> None:
        took.append(time.time_ns() - conversions.stamp_ns(image.header.stamp))

    node.create_subscription(Image, TOPIC, take, profile(depth, reliable))
    spinning = Spinning(node)
    # Until the publisher is gone, or nothing comes at all.
    until = time.monotonic() + 30
    while time.monotonic() < until and not (took and not node.count_publishers(TOPIC)):
        time.sleep(0.1)
    spinning.stop()
    print(*took)
    node.destroy_node()
    rclpy.try_shutdown()


def send(width: int, height: int, depth: int, reliable: bool) -> None:
    """Run the publisher: waits for the subscriber, then sends `COUNT` images."""
    rclpy.init()
    node = rclpy.create_node("sender")
    publisher = node.create_publisher(Image, TOPIC, profile(depth, reliable))
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    message = images.fill_image(Image(), pixels)
    until = time.monotonic() + 20
    while not publisher.get_subscription_count() and time.monotonic() < until:
        time.sleep(0.05)
    # Each end finds the other at its own time.
    time.sleep(1.0)
    begin = time.monotonic()
    for index in range(COUNT):
        time.sleep(max(begin + index / FPS - time.monotonic(), 0))
        conversions.set_header(message.header, time.time_ns(), "camera")
        publisher.publish(message)
    time.sleep(1.0)
    node.destroy_node()
    rclpy.try_shutdown()


def measure() -> List[Dict[str, Any]]:
    """Measure every combination; a row of figures for each."""
    rows = []
    own = {"ROS_DOMAIN_ID": str(1 + os.getpid() % 100), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    for transport, file in TRANSPORTS.items():
        env = {**os.environ, **own, "FASTRTPS_DEFAULT_PROFILES_FILE": file}
        if not file:
            del env["FASTRTPS_DEFAULT_PROFILES_FILE"]
        for quality, (depth, reliable) in PROFILES.items():
            for width, height in SIZES:
                code = "from pvtpp_ros_nodes.ros2.transport_study import {0}; {0}{1}"
                ends = [
                    [sys.executable, "-c", code.format(name, about)]
                    for name, about in (("read", (depth, reliable)), ("send", (width, height, depth, reliable)))
                ]
                reader = subprocess.Popen(ends[0], env=env, stdout=subprocess.PIPE, text=True)
                subprocess.run(ends[1], env=env, check=True, timeout=120)
                took = np.array(reader.communicate(timeout=120)[0].split(), dtype=np.int64)
                row = {"transport": transport, "quality": quality, "size": f"{width}x{height}", "arrived": len(took)}
                rows.append({**row, "ms": percentiles(took) if len(took) else None})
                print(f"{transport:>8} {quality:>12} {row['size']:>9}  {len(took)} of {COUNT}  {rows[-1]['ms']}")
    return rows


def main(arguments: Optional[List[str]] = None) -> int:
    """Print the figures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
    except InputError as error:
        parser.error(str(error))
    rows = measure()
    if options.json:
        write_json(options.json, {"protocol": facts(0), "sent": COUNT, "fps": FPS, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
