"""One closed loop in simulated time: what the camera sees depends on what was commanded before.

The state machine decides what tracker, propagation and predictor do, as everywhere; the simulator executes that and
charges its time (`pvtpp.core.simulator`). Here is what lies outside of it: the camera's axes, the controller, which is
asked at its own rate, and the sensors that know how the camera turns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp.camera_motion import Gyro
from pvtpp.clip import LazyFrames
from pvtpp.control import Aim, CameraRates, ControllerConfig, RateController, pan_rate
from pvtpp.core.commands import Command
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker
from pvtpp.trajectory import Prediction
from pvtpp.validation import above, at_least, check
from pvtpp_benchmarks.closed_loop.axes import STEP_NS, Axes, AxesConfig, AxisStates
from pvtpp_benchmarks.closed_loop.variants import Variant
from pvtpp_benchmarks.closed_loop.world import World
from pvtpp_benchmarks.default_run import usual_options
from pvtpp_benchmarks.processing import ProcessingTime, parse
from pvtpp_benchmarks.simulation import assemble

GYRO_LEAD_S = 0.1
"""The gyro has run for so long when the loop begins."""
TrueBox = Callable[[int], Optional[np.ndarray]]
MakeTracker = Callable[[TrueBox], Tracker]
"""Makes the tracker of a loop. It gets what the true box at a time is, for trackers that tests put in."""


@dataclass(frozen=True)
class LoopConfig:
    """What is between images and motors.

    Attributes
    ----------
    camera_hz, control_hz
        Frames and commands per second.
    axes
        The motors.
    controller
        Gains and limits.
    gyro_hz, gyro_delay_s
        Samples per second, and from a measurement until it is known.
    gyro_noise, gyro_bias
        Standard deviations of each sample's error and of the constant one of a run, radians per second.
    report_hz, report_delay_s
        Of the gimbal's report of its rates.
    """

    camera_hz: float = 30.0
    control_hz: float = 50.0
    axes: AxesConfig = field(default_factory=AxesConfig)
    controller: ControllerConfig = field(default_factory=ControllerConfig)
    gyro_hz: float = 200.0
    gyro_delay_s: float = 0.002
    gyro_noise: float = 0.005
    gyro_bias: float = 0.003
    report_hz: float = 50.0
    report_delay_s: float = 0.01

    def __post_init__(self) -> None:
        rates = dict.fromkeys(("camera_hz", "control_hz", "gyro_hz", "report_hz"), above(0, 1000))
        rest = dict.fromkeys(("gyro_delay_s", "gyro_noise", "gyro_bias", "report_delay_s"), at_least(0))
        check(self, {**rates, **rest})


class Answer(NamedTuple):
    """What was said of the target when a frame was captured.

    Attributes
    ----------
    t_ns
        When.
    box
        The prediction for then, ``[cx, cy, w, h]``, pixels.
    presence
        None where results are not assessed.
    """

    t_ns: int
    box: np.ndarray
    presence: Optional[Presence]


class Recording(NamedTuple):
    """What happened in a loop.

    Attributes
    ----------
    axes
        At each millisecond.
    error
        Pointing error at each millisecond, radians, shape ``(n,)``.
    inside
        Whether the target's middle is in the image at each millisecond, shape ``(n,)``, bool.
    answers
        One at each camera frame.
    """

    axes: AxisStates
    error: np.ndarray
    inside: np.ndarray
    answers: List[Answer]


class ClosedLoop:
    """One run.

    Parameters
    ----------
    world
        What there is to see.
    variant
        What the controller gets.
    make_tracker
        Makes the tracker; its answers count when `processing` has passed.
    processing
        What the tracker is charged for a frame.
    config
        Camera, controller, motors and sensors.
    """

    def __init__(
        self,
        world: World,
        variant: Variant,
        make_tracker: MakeTracker,
        processing: ProcessingTime,
        config: Optional[LoopConfig] = None,
    ):
        self.world, self.variant, self.config = world, variant, config or LoopConfig()
        axes = self.config.axes
        self._axes = Axes(axes, world.aim_at(0.0))
        self._end_ns = round(world.config.seconds * 1e9)
        self._lead_ns = round(axes.lead_s * 1e9)
        rng = np.random.default_rng([world.config.seed, 1])
        self._bias, self._rng = rng.normal(0, self.config.gyro_bias, 3), rng
        self._gyro = Gyro(world.lens.matrix) if variant.known == "gyro" else None
        self._rates = CameraRates()
        self._aim, self._controller = Aim(self._rates), RateController(self.config.controller)
        self._answers: List[Answer] = []
        name = f"closed loop, {world.config.motion}, seed {world.config.seed}"
        self._machine, self._simulator = assemble(
            name,
            make_tracker(self.true_box),
            defaults.predictors(variant.predictor),
            processing.start(name, world.config.seed),
            predictor_ns=round(parse(defaults.PREDICTOR_PROCESSING).longest_ns()),
            gyro=self._gyro,
            **usual_options(variant.predictor),
        )

    def run(self) -> Recording:
        """Run from the first frame, in whose middle the target is, to the end."""
        simulator, config = self._simulator, self.config
        count = int(self._end_ns * config.camera_hz / 1e9) + 1
        first = self.true_box(0)
        if first is None or not self._in_image(first):
            raise InputError(f"closed loop: the target is not whole in the first image, its box is {first}")
        for number in range(count):
            simulator.call(self._frame_ns(number), self._answer)
        self._every(config.control_hz, self._control)
        if self._gyro is not None:
            self._every(config.gyro_hz, self._measure)
        if self.variant.known == "rates":
            self._every(config.report_hz, self._report)
        simulator.run(LazyFrames(self._frame, 0, count), first, self._known_samples())
        length = self._end_ns // STEP_NS + 1
        states, t = self._axes.states(length), np.arange(length) * STEP_NS * 1e-9
        pointed = self.world.pointing(t, states.angle + self.world.shake(t)[0])
        return Recording(states, pointed.error, pointed.inside, self._answers)

    def true_box(self, t_ns: int) -> Optional[np.ndarray]:
        """Where the target is in the image of a time that is not in the future; None where it is behind the camera."""
        return self.world.box(t_ns * 1e-9, self.attitude(t_ns))

    def image(self, t_ns: int) -> np.ndarray:
        """What the camera sees at a time that is not in the future."""
        return self.world.render(t_ns * 1e-9, self.attitude(t_ns))

    def attitude(self, t_ns: int) -> np.ndarray:
        """The camera's pitch and yaw (2,), shake included, at a time that is not in the future."""
        angle: np.ndarray = self._axes.at(t_ns)[0] + self.world.shake(np.array(t_ns * 1e-9))[0]
        return angle

    def _frame_ns(self, number: int) -> int:
        return round(number * 1e9 / self.config.camera_hz)

    def _frame(self, number: int) -> Frame:
        t_ns = self._frame_ns(number)
        # The image is rendered when somebody looks at it: then the camera's attitude is known.
        return Frame(number, t_ns, lambda: self.image(t_ns), source=f"closed loop frame {number}")

    def _in_image(self, box: np.ndarray) -> bool:
        low, high = box[:2] - box[2:] / 2, box[:2] + box[2:] / 2
        return bool((low >= 0).all() and (high <= self.world.config.image).all())

    def _every(self, hz: float, action: Callable[[int], List[Command]]) -> None:
        """Have an action done at this rate, from the beginning to the end."""
        number = 0

        def again(t_ns: int) -> List[Command]:
            nonlocal number
            number += 1
            following = round(number * 1e9 / hz)
            if following <= self._end_ns:
                self._simulator.call(following, again)
            return action(t_ns)

        self._simulator.call(0, again)

    def _predict(self, t_ns: int) -> Optional[Prediction]:
        trajectory = self._machine.trajectories.get(self.variant.predictor)
        return None if trajectory is None else self._machine.answer(trajectory, t_ns)

    def _control(self, now_ns: int) -> List[Command]:
        """Ask for the target, and command the axes."""
        lost = self._machine.presence_at(now_ns) is Presence.LOST
        seen, own = None, None
        if not lost:
            seen, own = self._aim.at(now_ns + self._lead_ns, self.world.lens, self._predict, self._gyro)
        if self.variant.forward == "image":
            own = None if seen is None else seen.rate
        elif self.variant.forward == "nothing":
            own = None
        up, right = self._controller.step(now_ns, seen, own).tolist()
        pitch = float(self._axes.at(now_ns)[0][0])
        self._axes.command(now_ns, (up, pan_rate(right, pitch, self.config.controller.max_rate)))
        return []

    def _answer(self, t_ns: int) -> List[Command]:
        prediction = self._predict(t_ns)
        if prediction is not None:
            self._answers.append(Answer(t_ns, prediction.box, self._machine.presence_at(t_ns)))
        return []

    def _turning(self, t_ns: int) -> np.ndarray:
        """The camera's angular velocity (3,), in its axes."""
        shaken = self.world.shake(np.array(t_ns * 1e-9))[1]
        rates = (self._axes.at(t_ns)[1] if t_ns >= 0 else 0.0) + shaken
        return self.world.rate(self.attitude(max(t_ns, 0)), rates)

    def _gyro_sample(self, t_ns: int) -> np.ndarray:
        sample: np.ndarray = self._turning(t_ns) + self._bias + self._rng.normal(0, self.config.gyro_noise, 3)
        return sample

    def _known_samples(self) -> List[Tuple[int, int, np.ndarray]]:
        """The gyro's samples of before the first frame, as the simulator takes them."""
        if self._gyro is None:
            return []
        times = np.rint(np.arange(-GYRO_LEAD_S, 0, 1 / self.config.gyro_hz) * 1e9).astype(int).tolist()
        return [(0, t_ns, self._gyro_sample(t_ns)) for t_ns in times]

    def _measure(self, t_ns: int) -> List[Command]:
        sample = self._gyro_sample(t_ns)
        known_ns = t_ns + round(self.config.gyro_delay_s * 1e9)
        self._simulator.call(known_ns, lambda now: self._machine.gyro_sample(now, t_ns, sample))
        return []

    def _report(self, t_ns: int) -> List[Command]:
        rates = self._turning(t_ns)[:2]

        def take(now_ns: int) -> List[Command]:
            self._rates.add(t_ns, rates)
            return []

        self._simulator.call(t_ns + round(self.config.report_delay_s * 1e9), take)
        return []
