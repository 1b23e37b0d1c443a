"""What e-LAE measures: the score of a perfect tracker that needs time, over the permitted latency."""

from __future__ import annotations

from typing import List

from pvtpp.boxes import xywh_to_box
from pvtpp.predictors import create as create_predictor
from pvtpp_benchmarks.concept_drawings.sheet import BLUE, GREEN, ORANGE, Sheet
from pvtpp_benchmarks.metrics import curves
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.report.drawing import Drawing, Point
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.synthetic import AerialClip, render

LINES = (("20ms", "hold", BLUE), ("47ms", "hold", ORANGE), ("47ms", "ensemble", GREEN))
"""Processing time, predictor and colour."""


def permitted_latency() -> Drawing:
    """AUC over the permitted latency: 20 and 47 ms without prediction, and 47 ms with it."""
    sheet = Sheet(0, 1)
    down = sheet.chart("AUC (a perfect tracker without latency: .952)", 0.4, 1.0, (0.4, 0.6, 0.8, 1.0), 190)
    for time, predictor, colour in LINES:
        sheet.curve(down, course(time, predictor), colour, 2.2)
    sheet.axis((0, 0.2, 0.4, 0.6, 0.8, 1.0), "permitted latency, world frames of 33 ms")
    named = {"hold": "no prediction", "ensemble": "predicted"}
    sheet.legend([(colour, f"{time[:-2]} ms a frame, {named[predictor]}") for time, predictor, colour in LINES])
    return sheet.drawing("AUC grows in steps with the permitted latency")


def course(time: str, predictor: str) -> List[Point]:
    """The corners of one curve, which is constant between its steps."""
    clip = render(AerialClip("curve", distractor=False, occlusions=()))
    truth = clip.ground_truth_xywh
    made = {predictor: create_predictor(predictor)}
    log = simulate(clip, Oracle(clip), made, parse(time).start(clip.name), first_box=xywh_to_box(truth[0]))
    curve = curves(pair(log, predictor, clip.world_t_ns, clip.world_fps), truth, "elae")["auc"]
    sigma, value = curve.sigma.tolist(), curve.value.tolist()
    corners = [(sigma[0], value[0])]
    for before, at, after in zip(value, sigma[1:], value[1:]):
        corners += [(at, before), (at, after)]
    return [*corners, (1.0, value[-1])]
