"""The window of `pvtpp track`: the user draws the target there, and its predicted box is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Iterable, Iterator, Tuple

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp.cli.frame_records import FrameRecord, draw
from pvtpp.cli.signals import EndRequest
from pvtpp.cli.track_files import warn
from pvtpp.errors import InputError
from pvtpp.sources.recorded import TimedImage
from pvtpp.sources.source import Warn
from pvtpp.tracker import Frame

TITLE = "pvtpp track"
LIMIT_S = 15.0
"""A display that takes longer to show a window counts as unreachable."""
REFUSED = 3
"""Exit status of the child where OpenCV itself says that there is no window."""
_OPEN_A_WINDOW = f"""
import json, sys
sys.path[:] = json.loads(sys.argv[1])
import cv2
try:
    cv2.namedWindow("{TITLE}")
    cv2.waitKey(1)
except cv2.error:
    sys.exit({REFUSED})
cv2.destroyAllWindows()
"""


def opens(title: str = TITLE, warn: Warn = warn) -> bool:
    """Open it; returns False where there is no display, or this OpenCV has no windows.

    Parameters
    ----------
    title
        Of the window.
    warn
        Called with a line for a display that is named but cannot be reached.
    """
    named = [f"{name}={os.environ[name]}" for name in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(name)]
    if sys.platform.startswith("linux"):
        if not named:
            return False
        problem = _try_in_child()
        if problem:
            warn(f"no window: {problem} ({', '.join(named)})")
            return False
    import cv2

    try:
        cv2.namedWindow(title, cv2.WINDOW_NORMAL)
    except cv2.error:
        return False
    return True


def _try_in_child() -> str:
    """Open a window in a child process; returns why it does not open, empty where it does.

    Where the display cannot be reached, Qt ends the process that asks for a window, and X11 may wait for minutes.
    """
    command = [sys.executable, "-c", _OPEN_A_WINDOW, json.dumps([str(place) for place in sys.path])]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return f"the display did not answer within {LIMIT_S:g} s"
    except OSError as error:
        return f"it could not be tried ({error.strerror or error})"
    if done.returncode < 0:
        return "the display cannot be opened"
    if done.returncode == REFUSED:
        return "this OpenCV opens none"
    # Anything else is found again, and said, in this process.
    return ""


def drawn_box(image: np.ndarray) -> np.ndarray:
    """Let the user draw the target: ``[cx, cy, w, h]``, pixels. Raises InputError where none was drawn."""
    import cv2

    left, top, width, height = cv2.selectROI(TITLE, image, showCrosshair=False)
    if not (width and height):
        raise InputError("no target was drawn; draw it with the mouse and press Enter, or give --box X,Y,W,H")
    return xywh_to_box(np.array([left, top, width, height], dtype=np.float64))


def shown(records: Iterable[Tuple[Frame, FrameRecord]], over: EndRequest) -> Iterator[TimedImage]:
    """Show and yield the drawn images; the keys q and escape end it."""
    import cv2

    for frame, record in records:
        image = draw(frame.image, record)
        cv2.imshow(TITLE, image)
        if cv2.waitKey(1) & 0xFF in (ord("q"), 27):
            over.set()
        yield TimedImage(frame.t_ns, image)
