"""Box files of text, one row of four numbers per frame: OTB, the UAV toolkits, PySOT.

The GOT-10k toolkit, run on OTB, puts the times into a folder beside them: ``times/SEQ_time.txt``.
"""

from __future__ import annotations

import os
from typing import List, Mapping

from pvtpp_benchmarks.datasets.box_files import read_xywh, write_xywh
from pvtpp_benchmarks.formats.format import Asked, Format, Found, check_name, files_of, one_repetition
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes
from pvtpp_benchmarks.formats.times import read_times

BESIDE = ("_time.txt", "_object_presence_scores.txt", "_confidence.txt")
"""Endings of files that toolkits write beside the boxes."""
SPEED = "Speed"
"""The file of the mean frame rate that PVT_pp's pairing leaves beside them."""
TIMES = "times"


def find(root: str) -> Found:
    """List ``SEQ.txt``."""
    return {name: path for name, path in files_of(root, ".txt", BESIDE).items() if name != SPEED}


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read one file, commas, tabs or spaces, and its times where there are any."""
    rows, name = read_xywh(path), os.path.basename(path)[:-4]
    return SequenceBoxes(rows, read_times(os.path.join(root, TIMES, f"{name}_time.txt"), len(rows)), source=path)


def write(root: str, results: Mapping[str, SequenceBoxes]) -> List[str]:
    """Write ``SEQ.txt``, commas, every digit."""
    paths = {name: os.path.join(root, f"{check_name(name)}.txt") for name in results}
    for name, boxes in results.items():
        write_xywh(paths[name], one_repetition(name, boxes, FORMAT.name).xywh[0], "%r")
    return list(paths.values())


FORMAT = Format("otb", "SEQ.txt, 'x,y,w,h' per line (OTB, UAV toolkits, PySOT)", find, read, write)
