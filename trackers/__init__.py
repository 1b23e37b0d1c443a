"""Tracker adapters, one per file. `trackers.registry` knows them by name."""

from pvtpp.shadow import check_trackers

# Another distribution is called `trackers` too, and a merged or shadowed installation fails far from its cause.
check_trackers()
