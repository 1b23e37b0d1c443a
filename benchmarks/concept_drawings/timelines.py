"""Timelines from the simulator: what camera, tracker and propagation do when, and how old the newest evidence is."""

from __future__ import annotations

from typing import List, Optional, Tuple

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.predictors import create as create_predictor
from pvtpp.propagation import create as create_propagator
from pvtpp_benchmarks.concept_drawings.sheet import BLUE, GREEN, ORANGE, PINK, Sheet
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.report.drawing import Disc, Drawing, Line, Point
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.synthetic import AerialClip, render

MS = 1e6
STEP_NS = 2_500_000
"""What a step of propagation is charged, as the benchmark does by default."""


def latency() -> Drawing:
    """A tracker of 47 ms behind a camera of 30 frames a second, without prediction."""
    clip, until = _clip(), 300.0
    log = _run(clip, "47ms", "hold", None)
    sheet = Sheet(0, until)
    _camera_and_tracker(sheet, log, clip, 47, until)
    down = sheet.chart("age of the newest result, ms", 0, 150, (0, 50, 100, 150), 110)
    sheet.curve(down, [(0, 33.3), (until, 33.3)], "muted", 1.2, (4, 3))
    sheet.note(down, 275, 37, "one camera frame", "muted", "end")
    sheet.curve(down, _ages(log, "hold", until), ORANGE)
    sheet.axis((0, 100, 200, 300), "time, ms")
    return sheet.drawing("A 47 ms tracker at 30 frames a second: its newest result is never younger than 47 ms")


def propagation() -> Drawing:
    """A tracker of 85 ms with optical flow beside it, and the age of the evidence with and without it."""
    clip, until = _clip(), 400.0
    log = _run(clip, "85ms", "kalman", Propagation(create_propagator("optical_flow"), STEP_NS))
    without = _run(clip, "85ms", "kalman", None)
    sheet = Sheet(0, until)
    _camera_and_tracker(sheet, log, clip, 85, until)
    flow = sheet.row("propagation: 2.5 ms for each step", 20)
    for begin, end, of_frame in _jobs(log, until):
        if of_frame:
            sheet.bar(flow, begin, end, BLUE)
        else:
            sheet.shapes.append(Disc((sheet.x(begin), flow), 4.0, PINK))
    sheet.legend([(BLUE, "steps measured, since a new frame has come"), (PINK, "a late result moved along steps kept")])
    sheet.y += 6
    down = sheet.chart("age of the newest evidence, ms", 0, 200, (0, 100, 200), 110)
    sheet.curve(down, _ages(without, "kalman", until), ORANGE)
    sheet.curve(down, _ages(log, "kalman", until), BLUE)
    sheet.axis((0, 100, 200, 300, 400), "time, ms")
    sheet.legend([(ORANGE, "without propagation"), (BLUE, "with propagation")])
    return sheet.drawing("Optical flow moves the newest result to every newer frame while the tracker works")


def _clip() -> VideoSequence:
    return render(
        AerialClip("timeline", width=320, height=180, seconds=0.5, distractor=False, occlusions=(), agility=0.3)
    )


def _run(clip: VideoSequence, time: str, predictor: str, propagation: Optional[Propagation]) -> EventLog:
    return simulate(
        clip,
        Oracle(clip),
        {predictor: create_predictor(predictor)},
        parse(time).start(clip.name),
        first_box=xywh_to_box(clip.ground_truth_xywh[0]),
        search_region="last" if predictor == "hold" else "predicted",
        propagation=propagation,
    )


def _camera_and_tracker(sheet: Sheet, log: EventLog, clip: VideoSequence, ms: int, until: float) -> None:
    sheet.row("dots: the camera, a frame every 33 ms", -6)
    camera = sheet.row(f"bars: the tracker, {ms} ms a frame", 26)
    tracker = camera + 46
    sheet.y = tracker + 22
    times = [t / MS for t in clip.camera_t_ns.tolist() if t / MS <= until]
    sheet.dots(camera, times, [str(number) for number in range(len(times))])
    initialised = log.of_kind("initialised")[0][1] / MS
    sheet.bar(tracker, 0, initialised, GREEN, "start")
    ends = {row[2]: row[1] / MS for row in log.of_kind("result")}
    for _, taken, number, capture, *_ in log.of_kind("track"):
        begin, end = taken / MS, ends.get(number, until)
        if begin < until:
            # From the frame to where the tracker takes it: what is slanted is waiting.
            way = ((sheet.x(capture / MS), camera + 9), (sheet.x(begin), tracker - 10))
            sheet.shapes.insert(0, Line(way, "muted", 1.0, (3, 2)))
            wide = sheet.x(end) - sheet.x(begin) > 38
            sheet.bar(tracker, begin, end, GREEN, f"frame {number}" if wide else "")


def _jobs(log: EventLog, until: float) -> List[Tuple[float, float, bool]]:
    """Begin and end of each job of propagation, and whether it began with a new frame or with a late result."""
    found: List[Tuple[float, float, bool]] = []
    began, of_frame = 0.0, False
    for row in log.of_kind("propagate", "propagated"):
        if row[0] == "propagate":
            began, of_frame = row[1] / MS, row[2] is not None
        elif began < until and not (of_frame and began == row[1] / MS):
            found.append((began, row[1] / MS, of_frame))
    return found


def _ages(log: EventLog, predictor: str, until: float) -> List[Point]:
    """Age of the evidence behind the current trajectory, a point where one ends and one where the next begins."""
    points: List[Point] = []
    evidence = 0.0
    for row in log.of_kind("trajectory"):
        now = row[1] / MS
        if row[2] != predictor or now > until:
            continue
        points.append((now, now - evidence))
        evidence = row[3] / MS
        points.append((now, now - evidence))
    return [*points, (until, until - evidence)]
