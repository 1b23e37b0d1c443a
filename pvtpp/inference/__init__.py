"""Running networks: named arrays in, named arrays out, whatever runtime does the work."""

from pvtpp.inference.engine import Engine, TensorSpec, load

__all__ = ["Engine", "TensorSpec", "load"]
