"""What a ground station sees of the target over a slow MAVLink, against the simulator's own score for that lead.

    python -m pvtpp_benchmarks.studies.mavlink_boxes data/uav-mini --split train --json mavlink_boxes.json
    python -m pvtpp_benchmarks.studies.mavlink_boxes data/uav-mini --split test --live Surfing06

A ground station (pymavlink) receives CAMERA_TRACKING_IMAGE_STATUS over a link of 100 ms at 30 Hz, from a camera that
predicts 100 ms ahead. Each rectangle is compared with the truth at the time of its receipt (linear between frames).
Beside it: the mean IoU of what the run's log has for each frame of the world 100 ms before. And the same without a
lead: what others send.

Simulated: the run is one of the simulator (NanoTrack V3 at 47 ms, default configuration), and the camera component is
driven at its times, without clock and sockets. Live: the live tracker follows the clip in real time; commands and
statuses go over loopback through a relay that delays them.
"""

from __future__ import annotations

import argparse
import select
import socket
import sys
import threading
import time
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.live.warm_up import warm_up
from pvtpp.mavlink.camera import CameraComponent
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.dialect import Wire, messages
from pvtpp.mavlink.link import MavlinkLink
from pvtpp.tracker import Frame
from pvtpp.trajectory import Prediction, Trajectory
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.default_run import default_run
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.wall import SequenceClock
from pvtpp_trackers.factory import create_tracker

DELAY_S, RATE_HZ = 0.1, 30.0
PROCESSING_NS = 47_000_000
STATION = (255, 190)
LONGEST_WAIT_S = 60.0
STATUS, RECTANGLE, SET_INTERVAL = 275, 2005, 511


@dataclass(frozen=True)
class Seen:
    """What the ground station saw: when each rectangle was received, shape ``(n,)``, and it, ``(n, 4)`` in pixels."""

    t_ns: np.ndarray
    box: np.ndarray


class LoggedLive:
    """Answers as the live tracker would have that wrote this log.

    Parameters
    ----------
    log, predictor
        The run, and whose trajectories are asked.
    size
        Width and height of the images, pixels.
    """

    paused, gyro, target = False, None, 1

    def __init__(self, log: EventLog, predictor: str, size: Tuple[int, int]):
        self.size, self.now_ns = size, 0
        rows = [row for row in log.rows if row[0] == "trajectory" and row[2] == predictor]
        self._available = [row[1] for row in rows]
        self._trajectories = [Trajectory.from_row(row[3:]) for row in rows]
        said = log.of_kind("presence")
        self._since, self._said = [row[1] for row in said], [Presence(row[2]) for row in said]

    @property
    def active(self) -> bool:
        """Whether there is a target by `now_ns`."""
        return self.now_ns >= self._available[0]

    @property
    def presence(self) -> Optional[Presence]:
        """What was known at `now_ns`."""
        at = bisect_right(self._since, self.now_ns) - 1
        return self._said[at] if at >= 0 else None

    def predict(self, t_ns: int) -> Optional[Prediction]:
        """Where the target is at `t_ns`, by what was known at `now_ns`."""
        at = bisect_right(self._available, self.now_ns) - 1
        return self._trajectories[at].at(t_ns) if at >= 0 else None

    def frame_near(self, t_ns: int) -> None:
        """No images."""


def simulated(log: EventLog, predictor: str, size: Tuple[int, int], lead_s: float, delay_s: float = DELAY_S) -> Seen:
    """Drive a camera component with the log of a simulated run; return what arrives at the ground station."""
    live: Any = LoggedLive(log, predictor, size)
    camera = CameraComponent(MavlinkConfig(lead_s=lead_s), lambda: live)
    wire, station = Wire(1, 100), Wire(*STATION)
    start, end = log.rows[0][1], log.rows[-1][1]
    for asked in wire.read(station.write(_command(SET_INTERVAL, STATUS, 1e6 / RATE_HZ))):
        camera.received(asked, start)
    found: List[Tuple[int, np.ndarray]] = []
    now = start
    while now <= end:
        live.now_ns = now
        for sent in camera.due(now):
            for message in station.read(wire.write(sent)):
                _note(message, now + round(delay_s * 1e9), size, found)
        now = max(camera.next_ns, now + 1)
    return _seen(found)


