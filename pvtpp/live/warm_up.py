"""The first passes of a tracker, which load what it needs and are its slowest: they belong to nobody's target."""

from __future__ import annotations

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame, Tracker


def warm_up(tracker: Tracker, name: str, frame: Frame, box: np.ndarray, passes: int = 1) -> None:
    """Initialise the tracker on this frame and let it track there; InputError, by this name, where it cannot."""
    try:
        tracker.init(frame, box)
        for _ in range(passes):
            tracker.track(frame)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name} cannot start on box {box.tolist()} ({type(error).__name__}: {error})") from error
