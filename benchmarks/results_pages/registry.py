"""All blocks and pictures of results, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict

from pvtpp_benchmarks.results_pages import (
    boards,
    clocks,
    closed_loop,
    closed_loop_picture,
    compiled,
    concepts,
    headline,
    interfaces,
    opencv_trackers,
    predictors,
    presence,
    propagation,
    sigma,
    speed,
    trackers,
)
from pvtpp_benchmarks.results_pages.blocks import Block, joined

_MODULES = (
    boards,
    clocks,
    closed_loop,
    closed_loop_picture,
    compiled,
    concepts,
    headline,
    interfaces,
    opencv_trackers,
    predictors,
    presence,
    propagation,
    sigma,
    speed,
    trackers,
)
BLOCKS: Dict[str, Block] = joined(*(getattr(module, "BLOCKS", {}) for module in _MODULES))
"""By the name that a page's mark has: ``module.what``."""
PICTURES: Dict[str, Callable[[Path], str]] = joined(*(getattr(module, "PICTURES", {}) for module in _MODULES))
"""The text of an SVG file, given the folder of the checkout; by its path from there."""
