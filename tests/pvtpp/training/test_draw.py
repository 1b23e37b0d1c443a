"""Data without a usable window are refused, and few usable ones are reported."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError

pytest.importorskip("torch")
from pvtpp.training.draw import Draw, few, usable
from pvtpp.training.motion import draw
from pvtpp.training.windows import BoxPool, WindowConfig


def still(frames, box=(10.0, 10.0, 40.0, 40.0)):
    return np.tile(np.array(box), (frames, 1))


def share(boxes, config=None):
    return usable(Draw(draw, BoxPool(boxes), config or WindowConfig()), "to learn from")


@pytest.mark.parametrize(
    ("boxes", "config", "words"),
    [
        ([still(600, (np.nan,) * 4)], None, "the longest of 1 sequences has 600 frames, 0 of all 600 show a target"),
        ([still(2), still(3)], None, "no window to learn from fits: the longest of 2 sequences has 3 frames"),
        ([still(10)], WindowConfig(processing_s=(8.0, 9.0)), "processing_s is in seconds"),
    ],
)
def test_no_window_at_all_is_an_error(boxes, config, words):
    with pytest.raises(InputError, match=words):
        share(boxes, config)


def test_few_windows_are_reported_and_many_are_not():
    shorts, longs = share([still(12)]), share([still(3000)])
    assert 0 < shorts < 0.5 < longs
    assert few(shorts, "held out").startswith(f"only {100 * shorts:.1f} % of the windows held out")
    assert few(longs, "held out") == ""
