"""M, V and MV: the paper's sizes, its arithmetic, and the parts they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp.networks.blocks import depthwise_correlation, motion_factor  # noqa: E402
from pvtpp.networks.n_head import KINDS, NHeadConfig, NHeadNetwork, as_engine, as_engines  # noqa: E402

torch.set_num_threads(1)

IDLE, AUXILIARY = 1_056, 4_484
"""Parameters of the published code: a layer that never runs, and the estimator of single steps."""


def small(kind, **changes):
    """A module quick enough to run many times, with normalisation statistics of its own."""
    torch.manual_seed(7)
    network = NHeadNetwork(NHeadConfig(kind, channels=6, width=8, narrow=5, **changes))
    for module in network.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 2.0)
    return network.eval()


def data(network, batch=2, seed=0):
    config, make = network.config, torch.Generator().manual_seed(seed)
    shapes = [(batch, config.history, 4)]
    if config.sees_images:
        shapes += [(batch, config.channels, 5, 5), (batch, config.history, config.channels, 9, 9)]
    motion, *features = (torch.randn(shape, generator=make) for shape in shapes)
    interval = torch.randint(1, 5, (batch, config.history), generator=make).float()
    return (motion, interval, *features)


def count(config):
    return sum(parameter.numel() for parameter in NHeadNetwork(config).parameters())


@pytest.mark.parametrize(
    ("kind", "published"), [("motion", 19_748), ("visual", 416_740 + AUXILIARY), ("joint", 442_988 + AUXILIARY)]
)
def test_parameter_counts_are_the_published_ones_but_for_the_layer_that_never_runs(kind, published):
    assert count(NHeadConfig(kind)) == published - IDLE


def test_without_auxiliary_branches_the_joint_module_is_what_inference_needs():
    assert count(NHeadConfig("joint", auxiliary=False)) == 430_916
    assert count(NHeadConfig("visual", auxiliary=False)) == 416_740 - IDLE
    assert count(NHeadConfig("motion", auxiliary=False)) == count(NHeadConfig("motion"))


def test_more_heads_add_their_own_layer_each():
    assert count(NHeadConfig("motion", heads=12)) - count(NHeadConfig("motion", heads=3)) == 9 * IDLE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("heads", [1, 3])
def test_every_branch_answers_for_every_head(kind, heads):
    network = small(kind, heads=heads)
    branches = network.branches(*data(network))
    assert set(branches) == (set(KINDS) if kind == "joint" else {kind})
    assert all(branch.shape == (2, heads, 4) for branch in branches.values())
    assert torch.equal(branches[kind], network(*data(network)))


@pytest.mark.parametrize("kind", KINDS)
def test_without_motion_the_target_stands_still(kind):
    network = small(kind)
    motion, *others = data(network)
    assert not network(torch.zeros_like(motion), *others).any()


def test_the_factor_is_mean_speed_per_frame_absolute_or_signed():
    motion = torch.tensor([[[2.0, -2, 0, 1], [-4.0, -4, 0, 1]]])
    interval = torch.tensor([[1.0, 4.0]])
    assert motion_factor(motion, interval, signed=False).tolist() == [[[1.5, 1.5, 0, 0.625]]]
    assert motion_factor(motion, interval, signed=True).tolist() == [[[0.5, -1.5, 0, 0.625]]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_switch_changes_the_factor_and_nothing_else(kind):
    network, signed = small(kind), small(kind, factor="signed")
    motion, interval, *features = data(network)
    absolute = motion_factor(motion, interval, signed=False)
    expected = network(motion, interval, *features) / absolute * motion_factor(motion, interval, signed=True)
    torch.testing.assert_close(signed(motion, interval, *features), expected)


def test_depthwise_correlation_slides_each_sample_s_own_kernel():
    search, kernel = torch.randn(2, 3, 6, 5), torch.randn(2, 3, 4, 2)
    found = depthwise_correlation(search, kernel)
    assert found.shape == (2, 3, 3, 4)
    torch.testing.assert_close(found[1, 2, 2, 3], (search[1, 2, 2:6, 3:5] * kernel[1, 2]).sum())


@pytest.mark.parametrize("kind", ["visual", "joint"])
def test_frames_encoded_one_by_one_give_the_same_answer(kind):
    network = small(kind)
    motion, interval, template, search = data(network)
    frames = torch.stack([network.encode(template, search[:, i]) for i in range(3)], dim=1)
    torch.testing.assert_close(network.decode(motion, interval, frames), network(motion, interval, template, search))


def test_the_auxiliary_estimate_is_one_step_per_frame():
    network = small("joint")
    _, _, template, search = data(network)
    assert network.estimate(template, search[:, 0]).shape == (2, 4)
    with pytest.raises(InputError, match="estimates no steps"):
        small("joint", auxiliary=False).estimate(template, search[:, 0])


def test_training_reaches_every_parameter():
    network = small("joint").train()
    motion, interval, template, search = data(network)
    loss = sum(branch.square().sum() for branch in network.branches(motion, interval, template, search).values())
    (loss + network.estimate(template, search[:, 0]).square().sum()).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_a_seed_gives_the_same_module():
    one, two = small("joint").state_dict(), small("joint").state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("kind", KINDS)
def test_as_an_engine_it_takes_and_gives_named_arrays(kind):
    network = small(kind)
    tensors = dict(zip(("motion", "interval", "template", "search"), data(network, batch=1), strict=False))
    engine = as_engine(network, template=5, search=9)
    found = engine.run({name: tensor.numpy() for name, tensor in tensors.items()})["offset"]
    np.testing.assert_array_equal(found, network(*tensors.values()).detach().numpy())
    assert [spec.name for spec in engine.inputs] == list(tensors)
    assert engine.outputs[0].shape == found.shape


def test_as_two_engines_shapes_meet():
    decoder, encoder = as_engines(small("joint"), template=5, search=9)
    (made,), (wanted,) = encoder.outputs, [spec for spec in decoder.inputs if spec.name == "similarity"]
    ones = {spec.name: np.ones(spec.shape, np.float32) for spec in encoder.inputs}
    assert encoder.run(ones)["similarity"].shape == made.shape == wanted.shape[:1] + wanted.shape[2:]
    with pytest.raises(InputError, match="no frames to encode"):
        as_engines(small("motion"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "mv"}, "'mv', allowed is one of: motion, visual, joint"),
        ({"factor": "mean"}, "absolute, signed"),
        ({"heads": 0}, "heads is 0"),
        ({"history": 2.0}, "history is 2.0"),
        ({"channels": True}, "channels is True"),
        ({"auxiliary": 1}, "auxiliary is 1"),
    ],
)
def test_a_wrong_configuration_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        NHeadConfig(**{"kind": "joint", **changes})


def test_an_unknown_setting_is_refused_with_the_known():
    with pytest.raises(InputError, match="'depth'.*known are kind, heads"):
        NHeadConfig.from_dict({"kind": "motion", "depth": 3})
    config = NHeadConfig("visual", heads=6)
    assert NHeadConfig.from_dict(config.as_dict()) == config


def test_missing_features_are_named():
    network = small("visual")
    motion, interval, *_ = data(network)
    with pytest.raises(InputError, match="needs the features of template and search"):
        network(motion, interval)
    with pytest.raises(InputError, match="needs encoded frames"):
        network.decode(motion, interval)
