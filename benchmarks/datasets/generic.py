"""OTB100 and GOT-10k in their published layouts: benchmarks of everyday video."""

from __future__ import annotations

import os
import re
from typing import List, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.files import read_text
from pvtpp_benchmarks.datasets.image_files import visible
from pvtpp_benchmarks.datasets.registry import register
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, subfolders

# Number of the image that the first row of each annotation belongs to. The folders of these sequences hold more images
# than there are boxes, or their numbers do not begin at 1.
# Source: pytracking's OTB table, and the special cases of the GOT-10k toolkit.
_OTB_FIRST_IMAGE = {
    "BlurCar1": 247, "BlurCar3": 3, "BlurCar4": 18, "David": 300,
    "Diving": 1, "Football1": 1, "Freeman3": 1, "Freeman4": 1, "Tiger1": 6,
}  # fmt: skip
# Number of rows to leave out at the start: Tiger1 is annotated from image 1, but the benchmark starts it at 6.
_OTB_SKIP = {"Tiger1": 5}


@register(
    "otb",
    "<root>/<seq>/groundtruth_rect.txt (or groundtruth_rect.1.txt, .2.txt) with <root>/<seq>/img/0001.jpg",
    published={"": 100},
    aliases=("otb100", "otb2015"),
)
def otb(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List OTB100 (Wu et al., TPAMI 2015), 30 fps. `Jogging.1` and `Jogging.2` are two targets in one video."""
    clips = []
    for folder in subfolders(root):
        place = os.path.join(root, folder)
        for file in visible(place):
            target = re.fullmatch(r"groundtruth_rect(\.\d)?\.txt", file)
            path = os.path.join(place, file)
            # Human4 has an empty file for a first target that the benchmark does not use.
            if target and not _is_blank(path):
                name, images = folder + (target.group(1) or ""), os.path.join(place, "img")
                clips.append(SequenceFiles(name, path, images, _OTB_FIRST_IMAGE.get(folder), _OTB_SKIP.get(folder, 0)))
    return clips


@register(
    "got10k",
    "<root>/<split>/list.txt with <root>/<split>/<seq>/groundtruth.txt and <root>/<split>/<seq>/00000001.jpg",
    splits=("val", "test", "train"),
    published={"val": 180, "test": 180, "train": 9335},
)
def got10k(root: str, split: Optional[str]) -> List[SequenceFiles]:
    """List GOT-10k (Huang et al., TPAMI 2021), 10 fps.

    The split `test` has only the first box of each sequence. The target counts as absent where ``absence.label`` is 1
    or ``cover.label`` is 0 (nothing visible): the frames that the GOT-10k toolkit leaves out.
    """
    place = os.path.join(root, split or "")
    if not os.path.isdir(place):
        return []
    clips = []
    for name in _got10k_names(place):
        folder = os.path.join(place, name)
        absent = ((os.path.join(folder, "absence.label"), 1), (os.path.join(folder, "cover.label"), 0))
        clips.append(
            SequenceFiles(
                name,
                os.path.join(folder, "groundtruth.txt"),
                folder,
                world_fps=10.0,
                absent=() if split == "test" else absent,
                init_only=split == "test",
                size=_got10k_size(os.path.join(folder, "meta_info.ini")),
            )
        )
    return clips


def _got10k_names(place: str) -> List[str]:
    listed = os.path.join(place, "list.txt")
    if not os.path.isfile(listed):
        return [name for name in subfolders(place) if os.path.isfile(os.path.join(place, name, "groundtruth.txt"))]
    names = read_text(listed).split()
    if not names:
        raise InputError(f"{listed}: empty; expected one sequence name per line")
    return names


def _got10k_size(path: str) -> Optional[Tuple[int, int]]:
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8", errors="replace") as file:
        found = re.search(r"resolution:\s*\(([1-9]\d{0,5}),\s*([1-9]\d{0,5})\)", file.read(), re.ASCII)
    return (int(found.group(1)), int(found.group(2))) if found else None


def _is_blank(path: str) -> bool:
    with open(path, "rb") as file:
        return not file.read(64).strip()
