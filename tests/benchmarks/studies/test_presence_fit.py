"""The fit finds a model that made the data, and tells right from wrong as well as the data allow."""

import numpy as np
import pytest

from pvtpp_benchmarks.studies.presence_fit import Results, area, clips, fit, model, record, relative_scores
from pvtpp_trackers.registry import create

RNG = np.random.default_rng(5)


def drawn(count, weights=(-4.0, 0.5, 6.0)):
    score, similarity = RNG.normal(3, 3, count), RNG.uniform(0, 1, count)
    odds = weights[0] + weights[1] * score + weights[2] * similarity
    return score, similarity, RNG.uniform(size=count) < 1 / (1 + np.exp(-odds))


def test_the_model_that_made_the_data_is_found():
    score, similarity, right = drawn(20000)
    found = fit(np.column_stack([score, similarity]), right, np.ones(len(score)))
    assert found == pytest.approx([-4.0, 0.5, 6.0], rel=0.1)


def test_the_area_is_one_where_all_right_ones_are_larger_and_a_half_where_nothing_tells():
    right = np.array([False, False, True, True])
    assert area(np.array([1.0, 2, 3, 4]), right) == 1 and area(np.array([4.0, 3, 2, 1]), right) == 0
    assert area(RNG.normal(size=4000), RNG.uniform(size=4000) < 0.5) == pytest.approx(0.5, abs=0.05)


def test_clips_are_fitted_together_and_each_is_tried_with_the_model_of_the_others():
    clips = []
    for name in ("one", "one+occluders1", "two", "three"):
        score, similarity, right = drawn(1500)
        clips.append(Results(name, score, relative_scores(score, similarity), similarity, right))
    made = model(clips, ("score", "similarity"))
    assert made["results"] == 6000 and made["area"] > 0.85
    assert made["weights"] == pytest.approx([0.5, 6.0], rel=0.15)


def test_relative_scores_are_of_what_looked_like_the_target():
    score = np.array([8.0] * 20 + [2.0] * 20)
    unlike = relative_scores(score, np.array([1.0] * 20 + [0.3] * 20))
    assert (unlike[:20] == 0).all() and np.allclose(unlike[20:], -0.75)
    like = relative_scores(score, np.ones(40))
    assert like[20] == -0.75 and like[-1] > -0.5


@pytest.mark.real_data
def test_runs_are_of_the_clips_and_seeds_asked_for_with_presence_on_or_off(data_root):
    (clip,) = clips(str(data_root), [2], ["OTB_Skiing"])
    assert clip.name == "OTB_Skiing+occluders2" and clip.cover.max() > 0
    believed, assessed = (record(clip, create("kcf"), "20ms", presence) for presence in ("off", "on"))
    assert believed.clip == assessed.clip == clip.name and 0 < len(assessed.right) == len(believed.right)
    # A tracker that cannot be sent elsewhere gives the same results.
    np.testing.assert_array_equal(believed.score, assessed.score)
    np.testing.assert_array_equal(believed.similarity, assessed.similarity)
