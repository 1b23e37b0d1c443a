"""Training data of the joint predictor for NanoTrack V3: recordings of the tracker on clips of three kinds.

Real: the eight training clips of `uav-mini`. Varied: the same clips as another camera would have filmed them.
Generated: rendered aerial clips. The tracker is recorded once, up to the last stage of its backbone; later calls read
the recordings.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from typing import Dict, Iterable, List, Sequence

import numpy as np

from pvtpp.clip import Clip
from pvtpp.training.recordings import Recording, RecordingPlan, record_all
from pvtpp.training.variations import Variation, with_variations
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.synthetic import AerialClip, render

VARIATIONS, GENERATED, FIRST_SEED = 4, 10, 100
KINDS = ("real", "varied", "generated")
RUNS = {"real": 6, "varied": 2, "generated": 2}
FOLDS = (("boat1", "Crossing"), ("car16_1", "person12_1"), ("truck4_2", "boat5"), ("group1_2", "wakeboard3"))
"""Clips that are left out together when settings are chosen, paired arbitrarily."""


@dataclass(frozen=True)
class Material:
    """Recordings to train on.

    Attributes
    ----------
    recordings
        The recordings of each kind.
    """

    recordings: Dict[str, List[Recording]]

    def of(self, kinds: Iterable[str], without: Sequence[str] = (), share: float = 1.0) -> List[Recording]:
        """Recordings of some kinds.

        Parameters
        ----------
        kinds
            The kinds to take.
        without
            Real clips to leave out, together with their variations.
        share
            The share of the real clips to take, each with its variations; above 0, at most 1.
        """
        clips = sorted({source(r) for r in self.recordings["real"]} - set(without))
        kept = set(clips[: max(1, round(share * len(clips)))])
        return [r for kind in kinds for r in self.recordings[kind] if kind == "generated" or source(r) in kept]


def source(recording: Recording) -> str:
    """The name of the real or generated clip that a recording, varied or not, comes from."""
    return recording.clip.split("+")[0]


def clips(root: str, kind: str) -> Iterable[Clip]:
    """The clips of one kind, made one by one; `root` is the folder that holds `uav-mini`."""
    if kind == "generated":
        for seed in range(FIRST_SEED, FIRST_SEED + GENERATED):
            rng = np.random.default_rng(seed)
            size, agility = float(rng.uniform(24, 90)), float(rng.uniform(0.2, 1.3))
            yield Clip.of(render(AerialClip(name=f"aerial{seed}", seed=seed, target_px=size, agility=agility)))
        return
    real = map(Clip.of, load("uav-mini", os.path.join(root, "uav-mini"), "train"))
    for clip in with_variations(real, VARIATIONS if kind == "varied" else 0, Variation()):
        if (kind == "varied") == ("+" in clip.name):
            yield clip


def material(root: str, checkpoint: str, folder: str, kinds: Sequence[str] = KINDS) -> Material:
    """All recordings of these kinds; those that are not in ``folder/recordings`` yet are made.

    `root` is the folder that holds `uav-mini`, `checkpoint` is NanoTrack V3 in torch.
    """
    from pvtpp_trackers.models.nanotrack import load as load_tracker
    from pvtpp_trackers.models.nanotrack_training import LastStage
    from pvtpp_trackers.recorder import Recorder

    tracker, place = Recorder(LastStage(load_tracker(checkpoint))), os.path.join(folder, "recordings")

    def progress(text: str) -> None:
        print(f"recorded {text}", file=sys.stderr)

    return Material(
        {
            kind: list(record_all(tracker, clips(root, kind), RecordingPlan(RUNS[kind]), place, "maps", progress))
            for kind in kinds
        }
    )


def features_of(recorded: Material, checkpoint: str, folder: str) -> Material:
    """The same recordings with the features of the published tracker, computed once and kept in ``folder/features``."""
    from pvtpp.training.joint import seen_by
    from pvtpp_trackers.models.nanotrack import load as load_tracker
    from pvtpp_trackers.models.nanotrack_training import LastStage

    part = LastStage(load_tracker(checkpoint))

    def made(recording: Recording) -> Recording:
        content = hashlib.sha256(recording.search.tobytes() + recording.template.tobytes()).hexdigest()
        path = os.path.join(folder, "features", f"{recording.clip}.{content[:16]}.npz")
        if not os.path.isfile(path):
            seen_by(part, recording).write(path)
        return Recording.read(path)

    return Material({kind: [made(each) for each in group] for kind, group in recorded.recordings.items()})
