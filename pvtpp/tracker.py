"""The protocol of a tracker, and its input and output: a frame in, a box out. A tracker may skip frames."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Callable, Optional, Protocol, Union

import numpy as np

from pvtpp.boxes import ArrayLike, as_box, box_to_xywh, require_in_image, xywh_to_box
from pvtpp.errors import InputError

PLAIN = "plain"
"""The style of trackers that `as_tracker` takes as they are; others are in `pvtpp_trackers.styles`."""


class Frame:
    """One camera image and the time of its capture.

    Parameters
    ----------
    index
        Number of the frame, counting all frames of the camera.
    t_ns
        Capture time, integer nanoseconds.
    image
        Array of shape ``(height, width, 3)``, uint8, BGR as OpenCV reads it; or a function that loads one, which is
        called at the first access to `image`; or None for a frame without an image.
    source
        Where the image comes from, for error messages.
    """

    __slots__ = ("index", "t_ns", "_image", "_load", "source")

    def __init__(
        self,
        index: int,
        t_ns: int,
        image: Union[np.ndarray, Callable[[], np.ndarray], None] = None,
        source: str = "",
    ):
        self.index = int(index)
        self.t_ns = int(t_ns)
        self.source = source or f"frame {index}"
        self._load = image if callable(image) else None
        self._image = None if image is None or callable(image) else check_image(image, self.source)

    @property
    def image(self) -> np.ndarray:
        """The image, shape ``(height, width, 3)``, uint8, BGR; InputError if there is none or it cannot be loaded."""
        if self._image is None:
            if self._load is None:
                raise InputError(
                    f"{self.source}: this frame has no image (the camera or file gave none, or there are only boxes)"
                )
            self._image = check_image(self._load(), self.source)
        return self._image

    @property
    def nbytes(self) -> int:
        """Bytes of the image in memory; 0 before it is loaded."""
        return 0 if self._image is None else self._image.nbytes

    def __repr__(self) -> str:
        return f"Frame(index={self.index}, t_ns={self.t_ns})"


def check_image(image: Any, source: str = "image") -> np.ndarray:
    """Return `image` if it is a uint8 array of shape ``(height, width, 3)`` with pixels, else raise InputError."""
    if not isinstance(image, np.ndarray):
        raise InputError(f"{source}: expected an image array, got {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise InputError(f"{source}: image has shape {image.shape}, expected (height, width, 3) with both above 0")
    if image.dtype != np.uint8:
        raise InputError(f"{source}: image has dtype {image.dtype}, expected uint8 (BGR)")
    return image


@dataclass(frozen=True)
class TrackerOutput:
    """A tracker's answer for one frame: where the target was when that frame was captured.

    Attributes
    ----------
    box
        Shape ``(4,)``, ``[cx, cy, w, h]`` in pixels; checked and read-only.
    score
        The tracker's own confidence, in [0, 1]; 1 for a tracker that has none.
    features
        Feature maps of the tracker, for predictors that read them; None otherwise.
    similarity
        Appearance similarity, in [0, 1]: how much the box looks like the target, 1 where as much as usual. None if it
        was not measured (see `pvtpp.appearance`).
    resembling
        Another place in the search region that looks more like the target than the box, ``[cx, cy, w, h]`` in pixels;
        None where there is none, or nobody has looked.

    Raises
    ------
    InputError
        If the box is no box, or the score or the similarity is outside [0, 1].
    """

    box: np.ndarray
    score: float = 1.0
    features: Any = None
    similarity: Optional[float] = None
    resembling: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", as_box(self.box, "tracker output"))
        score = float(self.score)
        if not 0.0 <= score <= 1.0:
            raise InputError(f"tracker output: score {score!r} is outside [0, 1]")
        object.__setattr__(self, "score", score)
        if self.similarity is not None:
            similarity = float(self.similarity)
            if not 0.0 <= similarity <= 1.0:
                raise InputError(f"tracker output: similarity {similarity!r} is outside [0, 1]")
            object.__setattr__(self, "similarity", similarity)
        if self.resembling is not None:
            object.__setattr__(self, "resembling", as_box(self.resembling, "tracker output, resembling"))


class Tracker(Protocol):
    """Follows one target: `init` is a full reset, `track` is called on later frames and may skip any number of them."""

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start on the target at `box` (``[cx, cy, w, h]``, pixels) in this frame, and forget everything before."""

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Find the target in this frame.

        Parameters
        ----------
        frame
            A frame after the one of the last call.
        search_box
            Expected box of the target, ``[cx, cy, w, h]`` in pixels: the search region is centred on it and scaled to
            it. None means the tracker's own last result. A tracker that cannot move its search region ignores it, and
            says so by an attribute ``takes_search_box = False``.
        """


def takes_search_box(tracker: Any) -> bool:
    """Whether a tracker looks where it is sent, as far as it says."""
    return bool(getattr(tracker, "takes_search_box", True))


def checked_output(tracker: Any, output: Any) -> TrackerOutput:
    """Return `output`, the answer of `tracker` for a frame; InputError if it is no TrackerOutput."""
    if isinstance(output, dict) and "bbox" in output:
        raise InputError(_of_style(tracker, "its track() returns a dict, as PySOT's do", "pysot"))
    if not isinstance(output, TrackerOutput):
        raise InputError(f"{type(tracker).__name__}.track() returned {output!r}, expected a TrackerOutput")
    return output


class ImageTracker:
    """Wraps an object with ``init(image, xywh)`` and ``update(image) -> xywh`` (toolkit convention) as a Tracker.

    `update` may also return ``(xywh, score)``, or ``(found, xywh)`` as OpenCV does. If it did not find the target, the
    answer is the last box with score 0.

    Parameters
    ----------
    plain
        The object; kept as attribute `plain`.
    """

    takes_search_box = False

    def __init__(self, plain: Any):
        self.plain = plain
        self._last: Optional[np.ndarray] = None

    def init(self, frame: Frame, box: ArrayLike) -> None:
        """Start on the target; see `Tracker.init`."""
        image = frame.image
        self._last = require_in_image(as_box(box, "first box"), (image.shape[1], image.shape[0]), "first box")
        self.plain.init(image, box_to_xywh(self._last))

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """Find the target; see `Tracker.track`. `search_box` is ignored.

        Raises
        ------
        InputError
            If `init` was not called before, or `update` returned something else than a box.
        """
        if self._last is None:
            raise InputError("track() called before init()")
        answer, score = self.plain.update(frame.image), 1.0
        if isinstance(answer, tuple) and len(answer) == 2:
            if isinstance(answer[0], (bool, np.bool_)):
                answer, score = (answer[1], 1.0) if answer[0] else (box_to_xywh(self._last), 0.0)
            else:
                answer, score = answer
        name = type(self.plain).__name__
        try:
            xywh = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{name}.update() returned {answer!r}, expected [left, top, w, h]") from None
        self._last = as_box(xywh_to_box(xywh) if xywh.shape == (4,) else xywh, f"{name}.update()")
        return TrackerOutput(self._last, score)


def as_tracker(candidate: Any) -> Tracker:
    """Return `candidate` if it follows the Tracker protocol, or wrap it if it has ``init`` and ``update``.

    Raises
    ------
    InputError
        If it has neither pair of methods, or was plainly written for another toolkit; the message names the style.
    """
    if callable(getattr(candidate, "init", None)):
        if callable(getattr(candidate, "track", None)):
            _check_style(candidate)
            return candidate
        if callable(getattr(candidate, "update", None)):
            return ImageTracker(candidate)
    raise InputError(
        f"{type(candidate).__name__} is not a tracker: it needs init(frame, box) and track(frame, search_box=None), "
        "or init(image, xywh) and update(image)"
    )


def _check_style(candidate: Any) -> None:
    """Raise InputError where `track` is not the one of the Tracker protocol but plainly that of another toolkit."""
    try:
        taken = inspect.signature(candidate.track)
    except (TypeError, ValueError):
        # Methods written in C often have no signature.
        return
    first = next(iter(taken.parameters), "")
    # The GOT-10k toolkit's base class runs a whole sequence: track(img_files, box, visualize=False).
    if first == "img_files" and callable(getattr(candidate, "update", None)):
        raise InputError(_of_style(candidate, "its track() takes the files of a sequence, as GOT-10k's do", "got10k"))
    try:
        taken.bind(None, None)
    except TypeError:
        if first == "frame":
            # One of ours that forgot the search box: `pvtpp check` says so.
            return
        raise InputError(
            _of_style(candidate, f"its track{taken} takes no search_box, as PySOT's do", "pysot")
        ) from None


def _of_style(candidate: Any, because: str, style: str) -> str:
    return f"{type(candidate).__name__}: {because}; use --style {style}, in Python style={style!r}"
