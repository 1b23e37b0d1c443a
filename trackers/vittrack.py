"""VitTrack: a small one-stream transformer that compares template and search region in every layer; 0.7 MB.

One graph takes both crops and answers with a map of scores, one of sizes and one of offsets, 16 x 16 cells each.
Source: OpenCV Zoo's ``object_tracking_vittrack_2023sep.onnx`` and the documented behaviour of OpenCV's `TrackerVit`:
crop factors 2 and 4, black outside the image, ImageNet's mean and deviation, a Hann window that multiplies the scores,
and no result below a score of .2.

The graph gives no features: its outputs are its answers, and what it computes within depends on the template. So a
predictor that reads features gets none, and the presence monitor compares pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

import numpy as np

from pvtpp.boxes import ArrayLike, as_box, require_in_image
from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp.validation import above, at_least, between, check, holds
from pvtpp_trackers.crop import bounded, crop, planes_of, window_corner
from pvtpp_trackers.registry import register

NAME = "vittrack"
FILE = "object_tracking_vittrack_2023sep.onnx"
TEMPLATE, SEARCH = "template", "search"
TEMPLATE_SIZE, SEARCH_SIZE, CELLS = 128, 256, 16
INPUTS = {TEMPLATE: (1, 3, TEMPLATE_SIZE, TEMPLATE_SIZE), SEARCH: (1, 3, SEARCH_SIZE, SEARCH_SIZE)}
OUTPUTS = ((1, 1, CELLS, CELLS), (1, 2, CELLS, CELLS), (1, 2, CELLS, CELLS))
"""Scores; width and height as shares of the crop; offsets in x and y within a cell."""
BLACK = (0.0, 0.0, 0.0)
"""Colour outside the image."""


@dataclass(frozen=True)
class VitTrackConfig:
    """Constants of the tracker; the defaults are those of OpenCV, whose own arithmetic spoils the scale.

    Attributes
    ----------
    template_factor, search_factor
        Side of each crop, in square roots of the target's area.
    found_from
        Least score, weighted by the window, of a result; below it the last box stands.
    minimum
        Smallest width and height reported, pixels of the image.
    mean, scale
        Of each plane, blue first: values in [0, 1] become ``(value - mean) * scale``.

    Raises
    ------
    InputError
        For a value out of range.
    """

    template_factor: float = 2.0
    search_factor: float = 4.0
    found_from: float = 0.2
    minimum: float = 2.0
    mean: Tuple[float, float, float] = (0.485, 0.456, 0.406)
    scale: Tuple[float, float, float] = (1 / 0.229, 1 / 0.224, 1 / 0.225)

    def __post_init__(self) -> None:
        factors = dict.fromkeys(("template_factor", "search_factor"), above(0))
        three = holds("three numbers", lambda value: np.shape(value) == (3,) and bool(np.isfinite(value).all()))
        planes = dict.fromkeys(("mean", "scale"), three)
        check(self, {**factors, **planes, "found_from": between(0, 1), "minimum": at_least(1)})


@register(NAME)
class VitTrack:
    """VitTrack on any runtime, by default ONNX Runtime on the CPU.

    A result's score is the map's at the winning cell. Where no cell, weighted by the window, reaches
    `VitTrackConfig.found_from`, the last box is returned with the weighted score: the network's boxes grow without end
    once it has lost its target.

    Parameters
    ----------
    weights
        The graph, or a folder with it; None looks it up as `pvtpp.weights.find` does.
    threads
        Threads of the engine.
    backend
        One of `pvtpp.inference`'s; empty takes the default.
    engine
        Used in place of all that.
    config
        Constants; None for the defaults.

    Raises
    ------
    InputError
        Where weights or runtime are missing, and for an engine of another network.
    """

    def __init__(
        self,
        weights: Union[str, Path, None] = None,
        threads: int = 1,
        backend: str = "",
        engine: Optional[Engine] = None,
        config: Optional[VitTrackConfig] = None,
    ):
        self.engine = engine if engine is not None else published_engine(weights, threads, backend)
        self.config = config or VitTrackConfig()
        _check(self.engine)
        hann = 0.5 - 0.5 * np.cos(2 * np.pi / (CELLS + 1) * np.arange(1, CELLS + 1))
        self._window = np.outer(hann, hann).ravel().astype(np.float32)
        self._crops = {name: _Crop(shape[-1], self.config) for name, shape in INPUTS.items()}
        self._given = {name: each.blob for name, each in self._crops.items()}
        self._outputs = [spec.name for spec in self.engine.outputs]
        self._box: Optional[np.ndarray] = None

    def init(self, frame: Frame, box: ArrayLike) -> None:
        """Start on `box`, ``[cx, cy, w, h]`` in pixels; forgets everything before.

        Raises
        ------
        InputError
            For a box that is not in the image.
        """
        image = frame.image
        self._box = require_in_image(as_box(box, "first box"), (image.shape[1], image.shape[0]), "first box")
        self._crops[TEMPLATE].cut(image, self._box, self.config.template_factor)

    def track(self, frame: Frame, search_box: Optional[ArrayLike] = None) -> TrackerOutput:
        """The result for `frame`.

        Parameters
        ----------
        frame
            The newest frame.
        search_box
            Where to search and what size to assume, ``[cx, cy, w, h]``; None takes the last result.

        Raises
        ------
        InputError
            Before `init`.
        """
        if self._box is None:
            raise InputError("track() called before init()")
        around = self._box if search_box is None else as_box(search_box, "search box")
        left, top, side = self._crops[SEARCH].cut(frame.image, around, self.config.search_factor)
        found = self.engine.run(self._given)
        scores, sizes, offsets = (found[name] for name in self._outputs)
        # Right after a network has run, each NumPy call is cold: use few of them.
        flat = scores.ravel()
        weighted = flat * self._window
        best = int(weighted.argmax())
        if weighted[best] < self.config.found_from:
            return TrackerOutput(self._box, float(weighted[best]))
        row, column = divmod(best, CELLS)
        width, height, across, down = (
            each.item(best + axis * CELLS**2) for each in (sizes, offsets) for axis in (0, 1)
        )
        made = bounded(
            left + (column + across) / CELLS * side,
            top + (row + down) / CELLS * side,
            width * side,
            height * side,
            frame.image,
            self.config.minimum,
        )
        output = TrackerOutput(np.array(made), flat.item(best))
        self._box = output.box
        return output


def published_engine(weights: Union[str, Path, None] = None, threads: int = 1, backend: str = "") -> Engine:
    """The published graph on a runtime; parameters and errors as of `VitTrack`."""
    from pvtpp import inference
    from pvtpp.weights import find

    return inference.load(find(NAME, weights) / FILE, threads, backend)


class _Crop:
    """A crop as the network takes it, always in the same memory: `blob`, float32 ``(1, 3, size, size)``."""

    def __init__(self, size: int, config: VitTrackConfig):
        self._size = size
        self._patch = np.empty((size, size, 3), np.uint8)
        self._planes = planes_of(size)
        self.blob = np.empty((1, 3, size, size), np.float32)
        values = np.arange(256) / 255
        self._tables = [
            ((values - mean) * scale).astype(np.float32)[None] for mean, scale in zip(config.mean, config.scale)
        ]

    def cut(self, image: np.ndarray, box: np.ndarray, factor: float) -> Tuple[int, int, int]:
        """Fill `blob` with the square around `box`; its left and top pixel in the image, and its side."""
        import cv2

        x, y, w, h = box.tolist()
        side = math.ceil(math.sqrt(w * h) * factor)
        patch = crop(image, x, y, side, self._size, BLACK, self._patch)
        # A table for each plane is faster than arithmetic on the whole crop.
        for plane, table, given in zip(cv2.split(patch, self._planes), self._tables, self.blob[0]):
            cv2.LUT(plane, table, dst=given)
        return (*window_corner(x, y, side), side)


def _check(engine: Engine) -> None:
    """Raise InputError for an engine that is not of this network; open dimensions fit everything."""
    inputs = {spec.name: spec.shape for spec in engine.inputs}
    outputs: Sequence[Tuple[Optional[int], ...]] = tuple(spec.shape for spec in engine.outputs)
    fits = set(inputs) == set(INPUTS) and len(outputs) == len(OUTPUTS)
    pairs = [(inputs[name], INPUTS[name]) for name in INPUTS] if fits else []
    for given, expected in (*pairs, *zip(outputs, OUTPUTS)):
        fits = fits and len(given) == len(expected) and all(a in (None, b) for a, b in zip(given, expected))
    if not fits:
        raise InputError(
            f"{NAME}: the network takes {inputs} and gives {list(outputs)}, "
            f"expected {INPUTS} and {list(OUTPUTS)}: these weights are of another tracker"
        )
