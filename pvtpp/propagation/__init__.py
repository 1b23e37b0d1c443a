"""Propagation: moves a box from the frame that it was found in to a newer frame, by what the images show."""

from pvtpp.propagation.registry import Carried, Propagator, create, names

__all__ = ["Carried", "Propagator", "create", "names"]
