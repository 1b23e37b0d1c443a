"""Videos of runs: each camera frame with the boxes that an observer had at that moment."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog, read_meta
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.report import video
from pvtpp_benchmarks.report.groups import slug
from pvtpp_benchmarks.report.styles import COLOURS
from pvtpp_benchmarks.scoring import find_logs

FOLDER = "videos"
_KEY = ("dataset", "tracker", "processing", "sequence")
Key = Tuple[str, str, str, str]
"""Data set, tracker, processing time and sequence."""
_OWN = {"hold": video.STALE, "ensemble": video.PREDICTED}
_OTHERS = (2, 3, 1)
"""Numbers of colours that look like neither of these."""


class Shown(NamedTuple):
    """Whose boxes are drawn: one predictor of a log, in a colour (BGR)."""

    log: EventLog
    predictor: str
    colour: video.Colour


def frames(sequence: VideoSequence, shown: Mapping[str, Shown], caption: str) -> Iterator[np.ndarray]:
    """Iterate over the camera frames of a sequence with the truth and with the boxes known at their times.

    Where presence is not TRACKING, the label says what it is.

    Parameters
    ----------
    sequence
        With its images.
    shown
        By label, whose boxes are drawn.
    caption
        Along the bottom.
    """
    boxes = {label: boxes_at(each.log, each.predictor, sequence.camera_t_ns) for label, each in shown.items()}
    doubts = {label: _doubts(each.log, sequence.camera_t_ns) for label, each in shown.items()}
    truth = xywh_to_box(sequence.ground_truth_xywh[:: sequence.stride])
    for i in range(len(sequence)):
        drawn = {f"{label}{doubts[label][i]}": (boxes[label][i], each.colour) for label, each in shown.items()}
        if np.isfinite(truth[i]).all():
            drawn = {"truth": (truth[i], video.TRUTH), **drawn}
        yield video.draw_boxes(sequence.frame(i).image, drawn, caption)


def boxes_at(log: EventLog, predictor: str, t_ns: np.ndarray) -> np.ndarray:
    """Boxes ``[cx, cy, w, h]`` that an observer had at these times, evaluated at them, pixels, shape ``(N, 4)``."""
    available, table = log.trajectories(predictor)
    newest = np.searchsorted(available, t_ns, side="right") - 1
    return table.boxes(newest, t_ns)


def _doubts(log: EventLog, t_ns: np.ndarray) -> List[str]:
    """What presence says at these times, as a part of a label: nothing, or ``: UNCERTAIN`` and ``: LOST``."""
    changes = log.of_kind("presence")
    newest = np.searchsorted([row[1] for row in changes], t_ns, side="right") - 1
    states = ["" if index < 0 else str(changes[index][2]) for index in newest.tolist()]
    return [f": {state}" if state not in ("", "TRACKING") else "" for state in states]


def write_films(
    out: str,
    places: Sequence[str],
    sequences: Iterable[VideoSequence],
    warn: Callable[[str], None],
    progress: Optional[Callable[[str], None]] = None,
) -> Dict[Key, str]:
    """Write a video for every sequence, tracker and processing time, with the boxes of all its predictors.

    Of several starts and draws the first one is shown.

    Parameters
    ----------
    out
        The folder of the report; the videos are in its folder `FOLDER`.
    places
        Event logs, or folders of them.
    sequences
        With their images; logs of others are left out.
    warn
        Called with a line where a video will not play in browsers.
    progress
        Called with a line before each video.

    Returns
    -------
    dict
        The address of each video from `out`.

    Raises
    ------
    InputError
        For sequences without images, and videos that cannot be written.
    """
    by_name = {sequence.name: sequence for sequence in sequences}
    found: Dict[Key, List[str]] = {}
    for path in find_logs(places):
        meta = read_meta(path)
        if meta.get("sequence") in by_name and not meta.get("start_number") and not meta.get("draw"):
            found.setdefault(_key(meta), []).append(path)
    for name in dict.fromkeys(key[3] for key in found):
        _check_images(by_name[name])
    films: Dict[Key, str] = {}
    for key, paths in found.items():
        address = f"{FOLDER}/{slug('-'.join(key))}.mp4"
        if address in films.values():
            address = f"{address[:-4]}-{len(films)}.mp4"
        if progress:
            progress(f"video {len(films) + 1}/{len(found)}: {address}")
        sequence = by_name[key[3]]
        drawn = frames(sequence, _shown(paths), f"{key[1]}, {key[2]} per frame")
        os.makedirs(os.path.join(out, FOLDER), exist_ok=True)
        video.write_video(os.path.join(out, address), drawn, sequence.camera_fps, warn)
        films[key] = address
    return films


def _key(meta: Mapping[str, Any]) -> Key:
    dataset, tracker, processing, sequence = (str(meta.get(name)) for name in _KEY)
    return dataset, tracker, processing, sequence


def _check_images(sequence: VideoSequence) -> None:
    if sequence.image_paths is None:
        raise InputError(f"{sequence.name}: no images, which a video needs; --videos needs a data set with images")


def _shown(paths: Sequence[str]) -> Dict[str, Shown]:
    """The predictors of all logs; one that is in two settings is shown as of the first."""
    shown: Dict[str, Shown] = {}
    for path in paths:
        log = EventLog.read(path)
        for name in log.predictors:
            if name not in shown:
                others = len([each for each in shown if each not in _OWN])
                shown[name] = Shown(log, name, _OWN.get(name) or _bgr(COLOURS[_OTHERS[others % len(_OTHERS)]]))
    return shown


def _bgr(colour: str) -> video.Colour:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return blue, green, red
