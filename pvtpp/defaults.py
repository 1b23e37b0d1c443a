"""The default configuration: what every command, page and study means where nothing else is said."""

from __future__ import annotations

TRACKER = "nanotrack-v3"
PREDICTOR = "ensemble"
PROPAGATION = "optical_flow"
SEARCH_REGION = "predicted"
STATUS = "off"