class Relay:
    """Passes datagrams on in both directions, each later by `delay_s` seconds. The camera sends to `address`."""

    def __init__(self, station: Tuple[str, int], delay_s: float):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address: Tuple[str, int] = self._socket.getsockname()
        self._station, self._delay_s = station, delay_s
        self._camera: Optional[Tuple[str, int]] = None
        self._waiting: Deque[Tuple[float, bytes, bool]] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._thread.join()
        self._socket.close()

    def _work(self) -> None:
        while not self._closed:
            wait = max(self._waiting[0][0] - time.perf_counter(), 0) if self._waiting else 0.05
            if select.select([self._socket], [], [], min(wait, 0.05))[0]:
                data, sender = self._socket.recvfrom(65535)
                to_camera = sender == self._station
                if not to_camera:
                    self._camera = sender
                self._waiting.append((time.perf_counter() + self._delay_s, data, to_camera))
            while self._waiting and self._waiting[0][0] <= time.perf_counter():
                _, data, to_camera = self._waiting.popleft()
                to = self._camera if to_camera else self._station
                if to is not None:
                    self._socket.sendto(data, to)


def live_run(
    sequence: VideoSequence,
    tracker: Any,
    predictor: str = defaults.PREDICTOR,
    lead_s: float = DELAY_S,
    delay_s: float = DELAY_S,
    seconds: Optional[float] = None,
) -> Tuple[Seen, EventLog]:
    """Follow a clip in real time over loopback; the ground station gives the target and receives the statuses."""
    station, wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), Wire(*STATION)
    station.bind(("127.0.0.1", 0))
    relay = Relay(station.getsockname(), delay_s)
    clock, log = SequenceClock(0), EventLog()
    truth = xywh_to_box(sequence.ground_truth_xywh[0])
    first = sequence.frame(0)
    size = first.image.shape[1], first.image.shape[0]
    warm_up(tracker, "tracker", Frame(0, 0, first.image), truth, 3)
    live = LiveTracker(
        tracker,
        defaults.predictors(predictor),
        defaults.propagator(),
        defaults.SEARCH_REGION,
        log,
        clock,
        presence=defaults.presence(),
    )
    found: List[Tuple[int, np.ndarray]] = []
    heard = threading.Event()
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            if select.select([station], [], [], 0.05)[0]:
                received = clock()
                for message in wire.read(station.recvfrom(65535)[0]):
                    if message.get_type() == "HEARTBEAT":
                        heard.set()
                    _note(message, received, size, found)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    config = MavlinkConfig(lead_s=lead_s, video_delay_s=delay_s)
    times = sequence.camera_t_ns - sequence.camera_t_ns[0]
    last = len(sequence) if seconds is None else int(np.searchsorted(times, seconds * 1e9))
    try:
        with MavlinkLink(f"udpout:{relay.address[0]}:{relay.address[1]}", lambda: live, clock, config):
            if not heard.wait(LONGEST_WAIT_S):
                raise InputError("no heartbeat of the camera arrived")
            clock.start()
            frame = Frame(0, 0, first.image)
            left, top, width, height = sequence.ground_truth_xywh[0] / [*size, *size]
            for index in range(1, last + 1):
                live.submit(frame)
                if index == 1:
                    for each in (
                        _command(RECTANGLE, left, top, left + width, top + height),
                        _command(SET_INTERVAL, STATUS, 1e6 / RATE_HZ),
                    ):
                        station.sendto(wire.write(each), relay.address)
                if index < last:
                    image = sequence.frame(index).image
                    clock.sleep_until(int(times[index]))
                    frame = Frame(index, int(times[index]), image)
    finally:
        live.close()
        relay.close()
        done.set()
        listener.join()
        station.close()
    return _seen(found), log


def seen_iou(seen: Seen, sequence: VideoSequence) -> float:
    """Mean IoU of the rectangles with the truth at the time of their receipt, where there is a truth."""
    times, truth = _truth(sequence)
    inside = (seen.t_ns >= times[0]) & (seen.t_ns <= times[-1])
    boxes = np.column_stack([np.interp(seen.t_ns[inside], times, truth[:, side]) for side in range(4)])
    return float(np.nanmean(iou(seen.box[inside], boxes)))


