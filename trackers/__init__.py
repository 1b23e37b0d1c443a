"""Adapters that give trackers of all kinds the `Tracker` protocol; the torch networks are in `models`."""
