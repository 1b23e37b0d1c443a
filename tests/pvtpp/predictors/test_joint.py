"""The joint predictor: motion and features, each result encoded once, and clear errors where features do not fit."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.predictors.joint import INPUTS, Joint
from pvtpp.predictors.motion import HORIZONS_S, Motion
from pvtpp.predictors.motion import INPUTS as MOTION_INPUTS
from pvtpp.track import PropagatedBox, Track
from pvtpp.tracker import TrackerOutput

FRAME = 10**9 // 30
PREDICTOR, MOTION = Joint(), Motion()
CLOSE = 1e-5


class Stub:
    """An engine with shapes only."""

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = (
            tuple(TensorSpec(name, shape, np.dtype(np.float32)) for name, shape in each.items())
            for each in (inputs, outputs)
        )


SHAPES = {**dict.fromkeys(MOTION_INPUTS, (1, 15)), "score": (1, 16)}
OUTPUTS = {"motion": (1, 3, len(HORIZONS_S), 4)}
MAPS = {"template": (1, 96, 8, 8), "search": (1, 96, 16, 16)}


def features(seed=0, channels=96):
    rng = np.random.default_rng(seed)
    shapes = {"template": (1, channels, 8, 8), "search": (1, channels, 16, 16)}
    return SimpleNamespace(**{name: rng.normal(0, 2, shape).astype(np.float32) for name, shape in shapes.items()})


SEEN = [features(seed) for seed in range(6)]
VECTORS = [PREDICTOR.encode(TrackerOutput([1.0, 1, 2, 2], 1.0, each)) for each in SEEN]


def track_of(boxes, vectors=None, step=2 * FRAME):
    track = Track()
    for i, box in enumerate(boxes):
        track = track.with_result(i * step, box, 0.9, None if vectors is None else vectors[i])
    return track


def boxes_of(error=0.0, velocity=(90.0, 30.0), n=6):
    seconds = np.arange(n)[:, None] * (2 * FRAME * 1e-9)
    return (
        np.array([640.0, 360, 48, 36]) + error + np.concatenate([seconds * velocity, 0 * seconds, 0 * seconds], axis=1)
    )


def answer(track, horizon_s=0.1):
    prediction = PREDICTOR.predict(track).at(track.evidence_ns + round(horizon_s * 1e9))
    return np.stack([prediction.box, prediction.velocity, prediction.sigma])


def test_without_features_the_answer_is_that_of_motion():
    """The documented fallback for recorded results and trackers without features."""
    assert PREDICTOR.encode(TrackerOutput([1.0, 1, 2, 2])) is None
    track, expected = track_of(boxes_of()), MOTION.predict(track_of(boxes_of()))
    np.testing.assert_allclose(PREDICTOR.predict(track).mean, expected.mean, atol=CLOSE * 600)
    np.testing.assert_allclose(PREDICTOR.predict(track).sigma, expected.sigma, atol=CLOSE * 600)


def test_features_change_the_answer():
    assert np.abs(answer(track_of(boxes_of(), VECTORS)) - answer(track_of(boxes_of()))).max() > 1e-3


@given(
    st.lists(st.floats(-8, 8), min_size=24, max_size=24).map(
        lambda values: np.reshape(values, (6, 4)) * [1, 1, 0.5, 0.5]
    ),
    st.floats(0.05, 20),
    st.floats(-2000, 2000),
)
def test_scaling_or_shifting_the_image_scales_or_shifts_the_answer(error, scale, shift):
    boxes, moved = boxes_of(error), np.array([shift, -shift, 0, 0])
    expected = answer(track_of(boxes, VECTORS)) * scale
    expected[0] += moved
    np.testing.assert_allclose(answer(track_of(boxes * scale + moved, VECTORS)), expected, atol=CLOSE * scale * 600)


def test_the_newest_vectors_are_read_oldest_first_and_gaps_are_marked():
    shapes = {**SHAPES, "vectors": (1, 3, 2, 16), "seen": (1, 3)}
    made = Joint(Stub(shapes, OUTPUTS), Stub(MAPS, {"vector": (1, 2, 16)})).inputs(
        track_of(boxes_of(), [*VECTORS[:4], None, VECTORS[5]])
    )
    assert made["seen"][0].tolist() == [1.0, 0.0, 1.0]
    np.testing.assert_array_equal(made["vectors"][0], np.stack([VECTORS[3], 0 * VECTORS[3], VECTORS[5]]))


def test_a_short_track_is_padded_in_front():
    made = PREDICTOR.inputs(track_of(boxes_of(n=1), VECTORS))
    assert made["seen"][0].tolist() == [0.0] * (made["seen"].shape[1] - 1) + [1.0]
    assert set(made) == set(INPUTS) and all(array.dtype == np.float32 for array in made.values())


def test_propagated_boxes_do_not_shift_the_vectors():
    track = track_of(boxes_of(), VECTORS)
    propagated = track.with_propagated([PropagatedBox(track.t_ns[-1] + FRAME, boxes_of()[-1] + [3, 1, 0, 0], 0.8)])
    np.testing.assert_array_equal(PREDICTOR.inputs(propagated)["vectors"], PREDICTOR.inputs(track)["vectors"])
    assert PREDICTOR.predict(propagated).evidence_ns == track.t_ns[-1] + FRAME


def test_the_same_track_gives_the_same_trajectory_whatever_came_between():
    track = track_of(boxes_of(), VECTORS)
    before = PREDICTOR.predict(track).to_row()
    PREDICTOR.encode(TrackerOutput([1.0, 1, 2, 2], 1.0, features(9)))
    PREDICTOR.predict(track_of(boxes_of(3.0), VECTORS[::-1]))
    assert PREDICTOR.predict(track).to_row() == before


@given(st.floats(1e-6, 1e6))
def test_features_of_any_magnitude_give_a_finite_answer(magnitude):
    seen = SimpleNamespace(
        template=SEEN[0].template * np.float32(magnitude), search=SEEN[1].search * np.float32(magnitude)
    )
    vector = PREDICTOR.encode(TrackerOutput([1.0, 1, 2, 2], 1.0, seen))
    assert np.isfinite(vector).all() and np.isfinite(answer(track_of(boxes_of(), [vector] * 6))).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            features(channels=256),
            r"'template' is float32\[1, 256, 8, 8\], this predictor takes 'template' float32\[1 x 96 x 8 x 8\]",
        ),
        (SimpleNamespace(template=SEEN[0].template), "'search' is NoneType"),
        (SimpleNamespace(template=SEEN[0].template, search=SEEN[0].search.astype(np.float64)), "'search' is float64"),
    ],
)
def test_features_of_another_tracker_are_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        PREDICTOR.encode(TrackerOutput([1.0, 1, 2, 2], 1.0, wrong))


def test_an_empty_track_is_refused():
    with pytest.raises(InputError, match="empty"):
        PREDICTOR.predict(Track())


def test_networks_that_do_not_belong_together_are_refused():
    predictor = Stub({**SHAPES, "vectors": (1, 3, 2, 16), "seen": (1, 3)}, OUTPUTS)
    with pytest.raises(InputError, match="came without its encoder"):
        Joint(predictor)
    with pytest.raises(InputError, match="not the encoder of this joint network"):
        Joint(predictor, Stub(MAPS, {"vector": (1, 2, 24)}))
    with pytest.raises(InputError, match="not a joint network: it takes step"):
        Joint(Stub(SHAPES, OUTPUTS), predictor)
