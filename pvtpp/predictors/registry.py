"""What a predictor is, and the names they go by."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List, Protocol

from pvtpp.errors import InputError
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory


class Predictor(Protocol):
    """Two methods and no hidden state: whatever it knows of the target is in the track.

    One that makes something of a result's features says so by a true attribute `reads_features`.
    """

    def encode(self, output: TrackerOutput) -> Any:
        """What to keep of one tracker result beyond its box; called once per result. None for motion-only predictors."""

    def predict(self, track: Track) -> Trajectory:
        """The motion law that follows from this track. Pure: the same track gives the same trajectory."""


_MODULES: Dict[str, str] = {
    "hold": "pvtpp.predictors.hold:Hold",
    "constant_velocity": "pvtpp.predictors.constant_velocity:ConstantVelocity",
    "kalman": "pvtpp.predictors.kalman:Kalman",
    "motion": "pvtpp.predictors.motion:Motion",
    "ensemble": "pvtpp.predictors.ensemble:Ensemble",
    "joint": "pvtpp.predictors.joint:Joint",
}
# Made from a file: the setting after the colon is its path.
_FROM_FILE: Dict[str, str] = {
    "n_head": "pvtpp.predictors.n_head:load",
    "motion": "pvtpp.predictors.motion:Motion",
    "joint": "pvtpp.predictors.joint:Joint",
}


def names() -> List[str]:
    """Every name that `create` takes."""
    from pvtpp.predictors.kalman import SETTINGS

    return list(_MODULES) + [f"kalman:{setting}" for setting in SETTINGS]


def create(name: str) -> Predictor:
    """The predictor called `name`, its setting after a colon (``kalman:pvt``). Unknown: InputError with the valid names."""
    check_name(name)
    base, _, setting = name.partition(":")
    module, _, attribute = {**_MODULES, **_FROM_FILE}[base].partition(":")
    make = getattr(import_module(module), attribute)
    return make(setting) if setting else make()


def reads_features(predictor: Predictor) -> bool:
    """Whether it looks at the tracker's features, which no event log and no result file holds."""
    return getattr(predictor, "reads_features", False)


def digest(name: str) -> str:
    """Tells a predictor from another of the same name: a digest of the files that it is made from (`files` of its module), the
    committed ones too; empty where there are none.
    """
    base, _, path = name.partition(":")
    module = (_FROM_FILE if path else _MODULES).get(base, "").partition(":")[0]
    files = getattr(import_module(module), "files", None) if module else None
    if files is None:
        return ""
    content = hashlib.sha256()
    for each in files(path) if path else files():
        try:
            content.update(Path(each).read_bytes())
        except OSError as error:
            raise InputError(f"{each}: cannot read the predictor's file ({error.strerror or error})") from None
    return content.hexdigest()[:12]


def check_name(name: str) -> None:
    """Raise InputError, with the valid names, where `create` would not know `name`. Loads nothing."""
    base, _, setting = name.partition(":")
    if not (name in names() or (base in _FROM_FILE and setting)):
        files = (f"{each}:PATH" for each in _FROM_FILE)
        raise InputError(f"unknown predictor {name!r}, expected one of: {', '.join([*names(), *files])}")
