"""UAV123, UAV123@10fps and UAV20L in their published layouts: sequences cut from one video share its image folder."""

from __future__ import annotations

import os
from typing import List, Optional

from pvtpp_benchmarks.datasets.attributes import UAV123, flag_files
from pvtpp_benchmarks.datasets.image_files import visible
from pvtpp_benchmarks.datasets.registry import register
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, first_folder

# Number of the first image at 30 fps, for sequences that do not begin with the first image of their folder. The number
# of annotated frames gives the last image. Source: the table of the published benchmark (configSeqs) in pytracking.
_FIRST_IMAGE = {
    "bird1_2": 775, "bird1_3": 1573,
    "car1_2": 751, "car1_3": 1627, "car16_2": 415,
    "car6_2": 487, "car6_3": 1807, "car6_4": 2953, "car6_5": 3925, "car8_2": 1357,
    "group1_2": 1333, "group1_3": 2515, "group1_4": 3925,
    "group2_2": 907, "group2_3": 1771,
    "group3_2": 1567, "group3_3": 2827, "group3_4": 4369,
    "person12_2": 601, "person14_2": 847, "person14_3": 1813, "person17_2": 1501,
    "person19_2": 1243, "person19_3": 2791, "person2_2": 1189, "person4_2": 1501,
    "person5_2": 877, "person7_2": 1249, "person8_2": 1075,
    "truck4_2": 577, "uav1_2": 1555, "uav1_3": 2473,
}  # fmt: skip


@register(
    "uav123",
    "<root>/anno/UAV123/<seq>.txt with <root>/data_seq/UAV123/<folder>/000001.jpg",
    published={"": 123},
)
def uav123(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List UAV123 (Mueller et al., ECCV 2016): 123 sequences in 91 image folders at 30 fps."""
    return _clips(root, "UAV123", "UAV123", 30.0)


@register(
    "uav123_10fps",
    "<root>/anno/UAV123_10fps/<seq>.txt with <root>/data_seq/UAV123_10fps/<folder>/000001.jpg",
    published={"": 123},
)
def uav123_10fps(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List UAV123@10fps: every third frame of UAV123, numbered from 1; both camera and annotation have 10 fps."""
    return _clips(root, "UAV123_10fps", "UAV123_10fps", 10.0)


@register(
    "uav20l",
    "<root>/anno/UAV20L/<seq>.txt with the images of UAV123, <root>/data_seq/UAV123/<seq>/000001.jpg",
    published={"": 20},
    aliases=("uav123_20l",),
)
def uav20l(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List UAV20L: twenty long sequences, each a whole image folder of UAV123, at 30 fps."""
    return _clips(root, "UAV20L", "UAV123", 30.0)


def _clips(root: str, annotated: str, filmed: str, fps: float) -> List[SequenceFiles]:
    place = first_folder(root, f"anno/{annotated}", f"{filmed}/anno/{annotated}")
    if place is None:
        return []
    images = os.path.join(os.path.dirname(os.path.dirname(place)), "data_seq", filmed)
    step = round(30.0 / fps)
    # The 10 fps sequences are those of UAV123 and may come without files of their own.
    folders = [os.path.join(place, "att")]
    if annotated == "UAV123_10fps":
        folders.append(os.path.join(os.path.dirname(place), "UAV123", "att"))
    attributes = flag_files(UAV123, folders, "{name}.txt")
    clips = []
    for name in (file[:-4] for file in visible(place) if file.endswith(".txt")):
        stem, _, part = name.rpartition("_")
        folder = stem if stem and part.isdigit() else name
        first = (_FIRST_IMAGE.get(name, 1) - 1) // step + 1
        clips.append(
            SequenceFiles(
                name,
                os.path.join(place, f"{name}.txt"),
                os.path.join(images, folder),
                first=first,
                world_fps=fps,
                attributes=attributes,
            )
        )
    return clips
