"""The tracking constants that were published with each Siamese tracker's weights, by the name of the tracker.

Sources: github.com/STVIR/pysot (SiamRPN++ and SiamMask; the constants tuned for VOT where there are several) and
github.com/HonglinChu/SiamTrackers (NanoTrack). Adapters and the training of the networks use them.
"""

from __future__ import annotations

from typing import Dict

from pvtpp_trackers.decode import SiameseConfig

CONFIGS: Dict[str, SiameseConfig] = {
    "nanotrack-v1": SiameseConfig(window_influence=0.462, penalty_k=0.148, size_rate=0.390, score_size=16, stride=16),
    "nanotrack-v2": SiameseConfig(window_influence=0.490, penalty_k=0.150, size_rate=0.385, score_size=16, stride=16),
    "nanotrack-v3": SiameseConfig(window_influence=0.455, penalty_k=0.138, size_rate=0.348, score_size=15, stride=16),
    "siamrpn-mobilenetv2": SiameseConfig(window_influence=0.4, penalty_k=0.04, size_rate=0.5, score_size=25, stride=8),
    "siamrpn-resnet50": SiameseConfig(window_influence=0.42, penalty_k=0.05, size_rate=0.38, score_size=25, stride=8),
    "siamrpn-alexnet": SiameseConfig(
        window_influence=0.4, penalty_k=0.16, size_rate=0.3, score_size=21, stride=8, instance=287
    ),
    "siammask-resnet50": SiameseConfig(window_influence=0.41, penalty_k=0.1, size_rate=0.32, score_size=25, stride=8),
}
