"""The learned any-time motion predictor: works with every tracker, camera rate and board, needs boxes and times alone.

A small network (`pvtpp.networks.motion`, committed as ``pvtpp/weights/motion.onnx``) reads the newest results relative to the
last box and says how mean, derivative and sigma run over the horizon. This file turns a track into its inputs and its
outputs into knots.

*Inputs*, of one track (K results, n = K - 1 steps between them, the newest last; zero where there is no past), positions and
sizes relative to the newest box: `step` ``(1, 4, n)``, ``[dx / w, dy / h, dlog w, dlog h]`` from result to result, or what
the images say of that way where a displacement leads; `innovation` ``(1, 4, n)``, the tracker's own step less that of the images;
`interval` ``(1, n)``, seconds; `score` and `propagated` ``(1, K)``, of results that a step leads to; `quality` ``(1, n)`` of a
displacement; `aspect` ``(1, 1)``, log w/h.

*Fallbacks.* With one result alone the target stands still. Results older than a gap of `LONGEST_GAP_S` are not looked at.
Times that do not increase, boxes that are not finite or have no area raise InputError; the answer is never NaN.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Dict, List, Tuple, Union

import numpy as np

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory

WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "motion.onnx"
HORIZONS_S = (0.0, 0.05, 0.12, 0.22, 0.4)
"""Knots, seconds after the newest evidence."""
INPUTS = ("step", "innovation", "interval", "score", "propagated", "quality", "aspect")
OUTPUT = "motion"
WITHIN = ((0.5, 0.534), (0.9, 1.645))
"""Shares of the errors, and the multiples of sigma within which they lie. Errors follow Student's t with three degrees of
freedom, not a Gaussian: how restless a target is can be estimated only roughly. Sigma is that of the Gaussian with the same
90 % interval, so that it means as much as any other predictor's."""
LONGEST_GAP_S = 1.0
_KNOTS_NS = tuple(round(h * 1e9) for h in HORIZONS_S)


def files(path: Union[str, Path] = WEIGHTS) -> Tuple[Path, ...]:
    """What the predictor of the graph at `path` is made from."""
    return (Path(path),)


class Motion:
    """`network`: an engine or the path of a graph, by default the committed one. Raises InputError where it is no motion
    network.
    """

    takes: Tuple[str, ...] = INPUTS

    def __init__(self, network: Union[Engine, str, Path] = WEIGHTS):
        self._engine = inference.load(network) if isinstance(network, (str, Path)) else network
        shapes = {spec.name: spec.shape for spec in self._engine.inputs}
        made = {spec.name: spec.shape for spec in self._engine.outputs}
        if set(shapes) != set(self.takes) or made != {OUTPUT: (1, 3, len(HORIZONS_S), 4)}:
            raise InputError(
                f"not a {type(self).__name__.lower()} network: it takes {', '.join(shapes)} and makes {', '.join(made)}; "
                f"expected {', '.join(self.takes)} to {OUTPUT} at {len(HORIZONS_S)} knots"
            )
        self.history = int(shapes["score"][1] or 0)
        n = self.history - 1
        shaped = ((1, 4, n), (1, 4, n), (1, n), (1, n + 1), (1, n + 1), (1, n), (1, 1))
        self._shapes = dict(zip(INPUTS, shaped))

    def encode(self, output: TrackerOutput) -> Any:
        return None

    def predict(self, track: Track) -> Trajectory:
        """Raises InputError for an empty track, times that do not increase, and boxes that are none."""
        return trajectory_of(self._engine.run(self.inputs(track))[OUTPUT], track)

    def inputs(self, track: Track) -> Dict[str, np.ndarray]:
        """What the network reads: float32, one track, padded with zeros where there is no past."""
        track.require_result()
        history = self.history
        t_ns, boxes = track.evidence()
        t_ns, boxes = t_ns[-history:], boxes[-history:]
        elapsed = [(after - before) * 1e-9 for before, after in zip(t_ns, t_ns[1:])]
        _check(t_ns, boxes, elapsed)
        used = len(elapsed)
        for back, seconds in enumerate(reversed(elapsed)):
            if seconds > LONGEST_GAP_S:
                used = back
                break
        made = {name: np.zeros(shape, dtype=np.float32) for name, shape in self._shapes.items()}
        w, h = boxes[-1, 2:].tolist()
        made["aspect"][0, 0] = math.log(w / h)
        if not used:
            return made
        propagated = min(len(track.propagated), used)
        made["interval"][0, -used:] = elapsed[-used:]
        made["score"][0, -used:] = [*track.scores[-used:], *(each.quality for each in track.propagated)][-used:]
        made["propagated"][0, history - propagated :] = 1.0
        before = boxes[-used - 1 : -1]
        moved = (boxes[-used:] - before) / (w, h, 1.0, 1.0)
        moved[:, 2:] = np.log(boxes[-used:, 2:] / before[:, 2:])
        if any(track.displacements):
            self._bridge(track, made, moved, before, (w, h))
        made["step"][0, :, -used:] = moved.T
        return made

    @staticmethod
    def _bridge(track: Track, made: Dict[str, np.ndarray], moved: np.ndarray, before: np.ndarray, side: Any) -> None:
        """What the images say of the way between two results has none of the tracker's jitter: it takes the place of the
        tracker's own step in `moved`, whose difference to it becomes the innovation.
        """
        newest = len(moved) - min(len(track.propagated), len(moved))
        for back in range(1, min(len(track), newest + 1)):
            displacement = track.displacement(-back)
            if displacement is not None:
                at = newest - back
                way = displacement.moved / (*side, *before[at, 2:])
                way[2:] = np.log1p(np.maximum(way[2:], -0.9))
                made["innovation"][0, :, at - len(moved)] = moved[at] - way
                made["quality"][0, at - len(moved)] = displacement.quality
                moved[at] = way


def trajectory_of(motion: np.ndarray, track: Track) -> Trajectory:
    """What a network answered, ``(1, 3, knots, 4)`` in sizes of the newest box, as the trajectory of its track."""
    box, evidence_ns = (track.propagated[-1].box if track.propagated else track.boxes[-1]), track.evidence_ns
    x, y, w, h = box.tolist()
    mean, derivative, sigma = motion[0] * np.array((w, h, w, h))
    mean[:, :2] += (x, y)
    return Trajectory(tuple(evidence_ns + ns for ns in _KNOTS_NS), mean, derivative, sigma, evidence_ns)


def _check(t_ns: Any, boxes: np.ndarray, elapsed: List[float]) -> None:
    if elapsed and min(elapsed) <= 0:
        raise InputError(f"the times of a track must increase, got {list(t_ns)}")
    # Sums carry any NaN or infinity along; two reductions instead of four.
    if not (np.isfinite(boxes.sum()) and boxes[:, 2:].min() > 0):
        raise InputError(f"the boxes of a track must be finite with width and height above 0, got {boxes.tolist()}")
