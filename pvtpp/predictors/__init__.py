"""Predictors turn the recent past of a target into one trajectory; each has a file of its own and a name."""

from pvtpp.predictors.registry import Predictor, create, digest, names, reads_features

__all__ = ["Predictor", "create", "digest", "names", "reads_features"]
