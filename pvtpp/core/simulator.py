"""The state machine on a simulated clock: a heap of what is due when, and a cost for everything that takes time.

Times are integer nanoseconds, and nothing sees the future. At equal times a frame arrives before a stage is done.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count
from typing import Callable, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.core import commands
from pvtpp.core.commands import Command, Detect, Encode, Init, Propagate, TrackFrame
from pvtpp.core.state_machine import StateMachine
from pvtpp.detection import Detector, detect
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import Frame, Tracker, checked_output

ARRIVES, DONE = 0, 1
Action = Callable[[int], None]


@dataclass(frozen=True)
class Costs:
    """What everything takes, in nanoseconds.

    Attributes
    ----------
    tracker
        By the number of the frame since the first one; 0 is the initialisation.
    step
        Each step that propagation measures.
    predictor
        Each prediction.
    one_core
        Propagation and prediction take their time from the tracker, instead of each having a core of its own.
    detector
        Each frame that the detector is asked for candidates in.
    """

    tracker: Callable[[int], int]
    step: int = 0
    predictor: int = 0
    one_core: bool = False
    detector: int = 0


class Simulator:
    """Executes the commands of one state machine, and reports each when its cost has passed.

    Parameters
    ----------
    machine
        Decides what happens; its log holds the run afterwards.
    tracker
        Runs at once, and its answer counts when its time has passed.
    predictors
        Those of the machine.
    costs
        What everything takes.
    propagator
        Needed where the machine's configuration has propagation.
    detector
        Needed where it has detection.
    """

    def __init__(
        self,
        machine: StateMachine,
        tracker: Tracker,
        predictors: Mapping[str, Predictor],
        costs: Costs,
        propagator: Optional[Propagator] = None,
        detector: Optional[Detector] = None,
    ):
        if machine.config.propagation and propagator is None:
            raise InputError("a state machine with propagation needs a propagator")
        if machine.config.detects and detector is None:
            raise InputError("a state machine with detection needs a detector")
        self._machine, self._tracker, self._predictors = machine, tracker, predictors
        self._costs, self._propagator, self._detector = costs, propagator, detector
        self._due: List[Tuple[int, int, int, Action]] = []
        self._order = count()
        self._first_index = 0
        # On one core: until when propagation is busy, and what it takes away from the tracker's present work.
        self._busy_until, self._taken_away = 0, 0
        self._deadline: Optional[int] = None

    def run(
        self,
        frames: Sequence[Frame],
        box: ArrayLike,
        gyro: Iterable[Tuple[int, int, np.ndarray]] = (),
    ) -> None:
        """Run from the first frame, on which the target is given, to the end.

        Parameters
        ----------
        frames
            In order of capture; each arrives at its capture time.
        box
            The target in the first, ``[cx, cy, w, h]``, pixels.
        gyro
            Samples: when each becomes known, when it was measured (nanoseconds), angular velocity (3,) in rad/s.
        """
        first = frames[0]
        self._first_index = first.index
        samples = iter(gyro)
        self._expect_sample(samples, first.t_ns)
        self._perform(first.t_ns, self._machine.frame_arrived(first.t_ns, first))
        self._perform(first.t_ns, self._machine.init(first.t_ns, first, box))
        self._expect_frame(frames, 1)
        while self._due:
            t_ns, _, _, action = heapq.heappop(self._due)
            action(t_ns)

    def call(self, t_ns: int, action: Callable[[int], List[Command]]) -> None:
        """Have something done in the world at a time, before or during `run`: a controller's step, a sensor's reading.

        Parameters
        ----------
        t_ns
            When, nanoseconds; not in the past.
        action
            Gets the time. It returns the commands of the machine that follow from the events that it reported.
        """
        self._at(t_ns, ARRIVES, lambda now: self._perform(now, action(now)))

    def _at(self, t_ns: int, priority: int, action: Action) -> None:
        heapq.heappush(self._due, (int(t_ns), priority, next(self._order), action))

    def _expect_frame(self, frames: Sequence[Frame], number: int) -> None:
        if number < len(frames):
            frame = frames[number]

            def arrive(t_ns: int) -> None:
                self._expect_frame(frames, number + 1)
                self._perform(t_ns, self._machine.frame_arrived(t_ns, frame))

            self._at(frame.t_ns, ARRIVES, arrive)

    def _expect_sample(self, samples: Iterable[Tuple[int, int, np.ndarray]], now_ns: int) -> None:
        """Hand over the samples that are known by now; the next one as it becomes known."""
        for known_ns, measured_ns, rate in samples:
            if known_ns > now_ns:

                def hand_over(t_ns: int, measured_ns: int = measured_ns, rate: np.ndarray = rate) -> None:
                    self._perform(t_ns, self._machine.gyro_sample(t_ns, measured_ns, rate))
                    self._expect_sample(samples, t_ns)

                self._at(known_ns, ARRIVES, hand_over)
                return
            self._perform(now_ns, self._machine.gyro_sample(now_ns, measured_ns, rate))

    def _perform(self, t_ns: int, todo: List[Command]) -> None:
        todo = list(todo)
        while todo:
            todo += self._start(t_ns, todo.pop(0))
        deadline = self._machine.deadline_ns
        if deadline is not None and deadline != self._deadline:
            self._deadline = deadline
            self._at(deadline, DONE, lambda now: self._perform(now, self._machine.time_passed(now)))

    def _start(self, t_ns: int, command: Command) -> List[Command]:
        """Begin with a command; return what follows at once, where it took no time."""
        machine, costs = self._machine, self._costs
        if isinstance(command, Init):
            self._tracker.init(command.frame, command.box)
            initialised = command
            self._track_for(t_ns, costs.tracker(0), lambda now: machine.initialised(now, initialised))
        elif isinstance(command, TrackFrame):
            output = checked_output(self._tracker, self._tracker.track(command.frame, command.search_box))
            tracked, duration = command, costs.tracker(command.frame.index - self._first_index)
            self._track_for(t_ns, duration, lambda now: machine.tracked(now, tracked, output))
        elif isinstance(command, Propagate):
            assert self._propagator is not None
            found, propagated = commands.propagate(self._propagator, command), command
            self._aside(t_ns, found.steps * costs.step, lambda now: machine.propagated(now, propagated, found))
        elif isinstance(command, Encode):
            # What encoding takes is part of the predictor's cost.
            return machine.encoded(t_ns, command, commands.encode(self._predictors, command))
        elif isinstance(command, Detect):
            assert self._detector is not None
            detections, asked = detect(self._detector, command.frame), command
            self._aside(t_ns, costs.detector, lambda now: machine.detected(now, asked, detections))
        else:
            made, predicted = commands.predict(self._predictors, command), command
            if not costs.predictor:
                return machine.predicted(t_ns, command, made)
            self._aside(t_ns, costs.predictor, lambda now: machine.predicted(now, predicted, made))
        return []

    def _aside(self, t_ns: int, cost: int, report: Callable[[int], List[Command]]) -> None:
        """Work of the propagator, the predictor or the detector."""
        if self._costs.one_core:
            self._taken_away += cost
            self._busy_until = max(self._busy_until, t_ns + cost)
        self._at(t_ns + cost, DONE, lambda now: self._perform(now, report(now)))

    def _track_for(self, t_ns: int, duration: int, report: Callable[[int], List[Command]]) -> None:
        """Work of the tracker for `duration`, and longer by what others take away meanwhile."""
        self._taken_away = max(self._busy_until - t_ns, 0) if self._costs.one_core else 0

        def done(now: int) -> None:
            more, self._taken_away = self._taken_away, 0
            if more:
                self._at(now + more, DONE, done)
            else:
                self._perform(now, report(now))

        self._at(t_ns + duration, DONE, done)
