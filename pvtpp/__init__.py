"""Latency-aware visual tracking: a tracker's result is a trajectory that can be asked where the target is now."""

from pkgutil import extend_path

__version__ = "0.1.0"

# catkin generates pvtpp.msg and pvtpp.srv into a folder of its own.
__path__ = extend_path(__path__, __name__)
