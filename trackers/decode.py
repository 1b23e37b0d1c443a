"""Which of a Siamese head's proposals wins: scores, penalties, cosine window and smoothing, for points and for anchors.

Source: github.com/STVIR/pysot (SiamRPN++, SiamMask), whose arithmetic is kept step by step; SiamBAN and NanoTrack use
points in place of anchors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Tuple

import numpy as np

from pvtpp.validation import at_least, between, check, holds
from pvtpp_trackers.crop import context_side

RATIOS, SCALE = (0.33, 0.5, 1.0, 2.0, 3.0), 8
"""Anchors: height over width of each, and the side of the square one in strides."""
LOG_LIMIT = 16.0
"""Limit of the logarithm of an anchor's growth: e^16 exceeds any image; an untrained network must not overflow."""


@dataclass(frozen=True)
class SiameseConfig:
    """Geometry of a Siamese tracker and the constants that weigh its proposals; sizes in pixels of the network input.

    Attributes
    ----------
    window_influence
        Weight of the cosine window against the score, in [0, 1].
    penalty_k
        Penalty on sudden changes of size and shape, from 0.
    size_rate
        How fast the size follows the proposal, in [0, 1].
    score_size
        Cells of the score map along one axis.
    stride
        Distance of its cells.
    exemplar, instance
        Sides of the template's crop and of the search region's.
    context
        Margin around the target, as a share of ``w + h``.
    minimum
        Smallest width and height reported, pixels of the image.

    Raises
    ------
    InputError
        For a value out of range.
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
    """The winning proposal.

    Attributes
    ----------
    dx, dy
        Offset from the centre of the search region, pixels of the image.
    width, height
        Smoothed size, pixels of the image.
    score
        In [0, 1].
    row, column
        Its cell in the score map.
    """

    dx: float
    dy: float
    width: float
    height: float
    score: float
    row: int
    column: int


class Decoder(Protocol):
    """Turns the two maps of a head into a proposal.

    Attributes
    ----------
    config
        Geometry and constants.
    questions, answers
        Channels of the score map and of the box map.
    """

    config: SiameseConfig
    questions: int
    answers: int

    def decode(self, scores: np.ndarray, boxes: np.ndarray, width: float, height: float, scale: float) -> Proposal:
        """The winning proposal.

        Parameters
        ----------
        scores, boxes
            The head's maps, float32, axes ``(..., channel, y, x)``.
        width, height
            Size that the target is assumed to have, pixels of the image.
        scale
            Pixels of the crop per pixel of the image.
        """


class _PenalisedDecoder:
    """What point and anchor decoders share: scores, penalties and the cosine window.

    Cells form a centred n x n grid with the network's stride, in pixels of the search crop relative to its centre. With
    several `shapes` per cell, whole grids follow each other.
    """

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
        """Index, size rate and score of the winning proposal.

        Parameters
        ----------
        scores
            The head's score map.
        sizes
            Widths and heights of the proposals, pixels of the crop, ``(2, n)``.
        width, height, scale
            As for `Decoder.decode`.
        """
        # Right after a network has run, each NumPy call is cold and costs ten times as much as usual: use few of them.
        config = self.config
        background, target = scores.reshape(2, -1)
        padded = sizes + (sizes[0] + sizes[1]) * config.context
        # Ratios of area and of aspect to those of the target; max(r, 1/r) treats growing and shrinking equally.
        area = padded[0] * padded[1] * (scale * context_side(width, height, config.context)) ** -2
        aspect = sizes[1] / sizes[0] * (width / height)
        change = np.sqrt(np.maximum(area, 1.0 / area)) * np.maximum(aspect, 1.0 / aspect)
        # Softmax over two classes.
        score = 1.0 / (np.exp(background - target) + 1.0)
        penalised = np.exp(change * -config.penalty_k) * score * math.exp(config.penalty_k)
        best = int((penalised * (1.0 - config.window_influence) + self._window).argmax())
        return best, float(penalised[best]) * config.size_rate, float(score[best])


class PointDecoder(_PenalisedDecoder):
    """For a head without anchors.

    The score map is ``2 x n x n``, background before target; the box map ``4 x n x n``, distances to left, top, right
    and bottom in pixels of the crop.
    """

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


class AnchorDecoder(_PenalisedDecoder):
    """For a region proposal head with a anchors at each cell.

    The score map is ``2a x n x n``, the backgrounds before the targets; the box map ``4a x n x n``: for every anchor
    the offset in x, then in y, then the logarithms of the growth of width and height.
    """

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
    """Width and height of each anchor, pixels of the crop, float32 ``(a, 2)``; cut to integers as in PySOT."""
    sizes = []
    for ratio in RATIOS:
        width = int(math.sqrt(stride * stride / ratio))
        sizes.append((width * SCALE, int(width * ratio) * SCALE))
    return np.array(sizes, np.float32)
