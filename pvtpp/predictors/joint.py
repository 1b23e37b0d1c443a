"""The learned joint predictor: the motion predictor, and what the tracker's own features add to it.

Two small graphs of one network (`pvtpp.networks.joint`), committed for NanoTrack V3 as ``joint-nanotrack-v3.onnx`` and, beside
it, ``joint-nanotrack-v3.encoder.onnx``. The encoder reads the features of each tracker result once; the short vector it makes
is kept with the result, so no frame is ever encoded again.

*Fallbacks.* A result without features (`features` None: the first box, a recorded one, a tracker that has none) counts as not
seen; where none of the newest results was seen, motion alone answers, to the bit. Features of other names or shapes raise
InputError: another tracker needs weights of its own. All else as in `pvtpp.predictors.motion`.
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
    """Where the encoder of the graph at `path` lies: ``joint.onnx`` has ``joint.encoder.onnx``."""
    return Path(path).with_suffix(".encoder.onnx")


def files(path: Union[str, Path] = WEIGHTS) -> Tuple[Path, ...]:
    """What the predictor of the graph at `path` is made from."""
    return Path(path), encoder_of(path)


class Joint(Motion):
    """`network` and `encoder`: engines, or `network` the path of a graph whose encoder lies beside it. Raises InputError where
    they are no joint network.
    """

    takes: Tuple[str, ...] = INPUTS
    reads_features = True

    def __init__(self, network: Union[Engine, str, Path] = WEIGHTS, encoder: Optional[Engine] = None):
        super().__init__(network)
        if isinstance(network, (str, Path)):
            encoder = encoder or inference.load(encoder_of(network))
        self._shape = next(
            tuple(n or 0 for n in spec.shape[1:]) for spec in self._engine.inputs if spec.name == VECTORS
        )
        if encoder is None:
            raise InputError("a joint network is two, and this one came without its encoder")
        made = {spec.name: spec.shape for spec in encoder.outputs}
        self._encoder, self._features = encoder, {spec.name: spec for spec in encoder.inputs}
        if made != {VECTOR: (1, *self._shape[1:])} or set(self._features) != set(FEATURES):
            raise InputError(
                f"not the encoder of this joint network: it takes {', '.join(self._features)} and makes {made}; expected "
                f"{', '.join(FEATURES)} to {VECTOR} of shape {(1, *self._shape[1:])}"
            )

    def encode(self, output: TrackerOutput) -> Optional[np.ndarray]:
        """What the encoder makes of this result's features, ``(2, vector)`` float32; None where there are none."""
        if output.features is None:
            return None
        features = {name: _fitting(output.features, spec) for name, spec in self._features.items()}
        return self._encoder.run(features)[VECTOR][0]

    def inputs(self, track: Track) -> Dict[str, np.ndarray]:
        """Those of the motion predictor, and the vectors of the newest tracker results, zero where nothing was seen."""
        made = super().inputs(track)
        frames = self._shape[0]
        vectors, seen = np.zeros((1, *self._shape), dtype=np.float32), np.zeros((1, frames), dtype=np.float32)
        newest = track.encodings[-frames:]
        for place, vector in enumerate(newest, start=frames - len(newest)):
            if vector is not None:
                vectors[0, place], seen[0, place] = vector, 1.0
        return {**made, VECTORS: vectors, SEEN: seen}


def _fitting(features: object, spec: TensorSpec) -> np.ndarray:
    array = getattr(features, spec.name, None)
    if not spec.accepts(array):
        got = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(
            f"tracker features: {spec.name!r} is {got}, this predictor takes {spec}: was it made for another tracker?"
        )
    return array  # type: ignore[return-value]
