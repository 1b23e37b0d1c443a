"""Clips with exact ground truth: generated aerial ones, and occluders or distractors drawn on those of any kind."""

from pvtpp_benchmarks.synthetic.clip import RenderedClip, render
from pvtpp_benchmarks.synthetic.config import AerialClip
from pvtpp_benchmarks.synthetic.occluders import (
    DistractedClip,
    DistractorConfig,
    OccludedClip,
    OccluderConfig,
    distracted,
    occluded,
    whole_truth,
)

__all__ = [
    "AerialClip",
    "DistractedClip",
    "DistractorConfig",
    "OccludedClip",
    "OccluderConfig",
    "RenderedClip",
    "distracted",
    "occluded",
    "render",
    "whole_truth",
]
