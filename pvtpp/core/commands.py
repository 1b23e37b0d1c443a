"""What the state machine asks its driver to do, and how each command is executed: without threads, clock or I/O.

A driver gives each command to the stage that it belongs to, executes it when and where it likes, and reports back. A
stage has one command at a time, so no stage needs a lock of its own.

What a propagator or a predictor returns is checked here, where it counts as a failure of that command. A report to the
state machine is always one that it can use.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from pvtpp.boxes import as_box
from pvtpp.camera_motion import CameraMotion
from pvtpp.core.coasting import doubted
from pvtpp.core.sigma_calibration import calibrated
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.predictors.hold import Hold
from pvtpp.propagation import Carried, Propagator
from pvtpp.stabilised import stabilised
from pvtpp.track import Displacement, PropagatedBox, Track
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.trajectory import Trajectory


class Init(NamedTuple):
    """Start the tracker on `box` (``[cx, cy, w, h]``, pixels) in `frame`. `target` is the number of the target."""

    target: int
    frame: Frame
    box: np.ndarray


class TrackFrame(NamedTuple):
    """Run the tracker on `frame`.

    Attributes
    ----------
    target
        Number of the target.
    frame
        The frame.
    search_box
        Where it looks; None means round its own last result.
    elsewhere
        Whether it searches for a target that is probably lost, elsewhere than on the path that it follows.
    """

    target: int
    frame: Frame
    search_box: Optional[np.ndarray]
    elsewhere: bool = False


class Propagate(NamedTuple):
    """Take a new frame, and propagate the newest result to the newest frames.

    Attributes
    ----------
    target
        Number of the target; 0 where there is none, then there is nothing to propagate.
    frame
        The new frame; None where only the result is new.
    region
        Where the target is in the frame before, ``[cx, cy, w, h]``, pixels; None: measure nothing.
    result_number
        How many results there were when this was asked.
    result
        Capture time and box of the newest result.
    previous
        The same of the result before, where the displacement between both is wanted.
    to
        Capture times of the frames to propagate the newest result to.
    kept
        Boxes that have been propagated from it before.
    """

    target: int
    frame: Optional[Frame]
    region: Optional[np.ndarray]
    result_number: int = 0
    result: Optional[Tuple[int, np.ndarray]] = None
    previous: Optional[Tuple[int, np.ndarray]] = None
    to: Tuple[int, ...] = ()
    kept: Tuple[PropagatedBox, ...] = ()


class Encode(NamedTuple):
    """Let each predictor that reads features see these tracker outputs, by capture time, once."""

    target: int
    outputs: Tuple[Tuple[int, TrackerOutput], ...]


class Predict(NamedTuple):
    """Turn the track into a trajectory for each predictor.

    Attributes
    ----------
    target
        Number of the target.
    result_number
        How many results `tracks` has taken in, the first box included.
    tracks
        The track of each predictor, by name; they differ in their encodings alone.
    motion
        What was known of the camera's rotation at that time; None without a gyro.
    doubted_s
        Seconds since it was last known that the target is followed: sigma grows with them.
    propagating
        Whether propagation is on: then sigma is calibrated, see `pvtpp.core.sigma_calibration`.
    """

    target: int
    result_number: int
    tracks: Mapping[str, Track]
    motion: Optional[CameraMotion] = None
    doubted_s: float = 0.0
    propagating: bool = False


class Detect(NamedTuple):
    """Let the detector look for candidates in `frame`, since the target is probably lost; `target` is its number."""

    target: int
    frame: Frame


Command = Union[Init, TrackFrame, Propagate, Encode, Predict, Detect]

TRACKER, PROPAGATOR, PREDICTOR, DETECTOR = "tracker", "propagator", "predictor", "detector"
STAGES = (TRACKER, PROPAGATOR, PREDICTOR, DETECTOR)
STAGE: Dict[type, str] = {
    Init: TRACKER,
    TrackFrame: TRACKER,
    Propagate: PROPAGATOR,
    Encode: PREDICTOR,
    Predict: PREDICTOR,
    Detect: DETECTOR,
}
"""The stage that executes each kind of command."""


class Propagation(NamedTuple):
    """What executing `Propagate` found.

    Attributes
    ----------
    boxes
        The newest result on later frames.
    displacement
        From the result before to the newest; None where that was not asked for.
    steps
        How many steps had to be measured: each costs time.
    """

    boxes: Tuple[PropagatedBox, ...] = ()
    displacement: Optional[Displacement] = None
    steps: int = 0


def standing_for(name: str) -> Command:
    """Return a command of this kind that stands for one of which no more is known than its name."""
    nowhere = np.array([0.0, 0.0, 1.0, 1.0])
    known: Dict[str, Command] = {
        "Init": Init(0, Frame(0, 0), nowhere),
        "TrackFrame": TrackFrame(0, Frame(0, 0), None),
        "Propagate": Propagate(0, None, None),
        "Encode": Encode(0, ()),
        "Predict": Predict(0, 0, {}),
        "Detect": Detect(0, Frame(0, 0)),
    }
    if name not in known:
        raise InputError(f"unknown command {name!r}, expected one of: {', '.join(known)}")
    return known[name]


def propagate(propagator: Propagator, command: Propagate) -> Propagation:
    """Execute `command` with this propagator.

    Raises
    ------
    InputError
        For a box or a quality of the propagator that is none.
    """
    steps = 0
    if command.frame is not None:
        propagator.push(command.frame, command.region)
        steps += command.region is not None
    if command.result is None:
        return Propagation(steps=steps)
    result_ns, box = command.result
    displacement = None
    if command.previous is not None:
        from_ns, before = command.previous
        moved = _carry(propagator, before, from_ns, result_ns)
        displacement = Displacement(from_ns, moved.box - before, moved.quality)
        steps += moved.steps
    known = {each.t_ns: each for each in command.kept}
    found: List[PropagatedBox] = []
    for t_ns in command.to:
        if t_ns not in known:
            moved = _carry(propagator, box, result_ns, t_ns)
            quality, steps = moved.quality, steps + moved.steps
            if not quality:
                last = next((each for each in reversed([*command.kept, *found]) if each.t_ns < t_ns), None)
                if last is not None and last.quality:
                    # The result's frame is no longer in memory: the tracker hangs. Go on from the last propagated box.
                    moved = _carry(propagator, last.box, last.t_ns, t_ns)
                    quality, steps = min(last.quality, moved.quality), steps + moved.steps
            known[t_ns] = PropagatedBox(t_ns, moved.box, quality)
        found.append(known[t_ns])
    return Propagation(tuple(found), displacement, steps)


def _carry(propagator: Propagator, box: np.ndarray, from_ns: int, to_ns: int) -> Carried:
    moved = propagator.carry(box, from_ns, to_ns)
    source = f"{type(propagator).__name__}.carry() to t_ns={to_ns}"
    if not 0 <= moved.quality <= 1:
        raise InputError(f"{source}: quality {moved.quality!r} is outside [0, 1]")
    return Carried(as_box(moved.box, source), float(moved.quality), moved.steps)


def may_encode(predictor: Predictor) -> bool:
    """Say whether the predictor wants to see tracker outputs; one that does not say whether it reads features may."""
    return bool(getattr(predictor, "reads_features", True))


def encode(predictors: Mapping[str, Predictor], command: Encode) -> Dict[str, Dict[int, Any]]:
    """Execute `command`: the encodings of each predictor that reads features, by name and capture time."""
    return {
        name: {t_ns: predictor.encode(output) for t_ns, output in command.outputs}
        for name, predictor in predictors.items()
        if may_encode(predictor)
    }


def predict(predictors: Mapping[str, Predictor], command: Predict) -> Dict[str, Trajectory]:
    """Execute `command`: the trajectory of each predictor, by name.

    Raises
    ------
    InputError
        For a predictor that returns something else, or a first box without width or height.
    """
    made = {
        name: predicted(predictor, command.tracks[name], command.motion, command.propagating)
        for name, predictor in predictors.items()
    }
    if command.doubted_s > 0:
        made = {name: doubted(trajectory, command.doubted_s) for name, trajectory in made.items()}
    return made


def hold(track: Track, motion: Optional[CameraMotion]) -> Trajectory:
    """Return the trajectory of a target just given, until the first prediction is made: its box stands."""
    return predicted(Hold(), track, motion)


def predicted(
    predictor: Predictor, track: Track, motion: Optional[CameraMotion], propagating: bool = False
) -> Trajectory:
    """Predict from a track, in the stabilised frame where the camera's motion is known.

    Raises
    ------
    InputError
        For what is no trajectory of boxes.
    """
    still = None if motion is None else stabilised(track, motion)
    seen = track if still is None else still
    made = predictor.predict(seen)
    if not isinstance(made, Trajectory):
        raise InputError(f"{type(predictor).__name__}.predict() returned {made!r}, expected a Trajectory")
    width, height = made.mean[0, 2:].tolist()
    if not (width > 0 and height > 0):
        # No extrapolation makes a side of 0 out of one above 0, so all boxes that are asked for are boxes.
        raise InputError(f"{type(predictor).__name__}.predict() returned a box of {width} x {height} pixels")
    if propagating:
        made = calibrated(made, seen)
    return made if still is None else replace(made, stabilised=True)
