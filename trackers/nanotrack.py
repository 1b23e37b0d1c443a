"""NanoTrack V3: MobileNetV3 features, pixel-wise correlation, anchor-free head; 0.54 M parameters, CPU real time.

Source: github.com/HonglinChu/SiamTrackers (NanoTrack), its published ONNX graphs and tracking constants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

from pvtpp.inference.engine import Engine
from trackers.decode import PointDecoder, SiameseConfig
from trackers.registry import register
from trackers.siamese import SiameseFeatures, SiameseTracker, exported

NAME = "nanotrack-v3"
V3 = SiameseConfig(window_influence=0.455, penalty_k=0.138, size_rate=0.348, score_size=15, stride=16)

NanoTrackFeatures = SiameseFeatures
"""Here `template` is (1, 96, 8, 8) and `search` (1, 96, 16, 16): what the backbone saw."""


def published_engines(
    weights: Union[str, Path, None] = None, threads: int = 1, backend: str = ""
) -> Tuple[Engine, Engine, Engine]:
    """The published graphs: the backbone for the template crop, that for the search crop, and the head."""
    from pvtpp import inference
    from pvtpp.weights import find, nanotrack_template_graph

    folder = find(NAME, weights)
    backbone = folder / "nanotrackv3_backbone.onnx"
    template = nanotrack_template_graph(backbone)
    graphs = (template, backbone, folder / "nanotrackv3_head.onnx")
    return tuple(inference.load(path, threads, backend) for path in graphs)  # type: ignore[return-value]


@register(NAME)
class NanoTrack(SiameseTracker):
    """NanoTrack V3 on any runtime, ONNX Runtime on the CPU if nothing is said.

    `weights` is a folder (or one file in it) with the two published graphs, or a folder that ``pvtpp export`` wrote; None
    looks the former up as `pvtpp.weights.find` does. `backend` is one of `pvtpp.inference`'s.
    `engines` replaces them by other ones of the same inputs and outputs (`trackers.models.nanotrack.engines`). Raises
    InputError where weights or runtime are missing.
    """

    def __init__(
        self,
        weights: Union[str, Path, None] = None,
        threads: int = 1,
        backend: str = "",
        engines: Optional[Sequence[Engine]] = None,
    ):
        found = engines or exported(NAME, weights, threads, backend) or published_engines(weights, threads, backend)
        super().__init__(NAME, PointDecoder(V3), found)
