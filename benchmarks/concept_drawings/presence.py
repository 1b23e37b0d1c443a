"""Presence: its three states with their limits, and the course of one loss, from the state machine itself."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.core.simulator import Costs, Simulator
from pvtpp.core.state_machine import StateMachine
from pvtpp.predictors import create as create_predictor
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.concept_drawings.sheet import AMBER, BLUE, DARK, GREEN, ORANGE, PINK, WIDTH, Sheet
from pvtpp_benchmarks.report.drawing import Disc, Drawing, Line, Shape, Text

COLOURS = {"TRACKING": GREEN, "UNCERTAIN": AMBER, "LOST": ORANGE}
FPS, SECONDS, COST_NS = 30.0, 3.4, 47_000_000
SIZE = 40.0
"""Sides of the target and of the obstacle, pixels."""
HIDDEN = (1.0, 1.75)
"""When the obstacle covers the target, seconds."""
OBSTACLE = 200.0
"""Where it stands, pixels."""
SEES = 2.0
"""How far from the middle of its search region the tracker finds something, target sizes."""


def states() -> Drawing:
    """The three states, and what leads from one to another."""
    config = PresenceConfig()
    back = [1 - (1 - limit) * config.release for limit in (config.uncertain_below, config.lost_below)]
    shapes: List[Shape] = []
    for number, name in enumerate(COLOURS):
        y = 34 + 116 * number
        corners = ((130.0, y - 24.0), (290.0, y - 24.0), (290.0, y + 24.0), (130.0, y + 24.0))
        shapes.append(Line(corners, "paper", 1.0, fill=COLOURS[name], closed=True))
        shapes.append(Text((WIDTH / 2, y + 5), name, 14, "ink" if COLOURS[name] == AMBER else "paper", "middle", True))
    worse = [
        (
            f"probability below {config.uncertain_below:g},",
            f"evidence {config.uncertain_s:g} s old,",
            "or sigma too large",
        ),
        (f"probability below {config.lost_below:g}", f"or evidence {config.lost_s:g} s old"),
    ]
    for number, (down, limit) in enumerate(zip(worse, back)):
        top, bottom = 60 + 116 * number, 122 + 116 * number
        shapes += _arrow(190, top, bottom) + _arrow(230, bottom, top)
        for line, text in enumerate(down):
            shapes.append(Text((178, top + 18 + 16 * line), text, 12, align="end"))
        shapes.append(Text((242, top + 34), f"above {limit:.2g} again", 12))
    return Drawing(WIDTH, 320, tuple(shapes), "Presence: TRACKING, UNCERTAIN and LOST, by the probability")


def _arrow(x: float, begin: float, end: float) -> List[Shape]:
    back = 8 if begin > end else -8
    head = ((x, end), (x - 5, end + back), (x + 5, end + back))
    return [Line(((x, begin), (x, end + back)), "ink", 1.6), Line(head, "ink", 0.0, fill="ink", closed=True)]


class Look(NamedTuple):
    """A result of the tracker.

    Attributes
    ----------
    seconds, x
        Capture time, and centre of the box.
    elsewhere
        Whether it was a search elsewhere than on the path that is followed.
    probability
        That the target is followed, afterwards.
    """

    seconds: float
    x: float
    elsewhere: bool
    probability: float


def search() -> Drawing:
    """A target that passes behind an obstacle: where the tracker looks, what is answered, and the probability."""
    looks, log = course()
    sheet = Sheet(0, SECONDS)
    down = sheet.chart("place in the image, pixels", 50, 450, (100, 200, 300, 400), 190)
    begin, end = HIDDEN
    every = np.arange(0, SECONDS + 0.01, 0.02).tolist()
    sheet.band(down, [0, SECONDS], [OBSTACLE - SIZE / 2] * 2, [OBSTACLE + SIZE / 2] * 2, "muted")
    sheet.curve(down, [(s, place(s)) for s in every], "muted", 1.2, (4, 3))
    sheet.curve(down, _answers(log, every), BLUE, 2.0)
    for look in looks:
        colour = PINK if look.elsewhere else DARK
        sheet.shapes.append(Disc((sheet.x(look.seconds), down(look.x)), 2.8, colour))
    likely = sheet.chart("probability that the target is followed", 0, 1, (0, 0.25, 0.6, 1), 90)
    points = [(0.0, 0.95)]
    for look in looks:
        points += [(look.seconds, points[-1][1]), (look.seconds, look.probability)]
    sheet.curve(likely, [*points[1:], (SECONDS, points[-1][1])], "ink", 1.6)
    strip = sheet.row("presence", 18)
    changes = [(row[1] * 1e-9, str(row[2])) for row in log.of_kind("presence")]
    for (since, name), (until, _) in zip(changes, [*changes[1:], (SECONDS, "")]):
        wide = sheet.x(until) - sheet.x(since) > 70
        sheet.bar(strip, since, until, COLOURS[name], name if wide else "", 18)
    sheet.axis((0, 0.5, 1, 1.5, 2, 2.5, 3), f"seconds; the target is hidden from {begin:g} to {end:g}")
    sheet.legend(
        [
            ("muted", "dashed: the target; band: an obstacle that stands still"),
            (DARK, "results on the path that is followed"),
            (PINK, "results of the search elsewhere"),
            (BLUE, "what is answered"),
            (AMBER, "UNCERTAIN"),
        ]
    )
    return sheet.drawing("A target is hidden, searched for beside the path that is followed, and found again")


def place(seconds: float) -> float:
    """Where the target is, pixels from the left."""
    return 60 + 105 * seconds


class Looker:
    """A tracker that finds the target within its search region where it shows, else what resembles it there."""

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start; there is nothing to be learned."""

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Answer with the target, else with the obstacle, else with what is in the middle of the search region."""
        assert search_box is not None
        seconds, begin = frame.t_ns * 1e-9, search_box[0]
        if not HIDDEN[0] <= seconds < HIDDEN[1] and abs(place(seconds) - begin) < SEES * SIZE:
            return _output(place(seconds), 0.95, 1.0)
        if abs(OBSTACLE - begin) < SEES * SIZE:
            return _output(OBSTACLE, 0.6, 0.4)
        return _output(begin, 0.3, 0.2)


def _output(x: float, score: float, similarity: float) -> TrackerOutput:
    return TrackerOutput(np.array([x, 100.0, SIZE, SIZE]), score, similarity=similarity)


class _Observed(StateMachine):
    """Keeps what each result changed."""

    def __init__(self, *given: Any, **named: Any):
        super().__init__(*given, **named)
        self.looks: List[Look] = []

    def tracked(self, t_ns: int, command: Any, output: TrackerOutput) -> Any:
        made = super().tracked(t_ns, command, output)
        probability = self.probability
        assert probability is not None
        self.looks.append(Look(command.frame.t_ns * 1e-9, float(output.box[0]), command.elsewhere, probability))
        return made


def course() -> Tuple[List[Look], EventLog]:
    """Run the state machine, with a tracker of 47 ms at 30 frames a second and no propagation."""
    predictors = {"ensemble": create_predictor("ensemble")}
    machine = _Observed(predictors, CoreConfig("predicted", PresenceConfig()), EventLog())
    frames = [Frame(number, round(number * 1e9 / FPS)) for number in range(round(SECONDS * FPS))]
    box = np.array([place(0.0), 100.0, SIZE, SIZE])
    Simulator(machine, Looker(), predictors, Costs(lambda number: COST_NS)).run(frames, box)
    return machine.looks, machine.log


def _answers(log: EventLog, seconds: List[float]) -> List[Tuple[float, float]]:
    rows = [(row[1], Trajectory.from_row(row[3:])) for row in log.of_kind("trajectory")]
    found = []
    for each in seconds:
        t_ns = round(each * 1e9)
        newest = [made for known_ns, made in rows if known_ns <= t_ns][-1]
        found.append((each, float(newest.at(t_ns).box[0])))
    return found
