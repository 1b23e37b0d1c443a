"""A generated aerial clip: a drone follows a car that never stays where it was seen."""

from pvtpp_benchmarks.synthetic.clip import RenderedClip, render
from pvtpp_benchmarks.synthetic.config import AerialClip

__all__ = ["AerialClip", "RenderedClip", "render"]
