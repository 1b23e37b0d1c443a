"""All blocks and pictures of results, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict

from pvtpp_benchmarks.results_pages import boards, compiled, concepts, trackers
from pvtpp_benchmarks.results_pages.blocks import Block, joined

BLOCKS: Dict[str, Block] = joined(boards.BLOCKS, compiled.BLOCKS, concepts.BLOCKS, trackers.BLOCKS)
"""By the name that a page's mark has: ``module.what``."""
PICTURES: Dict[str, Callable[[Path], str]] = joined()
"""The text of an SVG file, given the folder of the checkout; by its path from there."""
