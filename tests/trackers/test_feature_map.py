"""A description of a box moves and scales with it, and what was described is found again."""

import numpy as np
import pytest

from pvtpp_trackers.feature_map import SAMPLES, FeatureMap

STRIDE = 16
RNG = np.random.default_rng(3)
FEATURES = np.maximum(RNG.normal(size=(24, 16, 16)), 0).astype(np.float32)


def shown(x=200.0, y=100.0, zoom=0.5, features=FEATURES):
    return FeatureMap(features, x, y, zoom)


def test_a_description_has_unit_length_and_is_the_same_for_the_same_place_of_another_image():
    box = np.array([210.0, 95, 40, 30])
    found = shown().describe(box, STRIDE)
    assert found.shape == (24 * SAMPLES * SAMPLES,) and np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    moved = shown(300.0, 50.0).describe(box + [100, -50, 0, 0], STRIDE)
    np.testing.assert_allclose(moved, found, atol=1e-6)
    larger = shown(0.0, 0.0, 1.0).describe(np.array([20.0, -10, 80, 60]), STRIDE)
    np.testing.assert_allclose(larger, found, atol=1e-6)


def test_on_cells_it_is_the_features_themselves():
    cell = STRIDE * 0.5
    box = np.array([200.0, 100.0, SAMPLES * cell, SAMPLES * cell])
    middle = slice(8 - SAMPLES // 2, 8 + SAMPLES // 2)
    expected = FEATURES[:, middle, middle].ravel()
    np.testing.assert_allclose(shown().describe(box, STRIDE), expected / np.linalg.norm(expected), atol=1e-6)


@pytest.mark.parametrize("column, row", [(5, 9), (8, 8), (10, 4)])
def test_what_was_described_is_found_at_its_cell(column, row):
    cell = STRIDE * 0.5
    place = np.array([200 + (column - 7.5) * cell, 100 + (row - 7.5) * cell, 30, 30])
    vector = shown().describe(place, STRIDE)
    box, similarity = shown().find(vector, np.array([0.0, 0, 30, 30]), STRIDE)
    np.testing.assert_allclose(box, place, atol=1e-6)
    assert similarity > 0.95


def test_a_box_beyond_the_crop_is_described_by_its_border_and_an_empty_map_by_zeros():
    assert np.isfinite(shown().describe(np.array([9e3, -9e3, 50, 50]), STRIDE)).all()
    nothing = shown(features=np.zeros((3, 5, 5), np.float32))
    assert not nothing.describe(np.array([200.0, 100, 20, 20]), STRIDE).any()
    assert nothing.find(np.zeros(3 * SAMPLES**2, np.float32), np.array([0.0, 0, 20, 20]), STRIDE)[1] == 0
