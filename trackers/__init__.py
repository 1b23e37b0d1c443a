"""Adapters that turn trackers of all kinds into the `Tracker` protocol; the torch architectures are in `models`."""
