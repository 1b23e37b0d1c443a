"""SiamRPN++ with its published backbones: region proposals on three levels of one network, averaged.

Source: SiamRPN++ (CVPR 2019), github.com/STVIR/pysot: its networks (`pvtpp_trackers.models.siamrpn`) and constants.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Optional, Sequence, Union

from pvtpp.inference.engine import Engine
from pvtpp_trackers.decode import AnchorDecoder
from pvtpp_trackers.registry import register
from pvtpp_trackers.siamese import SiameseTracker, exported, torch_engines
from pvtpp_trackers.siamese_configs import CONFIGS

NAMES = ("siamrpn-mobilenetv2", "siamrpn-resnet50", "siamrpn-alexnet")


class SiamRPN(SiameseTracker):
    """One of `NAMES`, on torch from a published checkpoint, or on any runtime from an exported network.

    Parameters
    ----------
    name
        One of `NAMES`.
    weights
        The checkpoint (a ``.pth`` file of PySOT's model zoo, or a folder with it), or a folder that ``pvtpp export``
        wrote. None looks up the checkpoint as `pvtpp.weights.find` does.
    threads
        Threads of each engine of an exported network; torch uses those of the process.
    backend
        ``torch[:DEVICE]`` for a checkpoint, one of `pvtpp.inference`'s for an exported network.
    engines
        Used in place of all that; inputs and outputs as those of `pvtpp_trackers.models.parts.engines`.

    Raises
    ------
    InputError
        Where weights or runtime are missing or of another network.
    """

    def __init__(
        self,
        name: str,
        weights: Union[str, Path, None] = None,
        threads: int = 1,
        backend: str = "",
        engines: Optional[Sequence[Engine]] = None,
    ):
        found = engines or exported(name, weights, threads, backend) or torch_engines(name, weights, backend)
        super().__init__(name, AnchorDecoder(CONFIGS[name]), found)


for _name in NAMES:
    register(_name)(partial(SiamRPN, _name))
