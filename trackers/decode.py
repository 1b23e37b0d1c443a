"""Which of a Siamese head's proposals to believe: scores, penalties, window and smoothing, for points and for anchors.

Source: github.com/STVIR/pysot (SiamRPN++, SiamMask), whose arithmetic is kept step by step; SiamBAN and NanoTrack put
points in the place of anchors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Tuple

import numpy as np

from pvtpp.validation import at_least, between, check, holds
from pvtpp_trackers.crop import context_side

RATIOS, SCALE = (0.33, 0.5, 1.0, 2.0, 3.0), 8
"""Of the anchors: height over width, and their side in strides where it is 1."""
LOG_LIMIT = 16.0
"""Of an anchor's growth, up and down: e^16 is beyond any image, and what a network without sense answers must not overflow."""


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
        count = holds("a whole number from 1", lambda value: isinstance(value, int) and value > 0)
        rules = {
            **dict.fromkeys(("window_influence", "size_rate"), between(0, 1)),
            **dict.fromkeys(("penalty_k", "context", "minimum"), at_least(0)),
            **dict.fromkeys(("score_size", "stride", "exemplar", "instance"), count),
        }
        check(self, rules)


class Proposal(NamedTuple):
    """The best one: offset from the centre of the search region and smoothed size, image pixels; score in [0, 1]; row and
    column of its cell."""

    dx: float
    dy: float
    width: float
    height: float
    score: float
    row: int
    column: int


class Decoder(Protocol):
    """What the two maps of a head mean. `questions` and `answers` are their channels."""

    config: SiameseConfig
    questions: int
    answers: int

    def decode(self, scores: np.ndarray, boxes: np.ndarray, width: float, height: float, scale: float) -> Proposal:
        """The best proposal. `scores` and `boxes` are the head's maps, float32 (axes ``..., channel, y, x``), `width` and
        `height` the size the target is taken to have, `scale` crop pixels per image pixel."""


class _Tempered:
    """What points and anchors share. Cells are a centred n x n grid with the network's stride, in pixels of the search crop
    relative to its centre; several `shapes` at each of them come one whole grid after the other."""

    def __init__(self, config: SiameseConfig, shapes: int):
        count = config.score_size
        grid = (np.arange(count) - count // 2) * float(config.stride)
        hann = np.hanning(count)
        window = (np.outer(hann, hann).ravel() * config.window_influence).astype(np.float32)
        self.config = config
        self.questions, self.answers = 2 * shapes, 4 * shapes
        self._x, self._y = np.tile(grid, count), np.repeat(grid, count)
        self._window = np.tile(window, shapes)

    def _best(
        self, scores: np.ndarray, sizes: np.ndarray, width: float, height: float, scale: float
    ) -> Tuple[int, float, float]:
        """Of the proposals whose widths and heights are `sizes`, ``(2, n)`` in crop pixels: index, size rate and score."""
        # Right after a network has run, every NumPy function is cold and costs ten times its usual: use few of them.
        config = self.config
        background, target = scores.reshape(2, -1)
        padded = sizes + (sizes[0] + sizes[1]) * config.context
        # How much larger (squared) and how much taller than the target; max(r, 1/r) is the same either way.
        area = padded[0] * padded[1] * (scale * context_side(width, height, config.context)) ** -2
        aspect = sizes[1] / sizes[0] * (width / height)
        change = np.sqrt(np.maximum(area, 1.0 / area)) * np.maximum(aspect, 1.0 / aspect)
        # The softmax of two classes.
        score = 1.0 / (np.exp(background - target) + 1.0)
        penalised = np.exp(change * -config.penalty_k) * score * math.exp(config.penalty_k)
        best = int((penalised * (1.0 - config.window_influence) + self._window).argmax())
        return best, float(penalised[best]) * config.size_rate, float(score[best])


class PointDecoder(_Tempered):
    """For an anchor-free head: class ``2 x n x n``, distances to left, top, right and bottom ``4 x n x n``, crop pixels."""

    def __init__(self, config: SiameseConfig):
        super().__init__(config, 1)

    def decode(self, scores: np.ndarray, boxes: np.ndarray, width: float, height: float, scale: float) -> Proposal:
        """See `Decoder`."""
        boxes = boxes.reshape(4, -1)
        best, rate, score = self._best(scores, boxes[:2] + boxes[2:], width, height, scale)
        left, top, right, bottom = boxes[:, best].tolist()
        return Proposal(
            (float(self._x[best]) + 0.5 * (right - left)) / scale,
            (float(self._y[best]) + 0.5 * (bottom - top)) / scale,
            width * (1.0 - rate) + (left + right) / scale * rate,
            height * (1.0 - rate) + (top + bottom) / scale * rate,
            score,
            *divmod(best, self.config.score_size),
        )


class AnchorDecoder(_Tempered):
    """For a region proposal head with a anchors at each cell: class ``2a x n x n``, the backgrounds before the targets, and
    offsets ``4a x n x n``, of x for every anchor, of y, and the logarithms of width's and height's growth."""

    def __init__(self, config: SiameseConfig):
        super().__init__(config, len(RATIOS))
        self._sizes = np.repeat(anchor_sizes(config.stride).T, config.score_size**2, axis=1)

    def decode(self, scores: np.ndarray, boxes: np.ndarray, width: float, height: float, scale: float) -> Proposal:
        """See `Decoder`."""
        boxes = boxes.reshape(4, -1)
        sizes = np.exp(np.clip(boxes[2:], -LOG_LIMIT, LOG_LIMIT)) * self._sizes
        best, rate, score = self._best(scores, sizes, width, height, scale)
        across, down = (boxes[:2, best] * self._sizes[:, best]).tolist()
        wide, high = sizes[:, best].tolist()
        cell = best % self.config.score_size**2
        return Proposal(
            (float(self._x[cell]) + across) / scale,
            (float(self._y[cell]) + down) / scale,
            width * (1.0 - rate) + wide / scale * rate,
            height * (1.0 - rate) + high / scale * rate,
            score,
            *divmod(cell, self.config.score_size),
        )


def anchor_sizes(stride: int) -> np.ndarray:
    """Width and height of each anchor, float32 ``(a, 2)``, crop pixels: cut to whole strides' fractions as PySOT cuts them."""
    sizes = []
    for ratio in RATIOS:
        width = int(math.sqrt(stride * stride / ratio))
        sizes.append((width * SCALE, int(width * ratio) * SCALE))
    return np.array(sizes, np.float32)
