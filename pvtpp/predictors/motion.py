"""The learned motion predictor. It needs boxes and times alone, so it works with every tracker, camera and board.

A small network (`pvtpp.networks.motion`, committed as ``pvtpp/weights/motion.onnx``) reads the newest results and
returns mean, derivative and sigma at fixed horizons. This file turns a track into the network's inputs, and its output
into a trajectory.

*Inputs*, for one track of K results with n = K - 1 steps between them, the newest last, zero where there is no past.
Positions and sizes are relative to the newest box.

=================  =============  ===================================================================================
``step``           ``(1, 4, n)``  ``[dx / w, dy / h, dlog w, dlog h]`` from result to result, or the displacement that
                                  was measured between them
``innovation``     ``(1, 4, n)``  the tracker's own step minus the displacement; zero where there is none
``interval``       ``(1, n)``     length of the step, seconds
``score``          ``(1, K)``     score of each result that a step leads to; of a propagated box, its quality
``propagated``     ``(1, K)``     1 for propagated boxes
``quality``        ``(1, n)``     quality of the displacement
``aspect``         ``(1, 1)``     log w/h
=================  =============  ===================================================================================

*Fallbacks.* With a single result the target stands still. Results before a gap of `LONGEST_GAP_S` are ignored. Times
that do not increase, and boxes that are not finite or have no area, raise InputError. The answer is never NaN.
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
"""Shares of the errors, and the multiples of sigma within which they lie.

Errors follow Student's t with three degrees of freedom, not a Gaussian, because how much a target manoeuvres can be
estimated only roughly. Sigma is that of the Gaussian with the same 90 % interval, so that it compares with the sigma of
the other predictors."""
LONGEST_GAP_S = 1.0
"""Longest time between two results that count as one history, seconds."""
_KNOTS_NS = tuple(round(h * 1e9) for h in HORIZONS_S)


def input_shapes(history: int) -> Dict[str, Tuple[int, ...]]:
    """Shape of each of `INPUTS` for one track of `history` results and propagated boxes."""
    n = history - 1
    shapes = ((1, 4, n), (1, 4, n), (1, n), (1, n + 1), (1, n + 1), (1, n), (1, 1))
    return dict(zip(INPUTS, shapes))


def files(path: Union[str, Path] = WEIGHTS) -> Tuple[Path, ...]:
    """Files that the predictor of the graph at `path` is made from."""
    return (Path(path),)


class Motion:
    """The learned motion predictor.

    Parameters
    ----------
    network
        An engine, or the path of a graph; by default the committed one. One that is no motion network raises
        InputError.

    Attributes
    ----------
    takes
        Names of the inputs that the network must have.
    reads_features
        False, see `Predictor`.
    history
        Number of results that the network reads (K in the module's docstring).
    """

    takes: Tuple[str, ...] = INPUTS
    reads_features: bool = False

    def __init__(self, network: Union[Engine, str, Path] = WEIGHTS):
        self._engine = inference.load(network) if isinstance(network, (str, Path)) else network
        shapes = {spec.name: spec.shape for spec in self._engine.inputs}
        made = {spec.name: spec.shape for spec in self._engine.outputs}
        if set(shapes) != set(self.takes) or made != {OUTPUT: (1, 3, len(HORIZONS_S), 4)}:
            raise InputError(
                f"not a {type(self).__name__.lower()} network: it takes {', '.join(shapes)} and makes "
                f"{', '.join(made)}; expected {', '.join(self.takes)} to {OUTPUT} at {len(HORIZONS_S)} knots"
            )
        self.history = int(shapes["score"][1] or 0)
        self._shapes = input_shapes(self.history)

    def encode(self, output: TrackerOutput) -> Any:
        """Return None: boxes and times are enough."""
        return None

    def predict(self, track: Track) -> Trajectory:
        """Run the network on the track; see `Predictor.predict`.

        Raises
        ------
        InputError
            If the track is empty, its times do not increase, or a box is not finite or has no area.
        """
        return trajectory_of(self._engine.run(self.inputs(track))[OUTPUT], track)

    def inputs(self, track: Track) -> Dict[str, np.ndarray]:
        """Inputs of the network for this track: float32, with the shapes given in the module's docstring."""
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
            self._use_displacements(track, made, moved, before, (w, h))
        made["step"][0, :, -used:] = moved.T
        return made

    @staticmethod
    def _use_displacements(
        track: Track, made: Dict[str, np.ndarray], moved: np.ndarray, before: np.ndarray, side: Any
    ) -> None:
        """Replace steps of the tracker by displacements, which are free of its jitter.

        Changes `moved` (steps, ``(n, 4)``) in place. The difference of the two becomes the innovation in `made`.
        """
        newest = len(moved) - min(len(track.propagated), len(moved))
        for back in range(1, min(len(track), newest + 1)):
            displacement = track.displacement(-back)
            if displacement is not None:
                at = newest - back
                step = displacement.moved / (*side, *before[at, 2:])
                step[2:] = np.log1p(np.maximum(step[2:], -0.9))
                made["innovation"][0, :, at - len(moved)] = moved[at] - step
                made["quality"][0, at - len(moved)] = displacement.quality
                moved[at] = step


def trajectory_of(motion: np.ndarray, track: Track) -> Trajectory:
    """Turn the output of a network into the trajectory of its track.

    Parameters
    ----------
    motion
        Shape ``(1, 3, knots, 4)``: mean, derivative and sigma, in widths and heights of the newest box and relative to
        its centre.
    track
        The track that the network was run on.
    """
    x, y, w, h = track.evidence_box.tolist()
    evidence_ns = track.evidence_ns
    mean, derivative, sigma = motion[0] * np.array((w, h, w, h))
    mean[:, :2] += (x, y)
    return Trajectory(tuple(evidence_ns + ns for ns in _KNOTS_NS), mean, derivative, sigma, evidence_ns)


def _check(t_ns: Any, boxes: np.ndarray, elapsed: List[float]) -> None:
    if elapsed and min(elapsed) <= 0:
        raise InputError(f"the times of a track must increase, got {list(t_ns)}")
    # A sum is not finite if any of its terms is not; so two reductions do instead of four.
    if not (np.isfinite(boxes.sum()) and boxes[:, 2:].min() > 0):
        raise InputError(f"the boxes of a track must be finite with width and height above 0, got {boxes.tolist()}")
