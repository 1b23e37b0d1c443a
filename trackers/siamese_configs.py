"""The tracking constants of each Siamese tracker, by its name: those published with its weights where these are best.

Sources: github.com/STVIR/pysot (SiamRPN++ and SiamMask; the constants tuned for VOT where there are several) and
github.com/HonglinChu/SiamTrackers (NanoTrack V3). NanoTrack V1 and V2 have those of OpenCV's `TrackerNano`: on the 21
clips of `uav-mini/train` and `uav-more` their mean IoU is .574 and .648, with those published with the weights .561 and
.632. Adapters and the training of the networks use them.
"""

from __future__ import annotations

from typing import Dict

from pvtpp_trackers.decode import SiameseConfig

CONFIGS: Dict[str, SiameseConfig] = {
    "nanotrack-v1": SiameseConfig(window_influence=0.455, penalty_k=0.055, size_rate=0.37, score_size=16, stride=16),
    "nanotrack-v2": SiameseConfig(window_influence=0.455, penalty_k=0.055, size_rate=0.37, score_size=16, stride=16),
    "nanotrack-v3": SiameseConfig(window_influence=0.455, penalty_k=0.138, size_rate=0.348, score_size=15, stride=16),
    "siamrpn-mobilenetv2": SiameseConfig(window_influence=0.4, penalty_k=0.04, size_rate=0.5, score_size=25, stride=8),
    "siamrpn-resnet50": SiameseConfig(window_influence=0.42, penalty_k=0.05, size_rate=0.38, score_size=25, stride=8),
    "siamrpn-alexnet": SiameseConfig(
        window_influence=0.4, penalty_k=0.16, size_rate=0.3, score_size=21, stride=8, instance=287
    ),
    "siammask-resnet50": SiameseConfig(window_influence=0.41, penalty_k=0.1, size_rate=0.32, score_size=25, stride=8),
}
