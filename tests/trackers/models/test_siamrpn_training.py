"""SiamRPN++ in training: maps recorded before the neck lead to its own features, and its loss to the truth."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from pvtpp.boxes import iou  # noqa: E402
from pvtpp.tracker import Frame  # noqa: E402
from pvtpp_trackers import registry  # noqa: E402
from pvtpp_trackers.decode import anchor_sizes  # noqa: E402
from pvtpp_trackers.models import zoo  # noqa: E402
from pvtpp_trackers.models.parts import engines, settle  # noqa: E402
from pvtpp_trackers.models.siamrpn_training import BOX_WEIGHT, NeckAndHead  # noqa: E402
from pvtpp_trackers.recorder import Recorder  # noqa: E402
from pvtpp_trackers.siamese import context_side  # noqa: E402
from pvtpp_trackers.siamese_configs import CONFIGS  # noqa: E402

torch.set_num_threads(1)
NAME = "siamrpn-mobilenetv2"
BEFORE, TRUTH = [80.0, 60, 30, 20], [82.0, 61, 33, 21]


@pytest.fixture(scope="module", params=[NAME, "siamrpn-alexnet"])
def model(request):
    torch.manual_seed(0)
    return settle(zoo.create(request.param))


def test_the_recorder_tracks_as_the_tracker_and_its_maps_lead_to_the_features(model):
    part = NeckAndHead(copy.deepcopy(model))
    recorder, tracker = Recorder(part), registry.create(model.name, engines=engines(model))
    rng = np.random.default_rng(0)
    first, *rest = [Frame(i, i, rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)) for i in range(2)]
    for each in (recorder, tracker):
        each.init(first, np.array([80.0, 60, 30, 20]))
    for frame in rest:
        recorded, tracked = recorder.track(frame), tracker.track(frame)
        np.testing.assert_allclose(recorded.box, tracked.box, rtol=1e-4)
        maps = recorded.features
        with torch.no_grad():
            seen = part.see(torch.from_numpy(maps.template), torch.from_numpy(maps.search)[None])
        template, search = map(part.read, seen)
        assert (template.shape[1:], search.shape[2:]) == part.shapes
        np.testing.assert_allclose(template.numpy(), tracked.features.template, atol=1e-4)
        np.testing.assert_allclose(search[0].numpy(), tracked.features.search, atol=1e-4)


def test_both_losses_reach_neck_and_head_and_nothing_before(model):
    part = NeckAndHead(copy.deepcopy(model)).train()
    sides = [spec.shape[-1] for spec in (model.parts()["template"].inputs[0], model.parts()["search"].inputs[0])]
    with torch.no_grad():
        maps = [part.early(torch.rand(2, 3, side, side) * 255) for side in sides]
    template, search = part.see(maps[0], maps[1][:, None])
    made = part.loss(template, search[:, -1], torch.tensor([BEFORE] * 2), torch.tensor([TRUTH] * 2), torch.ones(2))
    assert all(torch.isfinite(value) and value > 0 for value in made.values())
    sum(made.values()).backward()
    reached = {name for name, p in part.model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    named = {
        name for name, _ in part.model.named_parameters() if name.startswith(tuple(f"{each}." for each in model.joint))
    }
    assert reached == named


class Answering(torch.nn.Module):
    """A head whose anchors on the target have a high score and the offset to the target."""

    def __init__(self, config, centre, size):
        super().__init__()
        n = config.score_size
        line = (np.arange(n) - n // 2) * float(config.stride)
        y, x = np.meshgrid(line, line, indexing="ij")
        anchors = np.array(
            [np.stack([x, y, np.full_like(x, w), np.full_like(x, h)]) for w, h in anchor_sizes(config.stride)]
        )
        shared = iou(np.moveaxis(anchors, 1, -1), np.array([*centre, *size]))
        self.on = shared > 0.6
        to = [(centre[i] - anchors[:, i]) / anchors[:, i + 2] for i in (0, 1)]
        to += [np.log(size[i] / anchors[:, i + 2]) for i in (0, 1)]
        sure = np.where(self.on, 9.0, -9.0)
        self.cls, self.loc = (
            torch.from_numpy(np.concatenate(maps)[None]).float()
            for maps in ((-sure, sure), [np.asarray(each) for each in to])
        )

    def forward(self, template, search):
        return self.cls, self.loc


@pytest.fixture(scope="module")
def answering():
    torch.manual_seed(0)
    part = NeckAndHead(zoo.create(NAME))
    scale = CONFIGS[NAME].exemplar / context_side(*BEFORE[2:], CONFIGS[NAME].context)
    centre = [(TRUTH[i] - BEFORE[i]) * scale for i in (0, 1)]
    part.model.head = Answering(CONFIGS[NAME], centre, [side * scale for side in TRUTH[2:]])

    def losses(truth, weight=1.0):
        none = torch.empty(1, 3, 1, 1)
        return part.loss(none, none, torch.tensor([BEFORE]), torch.tensor([truth]), torch.tensor([weight]))

    return part.model.head, losses


def test_the_loss_is_lowest_at_the_truth_in_the_crop(answering):
    head, losses = answering
    assert head.on.any()
    right = losses(TRUTH)
    assert right["box"].item() == pytest.approx(0, abs=1e-4) and right["class"].item() < 1e-3
    away = losses([60.0, 75, 33, 21])
    assert away["box"] > 0.5 and away["class"] > 1
    assert not any(value.item() for value in losses(TRUTH, weight=0.0).values())


def test_the_boxes_loss_counts_what_each_offset_is_wrong_by(answering):
    head, losses = answering
    right = head.loc
    head.loc = right + torch.tensor([0.1, 0.2, 0.3, 0.4]).repeat_interleave(5)[None, :, None, None]
    assert losses(TRUTH)["box"].item() == pytest.approx(BOX_WEIGHT * 1.0, abs=1e-4)
    head.loc = right
