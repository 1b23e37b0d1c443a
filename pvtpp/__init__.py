"""Latency-aware visual tracking: a tracker's result is a trajectory that can be asked where the target is now."""

__version__ = "0.1.0"
