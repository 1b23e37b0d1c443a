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

BLOCKS: Dict[str, Block] = joined(
    boards.BLOCKS,
    clocks.BLOCKS,
    closed_loop.BLOCKS,
    compiled.BLOCKS,
    concepts.BLOCKS,
    headline.BLOCKS,
    interfaces.BLOCKS,
    opencv_trackers.BLOCKS,
    predictors.BLOCKS,
    presence.BLOCKS,
    propagation.BLOCKS,
    sigma.BLOCKS,
    speed.BLOCKS,
    trackers.BLOCKS,
)
"""By the name that a page's mark has: ``module.what``."""
PICTURES: Dict[str, Callable[[Path], str]] = joined(
    clocks.PICTURES,
    closed_loop_picture.PICTURES,
    headline.PICTURES,
    presence.PICTURES,
)
"""The text of an SVG file, given the folder of the checkout; by its path from there."""
