"""The learned any-time motion predictor: works with every tracker, camera rate and board, needs boxes and times alone.

A small network (`pvtpp.networks.motion`, committed as ``pvtpp/weights/motion.onnx``) reads the newest results relative to the
last box and says how mean, derivative and sigma run over the horizon. This file turns a track into its inputs and its
outputs into knots.

*Fallbacks.* With one result alone the target stands still. Results older than a gap of `LONGEST_GAP_S` are not looked at.
Times that do not increase, boxes that are not finite or have no area raise InputError; the answer is never NaN.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Tuple, Union

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
INPUTS = ("step", "interval", "score", "carried", "aspect")
OUTPUT = "law"
LONGEST_GAP_S = 1.0
_KNOTS_NS = tuple(round(h * 1e9) for h in HORIZONS_S)


class Motion:
    """`network`: an engine or the path of a graph, by default the committed one. Raises InputError where it is no motion
    network."""

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

    def encode(self, output: TrackerOutput) -> Any:
        return None

    def predict(self, track: Track) -> Trajectory:
        """Raises InputError for an empty track, times that do not increase, and boxes that are none."""
        track.require_anchor()
        law = self._engine.run(self.inputs(track))[OUTPUT][0].astype(np.float64)
        t_ns, boxes = track.evidence()
        x, y, w, h = boxes[-1].tolist()
        # Mean, derivative and sigma come in sizes of the newest box.
        law *= (w, h, w, h)
        law[0, :, :2] += (x, y)
        evidence_ns = t_ns[-1]
        mean, derivative, sigma = law
        return Trajectory(tuple(evidence_ns + ns for ns in _KNOTS_NS), mean, derivative, sigma, evidence_ns)

    def inputs(self, track: Track) -> Dict[str, np.ndarray]:
        """What the network reads: float32, one track, padded with zeros where there is no past."""
        history = self.history
        t_ns, boxes = track.evidence()
        t_ns, boxes = t_ns[-history:], boxes[-history:]
        anchors = max(len(t_ns) - len(track.carried), 0)
        trust = track.scores[len(track.scores) - anchors :] + tuple(each.quality for each in track.carried)
        elapsed: Any = np.diff(np.array(t_ns, dtype=np.int64)) * 1e-9
        _check(t_ns, boxes, elapsed)
        used = len(elapsed)
        long = np.flatnonzero(elapsed > LONGEST_GAP_S)
        if len(long):
            used -= int(long[-1]) + 1
        made = {
            "step": np.zeros((1, 4, history - 1), dtype=np.float32),
            "interval": np.zeros((1, history - 1), dtype=np.float32),
            "score": np.zeros((1, history), dtype=np.float32),
            "carried": np.zeros((1, history), dtype=np.float32),
        }
        w, h = boxes[-1, 2:].tolist()
        if used:
            before, moved = boxes[-used - 1 : -1], np.diff(boxes[-used - 1 :], axis=0)
            if any(track.bridges):
                # What the images say of the way between two results has none of the tracker's jitter.
                for back in range(1, min(anchors, used - len(track.carried) + 1)):
                    bridge = track.bridge(-back)
                    if bridge is not None:
                        moved[-len(track.carried) - back] = bridge.moved
            made["step"][0, :2, -used:] = moved[:, :2].T / [[w], [h]]
            made["step"][0, 2:, -used:] = np.log1p(np.maximum(moved[:, 2:] / before[:, 2:], -0.9)).T
            made["interval"][0, -used:] = elapsed[-used:]
        made["score"][0, -used - 1 :] = trust[-used - 1 :]
        made["carried"][0, history - min(len(track.carried), used) :] = 1.0
        made["aspect"] = np.array([[np.log(w / h)]], dtype=np.float32)
        return made


def _check(t_ns: Any, boxes: np.ndarray, elapsed: np.ndarray) -> None:
    if len(elapsed) and elapsed.min() <= 0:
        raise InputError(f"the times of a track must increase, got {list(t_ns)}")
    # Sums carry any NaN or infinity along; two reductions instead of four.
    if not (np.isfinite(boxes.sum()) and boxes[:, 2:].min() > 0):
        raise InputError(f"the boxes of a track must be finite with width and height above 0, got {boxes.tolist()}")
