"""NanoTrack V1, V2 and V3: MobileNetV3 features, correlation, a head with one box per cell; V3 has 0.54 M parameters.

They run in real time on a CPU. Source: github.com/HonglinChu/SiamTrackers (NanoTrack), its published ONNX graphs and
tracking constants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple, Union

from pvtpp.inference.engine import Engine
from pvtpp_trackers.decode import PointDecoder
from pvtpp_trackers.registry import register
from pvtpp_trackers.siamese import SiameseTracker, exported, torch_engines
from pvtpp_trackers.siamese_configs import CONFIGS

NAME = "nanotrack-v3"
CHECKPOINT = "nanotrack-v3-checkpoint"
"""The catalogue's name of the weights for torch."""
PUBLISHED: Dict[str, Tuple[str, str]] = {
    "nanotrack-v1": ("nanotrack_backbone_sim.onnx", "nanotrack_head_sim.onnx"),
    "nanotrack-v2": ("nanotrack_backbone_sim.onnx", "nanotrack_head_sim.onnx"),
    NAME: ("nanotrackv3_backbone.onnx", "nanotrackv3_head.onnx"),
}
"""Backbone and head of each version."""


def published_engines(
    weights: Union[str, Path, None] = None, threads: int = 1, backend: str = "", name: str = NAME
) -> Tuple[Engine, Engine, Engine]:
    """The published graphs: the backbone for the template's crop, that for the search region's, and the head.

    Parameters
    ----------
    weights
        Folder with the graphs; None looks it up as `pvtpp.weights.find` does.
    threads
        Threads of each engine.
    backend
        One of `pvtpp.inference`'s; empty takes the default.
    name
        The version, one of `PUBLISHED`.
    """
    from pvtpp import inference
    from pvtpp.weights import find, nanotrack_template_graph

    folder = find(name, weights)
    backbone, head = (folder / file for file in PUBLISHED[name])
    graphs = (nanotrack_template_graph(backbone), backbone, head)
    return tuple(inference.load(path, threads, backend) for path in graphs)  # type: ignore[return-value]


def checkpoint_engines(weights: Union[str, Path, None] = None, backend: str = "") -> Tuple[Engine, ...]:
    """The parts of the published checkpoint's network in torch, see `torch_engines`."""
    from pvtpp.weights import find
    from pvtpp.weights.catalogue import entry

    if weights is None or Path(weights).expanduser().is_dir():
        weights = find(CHECKPOINT, weights) / entry(CHECKPOINT).files[0].name
    return torch_engines(NAME, weights, backend)


@register(NAME)
class NanoTrack(SiameseTracker):
    """NanoTrack V3 on any runtime, by default ONNX Runtime on the CPU.

    Parameters
    ----------
    weights
        A folder (or one file in it) with the two published graphs, a folder that ``pvtpp export`` wrote, or the
        checkpoint (``.pth``). None looks up the published graphs as `pvtpp.weights.find` does.
    threads
        Threads of each engine; torch uses those of the process.
    backend
        One of `pvtpp.inference`'s, or ``torch[:DEVICE]`` for the checkpoint, which then is looked up likewise.
    engines
        Used in place of all that; inputs and outputs as those of `pvtpp_trackers.models.nanotrack.engines`.

    Raises
    ------
    InputError
        Where weights or runtime are missing.
    """

    def __init__(
        self,
        weights: Union[str, Path, None] = None,
        threads: int = 1,
        backend: str = "",
        engines: Optional[Sequence[Engine]] = None,
    ):
        found = engines if engines is not None else exported(NAME, weights, threads, backend)
        if found is None and (backend.partition(":")[0] == "torch" or Path(weights or "").suffix == ".pth"):
            found = checkpoint_engines(weights, backend)
        elif found is None:
            found = published_engines(weights, threads, backend)
        super().__init__(NAME, PointDecoder(CONFIGS[NAME]), found)


@register("nanotrack-v1")
def nanotrack_v1(
    weights: Union[str, Path, None] = None,
    threads: int = 1,
    backend: str = "",
    engines: Optional[Sequence[Engine]] = None,
) -> SiameseTracker:
    """NanoTrack V1 by its published graphs, or by `engines`; options and errors as of `published_engines`."""
    return _published("nanotrack-v1", engines, weights, threads, backend)


@register("nanotrack-v2")
def nanotrack_v2(
    weights: Union[str, Path, None] = None,
    threads: int = 1,
    backend: str = "",
    engines: Optional[Sequence[Engine]] = None,
) -> SiameseTracker:
    """NanoTrack V2 by its published graphs, or by `engines`; options and errors as of `published_engines`."""
    return _published("nanotrack-v2", engines, weights, threads, backend)


def _published(
    name: str, engines: Optional[Sequence[Engine]], weights: Union[str, Path, None], threads: int, backend: str
) -> SiameseTracker:
    found = engines if engines is not None else published_engines(weights, threads, backend, name)
    return SiameseTracker(name, PointDecoder(CONFIGS[name]), found)
