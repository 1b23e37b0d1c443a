"""NanoTrack V3 in torch: the checkpoint computes the published graphs, and only what is named goes on learning."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp_trackers.models import nanotrack  # noqa: E402
from pvtpp_trackers.models.nanotrack import HEAD, JOINT, LAST_STAGE, NanoTrackV3, parameter_groups  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def published(weights_root):
    path = weights_root / "nanotrack" / "nanotrackv3.pth"
    if not path.is_file():
        pytest.skip("PVTPP_WEIGHTS holds no nanotrack/nanotrackv3.pth")
    return path


@pytest.fixture(scope="module")
def model(published):
    return nanotrack.load(published)


@pytest.fixture(scope="module")
def graphs(weights_root):
    pytest.importorskip("onnxruntime")
    from pvtpp import inference

    folder = weights_root / "nanotrack"
    return [inference.load(folder / f"nanotrackv3_{name}.onnx") for name in ("backbone", "head")]


@pytest.fixture(scope="module")
def crops(data_root):
    """Template and search crops of a real sequence, float32 ``(1, 3, 127, 127)`` and ``(1, 3, 255, 255)``."""
    cv2 = pytest.importorskip("cv2")
    from pvtpp.boxes import xywh_to_box
    from pvtpp_trackers.crop import channel_average, context_side, crop, to_blob

    folder = data_root / "uav-mini" / "test" / "MountainBike6"
    truth = xywh_to_box(np.loadtxt(folder / "groundtruth.txt", delimiter=",", max_rows=20))
    image = cv2.imread(str(sorted((folder / "img").glob("*.jpg"))[0]))
    x, y, w, h = truth[0]
    side, fill = context_side(w, h, 0.5), channel_average(image)
    pairs = ((round(side), 127), (round(side * 255 / 127), 255))
    return [to_blob(crop(image, x, y, cut, size, fill)) for cut, size in pairs]


def noise(size):
    return np.random.default_rng(size).uniform(0, 255, (1, 3, size, size)).astype(np.float32)


@pytest.mark.parametrize("real", [pytest.param(True, marks=pytest.mark.real_data), False])
def test_checkpoint_and_published_graphs_agree(model, graphs, request, real):
    backbone, head = graphs
    z, x = request.getfixturevalue("crops") if real else (noise(127), noise(255))
    small, large, ours = nanotrack.engines(model)
    template, search = small.run({"input": z})["output"], large.run({"input": x})["output"]
    assert template.shape == (1, 96, 8, 8) and search.shape == (1, 96, 16, 16)
    np.testing.assert_allclose(search, backbone.run({"input": x})["output"], atol=1e-3)
    features = {"input1": template, "input2": search}
    found, expected = ours.run(features), head.run(features)
    assert [maps.shape for maps in found.values()] == [(1, 2, 15, 15), (1, 4, 15, 15)]
    for name in ("output1", "output2"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-3)
    both = model(torch.from_numpy(z), torch.from_numpy(x))
    np.testing.assert_allclose(both[0].detach().numpy(), found["output1"], atol=1e-4)


def test_the_engines_carry_names_and_shapes_of_the_published_graphs(model, graphs):
    _, large, head = nanotrack.engines(model)
    for ours, theirs in zip((large, head), graphs, strict=True):
        assert (ours.inputs, ours.outputs) == (theirs.inputs, theirs.outputs)


def test_every_tensor_but_the_unused_neck_is_loaded(published, model):
    from pvtpp.weights.checkpoint import read_checkpoint

    names = [name for name in read_checkpoint(published) if not name.startswith("neck.")]
    assert len(names) == len(model.state_dict())


def test_a_batch_is_its_samples(model):
    z, x = (torch.from_numpy(np.concatenate([noise(size), noise(size)[..., ::-1]])) for size in (127, 255))
    with torch.inference_mode():
        for both, one in zip(model(z, x), model(z[1:], x[1:]), strict=True):
            torch.testing.assert_close(both[1:], one, rtol=1e-4, atol=1e-3)


def checkpoint(path, change):
    """A file with the published names, made from a fresh module by turning our names back, and then changed."""
    names = {"head.cls.tower.": "ban_head.cls_tower.", "head.reg.tower.": "ban_head.bbox_tower."}
    tensors = {}
    for name, tensor in NanoTrackV3().state_dict().items():
        ours = next((each for each in names if name.startswith(each)), None)
        tensors[names[ours] + name[len(ours) :] if ours else name] = tensor
    change(tensors)
    torch.save({"state_dict": tensors}, path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("ban_head.cls_tower.0.weight"), r"the file lacks head\.cls\.tower\.0\.weight"),
        (lambda t: t.update({"mask.weight": torch.zeros(1)}), r"NanoTrack V3 has no place for mask\.weight"),
        (
            lambda t: t.update({"ban_head.bbox_tower.1.bias": torch.zeros(64)}),
            r"head\.reg\.tower\.1\.bias is \[64\], not \[96\]",
        ),
    ],
)
def test_loading_is_strict(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        nanotrack.load(checkpoint(tmp_path / "other.pth", change))


def test_the_neck_alone_is_left_unread(tmp_path):
    path = checkpoint(tmp_path / "neck.pth", lambda t: t.update({"neck.downsample.0.weight": torch.zeros(3)}))
    assert not nanotrack.load(path).training


def test_parameter_groups_hold_every_parameter_once():
    model = NanoTrackV3()
    groups = parameter_groups(model)
    counts = {name: sum(parameter.numel() for parameter in group) for name, group in groups.items()}
    assert counts == {"backbone": 190_520, LAST_STAGE: 91_848, HEAD: 259_078}
    assert len({id(p) for group in groups.values() for p in group}) == len(list(model.parameters()))


@pytest.mark.parametrize("parts", [JOINT, ()])
def test_a_training_step_changes_what_is_named_and_nothing_else(parts):
    torch.manual_seed(0)
    model = NanoTrackV3()
    model.freeze_except(*parts)
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    classes, boxes = model(torch.rand(2, 3, 127, 127), torch.rand(2, 3, 255, 255))
    if parts:
        (classes.square().sum() + boxes.log().square().sum()).backward()
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        torch.optim.SGD(learning, lr=0.1).step()
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    named = {name for name in before if name.startswith(tuple(part + "." for part in parts))} if parts else set()
    assert changed <= named
    # A bias before a normalisation has no gradient to speak of.
    assert {name for name in named if name.endswith((".weight", "running_mean"))} <= changed


def test_unfreezing_everything_again_is_one_call():
    model = NanoTrackV3()
    model.freeze_except()
    model.freeze_except("backbone", "head")
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(module.training for module in model.train().modules())


def test_an_unknown_part_is_refused_with_the_known():
    with pytest.raises(InputError, match=r"no part 'neck'; among its parts are backbone, "):
        NanoTrackV3().freeze_except("neck")
