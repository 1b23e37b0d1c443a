"""What a user's detector may answer: boxes and scores, checked where they enter."""

import numpy as np
import pytest

from pvtpp.detection import detect
from pvtpp.errors import InputError
from pvtpp.tracker import Frame

FRAME = Frame(7, 0)


def test_candidates_come_best_first_whatever_their_order():
    found = detect(lambda frame: ([[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 9, 9]], [0.2, 0.9, 0.2]), FRAME)
    assert found.boxes.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4], [9, 9, 9, 9]]
    assert found.scores.tolist() == [0.9, 0.2, 0.2]


@pytest.mark.parametrize("nothing", [([], []), (np.empty((0, 4)), np.empty(0))])
def test_a_detector_may_find_nothing(nothing):
    found = detect(lambda frame: nothing, FRAME)
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0,)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "not boxes"),
        (([[1, 2, 3, 4]], [0.5, 0.6]), r"\(1, 4\) boxes and \(2,\) scores"),
        (([[1, 2, 3]], [0.5]), r"\(1, 3\) boxes"),
        (([[1, 2, 0, 4]], [0.5]), "the detector's box 0"),
        (([[1, 2, np.nan, 4]], [0.5]), "the detector's box 0"),
        (([[1, 2, 3, 4]], [1.5]), r"scores are \[1.5\], allowed are 0 to 1"),
        (([[1, 2, 3, 4]], [np.nan]), "allowed are 0 to 1"),
    ],
)
def test_anything_else_is_refused_with_the_frame_it_was_for(answer, words):
    with pytest.raises(InputError, match=f"frame 7.*{words}"):
        detect(lambda frame: answer, FRAME)
