"""ImageNet VID in its published layout: several targets in a video, annotated in one XML file for each frame."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import Any, Dict, List, Optional
from xml.etree import ElementTree

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import cache_folder, read_json
from pvtpp_benchmarks.datasets.box_files import write_text, write_xywh
from pvtpp_benchmarks.datasets.image_files import visible
from pvtpp_benchmarks.datasets.index_file import LARGEST
from pvtpp_benchmarks.datasets.registry import register
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, subfolders


@register(
    "imagenet-vid",
    "<root>/Annotations/VID/<split>/<video>/000000.xml (train: in folders ILSVRC2015_VID_train_0000 ..) with the "
    "images in <root>/Data/VID/<split>/<video>/000000.JPEG",
    splits=("val", "train"),
    aliases=("vid", "ilsvrc-vid"),
)
def imagenet_vid(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List ImageNet VID (Russakovsky et al., IJCV 2015): one sequence ``VIDEO.TRACK`` for each target.

    A sequence lasts from the first to the last frame that has a box of the target. Between them the target counts as
    absent where it has none. The annotation has no frame rates; all videos count as 30 fps.

    On first use the boxes are gathered from the XML files, video by video, into the user's cache. For the whole of
    `train` that takes minutes.
    """
    place = os.path.join("VID", split or "")
    annotations, home = os.path.join(root, "Annotations", place), _home(root)
    clips = []
    for video in _videos(annotations) if os.path.isdir(annotations) else []:
        stem = os.path.join(home, os.path.basename(video))
        about = _gathered(os.path.join(annotations, video), stem)
        size = (about["size"][0], about["size"][1])
        images = os.path.join(root, "Data", place, video)
        clips += [
            SequenceFiles(f"{os.path.basename(video)}.{track}", f"{stem}.{track}.txt", images, first, size=size)
            for track, first in about["tracks"].items()
        ]
    return clips


def _videos(annotations: str) -> List[str]:
    """Folders of the videos relative to `annotations`: directly inside, or one level below."""
    found = []
    for outer in subfolders(annotations):
        inner = subfolders(os.path.join(annotations, outer))
        found += [os.path.join(outer, name) for name in inner] or [outer]
    return found


def _home(root: str) -> str:
    digest = hashlib.sha256(os.path.realpath(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return os.path.join(cache_folder(), "annotations", f"imagenet-vid-{digest}")


def _gathered(folder: str, stem: str) -> Dict[str, Any]:
    """Image size and the first frame of every track of a video; the boxes are in ``STEM.TRACK.txt``."""
    index, changed = f"{stem}.json", os.stat(folder).st_mtime_ns
    if os.path.isfile(index):
        about = _index(index)
        if about.get("changed") == changed:
            return about
    frames = [name for name in visible(folder) if name.endswith(".xml")]
    boxes: Dict[str, Dict[int, List[float]]] = {}
    size = [0, 0]
    for name in frames:
        path = os.path.join(folder, name)
        if not re.fullmatch(r"\d{1,6}\.xml", name, re.ASCII):
            raise InputError(f"{path}: the name of an annotation is expected to be the number of its frame")
        tree, number = _parse(path), int(name[:-4])
        try:
            size = [int(tree.findtext(f"size/{side}", "0")) for side in ("width", "height")]
            for target in tree.findall("object"):
                left, top, right, bottom = (float(target.findtext(f"bndbox/{side}", "nan")) for side in _SIDES)
                # Both ends are pixels of the target.
                box = [left, top, right - left + 1, bottom - top + 1]
                track = target.findtext("trackid", "0").strip()
                if not re.fullmatch(r"[\w-]{1,40}", track):
                    raise InputError(f"{path}: trackid is {track[:80]!r}, expected a number")
                boxes.setdefault(track, {})[number] = box
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"{path}: a size or a side of a box is no number ({error})") from None
        if not (0 <= size[0] < LARGEST and 0 <= size[1] < LARGEST):
            raise InputError(f"{path}: the image is {size[0]}x{size[1]}, expected 0 to {LARGEST - 1} pixels")
    tracks = {}
    for track, by_frame in boxes.items():
        first, last = min(by_frame), max(by_frame)
        # A target that is seen in a single frame cannot be tracked.
        if last > first:
            write_xywh(f"{stem}.{track}.txt", np.array([by_frame.get(i, [np.nan] * 4) for i in range(first, last + 1)]))
            tracks[track] = first
    # Written last, so that an interrupted call leaves no index of an incomplete video.
    about = {"changed": changed, "size": size, "tracks": tracks}
    write_text(index, json.dumps(about))
    return about


def _index(path: str) -> Dict[str, Any]:
    """What an earlier call has written; empty where the file is damaged, so that it is made anew."""
    try:
        about = read_json(path)
        size, tracks = about["size"], about["tracks"]
        numbers = [*size, *tracks.values()]
        whole = len(size) == 2 and all(type(number) is int and 0 <= number < 10**9 for number in numbers)
        return about if whole else {}
    except (InputError, TypeError, KeyError, AttributeError):
        return {}


_SIDES = ("xmin", "ymin", "xmax", "ymax")


def _parse(path: str) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except (OSError, ValueError, LookupError, ElementTree.ParseError) as error:
        raise InputError(f"{path}: not an annotation in XML ({error})") from None
