"""What Siamese trackers share: where to cut the search region from the image, and which of its proposals to believe.

Source: the PySOT family (SiamRPN++, SiamBAN, NanoTrack), whose arithmetic is kept step by step. Positions in this file
are PySOT's own: a first box has its centre at ``left + (w - 1) / 2``, yet a centre reports ``left = centre - w / 2``.
That half pixel is in every published result of the family, so it is kept: `first_centre` shifts once, and from then on
the reported ``[cx, cy, w, h]`` is the internal state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

from pvtpp.errors import InputError


@dataclass(frozen=True)
class SiameseConfig:
    """Geometry of a Siamese tracker and the constants that temper its proposals; sizes in pixels of the network input.

    `context` is the margin round the target as a share of ``w + h``. `window_influence` weighs the cosine window over
    the score, `penalty_k` punishes sudden changes of size and shape, `size_rate` is how fast the size follows the
    proposal, `minimum` the least width and height reported, in image pixels.
    """

    window_influence: float
    penalty_k: float
    size_rate: float
    score_size: int
    stride: int
    exemplar: int = 127
    instance: int = 255
    context: float = 0.5
    minimum: float = 10.0

    def __post_init__(self) -> None:
        for name in ("window_influence", "size_rate"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"SiameseConfig.{name} is {getattr(self, name)!r}, allowed is 0 to 1")
        for name in ("penalty_k", "context", "minimum"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InputError(f"SiameseConfig.{name} is {getattr(self, name)!r}, allowed is any number from 0")
        for name in ("score_size", "stride", "exemplar", "instance"):
            if not (isinstance(getattr(self, name), int) and getattr(self, name) > 0):
                raise InputError(f"SiameseConfig.{name} is {getattr(self, name)!r}, allowed is any whole number from 1")


def first_centre(box: np.ndarray) -> np.ndarray:
    """Internal centre ``[x, y]`` for a first box ``[cx, cy, w, h]``: PySOT's ``left + (w - 1) / 2``."""
    return box[:2] - 0.5


def context_side(width: float, height: float, context: float) -> float:
    """Side of the square round the target and its margin, image pixels: ``sqrt((w + c(w + h)) (h + c(w + h)))``."""
    margin = context * (width + height)
    return math.sqrt((width + margin) * (height + margin))


def window_corner(centre_x: float, centre_y: float, side: int) -> Tuple[int, int]:
    """Left and top pixel of the `side` x `side` window round the centre, rounded as PySOT rounds it."""
    shift = 0.5 - (side + 1) / 2
    return math.floor(centre_x + shift), math.floor(centre_y + shift)


def channel_average(image: np.ndarray) -> Tuple[float, float, float]:
    """What fills the window outside the image: the mean of each channel, cut to whole grey levels as PySOT does."""
    import cv2

    blue, green, red = (float(int(mean)) for mean in cv2.mean(image)[:3])
    return blue, green, red


def crop(
    image: np.ndarray,
    centre_x: float,
    centre_y: float,
    side: int,
    size: int,
    fill: Tuple[float, float, float],
    out: Optional[np.ndarray] = None,
) -> np.ndarray:
    """The `side` x `side` window round the centre as ``(size, size, 3)`` uint8, `fill` where it leaves the image.

    Inside the image a view is resized, which is PySOT's crop to the last bit. Across the border one ``warpAffine`` with
    the same pixel-centre mapping gives it to within rounding (OpenCV places samples on 1/32 pixel there, and the
    outermost row sees the window's neighbours): nothing is padded, so a large target costs no more. `out` is a buffer
    to write into.
    """
    import cv2

    left, top = window_corner(centre_x, centre_y, side)
    if left >= 0 and top >= 0 and left + side <= image.shape[1] and top + side <= image.shape[0]:
        return cv2.resize(image[top : top + side, left : left + side], (size, size), dst=out)
    scale = side / size
    half = 0.5 * scale - 0.5
    return cv2.warpAffine(
        image,
        np.array([[scale, 0.0, left + half], [0.0, scale, top + half]]),
        (size, size),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )


def to_blob(patch: np.ndarray, out: Optional[np.ndarray] = None) -> np.ndarray:
    """uint8 ``(h, w, 3)`` to float32 ``(1, 3, h, w)``, values and channel order kept. `out` is a buffer to write to."""
    blob = np.empty((1, 3) + patch.shape[:2], np.float32) if out is None else out
    np.copyto(blob[0], patch.transpose(2, 0, 1))
    return blob


def bounded(
    centre_x: float, centre_y: float, width: float, height: float, image: np.ndarray, minimum: float
) -> Tuple[float, float, float, float]:
    """The box with its centre inside the image and its size between `minimum` and the image's.

    Plain floats: on one box, arrays cost more than this arithmetic.
    """
    rows, columns = image.shape[:2]
    return (
        min(max(centre_x, 0.0), float(columns)),
        min(max(centre_y, 0.0), float(rows)),
        min(max(width, minimum), float(columns)),
        min(max(height, minimum), float(rows)),
    )


class PointDecoder:
    """Turns the maps of an anchor-free head (class 2 x n x n, box l, t, r, b 4 x n x n) into one proposal.

    The points are a centred n x n grid with the network's stride, in pixels of the search crop relative to its centre.
    """

    def __init__(self, config: SiameseConfig):
        count = config.score_size
        grid = (np.arange(count) - count // 2) * float(config.stride)
        hann = np.hanning(count)
        self.config = config
        self._x, self._y = np.tile(grid, count), np.repeat(grid, count)
        self._window = (np.outer(hann, hann).ravel() * config.window_influence).astype(np.float32)

    def decode(
        self, scores: np.ndarray, distances: np.ndarray, width: float, height: float, scale: float
    ) -> Tuple[float, float, float, float, float]:
        """The best proposal as ``(dx, dy, w, h, score)``: offset and smoothed size in image pixels, score in [0, 1].

        `scores` and `distances` are the head's two maps, float32 (axes ``..., channel, y, x``), `width` and `height`
        the size the target is taken to have, `scale` crop pixels per image pixel.
        """
        # Right after a network has run, every NumPy function is cold and costs ten times its usual: use few of them.
        config = self.config
        background, target = scores.reshape(2, -1)
        distances = distances.reshape(4, -1)
        sizes = distances[:2] + distances[2:]
        padded = sizes + (sizes[0] + sizes[1]) * config.context
        # How much larger (squared) and how much taller than the target; max(r, 1/r) is the same either way.
        area = padded[0] * padded[1] * (scale * context_side(width, height, config.context)) ** -2
        aspect = sizes[1] / sizes[0] * (width / height)
        change = np.sqrt(np.maximum(area, 1.0 / area)) * np.maximum(aspect, 1.0 / aspect)
        # The softmax of two classes.
        score = 1.0 / (np.exp(background - target) + 1.0)
        penalised = np.exp(change * -config.penalty_k) * score * math.exp(config.penalty_k)
        best = int((penalised * (1.0 - config.window_influence) + self._window).argmax())
        rate = float(penalised[best]) * config.size_rate
        left, top, right, bottom = distances[:, best].tolist()
        return (
            (float(self._x[best]) + 0.5 * (right - left)) / scale,
            (float(self._y[best]) + 0.5 * (bottom - top)) / scale,
            width * (1.0 - rate) + (left + right) / scale * rate,
            height * (1.0 - rate) + (top + bottom) / scale * rate,
            float(score[best]),
        )
