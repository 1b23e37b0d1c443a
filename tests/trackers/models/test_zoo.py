"""Every tracker network has the published shapes, loads its published checkpoint, and refuses any other file."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp_trackers.models import zoo  # noqa: E402
from pvtpp_trackers.models.parts import engines, matched, parameter_groups, settle  # noqa: E402

torch.set_num_threads(1)
LAYOUTS = Path(__file__).parents[2] / "assets" / "pysot"
PYSOT = sorted(path.stem for path in LAYOUTS.glob("*.txt"))
# Side of the search crop; cells of template, search region and answers.
SIZES = dict.fromkeys(PYSOT, (255, 7, 31, 25)) | {"siamrpn-alexnet": (287, 6, 26, 21)}


def layout(name):
    """Key and shape of every tensor in the published checkpoint, in its order."""
    lines = [line.partition(" ") for line in (LAYOUTS / f"{name}.txt").read_text().splitlines()]
    return {key: tuple(int(side) for side in shape.split("x") if side) for key, _, shape in lines}


def checkpoint(name):
    """A state dict of the published layout, every tensor filled with random numbers of its own."""
    generator = torch.Generator().manual_seed(1)
    return {
        key: torch.randint(0, 9, shape)
        if key.endswith("num_batches_tracked")
        else torch.randn(shape, generator=generator)
        for key, shape in layout(name).items()
    }


@pytest.fixture(scope="module")
def models():
    """Networks with random weights and settled statistics, each made once."""
    made = {}

    def get(name):
        if name not in made:
            torch.manual_seed(0)
            made[name] = settle(zoo.create(name))
        return made[name]

    return get


def crops(name, count=1):
    generator = torch.Generator().manual_seed(2)
    return [torch.rand(count, 3, side, side, generator=generator) * 255 for side in (127, SIZES[name][0])]


def test_the_four_published_layouts_are_the_zoo_beside_nanotrack():
    assert {*PYSOT, "nanotrack-v3"} == set(zoo.MODELS)


@pytest.mark.parametrize("name", PYSOT)
def test_every_published_tensor_has_its_place_and_every_place_its_tensor(name):
    with torch.device("meta"):
        model, tensors = zoo.create(name), {key: torch.empty(shape) for key, shape in layout(name).items()}
    found = matched(model, tensors, name)
    assert {key: tensor.shape for key, tensor in found.items()} == {
        key: t.shape for key, t in model.state_dict().items()
    }
    # A bijection: no published tensor is used twice or left over.
    assert sorted(id(tensor) for tensor in found.values()) == sorted(id(tensor) for tensor in tensors.values())


@pytest.mark.parametrize("name", PYSOT)
def test_the_published_tensor_shapes(models, name):
    side, small, large, answer = SIZES[name]
    model = models(name)
    levels = 3 if name in ("siamrpn-mobilenetv2", "siamrpn-resnet50") else 1
    template, search, head, *_ = engines(model)
    z, x = (crop.numpy() for crop in crops(name))
    seen = list(template.run({"image": z}).values()), list(search.run({"image": x}).values())
    assert [array.shape for array in seen[0]] == [(1, 256, small, small)] * levels
    assert [array.shape for array in seen[1]][:levels] == [(1, 256, large, large)] * levels
    maps = head.run(dict(zip([spec.name for spec in head.inputs], seen[0] + seen[1][:levels], strict=True)))
    assert (maps["cls"].shape, maps["loc"].shape) == ((1, 10, answer, answer), (1, 20, answer, answer))
    assert all(np.isfinite(array).all() for array in maps.values())
    with torch.inference_mode():
        whole = model(torch.from_numpy(z), torch.from_numpy(x))
    np.testing.assert_allclose(whole[0], maps["cls"], atol=1e-5)
    np.testing.assert_allclose(whole[1], maps["loc"], atol=1e-5)


@pytest.mark.parametrize("name", zoo.MODELS)
def test_a_part_gives_what_its_specs_say(models, name):
    for part in models(name).parts().values():
        with torch.inference_mode():
            found = part.module(*(torch.rand(each.shape) for each in part.inputs))
        found = (found,) if torch.is_tensor(found) else found
        assert [tuple(tensor.shape) for tensor in found] == [each.shape for each in part.outputs]


def test_siammask_draws_masks_coarse_everywhere_and_fine_at_one_cell(models):
    model = models("siammask-resnet50")
    with torch.inference_mode():
        *_, coarse = model(*crops("siammask-resnet50"))
        refine = model.parts()["refine"]
        fine = refine.module(*(torch.rand(each.shape) for each in refine.inputs))
    assert coarse.shape == (1, 63 * 63, 25, 25)
    assert fine.shape == (1, 127, 127)


@pytest.mark.parametrize("name", ["siamrpn-alexnet", "siamrpn-mobilenetv2", "nanotrack-v3"])
def test_a_training_step_changes_the_joint_parts_and_nothing_else(name):
    torch.manual_seed(0)
    model = zoo.create(name)
    model.freeze_except(*model.joint)
    model.train()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    cls, loc, *_ = model(
        *(torch.rand(part.inputs[0].shape).repeat(2, 1, 1, 1) for part in list(model.parts().values())[:2])
    )
    (cls.square().sum() + loc.square().sum()).backward()
    torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-3).step()
    changed = {key for key, tensor in model.state_dict().items() if not torch.equal(tensor, before[key])}
    named = {key for key in before if key.startswith(tuple(part + "." for part in model.joint))}
    assert changed <= named
    assert {key for key in named if key.endswith("running_mean")} <= changed


@pytest.mark.parametrize("name", zoo.MODELS)
def test_parameter_groups_hold_every_parameter_once_and_the_joint_parts_apart(name):
    with torch.device("meta"):
        model = zoo.create(name)
    groups = parameter_groups(model)
    assert list(groups) == ["backbone", *model.joint] and all(groups.values())
    grouped = [id(parameter) for group in groups.values() for parameter in group]
    assert sorted(grouped) == sorted(id(parameter) for parameter in model.parameters())


def save(path, name, change=lambda tensors: None, nest="state_dict"):
    tensors = {f"module.{key}": tensor for key, tensor in checkpoint(name).items()}
    change(tensors)
    torch.save({nest: tensors, "epoch": 20}, path)
    return path


def test_a_checkpoint_loads_as_training_left_it(tmp_path):
    model = zoo.load("siamrpn-alexnet", save(tmp_path / "model.pth", "siamrpn-alexnet"))
    assert not model.training
    published = checkpoint("siamrpn-alexnet")["rpn_head.loc.conv_search.0.weight"]
    assert torch.equal(model.head.levels[0].loc.search[0].weight, published)


def test_alexnets_other_spelling_loads_too(tmp_path):
    places = {0: "1.0", 1: "1.1", 4: "2.0", 5: "2.1", 8: "3.0", 9: "3.1", 11: "4.0", 12: "4.1", 14: "5.0", 15: "5.1"}

    def respell(tensors):
        for key in [key for key in tensors if ".features." in key]:
            index, rest = key.split(".features.")[1].split(".", 1)
            tensors[f"module.backbone.layer{places[int(index)]}.{rest}"] = tensors.pop(key)

    path = save(tmp_path / "model.pth", "siamrpn-alexnet", respell)
    assert zoo.identify(path) == "siamrpn-alexnet"


def test_counters_and_fusion_weights_may_lack():
    model, tensors = zoo.create("siamrpn-resnet50"), checkpoint("siamrpn-resnet50")
    older = {key: tensor for key, tensor in tensors.items() if not key.endswith(("num_batches_tracked", "_weight"))}
    found = matched(model, older, "otb.pth")
    assert found["head.cls_weight"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("module.rpn_head.cls.head.3.bias"), r"the file lacks head\.levels\.0\.cls\.output\.3\.bias"),
        (lambda t: t.update({"module.extra": torch.zeros(1)}), r"SiamRPN \(AlexNet\) has no place for extra"),
        (
            lambda t: t.update({"module.rpn_head.cls.head.3.bias": torch.zeros(6)}),
            r"head\.levels\.0\.cls\.output\.3\.bias is \[6\], not \[10\]",
        ),
    ],
)
def test_loading_is_strict(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        zoo.load("siamrpn-alexnet", save(tmp_path / "model.pth", "siamrpn-alexnet", change))


def test_weights_of_another_network_are_named(tmp_path):
    path = save(tmp_path / "model.pth", "siamrpn-alexnet")
    with pytest.raises(InputError, match="the weights of siamrpn-alexnet, not of siamrpn-mobilenetv2"):
        zoo.load("siamrpn-mobilenetv2", path)


class Code:
    def __reduce__(self):
        return (print, ("run",))


def test_a_truncated_file_and_one_with_code_are_refused_unrun(tmp_path, capsys):
    path = save(tmp_path / "model.pth", "siamrpn-alexnet")
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(InputError, match="damaged, or no torch checkpoint"):
        zoo.load("siamrpn-alexnet", path)
    path.write_bytes(pickle.dumps({"state_dict": Code()}))
    with pytest.raises(InputError, match="not a file of tensors alone|damaged"):
        zoo.load("siamrpn-alexnet", path)
    assert capsys.readouterr().out == ""


def test_an_unknown_network_is_refused_with_the_known():
    with pytest.raises(InputError, match="'dimp50'; there are nanotrack-v3, siamrpn-mobilenetv2"):
        zoo.create("dimp50")
