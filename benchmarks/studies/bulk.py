"""Fast replays without images: the logs of `pvtpp_benchmarks.simulation` at a fraction of its cost.

When the search region is the tracker's own last result, the frames that it processes depend on the clock alone. So the
clock is simulated once for each length of video, frame rate and processing time. Trackers and predictors then answer in
that order. A Kalman filter, which costs more than all other predictors together, predicts after all results at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, List, Mapping, Tuple

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.core.commands import hold
from pvtpp.core.event_log import EventLog
from pvtpp.predictors import Predictor
from pvtpp.predictors.hold import Hold
from pvtpp.predictors.kalman import HORIZONS_S, Kalman, Noise
from pvtpp.track import HISTORY, Track
from pvtpp.tracker import Tracker, TrackerOutput
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.simulation import simulate


def run(sequence: VideoSequence, tracker: Tracker, predictors: Mapping[str, Predictor], time: str) -> EventLog:
    """Run a tracker and predictors on a sequence from its first frame; the search region is the tracker's last result.

    Parameters
    ----------
    sequence
        The annotated sequence; its images are not read.
    tracker
        A tracker that needs no images.
    predictors
        Predictors by their name in the log.
    time
        Processing time as text, see `pvtpp_benchmarks.processing`.

    Returns
    -------
    EventLog
        Its boxes are equal to those of `simulate`, trajectories of a Kalman filter up to rounding.
    """
    log, first = EventLog(), xywh_to_box(sequence.ground_truth_xywh[0])
    available, outputs = [], [TrackerOutput(first)]
    for kind, t_ns, number in _clock(sequence.name, len(sequence), sequence.camera_fps, time):
        frame = sequence.frame(number)
        if kind == "init":
            log.init(t_ns, number, frame.t_ns, first)
            tracker.init(frame, first)
        else:
            outputs.append(tracker.track(frame))
            log.result(t_ns, number, frame.t_ns, outputs[-1])
        available.append((t_ns, frame.t_ns))
    captured = [at for _, at in available]
    for name, predictor in predictors.items():
        if isinstance(predictor, Kalman):
            made = _kalman(predictor, captured, outputs)
        else:
            made = _one_by_one(predictor, captured, outputs)
        # Until the first prediction is made the given box stands.
        log.trajectory(available[0][0], name, hold(Track().with_result(captured[0], first), None))
        for (t_ns, _), trajectory in zip(available, made):
            log.trajectory(t_ns, name, trajectory)
    return log


@lru_cache(maxsize=64)
def _clock(name: str, frames: int, fps: float, time: str) -> Tuple[Tuple[str, int, int], ...]:
    """The initialisation and the results of a run: kind, time in nanoseconds at which it is available, camera frame."""
    still = VideoSequence(name, np.tile([0.0, 0.0, 1.0, 1.0], (frames, 1)), fps, fps)
    took = processing.parse(time).start(name)
    log = simulate(still, Oracle(still), {"hold": Hold()}, took, first_box=np.array([0.5, 0.5, 1.0, 1.0]))
    return tuple((row[0], row[1], row[2]) for row in log.of_kind("init", "result"))


def _one_by_one(predictor: Predictor, t_ns: List[int], outputs: List[TrackerOutput]) -> List[Trajectory]:
    """The predictor's trajectory after each result; `t_ns` are the capture times."""
    track, made = Track(), []
    for captured, output in zip(t_ns, outputs):
        track = track.with_result(captured, output.box, output.score, predictor.encode(output))
        made.append(predictor.predict(track))
    return made


