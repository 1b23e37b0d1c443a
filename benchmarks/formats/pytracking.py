"""pytracking: boxes between tabs, whole pixels, and the time of each frame in a file beside them."""

from __future__ import annotations

import os
from typing import List, Mapping

import numpy as np

from pvtpp_benchmarks.datasets.box_files import read_xywh, write_text, write_xywh
from pvtpp_benchmarks.formats import otb
from pvtpp_benchmarks.formats.format import Asked, Format, Found, check_name, one_repetition
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes
from pvtpp_benchmarks.formats.times import read_times


def find(root: str) -> Found:
    """List ``SEQ.txt``."""
    return otb.find(root)


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read one file and its times, where there are any."""
    rows = read_xywh(path)
    return SequenceBoxes(rows, read_times(f"{path[:-4]}_time.txt", len(rows)), source=path)


def write(root: str, results: Mapping[str, SequenceBoxes]) -> List[str]:
    """Write ``SEQ.txt`` rounded to whole pixels, and ``SEQ_time.txt``: the mean over repetitions."""
    paths = {name: os.path.join(root, f"{check_name(name)}.txt") for name in results}
    for name, boxes in results.items():
        write_xywh(paths[name], np.rint(one_repetition(name, boxes, FORMAT.name).xywh[0]), "%.0f", "\t")
        if boxes.seconds is not None:
            seconds = boxes.seconds.mean(axis=0).tolist()
            write_text(f"{paths[name][:-4]}_time.txt", "".join(f"{value:.8f}\n" for value in seconds))
    return list(paths.values())


FORMAT = Format("pytracking", "SEQ.txt, tabs, whole pixels; SEQ_time.txt", find, read, write)
