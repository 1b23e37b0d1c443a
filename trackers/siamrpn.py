"""SiamRPN++ with its published backbones: region proposals on three levels of one network, fused.

Source: SiamRPN++ (CVPR 2019), github.com/STVIR/pysot: its networks (`pvtpp_trackers.models.siamrpn`) and tracking constants.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Optional, Sequence, Union

from pvtpp.inference.engine import Engine
from pvtpp_trackers.decode import AnchorDecoder, SiameseConfig
from pvtpp_trackers.registry import register
from pvtpp_trackers.siamese import SiameseTracker, exported, torch_engines

# The constants that the authors published with each checkpoint; those tuned for VOT where there are several.
CONFIGS = {
    "siamrpn-mobilenetv2": SiameseConfig(window_influence=0.4, penalty_k=0.04, size_rate=0.5, score_size=25, stride=8),
    "siamrpn-resnet50": SiameseConfig(window_influence=0.42, penalty_k=0.05, size_rate=0.38, score_size=25, stride=8),
    "siamrpn-alexnet": SiameseConfig(
        window_influence=0.4, penalty_k=0.16, size_rate=0.3, score_size=21, stride=8, instance=287
    ),
}


class SiamRPN(SiameseTracker):
    """One of `CONFIGS`, on torch from a published checkpoint, or on any runtime from an exported network.

    `weights` is the checkpoint (a ``.pth`` file of PySOT's model zoo, or a folder with it) or a folder that ``pvtpp export``
    wrote; None looks the checkpoint up as `pvtpp.weights.find` does. `backend` is ``torch[:DEVICE]`` for a checkpoint, one of
    `pvtpp.inference`'s for an exported network. `threads` are those of an exported network; torch's are the process's own.
    `engines` replaces them by other ones of the same inputs and outputs (`pvtpp_trackers.models.parts.engines`). Raises
    InputError where weights or runtime are missing or of another network.
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


for _name in CONFIGS:
    register(_name)(partial(SiamRPN, _name))
