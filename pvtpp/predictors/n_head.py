"""The published predictors of PVT++: one box for each of N whole frames ahead, made into a trajectory.

Source: PVT++ (arXiv 2211.11629), Eq. 4. The network is any `Engine` (ONNX Runtime, torch) with the inputs ``motion``
(1, k, 4) and ``interval`` (1, k). The visual and the joint module also take features by the names that the tracker
gives them: ``template`` of the newest result, all others of the last k results. The output is ``offset`` (1, N, 4), the
motion from the newest result to 1..N frames later. Motions are ``[dx/w, dy/h, log w'/w, log h'/h]``.

*Short histories.* A step is a pair of consecutive results. While there are fewer than k steps, the oldest one (with its
interval and features) is repeated, as the published M and V do. The published MV fills with zeros instead, which
weakens its own motion factor and which it never saw in training. With one result there is no step, and the target
stands still, as Eq. 4 has it for a motion factor of zero.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.files import read_json
from pvtpp.inference.engine import Engine, TensorSpec
from pvtpp.predictors.motion_statistics import HORIZON_NS, recent_velocity, stated_sigma
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory

STEPS = ("motion", "interval")
TEMPLATE = "template"
LARGEST_CHANGE = 3.0
"""Largest change of a side's logarithm: no answer makes a side more than 20 times as long or as short."""


class NHead:
    """A predictor with knots at the newest evidence and 1..N frames later; beyond the last, its box is held.

    Parameters
    ----------
    engine
        The network; see the module's docstring.
    kappa
        Frames per second in which heads and intervals count.
    encoder
        An engine that turns the features of one frame into what `engine` reads of past frames, so that no frame is
        encoded twice; None where `engine` reads the features themselves.

    Attributes
    ----------
    reads_features
        Whether the network reads features; see `Predictor`.
    kappa
        Frames per second, as given.
    history
        Number of past steps that the network reads (k).
    heads
        Number of frames ahead that the network answers for (N).

    Raises
    ------
    InputError
        If `kappa` is out of range, or an engine is no such network or does not fit the other.
    """

    reads_features: bool = False

    def __init__(self, engine: Engine, kappa: float = 30.0, encoder: Optional[Engine] = None):
        if not 0 < kappa < float("inf"):
            raise InputError(f"kappa is {kappa!r}, allowed is any number of frames per second above 0")
        self._engine, self._encoder, self.kappa = engine, encoder, float(kappa)
        specs = {spec.name: spec for spec in engine.inputs}
        self.history = _size(specs.get("motion"), (1, None, 4), 1, "input 'motion' (1 x k x 4)")
        if _size(specs.get("interval"), (1, None), 1, "input 'interval' (1 x k)") != self.history:
            raise InputError("N-head network: inputs 'motion' and 'interval' disagree on the number of past steps")
        outputs = {spec.name: spec for spec in engine.outputs}
        self.heads = _size(outputs.get("offset"), (1, None, 4), 1, "output 'offset' (1 x N x 4)")
        wanted = [spec for spec in engine.inputs if spec.name not in STEPS]
        # Shapes for one frame: in the network's inputs, past steps are the second dimension.
        self._kept = {s.name: s.shape if s.name == TEMPLATE else s.shape[:1] + s.shape[2:] for s in wanted}
        self._seen = {spec.name: spec.shape for spec in encoder.inputs} if encoder else self._kept
        self.reads_features = bool(self._seen)
        if encoder and {spec.name: spec.shape for spec in encoder.outputs} != self._kept:
            made = ", ".join(map(str, encoder.outputs))
            raise InputError(
                f"N-head network: the encoder makes {made}; the network wants {', '.join(map(str, wanted))}"
            )

    def encode(self, output: TrackerOutput) -> Optional[Dict[str, np.ndarray]]:
        """Features of one result by name, encoded where there is an encoder.

        Returns
        -------
        dict or None
            None for the motion module, and for a result without features.

        Raises
        ------
        InputError
            If the features have other names, shapes or dtypes than the network takes: another tracker's.
        """
        if not self._seen or output.features is None:
            return None
        features = {name: self._feature(output.features, name, shape) for name, shape in self._seen.items()}
        return self._encoder.run(features) if self._encoder else features

    def predict(self, track: Track) -> Trajectory:
        """Run the network on the track; see `Predictor.predict`.

        Raises
        ------
        InputError
            If the track is empty, a result lacks features that the network reads, or the network answers NaN.
        """
        track.require_result()
        offset = self._offset(track) if len(track) > 1 else np.zeros((self.heads, 4))
        # The offsets apply to the newest box, the propagated one where there is one.
        x, y, w, h = track.evidence_box
        mean = np.empty((self.heads + 1, 4))
        mean[0] = x, y, w, h
        mean[1:, :2] = (x, y) + offset[:, :2] * (w, h)
        mean[1:, 2:] = (w, h) * np.exp(np.clip(offset[:, 2:], -LARGEST_CHANGE, LARGEST_CHANGE))
        frames = range(self.heads + 1)
        t_ns = tuple(track.evidence_ns + round(n * 1e9 / self.kappa) for n in frames)
        # The network does not answer with velocities: they are those of the curve through its boxes.
        derivative = np.asarray(np.gradient(mean, 1 / self.kappa, axis=0))
        _, (now, later) = stated_sigma(track, 0.5 * np.abs(recent_velocity(track)))
        ahead = np.array(t_ns)[:, None] - track.evidence_ns
        sigma = now + ahead / HORIZON_NS * (later - now)
        return Trajectory(t_ns, mean, derivative, sigma, track.evidence_ns, "hold", t_ns[-1])

    def _offset(self, track: Track) -> np.ndarray:
        boxes = track.boxes[-self.history - 1 :]
        previous, motion = boxes[:-1], np.empty((len(boxes) - 1, 4))
        motion[:, :2] = (boxes[1:, :2] - previous[:, :2]) / previous[:, 2:]
        motion[:, 2:] = np.log(boxes[1:, 2:] / previous[:, 2:])
        elapsed = np.diff(track.t_ns[-self.history - 1 :]) * 1e-9
        interval = np.maximum(np.rint(elapsed * self.kappa), 1.0)
        padding = self.history - len(motion)
        inputs = {
            "motion": _padded(motion, padding)[None].astype(np.float32),
            "interval": _padded(interval, padding)[None].astype(np.float32),
        }
        if self._kept:
            encodings = self._encodings(track, len(motion))
            encodings = [encodings[0]] * padding + encodings
            for name in self._kept:
                newest = encodings[-1][name]
                inputs[name] = newest if name == TEMPLATE else np.stack([each[name][0] for each in encodings])[None]
        offset = np.asarray(self._engine.run(inputs)["offset"], dtype=np.float64)[0]
        if not np.isfinite(offset).all():
            raise InputError(
                f"N-head network: answered {offset.tolist()}, which is not finite; its weights are damaged"
            )
        return offset

    def _encodings(self, track: Track, steps: int) -> List[Dict[str, np.ndarray]]:
        found = list(track.encodings[-steps:])
        for t_ns, encoding in zip(track.t_ns[-steps:], found):
            if encoding is None:
                raise InputError(
                    f"the tracker result for t_ns={t_ns} has no features ({', '.join(self._seen)}); "
                    "this predictor reads features, and every result after the first box needs them"
                )
        return found

    @staticmethod
    def _feature(features: Any, name: str, shape: Any) -> np.ndarray:
        array: Any = getattr(features, name, None)
        if not TensorSpec(name, shape, np.dtype(np.float32)).accepts(array):
            got = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
            wanted = " x ".join("?" if n is None else str(n) for n in shape)
            raise InputError(
                f"tracker features: {name!r} is {got}, this predictor takes float32 {wanted}; "
                "was it trained for another tracker?"
            )
        return array


