"""A tracker's network and what its export is checked with: clips, their score, and samples to calibrate int8 on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, List, Mapping, Optional

import numpy as np

from pvtpp import weights
from pvtpp.boxes import iou
from pvtpp.clip import Clip
from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine
from pvtpp.inference.observed import Call, observed
from pvtpp.progress import download_progress, progress
from pvtpp.tracker import Tracker
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.metrics import OVERLAPS

if TYPE_CHECKING:
    from pvtpp.export.parity import Engines, Parity
    from pvtpp.export.precision import Sample
    from pvtpp.inference.torch import TorchEngine

SAMPLES = 64
"""Inputs that each graph is calibrated on, spread evenly over all frames of the calibration clips."""


@dataclass(frozen=True)
class Network:
    """The network of a tracker in torch.

    Attributes
    ----------
    name
        The tracker's name.
    checkpoint
        The file with the weights.
    engines
        Its parts by the names of their graphs, in the order in which the tracker takes them.
    """

    name: str
    checkpoint: Path
    engines: Dict[str, TorchEngine]

    def tracker(self, engines: Mapping[str, Engine]) -> Tracker:
        """The tracker on these engines, or on others with the same inputs and outputs."""
        from pvtpp_trackers import registry

        return registry.create(self.name, engines=tuple(engines.values()))

    def compare(self, sequences: List[VideoSequence], reference: Engines, candidate: Engines) -> Parity:
        """Compare tensors, boxes and tracks of two sets of engines over these clips."""
        from pvtpp.export.parity import compare_tracks

        return compare_tracks(self.tracker, reference, candidate, map(Clip.of, sequences), auc, progress())


def load_network(name: str, checkpoint: Optional[str] = None) -> Network:
    """The network of a tracker with the weights of a checkpoint.

    Parameters
    ----------
    name
        The tracker's name.
    checkpoint
        The file; None takes the catalogue's.

    Raises
    ------
    InputError
        For an unknown name, and for weights that do not fit.
    """
    from pvtpp_trackers.models import parts, zoo

    if name not in zoo.MODELS:
        raise InputError(f"no network for a tracker called {name!r}; there are {', '.join(zoo.MODELS)}")
    path = Path(checkpoint) if checkpoint else _catalogued(name)
    model = zoo.load(name, path)
    return Network(name, path, dict(zip(model.parts(), parts.engines(model))))


def auc(found: np.ndarray, truth: np.ndarray) -> float:
    """The area under the success curve in mode `otb`: mean over 21 thresholds of the share of frames with a larger IoU.

    Parameters
    ----------
    found, truth
        Boxes ``[cx, cy, w, h]``, ``(n, 4)``. Frames whose truth is NaN do not count.
    """
    overlap = iou(found, truth)[np.isfinite(truth).all(axis=1)]
    return float((overlap[:, None] > OVERLAPS).mean())


def calibration(
    tracker: Callable[[Engines], Tracker], engines: Engines, sequences: List[VideoSequence]
) -> Dict[str, List[Sample]]:
    """Inputs of each graph, collected while a tracker follows these clips.

    Parameters
    ----------
    tracker
        Makes the tracker that runs on given engines.
    engines
        Engines by name.
    sequences
        The clips.

    Returns
    -------
    dict
        For each graph about `SAMPLES` inputs, arrays by name.
    """
    every = max(1, sum(map(len, sequences)) // SAMPLES)
    seen: Dict[str, int] = {}
    kept: Dict[str, List[Sample]] = {}

    def keep(call: Call) -> None:
        seen[call.name] = seen.get(call.name, 0) + 1
        # There is one template per clip, and all of them are kept.
        if seen[call.name] % every == 0 or call.name == "template":
            kept.setdefault(call.name, []).append({name: array.copy() for name, array in call.inputs.items()})

    following, show = tracker(observed(engines, keep)), progress()
    for number, sequence in enumerate(sequences, 1):
        clip = Clip.of(sequence)
        following.init(clip.frame(0), clip.frame_truth()[0])
        for index in range(1, clip.length):
            following.track(clip.frame(index))
        show(f"calibration {number}/{len(sequences)} {clip.name}")
    return kept


def _catalogued(name: str) -> Path:
    """The checkpoint of the tracker in the catalogue."""
    known = {entry.name: entry for entry in weights.list_entries()}
    # Where the tracker's name is that of published graphs, its checkpoint has another name.
    entry = known.get(f"{name}-checkpoint") or known[name]
    return weights.find(entry.name, None, download_progress()) / entry.files[0].name
