"""Box files without images: a flat folder of ``SEQ.txt``, or an archive of such folders, unpacked once to a cache."""

from __future__ import annotations

import os
from typing import List, Optional

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.archive import unpack
from pvtpp_benchmarks.datasets.attributes import own_attributes
from pvtpp_benchmarks.datasets.box_format import BoxFormat
from pvtpp_benchmarks.datasets.image_files import visible
from pvtpp_benchmarks.datasets.registry import register
from pvtpp_benchmarks.datasets.sequence_files import SequenceFiles, annotation_clips, first_folder, subfolders


@register(
    "annotations",
    "a folder of SEQ.txt (x,y,w,h per line), or a .tar.xz with such folders; the subset is the folder's name",
    own_folder=True,
)
def box_folder(
    root: str,
    split: Optional[str],
    subset: Optional[str] = None,
    fps: Optional[float] = None,
    camera_fps: Optional[float] = None,
    boxes: str = "xywh",
    header: bool = False,
    separator: Optional[str] = None,
) -> List[SequenceFiles]:
    """List the box files of a folder or an archive.

    Parameters
    ----------
    root
        A flat folder of ``SEQ.txt``, a folder of such folders, or an archive of them.
    split, subset
        The folder inside to read; needed where there are several.
    fps
        Annotated frames per second. None is 10 where the folder's name says ``10fps``, else 30.
    camera_fps
        Frames per second that the tracker sees, a divisor of `fps`. None shows it every annotated frame.
    boxes, header, separator
        The format of the box files, as in `pvtpp_benchmarks.datasets.box_format.BoxFormat.parse`.
    """
    form = BoxFormat.parse(boxes, header, separator)
    place = unpacked = root if os.path.isdir(root) else unpack(root)
    wanted = subset or split
    folders = [name for name in subfolders(place) if _box_files(os.path.join(place, name))]
    if wanted:
        found = first_folder(place, wanted) if wanted in folders else None
        if found is None:
            raise InputError(f"{root}: no subset {wanted!r}; valid: {', '.join(folders) or 'none'}")
        place = found
    elif not _box_files(place):
        if len(folders) > 1:
            raise InputError(f"{root}: several subsets, choose one: {', '.join(folders)}")
        place = os.path.join(place, folders[0]) if folders else place
    rate = fps or (10.0 if "10fps" in os.path.basename(os.path.abspath(place)) else 30.0)
    attributes = own_attributes(place, unpacked)
    return annotation_clips(place, world_fps=rate, camera_fps=camera_fps, boxes=form, attributes=attributes)


def _box_files(place: str) -> bool:
    return any(name.endswith(".txt") for name in visible(place))
