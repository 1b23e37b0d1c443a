"""Logged runs of real trackers on training clips, as the motion network learns from them.

    pvtpp eval --dataset uav-mini --root $PVTPP_DATA/uav-mini --split train --tracker nanotrack-v3 --predictors hold
        --processing 20ms,47ms,85ms,165ms --search-region last --propagation none --presence off --starts 4
        --no-offline --logs runs/logged

keeps such runs; so for `uav-more`, other trackers, and `--propagation optical_flow`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.training.logged_windows import LoggedRun
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence

LEARNT, CHOSEN_ON = (("uav-mini", "train"), ("uav-more", "train")), (("uav-more", "val"),)
"""Data sets and splits to learn from, and those on which a choice may be made."""
VIDEOS = {
    "boat": ("boat1", "boat5"),
    "car": ("car16_1", "car16_2", "truck4_2"),
    "person": ("person12_1", "person12_2"),
    "group": ("group1_2", "group1_4"),
}
"""Clips that are left out together, because they show the same video or the same scene."""
FOLDS = 5


def clips(root: str, splits: Tuple[Tuple[str, str], ...]) -> Dict[str, VideoSequence]:
    """The annotated clips of these splits by name; `root` is the folder that holds ``uav-mini`` and ``uav-more``."""
    return {each.name: each for name, split in splits for each in load(name, os.path.join(root, name), split)}


def logs(folder: str, known: Dict[str, VideoSequence]) -> Iterator[Tuple[EventLog, VideoSequence]]:
    """The logs below a folder, in the order of their paths, with their clips.

    Raises
    ------
    InputError
        Where there is no log, and for one of a clip that is not `known`: no figure may rest on clips learnt from.
    """
    paths = sorted(Path(folder).rglob("*.jsonl"))
    if not paths:
        raise InputError(f"{folder}: there is no event log (*.jsonl) below it")
    for path in paths:
        log = EventLog.read(str(path))
        name = log.meta.get("sequence")
        if name not in known:
            raise InputError(f"{path}: of clip {name}, allowed are {', '.join(sorted(known))}")
        yield log, known[name]


def run_of(log: EventLog, clip: VideoSequence, history: int = 16) -> LoggedRun:
    """The run of a log, as the motion network with this many results learns from it."""
    return LoggedRun.of(clip.name, log, clip.world_t_ns, xywh_to_box(clip.ground_truth_xywh), history)


def folds(names: List[str]) -> List[List[str]]:
    """Clips that are left out in turn; those of one video together."""
    together = {clip: video for video, members in VIDEOS.items() for clip in members}
    videos = sorted({together.get(name, name) for name in names})
    return [[name for name in names if together.get(name, name) in videos[i::FOLDS]] for i in range(FOLDS)]
