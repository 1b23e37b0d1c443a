"""DTB70, UAVDT and VisDrone-SOT in their published layouts."""

from __future__ import annotations

import os
import re
from typing import List, Optional

from pvtpp_benchmarks.datasets.attributes import DTB70, UAVDT, VISDRONE, flag_files
from pvtpp_benchmarks.datasets.registry import register
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, annotation_clips, first_folder, subfolders

_DTB70_ATTRIBUTES = ("att", "anno/att", "experiments/anno/att")
"""Where the attributes may lie: the data set's images come without, its toolkit has them in the last of these."""
_VISDRONE = re.compile(r"VisDrone\d{4}-SOT-(.+)")


@register(
    "dtb70",
    "<root>/<seq>/groundtruth_rect.txt with <root>/<seq>/img/00001.jpg",
    published={"": 70},
)
def dtb70(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List DTB70, the Drone Tracking Benchmark (Li and Yeung, AAAI 2017): 70 sequences at 30 fps.

    Some boxes begin left of the image. The attributes come with the toolkit: copy its folder ``anno/att`` to
    ``<root>/att``.
    """
    place = first_folder(root, "DTB70", "") or root
    attributes = flag_files(
        DTB70, (os.path.join(where, name) for where in (place, root) for name in _DTB70_ATTRIBUTES), "{name}.txt"
    )
    clips = []
    for name in subfolders(place):
        folder = os.path.join(place, name)
        annotation, images = os.path.join(folder, "groundtruth_rect.txt"), os.path.join(folder, "img")
        clips.append(SequenceFiles(name, annotation, images, attributes=attributes))
    return [clip for clip in clips if os.path.isfile(clip.annotation)]


@register(
    "uavdt",
    "<root>/anno/<seq>_gt.txt (or UAV-benchmark-SOT_v1.0/anno) with <root>/UAV-benchmark-S/<seq>/img000001.jpg",
    published={"": 50},
)
def uavdt(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List UAVDT single-object tracking (Du et al., ECCV 2018): 50 sequences at 30 fps."""
    boxes = first_folder(root, "anno", "UAV-benchmark-SOT_v1.0/anno", "annotations")
    images = first_folder(root, "UAV-benchmark-S", "sequences", "data_seq")
    if boxes is None:
        return []
    attributes = flag_files(UAVDT, (os.path.join(boxes, "att"), os.path.join(root, "att")), "{name}_att.txt")
    return annotation_clips(boxes, images, attributes=attributes)


@register(
    "visdrone",
    "<root>/annotations/<seq>.txt with <root>/sequences/<seq>/img0000001.jpg, or both inside VisDrone20xx-SOT-<split>",
    splits=("test-dev", "val", "train", "test-challenge"),
    published={"test-dev": 35, "val": 11, "train": 86},
    aliases=("visdrone-sot", "visdrone2018-sot", "visdrone2019-sot"),
)
def visdrone(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List VisDrone-SOT (Zhu et al.), 30 fps.

    The split `test-challenge` has only the first box of each sequence, in the folder `initialization`.
    """
    own = _VISDRONE.fullmatch(os.path.basename(os.path.abspath(root)))
    if own and own.group(1) != split:
        return []
    matches = filter(None, map(_VISDRONE.fullmatch, subfolders(root)))
    place = os.path.join(root, max((match.group(0) for match in matches if match.group(1) == split), default=""))
    boxes = first_folder(place, "annotations", "initialization")
    if boxes is None:
        return []
    init_only = os.path.basename(boxes) == "initialization"
    attributes = flag_files(VISDRONE, (os.path.join(place, "attributes"),), "{name}_attr.txt")
    return annotation_clips(boxes, os.path.join(place, "sequences"), init_only=init_only, attributes=attributes)
