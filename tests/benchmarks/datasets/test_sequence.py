from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence

BOXES = np.tile([1.0, 2.0, 3.0, 4.0], (6, 1))


@pytest.mark.parametrize("fps", [0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("rate", ["camera_fps", "world_fps"])
def test_an_invalid_frame_rate_is_refused(rate, fps):
    with pytest.raises(InputError, match=rf"gt\.txt: frame rates must be finite and above 0.*{fps}"):
        VideoSequence("a", BOXES, **{rate: fps}, source="gt.txt")


def test_a_frame_without_an_image_names_its_annotation_file():
    with pytest.raises(InputError, match=r"a frame 2 of clips/a/gt\.txt: this frame has no image"):
        _ = VideoSequence("a", BOXES, source="clips/a/gt.txt").frame(2).image
