"""The learned joint predictor: the motion predictor, and what the tracker's own features add to it.

It consists of two small graphs of one network (`pvtpp.networks.joint`), committed for NanoTrack V3 as
``joint-nanotrack-v3.onnx`` and ``joint-nanotrack-v3.encoder.onnx``. The encoder reads the features of each tracker
result once. The short vector that it returns is kept with the result, so no frame is encoded twice.

*Fallbacks.* A result without features (the first box, a recorded result, a tracker that has none) is marked as not
seen. Where none of the newest results has features, the answer is that of the motion predictor, to the bit. Features of
other names or shapes raise InputError: each tracker needs weights of its own. All else is as in
`pvtpp.predictors.motion`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional, Tuple, Union

import numpy as np

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine, TensorSpec
from pvtpp.predictors.motion import INPUTS as MOTION_INPUTS
from pvtpp.predictors.motion import Motion
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput

WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "joint-nanotrack-v3.onnx"
FEATURES = ("template", "search")
VECTOR, VECTORS, SEEN = "vector", "vectors", "seen"
INPUTS = (*MOTION_INPUTS, VECTORS, SEEN)


def encoder_of(path: Union[str, Path]) -> Path:
    """Path of the encoder that belongs to the graph at `path`: ``joint.encoder.onnx`` for ``joint.onnx``."""
    return Path(path).with_suffix(".encoder.onnx")


def files(path: Union[str, Path] = WEIGHTS) -> Tuple[Path, ...]:
    """Files that the predictor of the graph at `path` is made from."""
    return Path(path), encoder_of(path)


class Joint(Motion):
    """The motion predictor with a correction from the tracker's features.

    Parameters
    ----------
    network
        An engine, or the path of a graph whose encoder lies beside it; by default the committed one.
    encoder
        The engine of the encoder; required where `network` is an engine.

    Attributes
    ----------
    takes
        Names of the inputs that the network must have.
    reads_features
        True, see `Predictor`.

    Raises
    ------
    InputError
        If the engines are not the two graphs of one joint network.
    """

    takes: Tuple[str, ...] = INPUTS
    reads_features: bool = True

    def __init__(self, network: Union[Engine, str, Path] = WEIGHTS, encoder: Optional[Engine] = None):
        super().__init__(network)
        if isinstance(network, (str, Path)):
            encoder = encoder or inference.load(encoder_of(network))
        self._shape = next(
            tuple(n or 0 for n in spec.shape[1:]) for spec in self._engine.inputs if spec.name == VECTORS
        )
        if encoder is None:
            raise InputError("a joint network is two graphs, and this one came without its encoder")
        made = {spec.name: spec.shape for spec in encoder.outputs}
        self._encoder, self._features = encoder, {spec.name: spec for spec in encoder.inputs}
        if made != {VECTOR: (1, *self._shape[1:])} or set(self._features) != set(FEATURES):
            raise InputError(
                f"not the encoder of this joint network: it takes {', '.join(self._features)} and makes {made}; "
                f"expected {', '.join(FEATURES)} to {VECTOR} of shape {(1, *self._shape[1:])}"
            )

    def encode(self, output: TrackerOutput) -> Optional[np.ndarray]:
        """Encode the features of one result.

        Returns
        -------
        numpy.ndarray or None
            The encoder's vector, shape ``(2, n)``, float32; None for a result without features.

        Raises
        ------
        InputError
            If the features have other names, shapes or dtypes than the encoder takes.
        """
        if output.features is None:
            return None
        features = {name: _fitting(output.features, spec) for name, spec in self._features.items()}
        return self._encoder.run(features)[VECTOR][0]

    def inputs(self, track: Track) -> Dict[str, np.ndarray]:
        """Inputs of the motion predictor, and the vectors of the newest results.

        Returns
        -------
        dict
            Beside what `Motion.inputs` returns: `vectors` ``(1, frames, 2, n)``, the newest last, zero where a result
            has no features, and `seen` ``(1, frames)``, 1 where it has. Both float32.
        """
        made = super().inputs(track)
        frames = self._shape[0]
        vectors, seen = np.zeros((1, *self._shape), dtype=np.float32), np.zeros((1, frames), dtype=np.float32)
        newest = track.encodings[-frames:]
        for place, vector in enumerate(newest, start=frames - len(newest)):
            if vector is not None:
                vectors[0, place], seen[0, place] = vector, 1.0
        return {**made, VECTORS: vectors, SEEN: seen}


def _fitting(features: object, spec: TensorSpec) -> np.ndarray:
    """The feature array that `spec` describes; InputError if it is missing or of another shape or dtype."""
    array = getattr(features, spec.name, None)
    if not spec.accepts(array):
        got = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(
            f"tracker features: {spec.name!r} is {got}, this predictor takes {spec}: was it made for another tracker?"
        )
    return array  # type: ignore[return-value]
