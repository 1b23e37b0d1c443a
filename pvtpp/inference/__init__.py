"""Running networks: named arrays in, named arrays out, with any inference runtime."""

from pvtpp.inference.engine import Engine, TensorSpec, load

__all__ = ["Engine", "TensorSpec", "load"]
