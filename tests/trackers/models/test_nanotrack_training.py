"""NanoTrack V3 in training: maps recorded before the last stage lead to its own features, and its loss to the truth."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from pvtpp.tracker import Frame  # noqa: E402
from pvtpp_trackers.models.nanotrack import JOINT, NanoTrackV3, engines  # noqa: E402
from pvtpp_trackers.models.nanotrack_training import LastStage  # noqa: E402
from pvtpp_trackers.nanotrack import NanoTrack  # noqa: E402
from pvtpp_trackers.recorder import Recorder  # noqa: E402
from pvtpp_trackers.siamese import context_side  # noqa: E402
from pvtpp_trackers.siamese_configs import CONFIGS  # noqa: E402

torch.set_num_threads(1)
CONFIG = CONFIGS["nanotrack-v3"]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return NanoTrackV3().eval()


def frames(count=3):
    rng = np.random.default_rng(0)
    return [Frame(i, i, rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)) for i in range(count)]


def test_the_recorder_tracks_as_the_tracker_and_its_maps_lead_to_the_features(model):
    recorder, tracker = Recorder(LastStage(model)), NanoTrack(engines=engines(model))
    first, *rest = frames()
    box = np.array([80.0, 60, 30, 20])
    recorder.init(first, box)
    tracker.init(first, box)
    for frame in rest:
        recorded, tracked = recorder.track(frame), tracker.track(frame)
        np.testing.assert_allclose(recorded.box, tracked.box, rtol=1e-5)
        maps = recorded.features
        assert maps.template.shape == (1, 48, 8, 8) and maps.search.shape == (1, 48, 16, 16)
        part = LastStage(model).eval()
        with torch.no_grad():
            template, search = part.see(torch.from_numpy(maps.template), torch.from_numpy(maps.search)[None])
        np.testing.assert_allclose(template.numpy(), tracked.features.template, atol=1e-4)
        np.testing.assert_allclose(search[0].numpy(), tracked.features.search, atol=1e-4)


class Answering(torch.nn.Module):
    """A head that gives the target's box (pixels from the middle of the crop) at every point, and finds the target."""

    def __init__(self, centre, size, sure=8.0):
        super().__init__()
        grid = (torch.arange(15.0) - 7) * 16
        x, y = grid[None, :].expand(15, 15), grid[:, None].expand(15, 15)
        (cx, cy), (w, h) = centre, size
        self.boxes = torch.stack([x - (cx - w / 2), y - (cy - h / 2), cx + w / 2 - x, cy + h / 2 - y])
        on = (((x - cx) / w) ** 2 + ((y - cy) / h) ** 2).sqrt() <= 0.25
        self.classes = torch.stack([torch.where(on, -sure, sure), torch.where(on, sure, -sure)])

    def forward(self, template, search):
        return self.classes[None], self.boxes[None]


def losses(model, centre, size, truth, weight=1.0):
    part = LastStage(model)
    part.model.head = Answering(centre, size)
    before = torch.tensor([[200.0, 100, 40, 30]])
    return part.loss(torch.empty(1), torch.empty(1), before, torch.tensor([truth]), torch.tensor([weight]))


def test_the_loss_is_lowest_at_the_truth_in_the_crop():
    scale = CONFIG.exemplar / context_side(40, 30, CONFIG.context)
    there = ((10 * scale, -5 * scale), (44 * scale, 36 * scale))
    truth = [210.0, 95, 44, 36]
    right = losses(NanoTrackV3(), *there, truth)
    assert right["box"].item() == pytest.approx(0, abs=1e-5) and right["class"].item() < 1e-3
    away = losses(NanoTrackV3(), *there, [170.0, 120, 44, 36])
    assert away["box"] > 0.9 and away["class"] > 1
    unknown = losses(NanoTrackV3(), *there, truth, weight=0.0)
    assert not any(value.item() for value in unknown.values())


def test_overlap_is_that_of_the_boxes():
    scale = CONFIG.exemplar / context_side(40, 30, CONFIG.context)
    made = losses(NanoTrackV3(), (0, 0), (40 * scale, 30 * scale), [210.0, 100, 40, 30])
    assert made["box"].item() == pytest.approx(1 - 30 / 50, abs=1e-4)


def test_both_losses_reach_what_is_named_and_nothing_before_it():
    torch.manual_seed(0)
    part = LastStage(NanoTrackV3()).train()
    template, search = part.see(torch.rand(2, 48, 8, 8), torch.rand(2, 3, 48, 16, 16))
    made = part.loss(
        template,
        search[:, -1],
        torch.tensor([[80.0, 60, 30, 20]] * 2),
        torch.tensor([[82.0, 61, 30, 20]] * 2),
        torch.ones(2),
    )
    sum(made.values()).backward()
    reached = {name for name, p in part.model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert reached and all(name.startswith(JOINT) for name in reached)
    assert {part for part in JOINT if any(name.startswith(part) for name in reached)} == set(JOINT)
