"""The oracle answers with the truth, or with an error of the requested size."""

import numpy as np

from pvtpp.boxes import xywh_to_box
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle

TRUTH = np.tile([100.0, 80, 40, 20], (3000, 1))


def answers(oracle, sequence, frames):
    oracle.init(sequence.frame(0), xywh_to_box(sequence.ground_truth_xywh[0]))
    return [oracle.track(sequence.frame(i)) for i in frames]


def test_without_noise_it_is_perfect():
    sequence = VideoSequence("clip", TRUTH[:5])
    for output in answers(Oracle(sequence), sequence, range(5)):
        assert output.box.tolist() == [120, 90, 40, 20] and output.score == 1


def test_its_error_has_the_stated_size_and_does_not_depend_on_the_frames_skipped():
    sequence = VideoSequence("clip", TRUTH)
    boxes = np.array([o.box for o in answers(Oracle(sequence, 0.02, seed=3), sequence, range(3000))])
    error = np.column_stack([(boxes[:, :2] - [120, 90]) / [40, 20], np.log(boxes[:, 2:] / [40, 20])])
    np.testing.assert_allclose(error.std(axis=0), 0.02, rtol=0.05)
    np.testing.assert_allclose(error.mean(axis=0), 0, atol=0.002)
    some = answers(Oracle(sequence, 0.02, seed=3), sequence, range(0, 3000, 7))
    np.testing.assert_array_equal([o.box for o in some], boxes[::7])


def test_while_the_target_is_absent_the_last_box_is_answered_with_score_0():
    truth = TRUTH[:3].copy()
    truth[1] = np.nan
    sequence = VideoSequence("clip", truth)
    first, gone, back = answers(Oracle(sequence), sequence, range(3))
    assert gone.box.tolist() == first.box.tolist()
    assert (first.score, gone.score, back.score) == (1, 0, 1)