def load(path: str) -> NHead:
    """Create the predictor whose network is in the file at `path`, computing on one thread.

    `pvtpp.export.n_head` writes a JSON card beside the network. It names the encoder, if there is one, and the frame
    rate `kappa` of the heads. Without a card, `kappa` is 30.
    """
    network, card = inference.load(path), _card(Path(path).with_suffix(".json"))
    encoder = _encoder(path, card)
    return NHead(network, card.get("kappa", 30.0), None if encoder is None else inference.load(encoder))


def files(path: str) -> Tuple[Path, ...]:
    """Files that the predictor of the network at `path` is made from."""
    card = Path(path).with_suffix(".json")
    encoder = _encoder(path, _card(card))
    return (Path(path), *(each for each in (card, encoder) if each is not None and each.is_file()))


def _encoder(path: str, card: Dict[str, Any]) -> Optional[Path]:
    return Path(path).with_name(card["encoder"]) if card.get("encoder") else None


def _card(path: Path) -> Dict[str, Any]:
    if not path.is_file():
        return {}
    card = read_json(path)
    if not isinstance(card, dict) or not isinstance(card.get("kappa", 30.0), (int, float)):
        raise InputError(f"{path}: not the card of an N-head network, which is an object with a number 'kappa'")
    encoder = card.get("encoder") or None
    if encoder is not None and (not isinstance(encoder, str) or Path(encoder).name != encoder):
        raise InputError(f"{path}: 'encoder' is {encoder!r}, expected the name of a file beside it")
    return card


def _padded(steps: np.ndarray, missing: int) -> np.ndarray:
    return np.concatenate([np.repeat(steps[:1], missing, axis=0), steps]) if missing else steps


def _size(spec: Optional[TensorSpec], shape: tuple, axis: int, what: str) -> int:
    """The size along `axis` of an input or output whose other sizes are those of `shape`; InputError without one."""
    fits = spec is not None and len(spec.shape) == len(shape)
    fits = fits and all(want is None or want == got for want, got in zip(shape, spec.shape))  # type: ignore[union-attr]
    size = spec.shape[axis] if fits else None  # type: ignore[union-attr]
    if size is None:
        raise InputError(f"N-head network: needs {what} with a fixed size, has {spec if spec is not None else 'none'}")
    return size
