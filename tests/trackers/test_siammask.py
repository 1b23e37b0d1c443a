"""SiamMask's mask is PySOT's, drawn where PySOT draws it, and its outline is that of the target."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pvtpp.tracker import Frame
from pvtpp_trackers.siamese_configs import CONFIGS
from pvtpp_trackers.siammask import NAME, SMALLEST, THRESHOLD, SiamMask, shape_of, windows


def painted(logits, place, image):
    """PySOT's mask over the whole image: 127 cells from `place` on, mapped onto one pixel less than there are."""
    height, width = image
    left, top, side = place
    s = 127 / side
    back = [-left * s, -top * s, width * s, height * s]
    a, b = (width - 1) / back[2], (height - 1) / back[3]
    mapping = np.array([[a, 0, -a * back[0]], [0, b, -b * back[1]]])
    return cv2.warpAffine(1 / (1 + np.exp(-logits)), mapping, (width, height))


def filled(outline, image):
    canvas = np.zeros(image, np.uint8)
    return cv2.fillPoly(canvas, [outline.astype(np.int32)], 1)


places = st.tuples(st.floats(-80, 300), st.floats(-80, 220), st.floats(20, 400))


@settings(max_examples=60)
@example((-13.0, 196.0, 350.0), 2)
@given(places, st.integers(0, 99))
def test_the_outline_is_that_of_the_mask_painted_over_the_whole_image(place, seed):
    image = 240, 320
    logits = cv2.resize(np.random.default_rng(seed).normal(-1, 4, (6, 6)).astype(np.float32), (127, 127))
    expected = (painted(logits, place, image) > THRESHOLD).astype(np.uint8)
    pieces = cv2.findContours(expected, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[-2]
    area = max((cv2.contourArea(piece) for piece in pieces), default=0.0)
    found = shape_of(logits, place, image)
    if found is None:
        assert area <= SMALLEST
        return
    corners, outline = found
    # OpenCV places samples on 1/32 pixel, counted from wherever the painting starts: the rim may differ.
    assert cv2.contourArea(outline.astype(np.int32)) == pytest.approx(area, rel=0.005, abs=8)
    assert abs(cv2.contourArea(corners.astype(np.float32))) >= cv2.contourArea(outline.astype(np.int32)) - 1
    assert (outline >= 0).all() and (outline < [image[1], image[0]]).all()


def test_a_slanted_bar_gives_its_corners():
    logits = np.full((127, 127), -20, np.float32)
    bar = cv2.boxPoints(((63.0, 63.0), (90.0, 20.0), 30.0))
    cv2.fillPoly(logits, [np.round(bar).astype(np.int32)], 20)
    corners, outline = shape_of(logits, (100.0, 50.0, 127.0), (480, 640))
    assert len(outline) > 50
    (_, size, _) = cv2.minAreaRect(corners.astype(np.float32))
    assert sorted(size) == pytest.approx([21, 91], abs=2)
    np.testing.assert_allclose(corners.mean(axis=0), [163, 113], atol=1)


def test_no_mask_is_no_shape():
    assert shape_of(np.full((127, 127), -9, np.float32), (10.0, 10.0, 100.0), (240, 320)) is None
    speck = np.full((127, 127), -9, np.float32)
    speck[60:65, 60:65] = 9
    assert shape_of(speck, (10.0, 10.0, 127.0), (240, 320)) is None
    assert shape_of(np.full((127, 127), 9, np.float32), (-300.0, 10.0, 100.0), (240, 320)) is None


@given(st.integers(0, 24), st.integers(0, 24))
def test_a_window_is_cut_from_the_padded_map(row, column):
    rng = np.random.default_rng(0)
    maps = [rng.random((1, 2, side, side)).astype(np.float32) for side in (125, 63, 31)]
    for window, map_, stride, side, padding in zip(
        windows(maps, row, column), maps, (4, 2, 1), (61, 31, 15), (16, 8, 4)
    ):
        padded = np.pad(map_, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
        rows, columns = (slice(stride * cell, stride * cell + side) for cell in (row, column))
        assert np.array_equal(window, padded[:, :, rows, columns])


@pytest.fixture(scope="module")
def network():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    from pvtpp_trackers.models import zoo
    from pvtpp_trackers.models.parts import settle

    torch.manual_seed(0)
    return settle(zoo.create("siammask-resnet50"))


def test_the_whole_tracker_paints_the_chosen_cells_mask_round_it(network):
    import torch

    from pvtpp_trackers.models.parts import engines

    called = {}

    class Refine:
        def __init__(self, engine):
            self.inputs, self.outputs, self._engine = engine.inputs, engine.outputs, engine

        def run(self, inputs):
            called.update(inputs)
            found = self._engine.run(inputs)
            # Random weights draw no shape: one stands in for it, half the window's side, in its middle.
            (name,) = found
            assert found[name].shape == (1, 127, 127)
            shape = np.full((1, 127, 127), -9, np.float32)
            shape[:, 32:95, 32:95] = 9
            return {name: shape}

    made = engines(network)
    tracker = SiamMask(engines=(*made[:3], Refine(made[3])))
    image = cv2.resize(np.random.default_rng(3).integers(0, 256, (30, 40, 3), dtype=np.uint8), (640, 480))
    box = np.array([320.0, 240.0, 60.0, 60.0])
    tracker.init(Frame(0, 0, image), box)
    output = tracker.track(Frame(1, 1, image))
    # A window as large as the template's crop, which is twice the target: half of it is as large as the target.
    assert np.ptp(output.outline, axis=0) == pytest.approx([60, 60], abs=2)
    assert np.ptp(output.corners, axis=0) == pytest.approx([60, 60], abs=2)
    with torch.inference_mode():
        parts = network.parts()
        level, *maps = parts["search"].module(torch.from_numpy(seen_crop(image, box)))
        *_, cells = parts["head"].module(torch.tensor(output.features.template), level)
    # The cell by which the refinement was asked is the one under the middle of the outline.
    middle = output.outline.mean(axis=0) - (box[:2] - 0.5)
    column, row = np.round(middle * 127 / 120 / CONFIGS[NAME].stride).astype(int) + 12
    assert np.allclose(called["cell"][0, :, 0, 0], cells[0, :, row, column], atol=1e-5)
    np.testing.assert_allclose(called["window3"], windows([m.numpy() for m in maps], row, column)[2], atol=1e-5)


def seen_crop(image, box):
    from pvtpp_trackers.crop import channel_average, crop, to_blob

    return to_blob(crop(image, *(box[:2] - 0.5), round(120 * 255 / 127), 255, channel_average(image)))
