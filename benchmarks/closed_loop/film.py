"""Closed loops side by side, as film and as a picture: what each camera saw, and where the target was predicted."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Sequence

import cv2
import numpy as np

from pvtpp.core.presence import Presence
from pvtpp.files import whole_file
from pvtpp_benchmarks.closed_loop.loop import ClosedLoop, Recording
from pvtpp_benchmarks.report.video import PREDICTED, draw_boxes

WIDTH = 480
"""Of each loop's picture, pixels."""
_CROSS = (255, 255, 255)


class Filmed(NamedTuple):
    """A loop that has run.

    Attributes
    ----------
    label
        Its name in the film.
    loop, recording
        The loop, and what happened in it.
    """

    label: str
    loop: ClosedLoop
    recording: Recording


def frames(filmed: Sequence[Filmed]) -> Iterator[np.ndarray]:
    """Draw the loops, which have one world, side by side at each camera frame."""
    for number in range(len(filmed[0].recording.answers)):
        yield np.hstack([_panel(each, number) for each in filmed])


def write_picture(path: str, filmed: Sequence[Filmed], seconds: Sequence[float]) -> None:
    """Write a picture (PNG or JPEG by its ending) of some moments, one row for each."""
    rows: List[np.ndarray] = []
    for each in seconds:
        times = np.array([answer.t_ns for answer in filmed[0].recording.answers])
        number = int(np.abs(times - each * 1e9).argmin())
        rows.append(np.hstack([_panel(one, number) for one in filmed]))
    with whole_file(path, keep_extension=True) as part:
        cv2.imwrite(part, np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 80])


def _panel(filmed: Filmed, number: int) -> np.ndarray:
    """What one camera saw, the box that was predicted for then, the middle of the image, and the pointing error."""
    answer, world = filmed.recording.answers[number], filmed.loop.world
    lost = answer.presence is Presence.LOST
    error = float(filmed.recording.error[min(answer.t_ns // 1_000_000, len(filmed.recording.error) - 1)])
    state = "" if answer.presence is None else answer.presence.value
    hidden = ", hidden" if world.hidden(answer.t_ns * 1e-9) else ""
    caption = f"{answer.t_ns * 1e-9:4.1f} s  {np.degrees(error):5.1f} deg beside the target{hidden}  {state}"
    boxes = {filmed.label: (None if lost else answer.box, PREDICTED)}
    drawn = draw_boxes(filmed.loop.image(answer.t_ns), boxes, caption)
    middle = (drawn.shape[1] // 2, drawn.shape[0] // 2)
    cv2.drawMarker(drawn, middle, _CROSS, cv2.MARKER_CROSS, 25, 1, cv2.LINE_AA)
    return cv2.resize(drawn, (WIDTH, round(WIDTH * drawn.shape[0] / drawn.shape[1])), interpolation=cv2.INTER_AREA)
