"""Which of several training processes this one is, read from the environment that ``torchrun`` or Lightning sets."""

from __future__ import annotations

import os

from pvtpp.errors import InputError


def is_first() -> bool:
    """Whether this process is the one that records, publishes and prints."""
    return _number("RANK", _number("LOCAL_RANK", 0)) == 0


def layout(devices: int) -> tuple[int, int]:
    """How many processes train, and on how many machines.

    Parameters
    ----------
    devices
        Processes on this machine where no launcher has started any.

    Returns
    -------
    tuple of int
        Processes on this machine, and machines: as ``torchrun`` has started them, else ``(devices, 1)``.

    Raises
    ------
    InputError
        If ``torchrun`` started different numbers of processes on the machines.
    """
    here = _number("LOCAL_WORLD_SIZE", 0)
    if not here:
        return devices, 1
    every = _number("WORLD_SIZE", here)
    if every % here:
        raise InputError(
            f"torchrun started {every} processes, {here} of them here: every machine needs the same number"
        )
    return here, every // here


def _number(name: str, otherwise: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else otherwise
