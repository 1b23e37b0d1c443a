"""Published result files: boxes per frame, one file per sequence, in the layouts that toolkits write."""

from __future__ import annotations

import os
import re
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.box_files import read_xywh, write_text, write_xywh
from pvtpp_benchmarks.datasets.image_files import visible
from pvtpp_benchmarks.datasets.sequence_files import subfolders

# Endings of files that toolkits write beside the boxes.
_BESIDE = ("_time.txt", "_object_presence_scores.txt", "_confidence.txt")

LAYOUTS = ("otb", "got10k", "pytracking")


def load_results(root: str, names: Iterable[str], lengths: Optional[Mapping[str, int]] = None) -> Dict[str, np.ndarray]:
    """Read the boxes of one tracker.

    Parameters
    ----------
    root
        The tracker's folder. It holds ``<seq>.txt`` (OTB, PySOT, pytracking; comma, tab or space) or
        ``<seq>/<seq>_001.txt`` (GOT-10k, first repetition). Case, a leading ``uav_``, a trailing ``_gt`` and the choice
        of ``.``, ``-`` or ``_`` make no difference to a name.
    names
        The sequences to read.
    lengths
        The number of frames of each sequence; None does not check it.

    Returns
    -------
    dict
        By name of the sequence the boxes ``[left, top, width, height]`` in pixels, shape ``(frames, 4)``.

    Raises
    ------
    InputError
        With the names of all missing sequences, or for a file with another number of rows than its sequence has frames.
    """
    files = _index(root)
    wanted = list(names)
    exact = {name: path for paths in files.values() for name, path in paths}
    found: Dict[str, str] = {}
    for name in wanted:
        candidates = files.get(_plain(name), [])
        if name in exact:
            found[name] = exact[name]
        elif len(candidates) == 1:
            found[name] = candidates[0][1]
        elif candidates:
            raise InputError(f"{root}: {name!r} may be any of {', '.join(sorted(path for _, path in candidates))}")
    missing = [name for name in wanted if name not in found]
    if missing:
        listed = ", ".join(missing[:20]) + (", ..." if len(missing) > 20 else "")
        raise InputError(f"{root}: no results for {len(missing)} of {len(wanted)} sequences: {listed}")
    results = {name: read_xywh(found[name]) for name in wanted}
    for name, rows in results.items():
        if lengths is not None and len(rows) != lengths[name]:
            raise InputError(f"{found[name]}: {len(rows)} rows for the {lengths[name]} frames of {name}")
    return results


def write_results(
    root: str, results: Mapping[str, ArrayLike], layout: str = "otb", seconds: Optional[Mapping[str, ArrayLike]] = None
) -> List[str]:
    """Write the boxes of one tracker, each file whole or not at all.

    Parameters
    ----------
    root
        The tracker's folder.
    results
        By name of the sequence the boxes ``[left, top, width, height]`` in pixels, shape ``(frames, 4)``.
    layout
        ``otb``: ``<seq>.txt``, commas, four decimals. ``got10k``: ``<seq>/<seq>_001.txt``, commas, three decimals.
        ``pytracking``: ``<seq>.txt``, tabs, rounded to integers.
    seconds
        By name of the sequence the time spent on each frame, written to ``<seq>_time.txt`` beside the boxes. The layout
        ``otb`` has no such file.

    Returns
    -------
    list of str
        The paths of the box files.

    Raises
    ------
    InputError
        For an unknown layout, times in the layout ``otb``, or a name that cannot be a file name.
    """
    if layout not in LAYOUTS:
        raise InputError(f"unknown result layout {layout!r}; valid: {', '.join(LAYOUTS)}")
    if seconds is not None and layout == "otb":
        raise InputError("the otb layout has no file for times; valid with times: got10k, pytracking")
    paths = []
    for name, xywh in results.items():
        if not name or name in (".", "..") or os.path.basename(name) != name:
            raise InputError(f"sequence name {name!r} cannot be a file name")
        folder = os.path.join(root, name) if layout == "got10k" else root
        path = os.path.join(folder, f"{name}_001.txt" if layout == "got10k" else f"{name}.txt")
        if layout == "pytracking":
            write_xywh(path, np.rint(xywh), "%.0f", "\t")
        else:
            write_xywh(path, xywh, "%.3f" if layout == "got10k" else "%.4f")
        if seconds is not None and name in seconds:
            times = np.asarray(seconds[name], dtype=np.float64).ravel()
            write_text(os.path.join(folder, f"{name}_time.txt"), "".join(f"{value:.8f}\n" for value in times))
        paths.append(path)
    return paths


def _index(root: str) -> Dict[str, List[Tuple[str, str]]]:
    """Find the result files under `root`: by plain name, lists of (name as written, path)."""
    if not os.path.isdir(root):
        raise InputError(f"{root}: no such folder; expected one tracker's, with <seq>.txt or <seq>/<seq>_001.txt")
    listed = [
        (name[:-4], os.path.join(root, name))
        for name in visible(root)
        if name.endswith(".txt") and not name.endswith(_BESIDE)
    ]
    folders = subfolders(root)
    nested = ((name, os.path.join(root, name, f"{name}_001.txt")) for name in folders)
    listed += [(name, path) for name, path in nested if os.path.isfile(path)]
    if not listed:
        hint = f"; it holds the folders {', '.join(folders[:10])}: give one tracker's" if folders else ""
        raise InputError(f"{root}: no result files <seq>.txt or <seq>/<seq>_001.txt{hint}")
    files: Dict[str, List[Tuple[str, str]]] = {}
    for name, path in listed:
        files.setdefault(_plain(name), []).append((name, path))
    return files


def _plain(name: str) -> str:
    return re.sub(r"^uav(10fps)?_|_gt$", "", re.sub(r"[.\-]", "_", name.lower()))
