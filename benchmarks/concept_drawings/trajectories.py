"""A trajectory of the default predictor over one coordinate, and the error of each predictor by horizon."""

from __future__ import annotations

import math
from typing import List, Tuple

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.predictors import create as create_predictor
from pvtpp.track import Track
from pvtpp_benchmarks.concept_drawings.sheet import AMBER, BLUE, DARK, GREEN, ORANGE, PINK, Sheet
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.report.drawing import Disc, Drawing, Line, Point
from pvtpp_benchmarks.synthetic import AerialClip, render

WIDTH_PX, HEIGHT_PX = 44.0, 30.0
TURNS_S, RADIUS = 4.5, 150.0
"""Seconds in which the target goes once round, and the radius of its way in pixels."""
EVERY_S, RESULTS = 0.1, 9
"""Seconds between results, and how many there are."""
JITTER = 1.5
"""Standard deviation of a result's error, pixels."""
BOUND = 1.645
"""Sigmas within which 90 % of the errors are to lie."""
FPS = 30.0
HORIZONS_S = tuple(number / FPS for number in range(13))
SEEDS, STRIDE, WARM_UP, NOISE = (1, 3, 5, 9), 3, 4, 0.03
"""Of the generated clips; camera frames between results; results before the first prediction; the tracker's error in
target sizes."""
DASHES: Tuple[Tuple[float, ...], ...] = ((), (6, 2), (4, 2), (2, 1.5), ())
PREDICTORS = (("hold", DARK), ("constant_velocity", AMBER), ("kalman", PINK), ("motion", GREEN), ("ensemble", BLUE))


def trajectory() -> Drawing:
    """Results, knots, the curve through them, its extrapolation, and the bounds of sigma, for the x coordinate."""
    track = results()
    made = create_predictor("ensemble").predict(track)
    last = track.evidence_ns
    sheet = Sheet(-0.55, 0.62)
    down = sheet.chart("x of the box's centre, pixels", 120, 420, (150, 200, 250, 300, 350, 400), 210)
    ahead = np.linspace(0, 0.62, 63).tolist()
    answers = [made.at(last + round(s * 1e9)) for s in ahead]
    x = [float(each.box[0]) for each in answers]
    reach = [BOUND * float(each.sigma[0]) for each in answers]
    sheet.band(down, ahead, [a - b for a, b in zip(x, reach)], [a + b for a, b in zip(x, reach)], BLUE)
    sheet.curve(down, [(s / 100, place(s / 100)[0]) for s in range(-55, 63)], "muted", 1.2, (3, 3))
    knots = [(t - last) * 1e-9 for t in made.t_ns]
    inside = [(s, y) for s, y in zip(ahead, x) if s <= knots[-1]]
    sheet.curve(down, inside, BLUE, 2.4)
    sheet.curve(down, [inside[-1], *[(s, y) for s, y in zip(ahead, x) if s > knots[-1]]], BLUE, 2.4, (3, 2))
    for t_ns, box in zip(track.t_ns, track.boxes):
        seconds = (t_ns - last) * 1e-9
        if seconds >= sheet.low:
            sheet.shapes.append(Disc((sheet.x(seconds), down(float(box[0]))), 3.6, ORANGE))
    for seconds, mean in zip(knots, made.mean):
        sheet.shapes.append(_square((sheet.x(seconds), down(float(mean[0])))))
    sheet.axis((-0.4, -0.2, 0, 0.2, 0.4, 0.6), "seconds after the capture of the newest evidence")
    sheet.legend(
        [
            (ORANGE, "results of the tracker"),
            (BLUE, "trajectory: knots (squares), extrapolated beyond the last one"),
            ("muted", "dashed: where the target is; band: 90 % bounds"),
        ]
    )
    return sheet.drawing("A trajectory: knots, the curve between them, its extrapolation, and sigma")


def predictors() -> Drawing:
    """Mean distance of each predictor's answer from the target, over the horizon."""
    sheet = Sheet(0, HORIZONS_S[-1])
    down = sheet.chart("mean error of the centre, target sizes", 0, 1.6, (0, 0.4, 0.8, 1.2, 1.6), 210)
    for (name, colour), dashes in zip(PREDICTORS, DASHES):
        sheet.curve(down, list(zip(HORIZONS_S, errors(name))), colour, 2.2, dashes)
    sheet.axis((0, 0.1, 0.2, 0.3, 0.4), "horizon, seconds after the newest result")
    sheet.legend([(colour, name) for name, colour in PREDICTORS])
    return sheet.drawing("Mean error over the horizon: it grows fastest without prediction")


def errors(name: str) -> List[float]:
    """Mean error of a predictor at each horizon, over generated clips with a jittery tracker."""
    found = []
    predictor = create_predictor(name)
    for seed in SEEDS:
        clip = render(AerialClip("horizon", seed, seconds=6.0, distractor=False, occlusions=()))
        frames = range(0, len(clip) - round(HORIZONS_S[-1] * FPS), STRIDE)
        truth, oracle, track = xywh_to_box(clip.ground_truth_xywh), Oracle(clip, NOISE, seed), Track()
        for number in frames:
            t_ns = int(clip.camera_t_ns[number])
            track = track.with_result(t_ns, oracle.track(clip.frame(number)).box, 0.9)
            if len(track) < WARM_UP:
                continue
            made = predictor.predict(track)
            answers = np.array([made.at(t_ns + round(s * 1e9)).box[:2] for s in HORIZONS_S])
            there = truth[number : number + len(HORIZONS_S)]
            found.append(np.hypot(*(answers - there[:, :2]).T) / np.sqrt(truth[number, 2:].prod()))
    return [float(error) for error in np.mean(found, axis=0)]


def place(seconds: float) -> Tuple[float, float]:
    """Where the target is, so many seconds after the newest result: it goes round at a constant speed."""
    angle = 2 * math.pi * seconds / TURNS_S - 1.0
    return 200 + RADIUS * math.cos(angle), 200 + RADIUS * math.sin(angle)


def results() -> Track:
    """The track: exact results with a little jitter, as trackers have it."""
    jitter = np.random.default_rng(1).normal(scale=JITTER, size=(RESULTS, 2))
    track = Track()
    for number in range(RESULTS):
        seconds = (number + 1 - RESULTS) * EVERY_S
        centre = np.array(place(seconds)) + jitter[number]
        track = track.with_result(round(1e9 + seconds * 1e9), np.array([*centre, WIDTH_PX, HEIGHT_PX]), 0.9)
    return track


def _square(centre: Point) -> Line:
    x, y = centre
    corners = ((x - 4, y - 4), (x + 4, y - 4), (x + 4, y + 4), (x - 4, y + 4))
    return Line(corners, BLUE, 1.6, fill="paper", closed=True)
