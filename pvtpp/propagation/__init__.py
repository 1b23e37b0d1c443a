"""The propagation: cheap image evidence that carries a box from the frame it was found in to a newer one."""

from pvtpp.propagation.registry import Carried, Propagator, create, names

__all__ = ["Carried", "Propagator", "create", "names"]
