"""The format of the MOT Challenge, which annotation and evaluation tools of multi-object tracking read."""

from __future__ import annotations

from typing import Iterable, Iterator

from pvtpp.boxes import box_to_xywh
from pvtpp.core.presence import Presence
from pvtpp.logs.moments import Moment


def mot_lines(seen: Iterable[Moment], predictor: str) -> Iterator[str]:
    """Make lines ``frame,id,left,top,width,height,confidence,-1,-1,-1``.

    Frames, ids and pixels count from 1. Each target is an id. A frame without a target, or whose target is LOST, has no
    line. The confidence is the probability that the target is followed, 1 where that is not assessed.

    Parameters
    ----------
    seen
        Of a log.
    predictor
        Whose boxes they are.
    """
    for each in seen:
        made = each.predictions.get(predictor)
        if made is None or each.presence == Presence.LOST.value:
            continue
        left, top, width, height = (round(float(value), 3) for value in box_to_xywh(made.box))
        sure = 1.0 if each.probability is None else each.probability
        box = f"{left + 1:.3f},{top + 1:.3f},{width:.3f},{height:.3f}"
        yield f"{each.frame + 1},{each.target},{box},{sure:.4g},-1,-1,-1\n"
