"""Generated scenes: a textured target over a textured background, each moved by a known amount."""

import cv2
import numpy as np
import pytest

WIDTH, HEIGHT = 320, 240
STEP_NS = 33_333_333


def texture(seed, width, height, grain=3):
    """Smooth random texture, uint8 grey."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 226, (height // grain + 4, width // grain + 4)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


class Scene:
    """`grey(box, camera)` shows the target at `box` while the background has moved by `camera` pixels."""

    def __init__(self, seed=0, background_grain=5, target_grain=3):
        self.background = texture(seed, 2 * WIDTH, 2 * HEIGHT, background_grain)
        self.target = texture(seed + 1, 120, 120, target_grain)

    def grey(self, box, camera=(0.0, 0.0)):
        move = np.array([[1.0, 0, camera[0] - WIDTH / 2], [0, 1.0, camera[1] - HEIGHT / 2]])
        image = cv2.warpAffine(self.background, move, (WIDTH, HEIGHT))
        if box is None:
            return image
        x, y, w, h = box
        to_unit = np.array(
            [[w / 120, 0, x - w / 2 + 0.5 * w / 120 - 0.5], [0, h / 120, y - h / 2 + 0.5 * h / 120 - 0.5]]
        )
        small = max(int(round(min(120 / w, 120 / h))), 1)
        shown = cv2.blur(self.target, (small, small))
        target = cv2.warpAffine(shown, to_unit, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(np.full((120, 120), 255, np.uint8), to_unit, (WIDTH, HEIGHT)) / 255.0
        return (image * (1 - mask) + target * mask).round().astype(np.uint8)

    def image(self, box, camera=(0.0, 0.0)):
        return np.repeat(self.grey(box, camera)[:, :, None], 3, axis=2)


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def make_scene():
    return Scene
