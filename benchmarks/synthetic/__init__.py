"""Generated aerial clips: a drone follows a fast car, with exact ground truth."""

from pvtpp_benchmarks.synthetic.clip import RenderedClip, render
from pvtpp_benchmarks.synthetic.config import AerialClip

__all__ = ["AerialClip", "RenderedClip", "render"]
