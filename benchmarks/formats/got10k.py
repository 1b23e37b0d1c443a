"""The GOT-10k toolkit: a folder for each sequence, a file for each repetition, the times of all in one file."""

from __future__ import annotations

import os
from typing import List, Mapping

import numpy as np

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.box_files import first_line, read_xywh, write_text, write_xywh
from pvtpp_benchmarks.formats.format import Asked, Format, Found, check_name, nested_files, repetitions
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes
from pvtpp_benchmarks.formats.times import read_times


def find(root: str) -> Found:
    """List ``SEQ/SEQ_001.txt`` that hold boxes from the first row on; VOT's begin with one number."""
    found = nested_files(root, (".txt",))
    return {} if any(_one_number(path) for path in list(found.values())[:1]) else found


def _one_number(path: str) -> bool:
    return len(first_line(path).replace(",", " ").split()) == 1


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read all repetitions of one sequence, and their times where there are any."""
    files = repetitions(path)
    rows = [read_xywh(file) for file in files]
    for file, each in zip(files, rows):
        if len(each) != len(rows[0]):
            raise InputError(f"{file}: {len(each)} rows, the first repetition has {len(rows[0])}")
    times = os.path.join(os.path.dirname(path), f"{os.path.basename(os.path.dirname(path))}_time.txt")
    return SequenceBoxes(np.array(rows), read_times(times, len(rows[0])), source=path)


def write(root: str, results: Mapping[str, SequenceBoxes]) -> List[str]:
    """Write ``SEQ/SEQ_001.txt`` .. with three decimals and ``SEQ/SEQ_time.txt`` with eight."""
    paths = []
    for name, boxes in results.items():
        if boxes.sigmas is not None and len(boxes.xywh) > 1:
            raise InputError(f"{name}: {len(boxes.xywh)} permitted latencies, the format {FORMAT.name} holds one")
        folder = os.path.join(root, check_name(name))
        for number, xywh in enumerate(boxes.xywh, start=1):
            paths.append(os.path.join(folder, f"{name}_{number:03d}.txt"))
            write_xywh(paths[-1], xywh, "%.3f")
        if boxes.seconds is not None:
            lines = (",".join(f"{value:.8f}" for value in row) for row in boxes.seconds.T.tolist())
            write_text(os.path.join(folder, f"{name}_time.txt"), "".join(f"{line}\n" for line in lines))
    return paths


FORMAT = Format(
    "got10k", "SEQ/SEQ_001.txt, SEQ_002.txt .. for repetitions, SEQ_time.txt with a column for each", find, read, write
)
