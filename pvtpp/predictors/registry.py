"""What a predictor is, and the names they go by."""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import Any, Dict, List, Protocol

from pvtpp.errors import InputError
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory


class Predictor(Protocol):
    """Two methods and no hidden state: whatever it knows of the target is in the track."""

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
    base, _, setting = name.partition(":")
    if not (name in names() or (base in _FROM_FILE and setting)):
        files = (f"{each}:PATH" for each in _FROM_FILE)
        raise InputError(f"unknown predictor {name!r}, expected one of: {', '.join([*names(), *files])}")
    module, _, attribute = {**_MODULES, **_FROM_FILE}[base].partition(":")
    make = getattr(import_module(module), attribute)
    return make(setting) if setting else make()


def digest(name: str) -> str:
    """Tells a predictor from another of the same name: a digest of the file that it is made from, the committed one too; empty
    where there is none."""
    base, _, path = name.partition(":")
    if base not in _FROM_FILE:
        return ""
    path = path or getattr(import_module(_FROM_FILE[base].partition(":")[0]), "WEIGHTS", "")
    if not path:
        return ""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:12]
    except OSError as error:
        raise InputError(f"{path}: cannot read the predictor's file ({error.strerror or error})") from None