def logged_iou(log: EventLog, predictor: str, sequence: VideoSequence, lead_s: float, from_ns: int) -> float:
    """Mean IoU, over the world frames from `from_ns` on, of what the log had for each of them `lead_s` before."""
    available, table = log.trajectories(predictor)
    times, truth = _truth(sequence)
    frames = np.flatnonzero(times >= from_ns)
    newest = np.searchsorted(available, times[frames] - round(lead_s * 1e9), side="right") - 1
    boxes = table.boxes(np.maximum(newest, 0), times[frames])
    return float(np.nanmean(iou(boxes, truth[frames])))


def measure(
    sequence: VideoSequence, seen: Seen, blind: Optional[Seen], log: EventLog, predictor: str
) -> Dict[str, Any]:
    """One row of the table."""
    row = {
        "clip": sequence.name,
        "received": len(seen.t_ns),
        "received_iou": round(seen_iou(seen, sequence), 4),
        "simulator_iou": round(logged_iou(log, predictor, sequence, DELAY_S, int(seen.t_ns[0])), 4),
    }
    if blind is not None:
        row["without_lead_iou"] = round(seen_iou(blind, sequence), 4)
    return row


def _truth(sequence: VideoSequence) -> Tuple[np.ndarray, np.ndarray]:
    times = sequence.world_t_ns - sequence.world_t_ns[0]
    return times, xywh_to_box(sequence.ground_truth_xywh[: len(times)])


def _command(number: int, *params: float) -> Any:
    filled = [*params, *[0.0] * (7 - len(params))]
    return messages().MAVLink_command_long_message(1, 100, number, 0, *filled)


def _note(message: Any, t_ns: int, size: Tuple[int, int], found: List[Tuple[int, np.ndarray]]) -> None:
    if message.get_type() != "CAMERA_TRACKING_IMAGE_STATUS" or not message.tracking_status:
        return
    corners = [message.rec_top_x, message.rec_top_y, message.rec_bottom_x, message.rec_bottom_y]
    left, top, right, bottom = np.array(corners) * [*size, *size]
    found.append((t_ns, np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])))


def _seen(found: List[Tuple[int, np.ndarray]]) -> Seen:
    if not found:
        raise InputError("no tracking status with a target arrived")
    return Seen(np.array([t_ns for t_ns, _ in found]), np.array([box for _, box in found]))


def simulated_row(sequence: VideoSequence, make_tracker: Callable[[], Any], predictor: str) -> Dict[str, Any]:
    """Run the simulator on a clip and compare."""
    presence = defaults.presence()
    log = default_run(sequence, make_tracker(), lambda index: PROCESSING_NS, predictor, presence=presence)
    height, width = sequence.frame(0).image.shape[:2]
    seen, blind = (simulated(log, predictor, (width, height), lead) for lead in (DELAY_S, 0.0))
    return measure(sequence, seen, blind, log, predictor)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder of uav-mini")
    parser.add_argument("--split", default="train")
    parser.add_argument("--live", metavar="CLIP", help="follow this clip live over loopback, instead of all simulated")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    try:
        check_writable(options.json)
        clips = load("uav-mini", options.root, options.split)
        rows = []
        if options.live:
            (clip,) = clips.select([options.live])
            seen, log = live_run(clip, create_tracker(defaults.TRACKER))
            rows.append(measure(clip, seen, None, log, defaults.PREDICTOR))
        else:
            for clip in clips:
                rows.append(simulated_row(clip, lambda: create_tracker(defaults.TRACKER), defaults.PREDICTOR))
                print(rows[-1], flush=True)
        for row in rows[-1:] if options.live else ():
            print(row)
        difference = float(np.mean([row["received_iou"] - row["simulator_iou"] for row in rows]))
        print(f"mean over {len(rows)} clips: received minus simulator {difference:+.4f}")
        if options.json:
            write_json(options.json, {"rows": rows, "difference": round(difference, 4), "protocol": facts(0)})
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
