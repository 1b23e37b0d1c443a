"""Variations of a clip: boxes move with the image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.clip import Clip
from pvtpp.errors import InputError
from pvtpp.tracker import Frame

pytest.importorskip("torch")
from pvtpp.training.variations import Variation, vary, with_variations

WIDTH, HEIGHT, FPS = 160, 120, 30


def clip(frames=40, every=2):
    """A bright rectangle drifts over black ground; every second annotated frame is shown."""
    t_ns = np.rint(np.arange(frames) * 1e9 / FPS).astype(np.int64)
    truth = np.stack(
        [60 + 0.8 * np.arange(frames), 60 - 0.3 * np.arange(frames), np.full(frames, 24.0), np.full(frames, 16.0)], 1
    )

    def image(box):
        x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
        inside = (np.abs(x - box[0]) < box[2] / 2) & (np.abs(y - box[1]) < box[3] / 2)
        return np.repeat((inside * 255).astype(np.uint8)[..., None], 3, axis=2)

    shown = [Frame(i, int(t_ns[k]), image(truth[k])) for i, k in enumerate(range(0, frames, every))]
    return Clip("clip", len(shown), shown.__getitem__, t_ns, truth)


def seen(image):
    """The box around the bright pixels, counting grey borders in part."""
    weight = image[..., 0] / 255.0
    x, y = np.meshgrid(np.arange(image.shape[1]) + 0.5, np.arange(image.shape[0]) + 0.5)
    centre = (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
    return np.array([*centre, weight.sum()])


GENTLE = Variation(swing=(0.05, 0.3), zoom=(0.01, 0.05))


@given(st.integers(0, 10**6))
def test_boxes_lie_on_the_target_in_the_image(seed):
    made = vary(clip(), GENTLE, np.random.default_rng(seed), "clip+1")
    for frame in map(made.frame, range(0, made.length, made.length // 3)):
        box = made.box_at(frame.t_ns)
        if not np.isfinite(box).all() or (box[:2] < 25).any() or (box[:2] > (WIDTH - 25, HEIGHT - 25)).any():
            continue
        x, y, area = seen(frame.image)
        np.testing.assert_allclose([x, y], box[:2], atol=0.6)
        assert area == pytest.approx(box[2] * box[3], rel=0.12)


def test_the_same_generator_gives_the_same_clip_and_the_source_stays_as_it_was():
    source = clip()
    first, second = (vary(source, Variation(), np.random.default_rng(3), "v") for _ in range(2))
    np.testing.assert_array_equal(first.truth, second.truth)
    np.testing.assert_array_equal(first.frame(5).image, second.frame(5).image)
    np.testing.assert_array_equal(source.truth, clip().truth)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (1.0, -1)])
def test_mirrored_and_reversed_motion_turns_round(share, expected):
    still = Variation(mirrored=share, reversed=0.0, speeds=(1,), swing=(1e-6, 2e-6), zoom=(1e-6, 2e-6))
    step = np.diff(vary(clip(), still, np.random.default_rng(0), "v").truth[:, :2], axis=0)
    np.testing.assert_allclose(step, [[0.8 * expected, -0.3]] * len(step), atol=1e-3)
    backwards = Variation(mirrored=0.0, reversed=share, speeds=(1,), swing=(1e-6, 2e-6), zoom=(1e-6, 2e-6))
    made = vary(clip(), backwards, np.random.default_rng(0), "v")
    np.testing.assert_allclose(np.diff(made.truth[:, 0]), 0.8 * expected, atol=1e-3)
    assert made.frame_t_ns() == sorted(made.frame_t_ns())
    assert all(np.isfinite(made.box_at(t_ns)).all() for t_ns in made.frame_t_ns())


def test_a_hastened_clip_moves_faster_at_the_same_rate():
    fast = Variation(mirrored=0.0, reversed=0.0, speeds=(2,), swing=(1e-6, 2e-6), zoom=(1e-6, 2e-6))
    made = vary(clip(), fast, np.random.default_rng(0), "v")
    np.testing.assert_allclose(np.diff(made.truth[:, 0]), 1.6, atol=1e-3)
    assert made.length == 10 and np.ptp(np.diff(made.frame_t_ns())) <= 1
    x, y, _ = seen(made.frame(3).image)
    np.testing.assert_allclose([x, y], made.box_at(made.frame(3).t_ns)[:2], atol=0.6)


def test_what_the_other_camera_does_not_show_is_absent():
    wild = Variation(swing=(6.0, 8.0))
    made = vary(clip(), wild, np.random.default_rng(1), "v")
    gone = ~np.isfinite(made.truth).all(1)
    assert gone.any()
    inside = made.truth[~gone, :2]
    assert (inside >= 0).all() and (inside <= (WIDTH, HEIGHT)).all()


def test_every_clip_comes_with_its_variations():
    made = list(with_variations([clip(), clip()], 2, GENTLE))
    assert [each.name for each in made] == ["clip", "clip+0", "clip+1"] * 2
    assert not np.array_equal(made[1].truth, made[2].truth) and not np.array_equal(made[1].truth, made[4].truth)


def test_images_are_read_when_looked_at():
    read = []
    source = clip()

    def noted(index):
        frame = source.frame(index)
        return Frame(index, frame.t_ns, lambda: read.append(index) or frame.image)

    made = Clip("c", source.length, noted, source.truth_t_ns, source.truth)
    made = vary(made, GENTLE, np.random.default_rng(0), "v")
    before = len(read)
    assert isinstance(made.frame(7).image, np.ndarray) and len(read) == before + 1 <= 2
    assert cv2.countNonZero(made.frame(7).image[..., 0]) > 0


@pytest.mark.parametrize(
    "wrong", [{"mirrored": 2.0}, {"speeds": ()}, {"speeds": (0,)}, {"swing": (0.0, 1.0)}, {"zoom": (2.0, 1.0)}]
)
def test_variations_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="Variation"):
        Variation(**wrong)
