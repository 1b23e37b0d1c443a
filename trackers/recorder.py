"""A tracker whose features are the maps that enter its learning layers, so that joint training can use recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

import numpy as np

from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_trackers import registry
from pvtpp_trackers.siamese import SiameseFeatures

if TYPE_CHECKING:
    from pvtpp_trackers.models.training import LearningPart


class Recorder:
    """Runs the tracker of `part` in torch; features of its results are the maps that enter the layers which learn.

    Everything before those layers is frozen in joint training, so these maps are computed once and recorded.

    Parameters
    ----------
    part
        The part of the tracker that learns. It is put into evaluation mode.
    """

    def __init__(self, part: LearningPart):
        part.eval()
        self._template, self._search, head = part.engines()
        self._tracker = registry.create(part.name, engines=(self._template, self._search, head))

    def init(self, frame: Frame, box: np.ndarray) -> None:
        """Start on `box`, ``[cx, cy, w, h]`` in pixels of `frame`; forgets everything before."""
        self._tracker.init(frame, box)

    def track(self, frame: Frame, search_box: Optional[np.ndarray] = None) -> TrackerOutput:
        """The tracker's result for `frame`, its `features` being the recorded maps of template and search region."""
        output = self._tracker.track(frame, search_box)
        return TrackerOutput(output.box, output.score, SiameseFeatures(self._template.maps, self._search.maps))
