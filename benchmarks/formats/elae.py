"""The e-LAE toolkit: a folder of box files for each of 51 permitted latencies, and the mean frame rate.

``TRACKER/0.0/SEQ.txt``, ``TRACKER/0.02/SEQ.txt`` .. ``TRACKER/1.0/SEQ.txt``, and ``TRACKER/Speed.txt``: one number, the
mean over sequences of frames per second.
"""

from __future__ import annotations

import os
import re
from typing import List, Mapping, Optional

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import read_text
from pvtpp_benchmarks.datasets.box_files import read_xywh, write_text, write_xywh
from pvtpp_benchmarks.datasets.sequence_files import subfolders
from pvtpp_benchmarks.formats import otb
from pvtpp_benchmarks.formats.format import Asked, Format, Found, check_name
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes, one_time
from pvtpp_benchmarks.metrics import SIGMAS

SPEED = f"{otb.SPEED}.txt"


def folder(sigma: float) -> str:
    """Return the name of the folder of one permitted latency."""
    return str(round(float(sigma), 2))


def is_sigma(name: str) -> bool:
    """Say whether a folder's name is a permitted latency, from 0 to 1."""
    return re.fullmatch(r"0(\.\d+)?|1(\.0+)?", name) is not None


def find(root: str) -> Found:
    """List the sequences of the first folder of a permitted latency; a folder 0 or 1 may be a sequence."""
    inside = subfolders(root) if os.path.isdir(root) else []
    folders = [name for name in inside if is_sigma(name) and "." in name]
    return otb.find(os.path.join(root, min(folders, key=float))) if folders else {}


def read(root: str, path: str, asked: Asked) -> SequenceBoxes:
    """Read the boxes of one sequence at all 51 permitted latencies."""
    missing = [folder(sigma) for sigma in SIGMAS if not os.path.isdir(os.path.join(root, folder(sigma)))]
    if missing:
        raise InputError(
            f"{root}: no folder {', '.join(missing[:5])}{' ..' if len(missing) > 5 else ''}; e-LAE has 51, 0.0 to 1.0"
        )
    rows: List[np.ndarray] = []
    for sigma in SIGMAS:
        file = os.path.join(root, folder(sigma), os.path.basename(path))
        rows.append(SequenceBoxes(read_xywh(file), source=file).xywh[0])
        if len(rows[-1]) != len(rows[0]):
            raise InputError(f"{file}: {len(rows[-1])} rows, that of sigma 0 has {len(rows[0])}")
    fps = _read_speed(root)
    seconds = None if fps is None else one_time(1 / fps, len(rows[0]))
    return SequenceBoxes(np.array(rows), seconds, tuple(SIGMAS.tolist()), root)


def _read_speed(root: str) -> Optional[float]:
    """Read the mean frames per second; None without a file. The pairing script leaves it beside the box files."""
    for path in (os.path.join(root, SPEED), os.path.join(root, folder(0), SPEED)):
        if os.path.isfile(path):
            text = read_text(path).strip()
            try:
                fps = float(text)
            except ValueError:
                fps = float("nan")
            if not 0 < fps < float("inf"):
                raise InputError(f"{path}: {text[:80]!r} is no number of frames per second")
            return fps
    return None


def write(root: str, results: Mapping[str, SequenceBoxes]) -> List[str]:
    """Write the 51 folders, every digit, and ``Speed.txt`` where the times of all sequences are known."""
    paths = []
    for name, boxes in results.items():
        check_name(name)
        if boxes.sigmas is None:
            raise InputError(
                f"{boxes.source}: boxes before any latency; e-LAE folders hold what was there at each permitted "
                "latency: replay them at a processing time and convert the event logs (pvtpp replay --logs)"
            )
        if [folder(sigma) for sigma in boxes.sigmas] != [folder(sigma) for sigma in SIGMAS]:
            raise InputError(f"{boxes.source}: {len(boxes.sigmas)} permitted latencies, e-LAE has 51, 0.0 to 1.0")
    for name, boxes in results.items():
        for sigma, xywh in zip(SIGMAS, boxes.xywh):
            paths.append(os.path.join(root, folder(sigma), f"{name}.txt"))
            write_xywh(paths[-1], xywh, "%r")
    means = [np.nanmean(boxes.seconds) for boxes in results.values() if boxes.seconds is not None]
    if means and len(means) == len(results) and min(means) > 0:
        write_text(os.path.join(root, SPEED), f"{float(np.mean(1 / np.array(means)))!r}")
    return paths


FORMAT = Format("elae", "0.0/SEQ.txt, 0.02/SEQ.txt .. 1.0/SEQ.txt, Speed.txt", find, read, write, matched=True)
