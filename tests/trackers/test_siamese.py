"""One tracker for the whole family: its engines must fit, crops have the type they ask for, steps are PySOT's."""

from __future__ import annotations

import hashlib
import json

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec
from pvtpp.tracker import Frame
from pvtpp_trackers.decode import AnchorDecoder, SiameseConfig
from pvtpp_trackers.siamese import SiameseTracker, exported

CONFIG = SiameseConfig(
    window_influence=0.4, penalty_k=0.05, size_rate=0.38, score_size=9, stride=8, exemplar=31, instance=95
)


class Toy:
    """An engine that computes its outputs from its inputs by a function, in the order of the specs."""

    def __init__(self, inputs, outputs, function):
        self.inputs, self.outputs, self._function = inputs, outputs, function

    def run(self, inputs):
        assert all(spec.accepts(inputs[spec.name]) for spec in self.inputs)
        values = self._function(*(inputs[spec.name] for spec in self.inputs))
        return {spec.name: value for spec, value in zip(self.outputs, values)}


def spec(name, *shape, dtype=np.float32):
    return TensorSpec(name, (1, *shape), np.dtype(dtype))


def pixels(crop):
    return crop[0].transpose(2, 0, 1)[None] if crop.dtype == np.uint8 else crop


def family(as_bytes=False, small=3, answers=20, instance=95):
    """Engines of a network that sees brightness: two levels, and scores that follow the mean of each cell's window."""

    def levels(crop, cells):
        shown = cv2.resize(
            pixels(crop)[0].mean(axis=0).astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA
        )
        return [shown[None, None] * scale for scale in (1.0, 0.5)]

    def head(z1, z2, x1, x2):
        score = cv2.resize((x1 + x2)[0, 0] / (z1 + z2).mean(), (9, 9), interpolation=cv2.INTER_AREA)
        grid = np.arange(9) / 40
        # Growth so that an anchor of 64 pixels is about the target's 15.
        boxes = np.stack([np.roll(np.add.outer(grid, grid), k) - 1.6 * (k >= answers // 2) for k in range(answers)])
        return [np.stack([-score] * 5 + [score * (1 + k / 10) for k in range(5)])[None], boxes[None].astype(np.float32)]

    def crop(size):
        return spec("image", size, size, 3, dtype=np.uint8) if as_bytes else spec("image", 3, size, size)

    template = [spec(f"z{level}", 1, small, small) for level in (1, 2)]
    search = [spec(f"x{level}", 1, 11, 11) for level in (1, 2)]
    return (
        Toy([crop(31)], template, lambda image: levels(image, small)),
        Toy([crop(instance)], search, lambda image: [*levels(image, 11)]),
        Toy(
            [*[spec(f"z{n}", 1, 3, 3) for n in (1, 2)], *search],
            [spec("cls", 10, 9, 9), spec("loc", answers, 9, 9)],
            head,
        ),
    )


def frames(count=8):
    rng = np.random.default_rng(4)
    ground = cv2.resize(rng.integers(0, 90, (24, 32, 3), dtype=np.uint8), (320, 240))
    for index in range(count):
        image = ground.copy()
        cv2.circle(image, (150 + 4 * index, 120 + index), 9, (250, 240, 230), -1)
        yield Frame(index, index, image)


FIRST = np.array([150.0, 120.0, 18.0, 20.0])


def pysot(shown, first, engines, config):
    """Boxes (left, top, width, height) of PySOT's tracker, written step by step from its description."""
    template_engine, search_engine, head = engines
    images = [frame.image for frame in shown]
    left, top, w, h = first[0] - first[2] / 2, first[1] - first[3] / 2, first[2], first[3]
    centre, size = np.array([left + (w - 1) / 2, top + (h - 1) / 2]), np.array([w, h])
    fill = np.floor(images[0].mean(axis=(0, 1)))

    def subwindow(image, side, out):
        c = (side + 1) / 2
        x, y = (int(np.floor(value - c + 0.5)) for value in centre)
        padded = cv2.copyMakeBorder(image, side, side, side, side, cv2.BORDER_CONSTANT, value=fill.tolist())
        cut = padded[y + side : y + 2 * side, x + side : x + 2 * side]
        patch = cut if side == out else cv2.resize(cut, (out, out))
        return patch.transpose(2, 0, 1)[None].astype(np.float32)

    s_z = np.sqrt((w + 0.5 * size.sum()) * (h + 0.5 * size.sum()))
    z = template_engine.run({"image": subwindow(images[0], round(s_z), config.exemplar)})
    hann = np.hanning(9)
    window = np.tile(np.outer(hann, hann).flatten(), 5)
    anchor = np.repeat([[104, 32], [88, 40], [64, 64], [40, 80], [32, 96]], 81, axis=0)
    grid_y, grid_x = (np.tile(axis.flatten(), 5) * 8 - 32 for axis in np.mgrid[:9, :9])
    for image in images[1:]:
        pad = config.context * size.sum()
        s_z = np.sqrt((size[0] + pad) * (size[1] + pad))
        scale = config.exemplar / s_z
        x = search_engine.run(
            {"image": subwindow(image, round(s_z * config.instance / config.exemplar), config.instance)}
        )
        maps = head.run({**z, **x})
        logits = maps["cls"].reshape(2, -1).astype(float)
        score = np.exp(logits[1]) / np.exp(logits).sum(axis=0)
        delta = maps["loc"].reshape(4, -1).astype(float)
        px, py = delta[0] * anchor[:, 0] + grid_x, delta[1] * anchor[:, 1] + grid_y
        pw, ph = np.exp(delta[2]) * anchor[:, 0], np.exp(delta[3]) * anchor[:, 1]

        def change(r):
            return np.maximum(r, 1 / r)

        def side(w, h):
            return np.sqrt((w + (w + h) * 0.5) * (h + (w + h) * 0.5))

        s_c = change(side(pw, ph) / side(*(size * scale)))
        r_c = change((size[0] / size[1]) / (pw / ph))
        penalty = np.exp(-(r_c * s_c - 1) * config.penalty_k)
        pscore = penalty * score * (1 - config.window_influence) + window * config.window_influence
        best = np.argmax(pscore)
        rate = penalty[best] * score[best] * config.size_rate
        centre = np.clip(centre + np.array([px[best], py[best]]) / scale, 0, image.shape[1::-1])
        size = np.clip(size * (1 - rate) + np.array([pw[best], ph[best]]) / scale * rate, 10, image.shape[1::-1])
        yield [*(centre - size / 2), *size, score[best]]


def followed(engines, shown):
    tracker = SiameseTracker("toy", AnchorDecoder(CONFIG), engines)
    tracker.init(shown[0], FIRST)
    return [tracker.track(frame) for frame in shown[1:]]


def test_the_whole_tracker_is_pysots_step_by_step():
    shown, engines = list(frames()), family()
    found = [[*(o.box[:2] - o.box[2:] / 2), *o.box[2:], o.score] for o in followed(engines, shown)]
    want = list(pysot(shown, FIRST, engines, CONFIG))
    assert np.ptp(np.array(want)[:, 0]) > 3
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-2)


def test_an_engine_that_takes_bytes_gets_the_same_crop():
    shown = list(frames())
    planes, bytes_ = (np.array([o.box for o in followed(family(as_bytes), shown)]) for as_bytes in (False, True))
    assert np.array_equal(planes, bytes_)


def test_features_are_the_last_level_read_only():
    one, two = followed(family(), list(frames(3)))
    assert (one.features.template.shape, one.features.search.shape) == ((1, 1, 3, 3), (1, 1, 11, 11))
    assert two.features.template is one.features.template and two.features.search is not one.features.search
    assert not (one.features.template.flags.writeable or one.features.search.flags.writeable)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"small": 4}, r"toy: what the head takes as 'z1' is \[1, 1, 3, 3\], expected \[1, 1, 4, 4\]"),
        ({"answers": 4}, r"toy: the head's 'loc' is \[1, 4, 9, 9\], expected \[1, 20, 9, 9\]"),
        ({"instance": 63}, r"toy: the search region's crop is \[63, 63\], expected \[95, 95\]"),
    ],
)
def test_engines_that_do_not_fit_are_refused_when_the_tracker_is_made(wrong, message):
    with pytest.raises(InputError, match=message):
        SiameseTracker("toy", AnchorDecoder(CONFIG), family(**wrong))


def test_too_few_engines_are_refused_by_name():
    with pytest.raises(InputError, match="toy: takes 3 engines, template, search, head; got 2"):
        SiameseTracker("toy", AnchorDecoder(CONFIG), family()[:2])


def test_a_folder_without_a_sidecar_is_no_exported_network(tmp_path):
    assert exported("toy", None, 1, "") is None
    assert exported("toy", tmp_path, 1, "") is None
    graph = {"file": "head.onnx", "sha256": hashlib.sha256(b"graph").hexdigest(), "inputs": [], "outputs": []}
    (tmp_path / "head.onnx").write_bytes(b"graph")
    card = {
        "format": 1,
        "model": "other",
        "form": "grouped",
        "precision": "fp32",
        "pixels": False,
        "graphs": {"head": graph},
    }
    (tmp_path / "artefact.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match="an exported network of 'other', expected one of 'toy'"):
        exported("toy", tmp_path, 1, "")
