"""A sequence on the simulated clock: what a tracker of a given speed would have seen and answered.

The first box is known at once (initialising is free for the score, as in the published protocol), but the world goes on
while the tracker initialises. What happens when is decided by the state machine (`pvtpp.core.state_machine`), what
everything takes by the arguments here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple

import numpy as np

from pvtpp.camera_motion import Gyro
from pvtpp.clip import LazyFrames
from pvtpp.core.config import CoreConfig
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig, with_presence
from pvtpp.core.simulator import Costs, Simulator
from pvtpp.core.state_machine import StateMachine
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.propagation import Propagator
from pvtpp.tracker import Tracker, takes_search_box
from pvtpp.validation import check, one_of, whole_from
from pvtpp_benchmarks.datasets.gyro import GyroRecording
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.named_failures import NamedFailures

CORES = ("own", "shared")


@dataclass(frozen=True)
class Propagation:
    """A propagator and its price.

    Attributes
    ----------
    propagator
        New for each run: it remembers frames.
    step_ns
        What each step takes that it measures, nanoseconds.
    core
        The processor that it runs on: its ``own``, or ``shared`` with the tracker.
    """

    propagator: Propagator
    step_ns: int = 0
    core: str = "own"

    def __post_init__(self) -> None:
        check(self, {"core": one_of(CORES), "step_ns": whole_from(0)})


def simulate(
    sequence: VideoSequence,
    tracker: Tracker,
    predictors: Mapping[str, Predictor],
    processing: Callable[[int], int],
    *,
    first_box: np.ndarray,
    start: int = 0,
    predictor_ns: int = 0,
    schedule: str = "async",
    search_region: str = "last",
    propagation: Optional[Propagation] = None,
    presence: Optional[PresenceConfig] = None,
    gyro: Optional[GyroRecording] = None,
    meta: Optional[Dict[str, Any]] = None,
    log: Optional[EventLog] = None,
) -> EventLog:
    """Run the tracker over the sequence from one camera frame on.

    Parameters
    ----------
    sequence
        Frames, and when they were captured.
    tracker
        Its answers count when their time has passed.
    predictors
        By name; the first one leads.
    processing
        Nanoseconds by the camera frame's number in this run; 0 is the initialisation.
    first_box
        The target at frame `start`, ``[cx, cy, w, h]``, pixels.
    start
        Number of the camera frame to start from.
    predictor_ns
        What each prediction takes, nanoseconds.
    schedule, search_region
        As of `pvtpp.core.config.CoreConfig`.
    propagation
        None runs without.
    presence
        Constants by which results are assessed, as the live tracker does it; None believes them all.
    gyro
        What is known of the camera's own rotation, each sample after its delay.
    meta
        What the log says of the run.
    log
        Where the events go; None makes a new log with this `meta`.

    Returns
    -------
    EventLog
        The run.
    """
    if not 0 <= start < len(sequence):
        raise InputError(f"{sequence.name}: start frame {start} is outside 0..{len(sequence) - 1}")
    log = EventLog(meta) if log is None else log
    _, simulator = assemble(
        sequence.name,
        tracker,
        predictors,
        processing,
        predictor_ns=predictor_ns,
        schedule=schedule,
        search_region=search_region,
        propagation=propagation,
        presence=presence,
        gyro=None if gyro is None else gyro.gyro(),
        log=log,
    )
    frames = LazyFrames(sequence.frame, start, len(sequence))
    simulator.run(frames, first_box, _samples(gyro))
    return log


def assemble(
    name: str,
    tracker: Tracker,
    predictors: Mapping[str, Predictor],
    processing: Callable[[int], int],
    *,
    predictor_ns: int = 0,
    schedule: str = "async",
    search_region: str = "last",
    propagation: Optional[Propagation] = None,
    presence: Optional[PresenceConfig] = None,
    gyro: Optional[Gyro] = None,
    log: Optional[EventLog] = None,
) -> Tuple[StateMachine, Simulator]:
    """Make a state machine and the simulator that executes its commands, for one run.

    Parameters are those of `simulate`, but for `name`, which errors of the tracker name, and `gyro`, which has no
    samples yet.
    """
    one_core = propagation is not None and propagation.core == "shared"
    assessed, presence = with_presence(tracker, presence)
    steers = takes_search_box(assessed)
    config = CoreConfig(search_region, presence, propagation is not None, one_core, schedule, steers=steers)
    machine = StateMachine(predictors, config, log, gyro)
    step_ns = 0 if propagation is None else propagation.step_ns
    costs = Costs(processing, step=step_ns, predictor=predictor_ns, one_core=one_core)
    propagator = None if propagation is None else propagation.propagator
    return machine, Simulator(machine, NamedFailures(assessed, name), predictors, costs, propagator)


def _samples(gyro: Optional[GyroRecording]) -> Iterator[Tuple[int, int, np.ndarray]]:
    if gyro is not None:
        for measured_ns, rate in zip(gyro.t_ns.tolist(), gyro.rates):
            yield measured_ns + gyro.delay_ns, measured_ns, rate
