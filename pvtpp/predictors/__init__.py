"""Predictors: the recent past of a target in, one trajectory out. One file each, one protocol, found here by name."""

from pvtpp.predictors.registry import Predictor, check_name, create, digest, names, reads_features

__all__ = ["Predictor", "check_name", "create", "digest", "names", "reads_features"]
