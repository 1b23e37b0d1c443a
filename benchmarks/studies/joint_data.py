"""Training data of the joint predictor: recordings of a tracker on the training clips of `uav-mini` and `uav-more`.

`mini` and `more` are the clips of these two sets as they are. The other kinds are made of both: `displaced`, recorded
with search regions that do not follow the target closely, and `occluded`, with drawn occluders and distractors. Every
kind is recorded once; later calls read the recordings. NanoTrack V3 is recorded up to the last stage of its backbone,
so that this stage can learn too; of other trackers the features are recorded.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy as np

from pvtpp.clip import Clip
from pvtpp.training.recordings import Recording, RecordingPlan, record_all
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.studies import logged_runs
from pvtpp_benchmarks.synthetic.occluders import occluded

TRAINABLE = "nanotrack-v3"
"""The tracker whose last layers can learn too."""
CHECKPOINT = "nanotrackv3.pth"
"""Its weights in torch."""
OCCLUDERS = 1
"""Seed of the drawn occluders."""
REAL = {"mini": "uav-mini", "more": "uav-more"}
"""Kinds of clips as they are, and their data sets."""
PLANS = {
    "mini": RecordingPlan(6),
    "more": RecordingPlan(6),
    "displaced": RecordingPlan(6, displaced=0.5, seed=1),
    "occluded": RecordingPlan(2),
}
KINDS = tuple(PLANS)


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
            The kinds to take, at least one of `REAL`.
        without
            Real clips to leave out, and what is made of them.
        share
            The share of the real clips to take, each with what is made of it; above 0, at most 1.
        """
        kinds = tuple(kinds)
        clips = sorted({source(r) for kind in REAL if kind in kinds for r in self.recordings[kind]} - set(without))
        # Spread over the sorted names, since neighbours there are often of one video.
        kept = {clips[int(i)] for i in np.linspace(0, len(clips) - 1, max(1, round(share * len(clips))))}
        return [r for kind in kinds for r in self.recordings[kind] if source(r) in kept]

    def apart(self, clips: Sequence[str]) -> List[Recording]:
        """The recordings of these clips as they are."""
        return [r for kind in REAL for r in self.recordings.get(kind, ()) if source(r) in clips]


def source(recording: Recording) -> str:
    """The name of the real clip that a recording comes from."""
    return recording.clip.split("+")[0]


def _real(root: str, kinds: Iterable[str] = REAL) -> Iterator[VideoSequence]:
    for kind in kinds:
        yield from load(REAL[kind], os.path.join(root, REAL[kind]), "train")


def names(root: str) -> List[str]:
    """The names of all real clips."""
    return [each.name for each in _real(root)]


def folds(root: str) -> List[List[str]]:
    """Real clips that are left out in turn, those of one video together."""
    return logged_runs.folds(names(root))


def clips(root: str, kind: str) -> Iterable[Clip]:
    """The clips of one kind, made one by one; `root` is the folder that holds `uav-mini` and `uav-more`."""
    for sequence in _real(root, [kind] if kind in REAL else REAL):
        if kind == "occluded":
            yield replace(Clip.of(occluded(sequence, OCCLUDERS)), name=f"{sequence.name}+occluded")
        else:
            yield Clip.of(sequence)


def material(root: str, tracker: str, weights: str, folder: str, kinds: Sequence[str] = KINDS) -> Material:
    """All recordings of these kinds; those that are not in ``folder/recordings`` yet are made.

    Parameters
    ----------
    root
        Folder that holds `uav-mini` and `uav-more`.
    tracker
        Name of the tracker.
    weights
        Folder with its weights.
    folder
        Where the recordings go.
    kinds
        Of `KINDS`.
    """
    runs, made = _runs(tracker, weights)
    place = os.path.join(folder, "recordings")

    def progress(text: str) -> None:
        print(f"recorded {text}", file=sys.stderr)

    return Material(
        {kind: list(record_all(runs, clips(root, kind), PLANS[kind], place, made, progress)) for kind in kinds}
    )


def _runs(tracker: str, weights: str) -> Tuple[Any, str]:
    """The tracker to record, and what its recordings hold."""
    if tracker != TRAINABLE:
        from pvtpp_trackers.factory import MakeTracker

        return MakeTracker(tracker, weights)(), tracker
    from pvtpp_trackers.recorder import Recorder

    return Recorder(_part(weights)), "maps"


def _part(weights: str) -> Any:
    from pvtpp_trackers.models.nanotrack import load as load_tracker
    from pvtpp_trackers.models.nanotrack_training import LastStage

    return LastStage(load_tracker(os.path.join(weights, CHECKPOINT)))


def features_of(recorded: Material, tracker: str, weights: str, folder: str) -> Material:
    """The same recordings with the features of the published tracker, computed once and kept in ``folder/features``."""
    from pvtpp.training.joint import seen_by

    if tracker != TRAINABLE:
        return recorded
    part = _part(weights)

    def made(recording: Recording) -> Recording:
        content = hashlib.sha256(recording.search.tobytes() + recording.template.tobytes()).hexdigest()
        path = os.path.join(folder, "features", f"{recording.clip}.{content[:16]}.npz")
        if not os.path.isfile(path):
            seen_by(part, recording).write(path)
        return Recording.read(path)

    return Material({kind: [made(each) for each in group] for kind, group in recorded.recordings.items()})
