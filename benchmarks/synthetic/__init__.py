"""A generated aerial clip: a drone follows a car that never stays where it was seen."""

from benchmarks.synthetic.clip import RenderedClip, render
from benchmarks.synthetic.config import AerialClip

__all__ = ["AerialClip", "RenderedClip", "render"]
