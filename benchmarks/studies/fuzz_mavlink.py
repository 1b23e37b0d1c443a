"""Random packets for the camera component of MAVLink: nothing raises, nothing leaks, and what is sent can be read.

    python -m pvtpp_benchmarks.studies.fuzz_mavlink --packets 100000

A quarter each: random bytes, damaged packets, messages of every type of the dialect with random fields, and tracking
commands with random parameters. They go to a component with a gimbal, in front of a live tracker whose tracker answers
with the first box; frames come in between. Memory is counted by tracemalloc, after a tenth of the packets and at the
end, each time after a garbage collection: without one it counts what the interpreter keeps of freed tuples and lists
for later, some 0.1 MB after 3,000 packets and 0.5 MB after 100,000. What is left, about 10 kB after 10,000 packets and
20 to 30 kB after 100,000, is the live tracker's newest stage times (256 each) and failures (100) filling up.
"""

from __future__ import annotations

import argparse
import gc
import random
import struct
import sys
import tracemalloc
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from pvtpp import predictors
from pvtpp.core.capture_times import CaptureTimeConfig
from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.mavlink.camera import CameraComponent
from pvtpp.mavlink.config import GimbalConfig, MavlinkConfig
from pvtpp.mavlink.dialect import Wire, messages
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.studies.fuzz_damage import damage

GROWTH = 1 << 17
"""Bytes by which memory may grow between a tenth of the packets and the end: a leak of 2 bytes a packet is found."""
FLOATS = (0.0, -1.0, 1.0, 0.5, 1e9, -1e9, 1e38, float("nan"), float("inf"), float("-inf"), 1e-40, 275.0, 259.0, 33333.0)
COMMANDS = (2004, 2005, 2010, 512, 511, 521, 522, 400, 1001)
WARM_UP = 600
"""Packets before those that count."""
EVERY = 50
"""A frame comes after so many packets."""
INTEGERS = {"int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int32": 32, "uint32": 32, "int64": 64, "uint64": 64}


class Still:
    """A tracker that answers with the first box."""

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Take the box."""
        self._box = box

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Return it."""
        return TrackerOutput(self._box)


def packets(rng: random.Random, count: int) -> Iterator[bytes]:
    """Make datagrams of random content."""
    common = messages()
    kinds = [kind for _, kind in sorted(common.mavlink_map.items())]
    wire = Wire(255, 190)
    for _ in range(count):
        way = rng.randrange(4)
        if way == 0:
            yield bytes(rng.choice((0xFD, 0xFE, rng.randrange(256))) for _ in range(rng.randint(0, 300)))
            continue
        message = _command(rng, common) if way == 3 else _message(rng, rng.choice(kinds))
        try:
            packet = wire.write(message)
        except (struct.error, TypeError, ValueError):
            # pymavlink does not encode every value of every field.
            packet = b""
        yield damage(rng, packet) if way == 1 else packet


def _command(rng: random.Random, common: Any) -> Any:
    number = rng.choice(COMMANDS)
    params = [rng.choice((rng.random(), rng.choice(FLOATS))) for _ in range(7)]
    target = rng.choice(((1, 100), (0, 0), (1, 0), (1, 1)))
    if rng.random() < 0.3:
        return common.MAVLink_command_int_message(*target, 0, number, 0, 0, *params[:4], 5, -7, params[6])
    return common.MAVLink_command_long_message(*target, number, rng.randrange(3), *params)


def _message(rng: random.Random, kind: Any) -> Any:
    fields: List[Any] = []
    for kind_of, length in zip(kind.fieldtypes, _lengths(kind)):
        made = [_value(rng, kind_of) for _ in range(max(length, 1))]
        fields.append(bytes(each % 256 for each in made) if kind_of == "char" else made if length > 1 else made[0])
    return kind(*fields)


def _lengths(kind: Any) -> List[int]:
    """Of the fields in the order of the constructor's arguments; 0 for one that is no array."""
    by_name = dict(zip(kind.ordered_fieldnames, kind.array_lengths))
    return [by_name[name] for name in kind.fieldnames]


def _value(rng: random.Random, kind: str) -> Any:
    if kind in ("float", "double"):
        return rng.choice((rng.choice(FLOATS), rng.gauss(0, 10)))
    if kind == "char":
        return rng.randrange(256)
    bits = INTEGERS[kind[:-2]]
    number = rng.choice((0, 1, rng.getrandbits(bits), 2**bits - 1))
    return number - 2 ** (bits - 1) if kind.startswith("int") else number


def _memory() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def run(count: int, seed: int = 0) -> Dict[str, Any]:
    """Feed a component; return what it did. Raises what it raises, and InputError where it leaks."""
    # What is imported and filled at the first click is no growth.
    _feed(WARM_UP, seed + 1)
    tracemalloc.start()
    try:
        found = _feed(count, seed)
    finally:
        tracemalloc.stop()
    grown = found["grown_bytes"]
    if grown > GROWTH:
        raise InputError(f"memory grew by {grown} bytes over the last 90 % of {count} packets, allowed is {GROWTH}")
    return found


def _feed(count: int, seed: int) -> Dict[str, Any]:
    rng = random.Random(seed)
    now = 10**18
    live = LiveTracker(
        Still(),
        {"hold": predictors.create("hold")},
        clock=lambda: now,
        # Its clock is set forward with each packet, which is reported.
        on_error=lambda failure: None,
        config=LiveConfig(memory_frames=8, capture_times=CaptureTimeConfig(float("inf"), float("inf"))),
    )
    component = CameraComponent(MavlinkConfig(lead_s=None, gimbal=GimbalConfig(60.0)), lambda: live)
    camera, station = Wire(1, 100), Wire(255, 190)
    counts = {"packets": 0, "messages": 0, "sent": 0, "targets": 0}
    image, memory = np.zeros((90, 160, 3), np.uint8), 0
    try:
        for number, datagram in enumerate(packets(rng, count)):
            now += rng.randrange(40_000_000)
            if number % EVERY == 0:
                live.submit(Frame(number, now, image))
            answers = list(component.due(now))
            for message in camera.read(datagram):
                counts["messages"] += 1
                answers += component.received(message, now)
            for answer in answers:
                counts["sent"] += len(station.read(camera.write(answer)))
            counts["packets"] += 1
            if number == count // 10:
                memory = _memory()
        counts["targets"] = live.target
        grown = _memory() - memory
    finally:
        live.close()
    return {
        **counts,
        "undecodable": camera.undecodable,
        "unreadable_answers": station.undecodable,
        "grown_bytes": grown,
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        print(run(options.packets, options.seed))
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
