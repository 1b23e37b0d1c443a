"""Trackers written for other toolkits, by what they are given and what they answer.

=========  ============================================  =========================================================
style      methods                                       from
=========  ============================================  =========================================================
`plain`    `pvtpp.tracker.as_tracker`                    this project, OpenCV, pytracking-like classes
`pysot`    ``init(image, xywh)``, ``track(image)``       PySOT and what is built on it: a dict of ``bbox`` and
                                                         ``best_score``; images are BGR
`got10k`   ``init(image, xywh)``, ``update(image)``      the GOT-10k toolkit: images are RGB, of Pillow
`rgb`      the same                                      images are RGB arrays
=========  ============================================  =========================================================
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Callable, Mapping, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import PLAIN, Tracker, as_tracker


class PySOTStyle:
    """Gives a tracker with ``init(image, xywh)`` and ``track(image) -> dict`` the methods of the plain convention.

    Parameters
    ----------
    tracker
        The tracker; kept as attribute `tracker`.
    """

    def __init__(self, tracker: Any):
        _require(tracker, "pysot", "init", "track")
        self.tracker = tracker

    def init(self, image: np.ndarray, xywh: np.ndarray) -> None:
        """Start on the target: `image` is BGR, `xywh` is left, top, width, height."""
        self.tracker.init(image, xywh)

    def update(self, image: np.ndarray) -> Tuple[Any, float]:
        """Find the target; returns its box and ``best_score``, 1 where there is none.

        Raises
        ------
        InputError
            Where the answer is no dictionary with ``bbox``.
        """
        answer = self.tracker.track(image)
        if not isinstance(answer, dict) or "bbox" not in answer:
            raise InputError(
                f"{type(self.tracker).__name__}.track() returned {str(answer)[:80]}, the style pysot expects a dict "
                "with 'bbox' and 'best_score'"
            )
        score = answer.get("best_score")
        return answer["bbox"], 1.0 if score is None else float(score)


class RGBStyle:
    """Gives a tracker RGB images, made from the BGR ones by `convert`; its methods are of the plain convention.

    Parameters
    ----------
    tracker
        The tracker; kept as attribute `tracker`.
    convert
        Makes the image that it is given.
    """

    def __init__(self, tracker: Any, convert: Callable[[np.ndarray], Any]):
        self.tracker = tracker
        self._convert = convert

    def init(self, image: np.ndarray, xywh: np.ndarray) -> None:
        """Start on the target: `image` is BGR, `xywh` is left, top, width, height."""
        self.tracker.init(self._convert(image), xywh)

    def update(self, image: np.ndarray) -> Any:
        """Find the target; returns what the tracker does."""
        return self.tracker.update(self._convert(image))


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1])


def _pysot(tracker: Any) -> Tracker:
    return as_tracker(PySOTStyle(tracker))


def _got10k(tracker: Any) -> Tracker:
    _require(tracker, "got10k", "init", "update")
    try:
        from PIL import Image
    except ImportError:
        raise InputError(
            "style got10k: its images are Pillow's, which is not installed here; pip install pillow, or use the style "
            "rgb for a tracker that takes arrays"
        ) from None
    return as_tracker(RGBStyle(tracker, lambda image: Image.fromarray(_rgb(image))))


def _arrays(tracker: Any) -> Tracker:
    _require(tracker, "rgb", "init", "update")
    return as_tracker(RGBStyle(tracker, _rgb))


STYLES: Mapping[str, Callable[[Any], Tracker]] = MappingProxyType(
    {PLAIN: as_tracker, "pysot": _pysot, "got10k": _got10k, "rgb": _arrays}
)


def adapt(tracker: Any, style: str = PLAIN) -> Tracker:
    """Return the tracker with the `Tracker` protocol.

    Parameters
    ----------
    tracker
        An object.
    style
        What it was written for: a name of `STYLES`.

    Raises
    ------
    InputError
        For an unknown style, and for an object without the methods of its style.
    """
    check_style(style)
    return STYLES[style](tracker)


def check_style(style: str) -> None:
    """Raise InputError for a style that is not in `STYLES`."""
    if style not in STYLES:
        raise InputError(f"style {style!r} of a tracker, allowed is one of: {', '.join(STYLES)}")


def _require(tracker: Any, style: str, *methods: str) -> None:
    missing = [name for name in methods if not callable(getattr(tracker, name, None))]
    if missing:
        lacking, needed = " and no ".join(f"{each}()" for each in missing), ", ".join(f"{each}()" for each in methods)
        raise InputError(f"{type(tracker).__name__} has no {lacking}, which the style {style} needs: {needed}")
