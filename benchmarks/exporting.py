"""A tracker's network and what its export is proven with: clips, their score, and the samples to calibrate int8 on."""

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
"""Inputs that each graph is calibrated on, spread over all frames of the calibration clips."""


@dataclass(frozen=True)
class Network:
    """The network of the tracker `name`: `engines` by the names of its graphs, in the order in which the tracker takes them,
    with the weights in `checkpoint`."""

    name: str
    checkpoint: Path
    engines: Dict[str, TorchEngine]

    def tracker(self, engines: Mapping[str, Engine]) -> Tracker:
        """The tracker on these engines, or on others like them."""
        from pvtpp_trackers import registry

        return registry.create(self.name, engines=tuple(engines.values()))

    def compare(self, sequences: List[VideoSequence], reference: Engines, candidate: Engines) -> Parity:
        """Tensors, boxes and tracks of both over these clips."""
        from pvtpp.export.parity import compare_tracks

        return compare_tracks(self.tracker, reference, candidate, map(Clip.of, sequences), auc, progress())


def load_network(name: str, checkpoint: Optional[str] = None) -> Network:
    """The network of the tracker `name` from a checkpoint, by default the catalogue's. InputError for an unknown name."""
    from pvtpp_trackers.models import parts, zoo

    if name not in zoo.MODELS:
        raise InputError(f"no network for a tracker called {name!r}; there are {', '.join(zoo.MODELS)}")
    path = Path(checkpoint) if checkpoint else _catalogued(name)
    model = zoo.load(name, path)
    return Network(name, path, dict(zip(model.parts(), parts.engines(model))))


def auc(found: np.ndarray, truth: np.ndarray) -> float:
    """In mode `otb`: the mean over 21 thresholds of the share of frames, of those with a target, that overlap more."""
    overlap = iou(found, truth)[np.isfinite(truth).all(axis=1)]
    return float((overlap[:, None] > OVERLAPS).mean())


def calibration(
    tracker: Callable[[Engines], Tracker], engines: Engines, sequences: List[VideoSequence]
) -> Dict[str, List[Sample]]:
    """What each graph is fed with while `tracker`, on `engines`, follows these clips."""
    every = max(1, sum(map(len, sequences)) // SAMPLES)
    seen: Dict[str, int] = {}
    kept: Dict[str, List[Sample]] = {}

    def keep(call: Call) -> None:
        seen[call.name] = seen.get(call.name, 0) + 1
        # A template comes once a clip: each of them counts.
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
    """The checkpoint of the tracker `name` that the catalogue has."""
    known = {entry.name: entry for entry in weights.list_entries()}
    # Where the published graphs have the tracker's own name, the checkpoint has one of its own.
    entry = known.get(f"{name}-checkpoint") or known[name]
    return weights.find(entry.name, None, download_progress()) / entry.files[0].name