def _kalman(kalman: Kalman, t_ns: List[int], outputs: List[TrackerOutput]) -> List[Trajectory]:
    """`Kalman.predict` after each result, computed for all results at once.

    The last axis of the arrays is the result. Step j of each filter takes in the j-th oldest result that it still
    knows. The two groups of the first axis are centre and size.
    """
    setting = kalman.setting
    centre, size = (_columns(noise) for noise in (setting.centre, setting.size))
    noise = {name: np.array([[centre[name]], [size[name]]]) for name in centre}
    boxes, times = np.array([output.box for output in outputs]), np.array(t_ns)
    if setting.corner:
        boxes = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)
    measured_at = boxes.T.reshape(2, 2, -1)
    count = len(t_ns)
    state: Any = None
    oldest = np.maximum(np.arange(count) - HISTORY + 1, 0)
    for back in range(min(HISTORY, count) - 1, -1, -1):
        at = np.arange(count) - back
        seen = np.maximum(at, 0)
        measured = measured_at[:, :, seen]
        unit = _unit(setting.relative, measured)
        variances = [(noise[name] * unit) ** 2 for name in ("start_position", "start_velocity")]
        begun = (measured, np.zeros_like(measured), variances[0], np.zeros_like(variances[0]), variances[1])
        if state is None:
            state = begun
            continue
        dt = (times[seen] - times[np.maximum(at - 1, 0)]) * 1e-9
        predicted, velocity, pp, pv, vv = _extrapolate(setting.relative, noise, state, dt)
        variance = pp + (noise["measurement"] * unit) ** 2
        gain_p, gain_v, surprise = pp / variance, pv / variance, measured - predicted
        stepped = (
            predicted + gain_p[:, None] * surprise,
            velocity + gain_v[:, None] * surprise,
            (1 - gain_p) * pp,
            (1 - gain_p) * pv,
            vv - gain_v * pv,
        )
        begins = at <= oldest
        if setting.restart_iou:
            begins = begins | (_overlap(predicted, measured, setting.corner) < setting.restart_iou)
        state = tuple(np.where(begins, new, old) for new, old in zip(begun, stepped))
    knots = []
    for horizon in HORIZONS_S:
        position, velocity, pp, _, _ = _extrapolate(setting.relative, noise, state, np.full(count, horizon))
        if setting.corner:
            position, velocity = (np.stack([each[0] + each[1] / 2, each[1]]) for each in (position, velocity))
            pp = np.stack([pp[0] + pp[1] / 4, pp[1]])
        position[1] = np.maximum(position[1], 1e-3)
        knots.append([position, velocity, np.repeat(np.sqrt(pp)[:, None], 2, axis=1)])
    motion_models = np.array(knots).reshape(len(HORIZONS_S), 3, 4, count).transpose(3, 1, 0, 2)
    ahead = [round(horizon * 1e9) for horizon in HORIZONS_S]
    return [
        Trajectory(tuple(t + ns for ns in ahead), model[0], model[1], model[2], t)
        for t, model in zip(t_ns, motion_models)
    ]


def _columns(noise: Noise) -> Mapping[str, float]:
    return {name: float(value) for name, value in vars(noise).items()}


def _unit(relative: bool, box: np.ndarray) -> Any:
    return np.sqrt(np.maximum(box[1, 0] * box[1, 1], 1e-6)) if relative else 1.0


def _extrapolate(relative: bool, noise: Mapping[str, np.ndarray], state: Any, dt: np.ndarray) -> Any:
    position, velocity, pp, pv, vv = state
    unit, damping = _unit(relative, position), noise["damping_s"]
    endless = np.isinf(damping)
    lasting = np.where(endless, 1.0, damping)
    decay = np.where(endless, 1.0, np.exp(-dt / lasting))
    reach = np.where(endless, dt, lasting * (1 - decay))
    added = np.where(noise["ballistic"] > 0, dt * dt, dt)
    return (
        position + reach[:, None] * velocity,
        decay[:, None] * velocity,
        pp + 2 * reach * pv + reach * reach * vv + added * (noise["position"] * unit) ** 2,
        decay * (pv + reach * vv),
        decay * decay * vv + added * (noise["velocity"] * unit) ** 2,
    )


def _overlap(a: np.ndarray, b: np.ndarray, corner: bool) -> np.ndarray:
    shift = 0.0 if corner else 0.5
    low = np.maximum(a[0] - shift * a[1], b[0] - shift * b[1])
    high = np.minimum(a[0] + (1 - shift) * a[1], b[0] + (1 - shift) * b[1])
    shared = np.maximum(high - low, 0.0).prod(axis=0)
    union = a[1].prod(axis=0) + b[1].prod(axis=0) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)
