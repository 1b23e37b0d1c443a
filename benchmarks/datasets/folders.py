"""Plain folders, ``<seq>/img/*.jpg`` with ``<seq>/groundtruth.txt``: the user's own clips, `uav-mini`, `uav-more`."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.attributes import Attributes, own_attributes
from pvtpp_benchmarks.datasets.box_format import BoxFormat
from pvtpp_benchmarks.datasets.index_file import of_split, read_index, sequences_per_split
from pvtpp_benchmarks.datasets.registry import register
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, subfolders

_GROUND_TRUTH = "groundtruth.txt"
_IMAGES = "img"
_WORLD_GROUND_TRUTH = "groundtruth_30fps.txt"
_INDEXED = (
    "<root>/index.json with <root>/<split>/<seq>/img/000001.jpg and groundtruth.txt (and groundtruth_30fps.txt "
    "where the camera has 10 fps)"
)


@register(
    "folder",
    "<root>/<seq>/img/*.jpg with <root>/<seq>/groundtruth.txt (x,y,w,h per line), or a root that is one such sequence; "
    "other names and formats by the options box_file, image_folder, boxes, header, separator",
    own_folder=True,
)
def folder(
    root: str,
    split: Optional[str],
    fps: Optional[float] = None,
    world: bool = True,
    box_file: str = _GROUND_TRUTH,
    image_folder: str = _IMAGES,
    boxes: str = "xywh",
    header: bool = False,
    separator: Optional[str] = None,
) -> List[SequenceFiles]:
    """List the sequences of a folder of the user's own.

    Parameters
    ----------
    root
        The folder of the sequences, or one sequence.
    split
        A folder inside `root` to read instead; None reads `root` itself.
    fps
        Frames per second of the camera. None takes the rate in ``index.json``; where there is none, 10 for a sequence
        with ``groundtruth_30fps.txt`` and 30 for any other.
    world
        False scores in the camera's own frames even where ``groundtruth_30fps.txt`` is present. With another
        `box_file` it makes no difference.
    box_file
        Name of the box file in the folder of its sequence, such as ``boxes.csv``. ``{name}`` stands for the name of
        the sequence, and a path may lead elsewhere: ``../boxes/{name}.txt``.
    image_folder
        Name of the folder of images there; ``.`` where the images lie beside the box file. ``{name}`` as in `box_file`.
    boxes
        What the four numbers of a row mean: ``xywh``, ``cxcywh`` or ``xyxy``, where needed with ``+normalised``
        (fractions of the image's size) or ``+1-based`` (the first pixel has the number 1).
    header
        Whether the first row of the box file holds names of columns.
    separator
        What separates the numbers: None for commas, tabs or spaces; ``,``, ``;`` or ``tab`` for that alone.
    """
    place = os.path.join(root, split) if split else root
    if fps is not None and not 0 < fps < math.inf:
        raise InputError(f"fps must be above 0 and finite, got {fps}")
    for option, name in (("box_file", box_file), ("image_folder", image_folder)):
        if not name or os.path.isabs(name):
            raise InputError(f"{option} is {name!r}, expected a name in the folder of each sequence")
    files = _Files(box_file, image_folder, BoxFormat.parse(boxes, header, separator))
    index, attributes = of_split(read_index(root), split), own_attributes(place, root)
    if os.path.isfile(files.annotation(place)):
        return [_clip(place, index, fps, world, files, attributes)]
    return [_clip(os.path.join(place, name), index, fps, world, files, attributes) for name in _sequences(place, files)]


def published_splits(root: str) -> Mapping[str, Optional[int]]:
    """Splits of an indexed data set and the number of sequences that each has, None where no index tells.

    The order is that of ``index.json``. Without one, the splits are the folders that hold sequences, by name.
    """
    counts = sequences_per_split(read_index(root))
    if counts or not os.path.isdir(root):
        return counts
    return {name: None for name in subfolders(root) if _sequences(os.path.join(root, name))}


@register("uav-mini", _INDEXED, published_splits=published_splits)
@register("uav-more", _INDEXED, published_splits=published_splits)
def indexed(root: str, split: Optional[str], world: bool = True) -> List[SequenceFiles]:
    """List the sequences that ``index.json`` names and that are there, sorted by name.

    Sequences of a 10 fps camera are scored in the 30 fps world that they were cut from, with ``world=False`` in the
    camera's own frames. Where the index names no splits, all sequences in the folder of the split are listed.
    """
    if split is None:
        return []
    index, place = read_index(root), os.path.join(root, split)
    known, names = of_split(index, split), _sequences(place)
    if sequences_per_split(index):
        names = [name for name in names if name in known]
    attributes = own_attributes(place, root)
    return [_clip(os.path.join(place, name), known, None, world, attributes=attributes) for name in names]


@dataclass(frozen=True)
class _Files:
    """Where the files of a sequence lie in its folder, and the format of its box file."""

    box_file: str = _GROUND_TRUTH
    image_folder: str = _IMAGES
    boxes: BoxFormat = BoxFormat()

    def annotation(self, place: str) -> str:
        return self._path(place, self.box_file)

    def images(self, place: str) -> str:
        return self._path(place, self.image_folder)

    def _path(self, place: str, name: str) -> str:
        name = name.replace("{name}", os.path.basename(os.path.abspath(place)))
        return os.path.normpath(os.path.join(place, name))


def _sequences(place: str, files: _Files = _Files()) -> List[str]:
    """Names of the folders in `place` that hold a sequence, sorted."""
    names = subfolders(place) if os.path.isdir(place) else []
    return [name for name in names if os.path.isfile(files.annotation(os.path.join(place, name)))]


def _clip(
    place: str,
    index: Dict[str, Dict[str, Any]],
    fps: Optional[float],
    world: bool,
    files: _Files = _Files(),
    attributes: Optional[Attributes] = None,
) -> SequenceFiles:
    name = os.path.basename(os.path.abspath(place))
    about = index.get(name, {})
    at_30 = os.path.join(place, _WORLD_GROUND_TRUTH)
    has_world = files.box_file == _GROUND_TRUTH and os.path.isfile(at_30)
    camera_fps = float(fps or about.get("fps") or (10.0 if has_world else 30.0))
    scored_at_30 = world and has_world
    return SequenceFiles(
        name,
        at_30 if scored_at_30 else files.annotation(place),
        files.images(place),
        world_fps=30.0 if scored_at_30 else camera_fps,
        camera_fps=camera_fps,
        size=(about["width"], about["height"]) if "width" in about and "height" in about else None,
        boxes=files.boxes,
        attributes=attributes,
    )
