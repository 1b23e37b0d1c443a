"""The joint network: the motion network as long as it is untrained, and what features can and cannot change."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp.networks.joint import JointConfig, JointNetwork, load, save, specs  # noqa: E402
from pvtpp.networks.motion import MotionConfig, MotionNetwork  # noqa: E402
from pvtpp.predictors.motion import INPUTS  # noqa: E402

torch.set_num_threads(1)
SMALL = JointConfig(
    motion=MotionConfig(history=6, width=8), channels=5, template=4, search=9, compared=4, kept=2, vector=3, frames=3
)


def trained(config=SMALL, seed=0):
    torch.manual_seed(seed)
    network = JointNetwork(config)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


def inputs(config=SMALL, batch=3, seed=0):
    make = torch.Generator().manual_seed(seed)
    wanted, _ = specs(config)[1]
    made = {spec.name: 0.05 * torch.randn(batch, *spec.shape[1:], generator=make) for spec in wanted}
    made["interval"] = 0.03 + 0.1 * torch.rand(made["interval"].shape, generator=make)
    made["score"], made["propagated"] = torch.ones_like(made["score"]), torch.zeros_like(made["propagated"])
    made["seen"] = torch.ones_like(made["seen"])
    return made


def features(config=SMALL, batch=3, seed=0):
    make = torch.Generator().manual_seed(seed)
    shapes = (config.channels, config.template, config.template), (config.channels, config.search, config.search)
    return tuple(torch.randn(batch, *shape, generator=make) for shape in shapes)


def test_untrained_it_is_the_motion_network():
    torch.manual_seed(0)
    motion = MotionNetwork(SMALL.motion)
    for parameter in motion.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    network, given = JointNetwork(SMALL, motion).eval(), inputs()
    with torch.no_grad():
        torch.testing.assert_close(network(*given.values()), motion(*(given[n] for n in INPUTS)), rtol=0, atol=1e-6)


def test_without_features_it_is_the_motion_network():
    network, given = trained(), inputs()
    given["seen"] = torch.zeros_like(given["seen"])
    with torch.no_grad():
        assert torch.equal(network(*given.values()), network.motion(*(given[n] for n in INPUTS)))


def test_what_is_seen_changes_the_present_the_motion_model_and_sigma():
    network, given = trained(), inputs()
    with torch.no_grad():
        first = network(*given.values())
        second = network(*{**given, "vectors": given["vectors"] + 1}.values())
    assert all((first[:, i] - second[:, i]).abs().max() > 1e-5 for i in range(3))
    assert (first[:, 0, 0] - second[:, 0, 0]).abs().max() > 1e-5


def test_a_standing_target_is_corrected_but_not_set_in_motion():
    network, given = trained(), inputs()
    given["step"], given["innovation"] = torch.zeros_like(given["step"]), torch.zeros_like(given["innovation"])
    with torch.no_grad():
        mean, derivative, _ = network(*given.values()).unbind(1)
    torch.testing.assert_close(mean, mean[:, :1].expand_as(mean))
    assert not derivative.any() and mean[..., :2].any()


def test_a_propagated_box_adds_no_step_to_what_the_residual_reads():
    network, given = trained(), inputs()
    given["propagated"][:, -1] = 1
    other = {**given, "step": given["step"].clone()}
    other["step"][..., -1] += 0.3

    def correction(each):
        with torch.no_grad():
            return (
                network.motion_model(each, each["vectors"], each["seen"])[0][:, 0]
                - network.motion.motion_model(*(each[n] for n in INPUTS))[0][:, 0]
            )

    torch.testing.assert_close(correction(given), correction(other))


def test_half_the_trust_is_half_the_change_of_the_mean_and_none_of_sigma():
    network, given = trained(), inputs()

    def answer():
        with torch.no_grad():
            found = network.motion_model(given, given["vectors"], given["seen"])
            alone = network.motion.motion_model(*(given[n] for n in INPUTS))
        return [mine - base for mine, base in zip(found[:2], alone[:2], strict=True)]

    before = answer()
    network.trust(0.5)
    after = answer()
    torch.testing.assert_close(after[0], before[0] / 2, atol=1e-6, rtol=1e-3)
    torch.testing.assert_close(after[1], before[1])


def test_frames_are_encoded_one_by_one_or_together():
    network = trained()
    template, search = features()
    together = network.encode_all(
        template, torch.stack([search, search.flip(0)], 1), torch.tensor([[1.0, 1], [1, 0], [0, 1]])
    )
    with torch.no_grad():
        torch.testing.assert_close(together[0, 0], network.encode(template[:1], search[:1])[0])
        torch.testing.assert_close(together[0, 1], network.encode(template[:1], search[2:])[0])
    assert not together[1, 1].any() and not together[2, 0].any()


def test_scaling_all_features_changes_nothing():
    network = trained()
    template, search = features()
    for bias in (network.encoder.template.bias, network.encoder.search.bias):
        torch.nn.init.zeros_(bias)
    with torch.no_grad():
        torch.testing.assert_close(
            network.encode(template, search), network.encode(3 * template, 5 * search), atol=2e-2, rtol=0.1
        )


def test_the_encoder_sees_where_the_target_is():
    network, (template, search) = trained(), features()
    with torch.no_grad():
        moved = network.encode(template, search.roll(2, dims=3)) - network.encode(template, search)
        swapped = network.encode(template.transpose(2, 3), search.transpose(2, 3))
        torch.testing.assert_close(swapped.flip(1), network.encode(template, search), atol=1e-5, rtol=1e-4)
    assert moved[:, 0].abs().max() > 1e-4


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    network, given = trained(), inputs()
    save(network, tmp_path / "j.safetensors", {"data": "none"})
    back, card = load(tmp_path / "j.safetensors")
    assert card["data"] == "none" and back.config == SMALL
    with torch.no_grad():
        torch.testing.assert_close(back(*given.values()), network(*given.values()), rtol=0, atol=0)


def test_weights_of_another_kind_are_refused(tmp_path):
    save(trained(), tmp_path / "j.safetensors")
    card = tmp_path / "j.json"
    content = json.loads(card.read_text())
    for change, words in (
        ({"format": "another"}, "format is 'another'"),
        ({"config": {"wide": 3}}, "known are motion"),
    ):
        card.write_text(json.dumps({**content, **change}))
        with pytest.raises(InputError, match=words):
            load(tmp_path / "j.safetensors")


@pytest.mark.parametrize("changes", [{"frames": 0}, {"search": 3}, {"dropped": 1.0}, {"width": True}])
def test_a_configuration_that_makes_no_sense_is_refused(changes):
    with pytest.raises(InputError, match="JointConfig"):
        JointConfig(**changes)


def test_a_motion_network_of_another_configuration_is_refused():
    with pytest.raises(InputError, match="the motion network is"):
        JointNetwork(SMALL, MotionNetwork(MotionConfig(history=7)))


def test_engines_take_what_the_specs_say():
    predictor, encoder = trained().engines()
    vector = encoder.run({spec.name: np.ones(spec.shape, np.float32) for spec in encoder.inputs})["vector"]
    given = {name: value[:1].numpy() for name, value in inputs().items()}
    assert vector.shape == (1, 2, 3)
    assert predictor.run({**given, "vectors": np.stack([vector] * 3, 1)})["motion"].shape == (1, 3, 5, 4)
