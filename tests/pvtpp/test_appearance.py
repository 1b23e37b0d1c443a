"""Appearance similarity: high for a target that changes slowly, low for what covers it, which is not learned."""

import numpy as np
import pytest

from pvtpp.appearance import AppearanceConfig, AppearanceTracker
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput

FRAME = 10**9 // 30
BOX = np.array([80.0, 60, 40, 24])


class Here:
    """A tracker that always answers with the first box and score 1."""

    def init(self, frame, box):
        self.box = box

    def track(self, frame, search_box=None):
        return TrackerOutput(self.box, 1.0, features="its own")


def texture(seed, shape=(120, 160)):
    import cv2

    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 255, (15, 20, 3), dtype=np.uint8), shape[::-1], interpolation=cv2.INTER_CUBIC)


def similarities(images, box=BOX):
    tracker = AppearanceTracker(Here())
    tracker.init(Frame(0, 0, images[0]), box)
    return [tracker.track(Frame(i, i * FRAME, image)).similarity for i, image in enumerate(images[1:], 1)]


def test_the_same_target_has_a_high_similarity_in_other_light_and_with_noise():
    image = texture(1)
    darker = (image * 0.6).astype(np.uint8)
    rng = np.random.default_rng(2)
    noisy = np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)
    assert min(similarities([image, image, darker, noisy])) > 0.95


@pytest.mark.parametrize("other", [texture(7), np.full((120, 160, 3), 90, np.uint8)])
def test_something_else_has_a_low_similarity_whatever_the_score_is(other):
    assert similarities([texture(1), other])[0] < 0.4


def test_a_slow_change_is_learned_and_the_first_appearance_is_not_forgotten():
    first, last = texture(1).astype(float), texture(7).astype(float)
    change = [(first * (1 - s) + last * s).astype(np.uint8) for s in np.linspace(0, 1, 120)]
    found = similarities([*change, change[0]])
    assert min(found) > 0.7


def test_what_covers_the_target_at_once_is_not_learned():
    target, cover = texture(1), texture(7)
    found = similarities([target, *[target] * 10, *[cover] * 60, target])
    assert max(found[10:70]) < 0.5 and found[-1] > 0.95


def test_what_covers_the_target_bit_by_bit_is_not_learned():
    target, cover = texture(1), texture(7)
    half_hidden = []
    for edge in np.linspace(60, 100, 9).astype(int):
        image = target.copy()
        image[:, :edge] = cover[:, :edge]
        half_hidden.append(image)
    found = similarities([target, *[target] * 20, *half_hidden, *[cover] * 60, target])
    assert max(found[-61:-1]) < 0.5 and found[-1] > 0.95


def test_after_init_the_old_target_is_forgotten():
    tracker = AppearanceTracker(Here())
    for start, seed in ((0, 1), (100, 7)):
        image = texture(seed)
        tracker.init(Frame(start, start * FRAME, image), BOX)
        found = [tracker.track(Frame(i, i * FRAME, image)).similarity for i in range(start + 1, start + 30)]
        assert min(found) > 0.95
    assert tracker.track(Frame(200, 200 * FRAME, texture(1))).similarity < 0.5


def test_all_else_is_the_trackers_own_and_without_an_image_there_is_no_similarity():
    tracker = AppearanceTracker(Here())
    tracker.init(Frame(0, 0), BOX)
    output = tracker.track(Frame(1, FRAME))
    assert output.similarity is None and output.features == "its own" and output.score == 1.0


def test_a_target_at_the_border_or_of_a_pixel_is_no_error():
    image = texture(1)
    assert similarities([image, image], np.array([0.0, 0, 30, 30]))[0] > 0.9
    assert similarities([image, image], np.array([80.0, 60, 0.5, 0.5]))[0] >= 0


@pytest.mark.parametrize(
    "wrong",
    [{"learned_from": 0}, {"usual": 1.2}, {"least_usual": 0}, {"memory_s": 0}, {"undo_s": -1}, {"width": float("inf")}],
)
def test_a_setting_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        AppearanceConfig(**wrong)
