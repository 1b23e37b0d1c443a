"""The parity check accepts what agrees, and says where something differs: in a tensor, in a box, or over a clip."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.boxes import iou
from pvtpp.export.parity import Difference, Parity, ParityError, Tolerance, compare_tracks

EXACT = Tolerance(tensor=1e-6, box_px=1e-6, box_share=1.0, score=1e-6)
LOOSE = Tolerance(tensor=10.0, box_px=100.0, box_share=1.0, score=1.0)


def score(found, truth):
    return float(iou(found, truth).mean())


class Shifted:
    """An engine whose answers are off by `by`, from the call after `after` on."""

    def __init__(self, engine, by, after=0):
        self.inputs, self.outputs = engine.inputs, engine.outputs
        self._engine, self._by, self._left = engine, by, after

    def run(self, inputs):
        self._left -= 1
        return {name: array + (self._by if self._left < 0 else 0) for name, array in self._engine.run(inputs).items()}


def compared(engines, clip, make_tracker, **changed):
    return compare_tracks(make_tracker, engines, {**engines, **changed}, [clip], score)


def test_a_network_agrees_with_itself(engines, clip, make_tracker):
    parity = compared(engines, clip, make_tracker)
    parity.check(EXACT)
    assert set(parity.tensors) == {"eye.features", "compass.step"}
    assert parity.boxes == [0.0] * (clip.length - 1)
    found = parity.summary()
    assert found["boxes"]["max_px"] == 0 and found["tracks"]["clips"] == 1


def test_a_difference_is_measured_where_it_arises_and_does_not_grow(engines, clip, make_tracker):
    step = Shifted(engines["compass"], 0.01)
    parity = compared(engines, clip, make_tracker, compass=step)
    assert parity.tensors["eye.features"].absolute == 0
    assert parity.tensors["compass.step"].absolute == pytest.approx(0.01, abs=1e-6)
    # Four pixels a step, the same in every frame: the candidate always starts from where the reference is.
    assert parity.boxes == pytest.approx([0.04] * (clip.length - 1), abs=1e-5)
    assert parity.scores["noise"][0] != parity.scores["noise"][1]
    with pytest.raises(ParityError, match=r"tensor compass.step differs by 1.00e-02"):
        parity.check(EXACT)
    with pytest.raises(ParityError, match="boxes differ by 0.04 px at the 100% point of 7 frames, allowed is 0.01"):
        parity.check(Tolerance(10.0, 0.01, 1.0, 1.0))
    with pytest.raises(ParityError, match="mean score over 1 clips"):
        parity.check(Tolerance(10.0, 10.0, 1.0, 1e-6))
    parity.check(LOOSE)


def test_the_last_frame_counts_as_much_as_the_first(engines, clip, make_tracker):
    late = Shifted(engines["eye"], 1.0, after=clip.length - 1)
    with pytest.raises(ParityError, match="eye.features"):
        compared(engines, clip, make_tracker, eye=late).check(EXACT)


def test_nan_never_passes(engines, clip, make_tracker):
    parity = Parity()
    parity.boxes = [0.0, float("nan")]
    with pytest.raises(ParityError, match="nan px"):
        parity.check(LOOSE)
    template = Shifted(engines["eye"], 0.0)
    parity = compared(engines, clip, make_tracker, eye=template)
    parity.tensors["eye.features"].add(np.ones(2), np.array([1, np.nan]))
    parity.tensors["eye.features"].add(np.ones(2), np.ones(2))
    with pytest.raises(ParityError, match="differs by nan"):
        parity.check(LOOSE)


def test_differences_of_large_values_are_relative():
    parity = Parity()
    parity.tensors["head.box"] = Difference()
    parity.tensors["head.box"].add(np.array([1000.0]), np.array([1000.05]))
    assert parity.tensors["head.box"].absolute == pytest.approx(0.05)
    parity.check(Tolerance(1e-4, 1, 1, 1))
