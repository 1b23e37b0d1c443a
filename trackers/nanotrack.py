"""NanoTrack V3: MobileNetV3 features, pixel-wise correlation, anchor-free head; 0.54 M parameters, CPU real time.

Source: github.com/HonglinChu/SiamTrackers (NanoTrack), its published ONNX graphs and tracking constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

import numpy as np

from pvtpp.boxes import ArrayLike, as_box
from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine
from pvtpp.tracker import Frame, TrackerOutput
from trackers.registry import register
from trackers.siamese import (
    PointDecoder,
    SiameseConfig,
    bounded,
    channel_average,
    context_side,
    crop,
    first_centre,
    to_blob,
)

V3 = SiameseConfig(window_influence=0.455, penalty_k=0.138, size_rate=0.348, score_size=15, stride=16)


@dataclass(frozen=True, eq=False)
class NanoTrackFeatures:
    """What the backbone saw, float32, read-only: `template` (1, 96, 8, 8), the same array for every frame since init,
    and `search` (1, 96, 16, 16) of this frame."""

    template: np.ndarray
    search: np.ndarray


def published_engines(weights: Union[str, Path, None] = None, threads: int = 1) -> Tuple[Engine, Engine, Engine]:
    """The published graphs on ONNX Runtime: the backbone for the template crop, that for the search crop, and the head."""
    from pvtpp import inference
    from pvtpp.weights import find, nanotrack_template_graph

    folder = find("nanotrack-v3", weights)
    backbone = folder / "nanotrackv3_backbone.onnx"
    template = nanotrack_template_graph(backbone)
    return tuple(inference.load(path, threads) for path in (template, backbone, folder / "nanotrackv3_head.onnx"))  # type: ignore


@register("nanotrack-v3")
class NanoTrack:
    """NanoTrack V3 on ONNX Runtime.

    `weights` is a folder (or one file in it) with the two published graphs; None looks them up as `pvtpp.weights.find`
    does. `engines` replaces them by other ones of the same inputs and outputs (`trackers.models.nanotrack.engines`). Score is
    the softmax score of the chosen point. Raises InputError where weights or runtime are missing.
    """

    def __init__(self, weights: Union[str, Path, None] = None, threads: int = 1, engines: Optional[Sequence[Engine]] = None):
        self._template_backbone, self._backbone, self._head = engines or published_engines(weights, threads)
        self._decoder = PointDecoder(V3)
        self._patch = np.empty((V3.instance, V3.instance, 3), np.uint8)
        self._blob = np.empty((1, 3, V3.instance, V3.instance), np.float32)
        self._box: Optional[np.ndarray] = None

    def init(self, frame: Frame, box: ArrayLike) -> None:
        image, self._box = frame.image, as_box(box, "first box")
        self._fill: Tuple[float, float, float] = channel_average(image)
        self._x, self._y = first_centre(self._box).tolist()
        w, h = self._box[2:].tolist()
        side = max(1, round(context_side(w, h, V3.context)))
        patch = crop(image, self._x, self._y, side, V3.exemplar, self._fill)
        self._template = self._template_backbone.run({"input": to_blob(patch)})["output"]
        self._template.flags.writeable = False

    def track(self, frame: Frame, search_box: Optional[ArrayLike] = None) -> TrackerOutput:
        if self._box is None:
            raise InputError("track() called before init()")
        image = frame.image
        if search_box is None or np.array_equal(search_box, self._box):
            # Asking for the last box is asking for nothing, also right after init, where the internal centre differs.
            x, y, (w, h) = self._x, self._y, self._box[2:].tolist()
        else:
            x, y, w, h = as_box(search_box, "search box").tolist()
        context = context_side(w, h, V3.context)
        side = max(1, round(context * (V3.instance / V3.exemplar)))
        patch = crop(image, x, y, side, V3.instance, self._fill, self._patch)
        search = self._backbone.run({"input": to_blob(patch, self._blob)})["output"]
        search.flags.writeable = False
        maps = self._head.run({"input1": self._template, "input2": search})
        dx, dy, w, h, score = self._decoder.decode(maps["output1"], maps["output2"], w, h, V3.exemplar / context)
        found = bounded(x + dx, y + dy, w, h, image, V3.minimum)
        output = TrackerOutput(np.array(found), score, NanoTrackFeatures(self._template, search))
        self._box = output.box
        self._x, self._y = found[:2]
        return output
