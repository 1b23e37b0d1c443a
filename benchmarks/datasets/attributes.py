"""Benchmark attributes of sequences, such as `fast motion`: the flag files of published sets, and a file of one's own.

A published flag file is one line of 0 and 1, one for each attribute of the set, separated by commas or spaces. One's
own folders may have ``attributes.json``: ``{"sequence": ["fast motion", ..]}``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.files import read_json, read_text

# In the order of the columns. Sources: the plotting scripts of the toolkits that came with the data sets.
UAV123 = (
    "scale variation",
    "aspect ratio change",
    "low resolution",
    "fast motion",
    "full occlusion",
    "partial occlusion",
    "out of view",
    "background clutter",
    "illumination variation",
    "viewpoint change",
    "camera motion",
    "similar object",
)
DTB70 = (
    "scale variation",
    "aspect ratio variation",
    "occlusion",
    "deformation",
    "fast camera motion",
    "in-plane rotation",
    "out-of-plane rotation",
    "out of view",
    "background clutter",
    "similar objects around",
    "motion blur",
)
UAVDT = (
    "background clutter",
    "camera motion",
    "object motion",
    "small object",
    "illumination variation",
    "object blur",
    "scale variation",
    "long-term tracking",
    "large occlusion",
)
VISDRONE = (
    "aspect ratio change",
    "background clutter",
    "camera motion",
    "fast motion",
    "full occlusion",
    "illumination variation",
    "low resolution",
    "out of view",
    "partial occlusion",
    "similar object",
    "scale variation",
    "viewpoint change",
)
OWN = "attributes.json"


@dataclass(frozen=True)
class Attributes:
    """Where the attributes of the sequences of one data set are.

    Attributes
    ----------
    names
        Of the columns of a flag file.
    folder, file
        Where the flag files are, and the name of that of a sequence, whose own name stands for ``{name}``.
    listed
        Attributes by the name of the sequence, instead of flag files.
    """

    names: Tuple[str, ...] = ()
    folder: str = ""
    file: str = ""
    listed: Optional[Mapping[str, Tuple[str, ...]]] = None

    def of(self, sequence: str) -> Tuple[str, ...]:
        """Attributes of this sequence; none where nothing is said of it.

        Raises
        ------
        InputError
            For a flag file of another length, or with anything but 0 and 1.
        """
        if self.listed is not None:
            return self.listed.get(sequence, ())
        path = os.path.join(self.folder, self.file.replace("{name}", sequence))
        if not os.path.isfile(path):
            return ()
        values = read_text(path).replace(",", " ").split()
        if len(values) != len(self.names):
            raise InputError(f"{path}: {len(values)} values, expected {len(self.names)}: {', '.join(self.names)}")
        return tuple(name for name, value in zip(self.names, values) if _is_set(value, path))


def flag_files(names: Tuple[str, ...], folders: Iterable[str], file: str) -> Optional[Attributes]:
    """Attributes in the first of these folders that exists; `file` names the flag file of a sequence ``{name}``."""
    folder = next(filter(os.path.isdir, folders), None)
    return None if folder is None else Attributes(names, folder, file)


def own_attributes(*folders: str) -> Optional[Attributes]:
    """Attributes in the file ``attributes.json`` of the first of these folders that has one.

    Raises
    ------
    InputError
        For a file of another form.
    """
    path = next(filter(os.path.isfile, (os.path.join(folder, OWN) for folder in folders)), None)
    if path is None:
        return None
    return Attributes(listed=_listed(read_json(path), path))


def _listed(content: Any, path: str) -> Dict[str, Tuple[str, ...]]:
    expected = f'{path}: expected {{"sequence": ["attribute", ..]}}'
    if not isinstance(content, dict):
        raise InputError(f"{expected}, found {str(content)[:60]!r}")
    for name, names in content.items():
        if not isinstance(names, list) or not all(isinstance(each, str) and each for each in names):
            raise InputError(f"{expected}, the value of {name!r} is {str(names)[:60]!r}")
    return {name: tuple(dict.fromkeys(names)) for name, names in content.items()}


def _is_set(value: str, path: str) -> bool:
    if value not in ("0", "1"):
        raise InputError(f"{path}: {value[:20]!r}, expected only 0 and 1")
    return value == "1"
