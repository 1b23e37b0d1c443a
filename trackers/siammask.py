"""SiamMask: a tracker that also gives the target's shape, as a rotated box and as an outline.

Source: SiamMask (CVPR 2019), github.com/STVIR/pysot: its network (`pvtpp_trackers.models.siammask`) and constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np

from pvtpp.boxes import ArrayLike
from pvtpp.inference.engine import Engine
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_trackers.decode import AnchorDecoder
from pvtpp_trackers.registry import register
from pvtpp_trackers.siamese import GRAPHS, Look, SiameseTracker, exported, torch_engines
from pvtpp_trackers.siamese_configs import CONFIGS

NAME = "siammask-resnet50"
THRESHOLD = 0.15
"""Probability from which a pixel belongs to the mask, published with the checkpoint."""
SMALLEST = 100.0
"""Masks of less area do not count, square pixels of the image."""
# Of each finer map, the finest first: how far a window moves with a cell, its side, and the padding round the map.
WINDOWS = ((4, 61, 16), (2, 31, 8), (1, 15, 4))


@dataclass(frozen=True)
class MaskOutput(TrackerOutput):
    """A result with the target's shape. Without a large enough mask both are the corners of the box.

    Attributes
    ----------
    corners
        Corners of the smallest rotated box around the outline, ``(4, 2)``, x and y in pixels.
    outline
        Outline of the mask, ``(n, 2)``, x and y in pixels.
    """

    corners: Optional[np.ndarray] = None
    outline: Optional[np.ndarray] = None


@register(NAME)
class SiamMask(SiameseTracker):
    """SiamMask on ResNet-50. The box is that of the region proposal, as in all results of the family.

    Parameters
    ----------
    weights, threads, backend, engines
        As for `pvtpp_trackers.siamrpn.SiamRPN`.
    """

    graphs = GRAPHS

    def __init__(
        self,
        weights: Union[str, Path, None] = None,
        threads: int = 1,
        backend: str = "",
        engines: Optional[Sequence[Engine]] = None,
    ):
        found = engines or exported(NAME, weights, threads, backend) or torch_engines(NAME, weights, backend)
        super().__init__(NAME, AnchorDecoder(CONFIGS[NAME]), found)
        self._refine = self.engines["refine"]

    def track(self, frame: Frame, search_box: Optional[ArrayLike] = None) -> MaskOutput:
        """The result for `frame` with its mask; parameters and errors as for `SiameseTracker.track`."""
        look = self._look(frame, search_box)
        plain = self._moved(frame, look)
        row, column = look.proposal.row, look.proposal.column
        given = windows(look.seen[self._levels :], row, column)
        given.append(np.ascontiguousarray(look.maps[2][:, :, row : row + 1, column : column + 1]))
        logits = self._refine.run({spec.name: window for spec, window in zip(self._refine.inputs, given)})
        (mask,) = logits[self._refine.outputs[0].name]
        corners, outline = shape_of(mask, self._place(look), frame.image.shape[:2]) or (_corners(plain.box),) * 2
        return MaskOutput(plain.box, plain.score, plain.features, corners=corners, outline=outline)

    def _place(self, look: Look) -> Tuple[float, float, float]:
        """Left, top and side of the square that the mask covers, pixels of the image: a template's crop at the cell."""
        config, scale = self.config, look.side / self.config.instance
        first = (config.instance - config.exemplar) / 2 - config.score_size // 2 * config.stride
        left, top = ((first + cell * config.stride) * scale for cell in (look.proposal.column, look.proposal.row))
        return look.x - look.side / 2 + left, look.y - look.side / 2 + top, config.exemplar * scale


def windows(maps: Sequence[np.ndarray], row: int, column: int) -> List[np.ndarray]:
    """What each of the finer maps ``(1, C, H, W)`` shows around one cell of the score map, zero outside the map."""
    cut = []
    for map_, (stride, side, padding) in zip(maps, WINDOWS):
        window = np.zeros((*map_.shape[:2], side, side), np.float32)
        rows, columns = (
            slice(max(0, start), min(start + side, size))
            for start, size in zip((row * stride - padding, column * stride - padding), map_.shape[2:])
        )
        top, left = rows.start - row * stride + padding, columns.start - column * stride + padding
        part = map_[:, :, rows, columns]
        window[:, :, top : top + part.shape[2], left : left + part.shape[3]] = part
        cut.append(window)
    return cut


def shape_of(
    logits: np.ndarray, place: Tuple[float, float, float], image: Tuple[int, ...]
) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """Outline and rotated box of a mask's largest piece.

    PySOT draws the mask over the whole image; here only that part of its square is drawn which is inside the image.

    Parameters
    ----------
    logits
        The mask, ``(n, n)``.
    place
        Left, top and side of the square that it covers, pixels of the image.
    image
        Height and width of the image.

    Returns
    -------
    tuple of np.ndarray or None
        Corners ``(4, 2)`` and outline ``(n, 2)``, float64, pixels; None where no piece is larger than `SMALLEST`.
    """
    import cv2

    # PySOT scales to one pixel less than the image has; kept, since its published results include it.
    shrunk = [(pixels - 1) / pixels for pixels in image[::-1]]
    starts = [start * less for start, less in zip(place, shrunk)]
    scales = [place[2] / len(logits) * less for less in shrunk]
    # Interpolation reaches one cell beyond the mask.
    lows = [max(0, int(start - scale) - 1) for start, scale in zip(starts, scales)]
    highs = [
        min(pixels, int(start + place[2] + scale) + 2) for start, scale, pixels in zip(starts, scales, image[::-1])
    ]
    if any(high <= low for low, high in zip(lows, highs)):
        return None
    (across, down), (x, y) = scales, (start - low for start, low in zip(starts, lows))
    size = highs[0] - lows[0], highs[1] - lows[1]
    painted = cv2.warpAffine(1.0 / (1.0 + np.exp(-logits)), np.array([[across, 0.0, x], [0.0, down, y]]), size)
    # The contours are the last but one value returned: OpenCV 3 returns the image before them.
    pieces = cv2.findContours(
        (painted > THRESHOLD).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=tuple(lows)
    )[-2]
    largest = max(pieces, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) <= SMALLEST:
        return None
    return cv2.boxPoints(cv2.minAreaRect(largest)).astype(np.float64), largest.reshape(-1, 2).astype(np.float64)


def _corners(box: np.ndarray) -> np.ndarray:
    return box[:2] + box[2:] / 2 * [[-1, -1], [1, -1], [1, 1], [-1, 1]]
