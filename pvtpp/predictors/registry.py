"""The protocol of a predictor, and the names under which predictors are created."""

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
    """Turns a track into a trajectory. It has no hidden state: what it knows of the target is in the track.

    Attributes
    ----------
    reads_features
        Whether `encode` reads ``TrackerOutput.features``. Where this is False, `encode` returns None for every result
        and need not be called. Where it is True, the predictor cannot be run on logs and result files, which hold no
        features.
    """

    reads_features: bool = False

    def encode(self, output: TrackerOutput) -> Any:
        """What to keep of one tracker result beyond its box and score; called once per result.

        Returns
        -------
        Any
            The encoding, which the track keeps beside the result; None for predictors that need boxes and times only.
        """

    def predict(self, track: Track) -> Trajectory:
        """The motion model that follows from this track. Pure: the same track gives the same trajectory.

        Raises
        ------
        InputError
            If the track is empty, or is one that this predictor cannot use.
        """


_MODULES: Dict[str, str] = {
    "hold": "pvtpp.predictors.hold:Hold",
    "constant_velocity": "pvtpp.predictors.constant_velocity:ConstantVelocity",
    "kalman": "pvtpp.predictors.kalman:Kalman",
    "motion": "pvtpp.predictors.motion:Motion",
    "ensemble": "pvtpp.predictors.ensemble:Ensemble",
    "joint": "pvtpp.predictors.joint:Joint",
}
# Predictors that can be created from a file: the setting after the colon is its path.
_FROM_FILE: Dict[str, str] = {
    "n_head": "pvtpp.predictors.n_head:load",
    "motion": "pvtpp.predictors.motion:Motion",
    "ensemble": "pvtpp.predictors.ensemble:load",
    "joint": "pvtpp.predictors.joint:Joint",
}


def names() -> List[str]:
    """Every name that `create` takes without a file."""
    from pvtpp.predictors.kalman import SETTINGS

    return list(_MODULES) + [f"kalman:{setting}" for setting in SETTINGS]


def check_name(name: str) -> None:
    """Raise InputError, with the valid names, where `create` would not know `name`. Loads nothing."""
    base, _, setting = name.partition(":")
    if not (name in names() or (base in _FROM_FILE and setting)):
        files = (f"{each}:PATH" for each in _FROM_FILE)
        raise InputError(f"unknown predictor {name!r}, expected one of: {', '.join([*names(), *files])}")


def create(name: str) -> Predictor:
    """Create the predictor called `name`.

    Parameters
    ----------
    name
        A name, with a setting or the path of a network file after a colon where the predictor takes one:
        ``motion``, ``kalman:pvt``, ``n_head:network.onnx``.

    Raises
    ------
    InputError
        If the name is unknown (the message lists the valid ones), or the file does not hold such a network.
    """
    check_name(name)
    base, _, setting = name.partition(":")
    module, _, attribute = (_FROM_FILE if setting and base in _FROM_FILE else _MODULES)[base].partition(":")
    make = getattr(import_module(module), attribute)
    return make(setting) if setting else make()


def reads_features(predictor: Predictor) -> bool:
    """Whether the predictor reads the tracker's features; False for one that does not have the attribute."""
    return getattr(predictor, "reads_features", False)


def digest(name: str) -> str:
    """Digest of the files that the predictor called `name` is made from, to tell apart predictors of the same name.

    The files are those that `files` of its module lists, the committed weights included.

    Returns
    -------
    str
        Twelve hex digits; empty for a predictor that is made from no file.

    Raises
    ------
    InputError
        If one of the files cannot be read.
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
