"""Predictors turn the recent past of a target into one trajectory; each has a file of its own and a name."""

from pvtpp.predictors.registry import Predictor, check_name, create, digest, names, reads_features

__all__ = ["Predictor", "check_name", "create", "digest", "names", "reads_features"]
