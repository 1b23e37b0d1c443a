"""A camera that fell silent: what is propagated across the gap is not known to be the target until the tracker agrees.

Optical flow finds the target again across a gap nearly always, and is much nearer than holding the box. But images that
lie far apart may agree by chance: then evidence is new and wrong. The tracker's next result tells.
"""

from __future__ import annotations

from typing import Optional

SILENT_NS = 300_000_000
"""A shorter gap between two frames is no silence, nanoseconds."""
LONGER, GROWTH = 3, 2
"""Nor is one of less than so many usual intervals; the usual interval grows by at most this factor with each frame."""


class Silence:
    """Watches the capture times of the frames since a target was given.

    Parameters
    ----------
    t_ns
        Capture time of the newest frame, nanoseconds.
    """

    def __init__(self, t_ns: int):
        self._newest_ns = t_ns
        self._usual_ns: Optional[int] = None
        # The first frame after the newest silence. Replaced alone, so it may be read from any thread.
        self._ended_ns: Optional[int] = None

    def frame(self, t_ns: int) -> None:
        """Take the capture time of a newer frame."""
        gap_ns, usual_ns = t_ns - self._newest_ns, self._usual_ns
        if gap_ns > SILENT_NS and (usual_ns is None or gap_ns > LONGER * usual_ns):
            self._ended_ns = t_ns
        self._newest_ns = t_ns
        self._usual_ns = gap_ns if usual_ns is None else min(gap_ns, GROWTH * usual_ns)

    def since(self, t_ns: int) -> bool:
        """Whether the camera fell silent, and came back, after the frame captured at `t_ns`."""
        ended_ns = self._ended_ns
        return ended_ns is not None and t_ns < ended_ns
