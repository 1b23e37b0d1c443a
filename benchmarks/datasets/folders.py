"""Plain folders: `<seq>/img/*.jpg` with `<seq>/groundtruth.txt`. The user's own clips, and `uav-mini`."""

from __future__ import annotations

import json
import math
import os
from typing import Any, Dict, List, Optional

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.registry import register
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, subfolders

_GROUND_TRUTH = "groundtruth.txt"
_WORLD_GROUND_TRUTH = "groundtruth_30fps.txt"


@register(
    "folder",
    "<root>/<seq>/img/*.jpg with <root>/<seq>/groundtruth.txt (x,y,w,h per line), or a root that is one such sequence",
    own_folder=True,
)
def folder(root: str, split: Optional[str], fps: Optional[float] = None, world: bool = True) -> List[SequenceFiles]:
    """`fps` of the images where no index.json says it (default 30; 10 where `groundtruth_30fps.txt` lies beside them).

    `world=False` scores in the camera's own frames even where `groundtruth_30fps.txt` is present.
    """
    place = os.path.join(root, split) if split else root
    if fps is not None and not 0 < fps < math.inf:
        raise InputError(f"fps must be above 0 and finite, got {fps}")
    index = _read_index(root)
    if os.path.isfile(os.path.join(place, _GROUND_TRUTH)):
        return [_clip(place, index, fps, world)]
    names = subfolders(place) if os.path.isdir(place) else []
    places = (os.path.join(place, name) for name in names)
    return [_clip(p, index, fps, world) for p in places if os.path.isfile(os.path.join(p, _GROUND_TRUTH))]


@register(
    "uav-mini",
    "<root>/<split>/<seq>/img/000001.jpg with groundtruth.txt (and groundtruth_30fps.txt), and <root>/index.json",
    splits=("test", "train"),
    published={"test": 12, "train": 8},
)
def uav_mini(root: str, split: Optional[str], world: bool = True) -> List[SequenceFiles]:
    """Twelve test and eight training clips; those of a 10 fps camera come with the 30 fps world they were cut from."""
    return folder(root, split, None, world)


def _clip(place: str, index: Dict[str, Dict[str, Any]], fps: Optional[float], world: bool) -> SequenceFiles:
    name = os.path.basename(os.path.abspath(place))
    about = index.get(name, {})
    at_30 = os.path.join(place, _WORLD_GROUND_TRUTH)
    has_world = os.path.isfile(at_30)
    camera_fps = float(fps or about.get("fps") or (10.0 if has_world else 30.0))
    scored_at_30 = world and has_world
    return SequenceFiles(
        name,
        at_30 if scored_at_30 else os.path.join(place, _GROUND_TRUTH),
        os.path.join(place, "img"),
        world_fps=30.0 if scored_at_30 else camera_fps,
        camera_fps=camera_fps,
        size=(about["width"], about["height"]) if "width" in about and "height" in about else None,
    )


def _read_index(root: str) -> Dict[str, Dict[str, Any]]:
    path = os.path.join(root, "index.json")
    if not os.path.isfile(path):
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            items = [dict(item) for item in json.load(file)]
        index = {str(item["name"]): {key: value for key, value in item.items() if value is not None} for item in items}
    except (OSError, ValueError, TypeError, KeyError):
        raise InputError(f'{path}: expected a JSON list of {{"name", "fps", "width", "height"}}') from None
    for name, about in index.items():
        for field, kinds in (("fps", (int, float)), ("width", (int,)), ("height", (int,))):
            value = about.get(field, 1)
            if type(value) not in kinds or not 0 < value < math.inf:
                wanted = "finite number" if float in kinds else "whole number"
                raise InputError(f"{path}: {field} of {name!r} is {value!r}, expected a {wanted} above 0")
    return index
