"""Errors of a tracker name the clip and the frame."""

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_benchmarks.named_failures import NamedFailures

BOX = np.array([10.0, 10.0, 4.0, 4.0])
FRAME = Frame(7, 0, np.zeros((20, 20, 3), np.uint8), "clip")


class Tracker:
    def __init__(self, answer):
        self.answer = answer

    def init(self, frame, box):
        self.answer()

    def track(self, frame, search_box=None):
        return self.answer()


def refused():
    raise InputError("the box is not finite")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda: 1 / 0, r"^S0601, frame 7: ZeroDivisionError: division by zero \(.*test_named_failures.py:\d+\)$"),
        (refused, "^S0601, frame 7: the box is not finite$"),
        (lambda: BOX, r"^S0601, frame 7: Tracker.track\(\) returned array.* expected a TrackerOutput$"),
    ],
)
def test_a_failure_names_sequence_and_frame(answer, message):
    with pytest.raises(InputError, match=message):
        NamedFailures(Tracker(answer), "S0601").track(FRAME)


def test_a_failing_init_is_named_too_and_a_good_answer_passes_through():
    with pytest.raises(InputError, match="S0601, frame 7: ZeroDivisionError"):
        NamedFailures(Tracker(lambda: 1 / 0), "S0601").init(FRAME, BOX)
    output = TrackerOutput(BOX, 0.5)
    assert NamedFailures(Tracker(lambda: output), "S0601").track(FRAME) is output
