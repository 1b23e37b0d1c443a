"""Data sets: annotated sequences from published layouts, from plain folders, and from annotations alone."""

# Importing a layout registers it.
from benchmarks.datasets import aerial, annotations, folders, generic, lasot, uav123, vid  # noqa: F401
from benchmarks.datasets.dataset import Dataset
from benchmarks.datasets.registry import available, entry, load
from benchmarks.datasets.sequence import Sequence

__all__ = ["Dataset", "Sequence", "available", "entry", "load"]
