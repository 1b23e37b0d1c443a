"""Data sets: annotated sequences from published layouts, from plain folders, and from box files without images."""

# Importing a layout registers it.
from pvtpp_benchmarks.datasets import aerial, annotations, folders, generic, lasot, uav123, vid  # noqa: F401
from pvtpp_benchmarks.datasets.dataset import Dataset
from pvtpp_benchmarks.datasets.registry import available, entry, load
from pvtpp_benchmarks.datasets.sequence import VideoSequence

__all__ = ["Dataset", "VideoSequence", "available", "entry", "load"]
