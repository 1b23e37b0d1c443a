"""Proposals are chosen and smoothed as in PySOT, for points and for anchors, compared box by box."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp_trackers.crop import context_side
from pvtpp_trackers.decode import AnchorDecoder, PointDecoder, SiameseConfig, anchor_sizes

POINTS = SiameseConfig(window_influence=0.455, penalty_k=0.138, size_rate=0.348, score_size=15, stride=16)
ANCHORS = SiameseConfig(window_influence=0.42, penalty_k=0.05, size_rate=0.38, score_size=9, stride=8)


def points(boxes, config):
    """Shape, row, column and proposal (x, y, w, h in crop pixels from its centre) of an anchor-free head's map."""
    for row in range(config.score_size):
        for column in range(config.score_size):
            left, top, right, bottom = (float(d) for d in boxes[0, :, row, column])
            x, y = (column - config.score_size // 2) * config.stride, (row - config.score_size // 2) * config.stride
            x1, y1, x2, y2 = x - left, y - top, x + right, y + bottom
            yield 0, row, column, ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)


def anchors(boxes, config):
    """The same of a region proposal head's map: for each anchor shape the whole grid, row by row."""
    for shape, ratio in enumerate((0.33, 0.5, 1, 2, 3)):
        wide = int(math.sqrt(config.stride**2 / ratio))
        high = int(wide * ratio)
        anchor = wide * 8, high * 8
        for row in range(config.score_size):
            for column in range(config.score_size):
                dx, dy, dw, dh = (float(boxes[0, 5 * each + shape, row, column]) for each in range(4))
                x, y = (column - config.score_size // 2) * config.stride, (row - config.score_size // 2) * config.stride
                found = dx * anchor[0] + x, dy * anchor[1] + y, math.exp(dw) * anchor[0], math.exp(dh) * anchor[1]
                yield shape, row, column, found


def reference(proposals, scores, width, height, scale, config):
    """Box by box in plain Python, in PySOT's order of steps."""
    hann = np.hanning(config.score_size)
    shapes = scores.shape[1] // 2

    def change(r):
        return max(r, 1 / r)

    def side(w, h):
        pad = (w + h) * 0.5
        return ((w + pad) * (h + pad)) ** 0.5

    best = None
    for shape, row, column, (x, y, w, h) in proposals:
        odds = [math.exp(float(scores[0, each, row, column])) for each in (shape, shapes + shape)]
        score = odds[1] / sum(odds)
        penalty = math.exp(
            -(change(width / height / (w / h)) * change(side(w, h) / side(width * scale, height * scale)) - 1)
            * config.penalty_k
        )
        rank = penalty * score * (1 - config.window_influence) + hann[row] * hann[column] * config.window_influence
        if best is None or rank > best[0]:
            rate = penalty * score * config.size_rate
            size = (width * (1 - rate) + w / scale * rate, height * (1 - rate) + h / scale * rate)
            best = (rank, (x / scale, y / scale, *size, score, row, column))
    return best[1]


FAMILIES = {
    "points": (PointDecoder, POINTS, points, lambda rng, shape: rng.uniform(5, 90, shape)),
    "anchors": (AnchorDecoder, ANCHORS, anchors, lambda rng, shape: rng.normal(0, 0.4, shape)),
}


@pytest.mark.parametrize("family", FAMILIES)
@given(st.integers(0, 2**32 - 1), st.floats(5, 300), st.floats(5, 300))
def test_decoding_equals_the_step_by_step_reference(family, seed, width, height):
    make, config, proposals, draw = FAMILIES[family]
    decoder, rng = make(config), np.random.default_rng(seed)
    size = (config.score_size, config.score_size)
    scores = rng.normal(0, 3, (1, decoder.questions, *size)).astype(np.float32)
    boxes = draw(rng, (1, decoder.answers, *size)).astype(np.float32)
    scale = 127 / context_side(width, height, 0.5)
    got = decoder.decode(scores, boxes, width, height, scale)
    assert got == pytest.approx(
        reference(proposals(boxes, config), scores, width, height, scale, config), rel=1e-4, abs=1e-3
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sure_score_overflows_nothing(family):
    make, config, _, _ = FAMILIES[family]
    decoder, size = make(config), (config.score_size, config.score_size)
    scores = np.full((1, decoder.questions, *size), 80.0, np.float32)
    scores[0, : decoder.questions // 2] = -5.0
    found = decoder.decode(scores, np.full((1, decoder.answers, *size), 0.5, np.float32), 40.0, 40.0, 1.5)
    assert found.score == 1.0


@pytest.mark.parametrize("growth", [(500.0, 500.0), (-500.0, -500.0), (500.0, -500.0)])
def test_an_anchor_that_explodes_or_vanishes_gives_no_nonsense(growth):
    scores, boxes = np.zeros((1, 10, 9, 9), np.float32), np.zeros((1, 20, 9, 9), np.float32)
    boxes[:, 10:15], boxes[:, 15:] = growth
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = AnchorDecoder(ANCHORS).decode(scores, boxes, 40.0, 40.0, 1.5)
    assert np.isfinite(found).all()


def test_the_anchors_are_cut_to_whole_pixels_of_the_stride():
    assert anchor_sizes(8).tolist() == [[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]]


@pytest.mark.parametrize(
    "wrong", [{"window_influence": 1.5}, {"penalty_k": float("nan")}, {"score_size": 0}, {"stride": 8.0}]
)
def test_wrong_constants_are_refused(wrong):
    values = {"window_influence": 0.4, "penalty_k": 0.1, "size_rate": 0.3, "score_size": 15, "stride": 16, **wrong}
    with pytest.raises(InputError, match=next(iter(wrong))):
        SiameseConfig(**values)
