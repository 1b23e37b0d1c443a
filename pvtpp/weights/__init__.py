"""Weights: those of our predictors are committed, each with a card; those of trackers are found or downloaded."""

from pvtpp.weights.catalogue import Entry, WeightFile
from pvtpp.weights.store import MissingWeights, cache_folder, find, list_entries, path, pull
from pvtpp.weights.template_graph import nanotrack_template_graph

__all__ = [
    "Entry",
    "MissingWeights",
    "WeightFile",
    "cache_folder",
    "find",
    "list_entries",
    "nanotrack_template_graph",
    "path",
    "pull",
]
