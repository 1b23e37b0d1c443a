"""The first passes of a tracker load what it needs and are its slowest: they are done before there is a target."""

from __future__ import annotations

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker


def warm_up(tracker: Tracker, name: str, frame: Frame, box: np.ndarray, passes: int = 1) -> None:
    """Initialise the tracker on a frame and let it track there.

    Parameters
    ----------
    tracker
        What is made ready.
    name
        What an error calls it.
    frame, box
        Any frame, and a box in it, ``[cx, cy, w, h]`` in pixels.
    passes
        How often it tracks.

    Raises
    ------
    InputError
        Where the tracker raises anything.
    """
    try:
        tracker.init(frame, box)
        for _ in range(passes):
            tracker.track(frame)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name} cannot start on box {box.tolist()} ({type(error).__name__}: {error})") from error
