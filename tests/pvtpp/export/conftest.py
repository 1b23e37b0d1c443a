"""A tracker small enough to be exported in every test: a network that reads a crop and gives a direction."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from pvtpp.inference.engine import TensorSpec  # noqa: E402
from pvtpp.inference.torch import TorchEngine  # noqa: E402
from pvtpp.tracker import Frame, TrackerOutput  # noqa: E402

torch.set_num_threads(1)
SIZE = 12


def spec(name, *shape):
    return TensorSpec(name, (1, *shape), np.dtype(np.float32))


class Eye(torch.nn.Module):
    """Features of a crop, ``(1, 3, 12, 12)`` to ``(1, 4, 10, 10)``."""

    def __init__(self):
        super().__init__()
        between = [torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 1), torch.nn.ReLU()]
        last = torch.nn.Conv2d(8, 4, 3)
        self.layer = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), *between, last, torch.nn.BatchNorm2d(4))

    def forward(self, image):
        return self.layer(image / 255)


class Compass(torch.nn.Module):
    """The template's middle slid over the search features, and a direction from it, ``(1, 2)``."""

    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 1), torch.nn.ReLU(), torch.nn.Conv2d(8, 2, 1))

    def forward(self, template, search):
        kernel = template[:, :, 3:6, 3:6].permute(1, 0, 2, 3)
        seen = torch.nn.functional.conv2d(search, kernel, padding=1, groups=4)
        return torch.tanh(self.mix(seen).mean(dim=(2, 3)))


@pytest.fixture(scope="session")
def engines():
    torch.manual_seed(3)
    eye = TorchEngine(Eye(), [spec("image", 3, SIZE, SIZE)], [spec("features", 4, 10, 10)])
    compass = TorchEngine(Compass(), [spec("template", 4, 10, 10), spec("search", 4, 10, 10)], [spec("step", 2)])
    return {"eye": eye, "compass": compass}


class Follower:
    def __init__(self, engines):
        self.eye, self.compass = engines["eye"], engines["compass"]

    def _see(self, frame, box):
        x, y = np.clip(np.round(box[:2]).astype(int), 8, 40)
        patch = frame.image[y - 6 : y + 6, x - 6 : x + 6]
        pixels = self.eye.inputs[0].dtype == np.uint8
        given = patch[None] if pixels else patch.transpose(2, 0, 1)[None].astype(np.float32)
        return self.eye.run({"image": np.ascontiguousarray(given)})["features"]

    def init(self, frame, box):
        self.box = np.array(box, float)
        self.template = self._see(frame, self.box)

    def track(self, frame, search_box=None):
        box = self.box if search_box is None else np.array(search_box, float)
        step = self.compass.run({"template": self.template, "search": self._see(frame, box)})["step"][0]
        self.box = box + [4 * step[0], 4 * step[1], 0, 0]
        return TrackerOutput(self.box, 1.0)


@pytest.fixture(scope="session")
def make_tracker():
    return Follower


@pytest.fixture(scope="session")
def clip():
    from pvtpp.clip import Clip

    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 3), dtype=np.uint8)
    truth = np.array([[24.0 + i, 24, 10, 10] for i in range(8)])
    return Clip("noise", 8, lambda index: Frame(index, index, images[index]), np.arange(8), truth)
