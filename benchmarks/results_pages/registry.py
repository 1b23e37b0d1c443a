"""All blocks and pictures of results, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict

from pvtpp_benchmarks.results_pages import (
    boards,
    clocks,
    compiled,
    concepts,
    headline,
    predictors,
    presence,
    propagation,
    sigma,
    trackers,
)
from pvtpp_benchmarks.results_pages.blocks import Block, joined

BLOCKS: Dict[str, Block] = joined(
    boards.BLOCKS,
    clocks.BLOCKS,
    compiled.BLOCKS,
    concepts.BLOCKS,
    headline.BLOCKS,
    predictors.BLOCKS,
    presence.BLOCKS,
    propagation.BLOCKS,
    sigma.BLOCKS,
    trackers.BLOCKS,
)
"""By the name that a page's mark has: ``module.what``."""
PICTURES: Dict[str, Callable[[Path], str]] = joined(
    clocks.PICTURES,
    headline.PICTURES,
    presence.PICTURES,
)
"""The text of an SVG file, given the folder of the checkout; by its path from there."""
