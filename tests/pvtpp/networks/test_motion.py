"""The motion network: what it computes untrained, and what holds with any weights."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp.networks.motion import MotionConfig, MotionNetwork, load, mean_at, save, sigma_at, specs  # noqa: E402
from pvtpp.predictors.motion import HORIZONS_S, WEIGHTS, Motion  # noqa: E402
from pvtpp.track import Track  # noqa: E402

torch.set_num_threads(1)


def inputs(batch=3, history=16, seed=0, bridged=True):
    """In the order of `INPUTS`."""
    make = torch.Generator().manual_seed(seed)
    steps = history - 1
    return (
        0.05 * torch.randn(batch, 4, steps, generator=make),
        0.03 * torch.randn(batch, 4, steps, generator=make) * bridged,
        0.02 + 0.1 * torch.rand(batch, steps, generator=make),
        torch.rand(batch, history, generator=make),
        torch.zeros(batch, history),
        torch.full((batch, steps), 0.7) * bridged,
        0.3 * torch.randn(batch, 1, generator=make),
    )


def taught(seed=0, **changes):
    torch.manual_seed(seed)
    network = MotionNetwork(MotionConfig(**changes))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


def test_untrained_it_is_the_robust_constant_velocity_model():
    step, _, interval, *_ = given = inputs()
    with torch.no_grad():
        mean, derivative, sigma = MotionNetwork()(*given).unbind(1)
    speed = step / interval[:, None]
    velocity = 0.6 * speed[..., -1] + 0.3 * speed[..., -2] + 0.1 * speed[..., -3]
    for knot, horizon in enumerate(HORIZONS_S):
        way = horizon * velocity
        sides = torch.exp(way[:, 2:])
        torch.testing.assert_close(mean[:, knot], torch.cat([way[:, :2], sides], 1), atol=1e-4, rtol=1e-3)
        expected = torch.cat([velocity[:, :2], velocity[:, 2:] * sides], 1)
        torch.testing.assert_close(derivative[:, knot], expected, atol=1e-4, rtol=1e-3)
    assert (sigma > 0).all()


def test_untrained_the_predictor_goes_on_at_the_newest_velocities():
    predictor, track = Motion(MotionNetwork().engine()), Track()
    for i in range(6):
        track = track.with_result(i * 10**8, [100.0 + 10 * i, 50, 20, 10])
    np.testing.assert_allclose(predictor.predict(track).at(6 * 10**8).box, [160, 50, 20, 10], atol=1e-3)


def test_sigma_grows_with_the_horizon_whatever_the_weights():
    with torch.no_grad():
        sigma = taught()(*inputs())[:, 2]
    assert (sigma[:, 1:] >= sigma[:, :-1]).all() and (sigma > 0).all()


def test_training_and_inference_read_the_same_motion_model():
    network, given = taught(), inputs()
    with torch.no_grad():
        mean, derivative, sigma = network(*given).unbind(1)
        coefficient, spread, unit = network.motion_model(*given)
        horizon = torch.tensor([HORIZONS_S]).repeat(3, 1)
        logs, ahead = mean_at(coefficient, unit, horizon), mean_at(coefficient, unit, horizon + 1e-3)
        torch.testing.assert_close(logs[..., :2], mean[..., :2])
        torch.testing.assert_close(torch.exp(logs[..., 2:].clamp(-2, 2)), mean[..., 2:])
        torch.testing.assert_close(sigma_at(spread, horizon), sigma)
    torch.testing.assert_close(((ahead - logs) / 1e-3)[..., :2], derivative[..., :2], atol=5e-2, rtol=5e-2)


def test_what_never_moved_is_never_moved():
    step, innovation, *rest = inputs()
    with torch.no_grad():
        mean, derivative, _ = taught()(step * 0, innovation * 0, *rest).unbind(1)
    assert not mean[..., :2].any() and (mean[..., 2:] == 1).all() and not derivative.any()


def test_no_past_at_all_gives_a_standing_target():
    *past, aspect = inputs()
    with torch.no_grad():
        mean, _, sigma = taught()(*(each * 0 for each in past), aspect).unbind(1)
    assert not mean[..., :2].any() and (mean[..., 2:] == 1).all() and torch.isfinite(sigma).all()


def test_constants_are_not_stored():
    assert {name.split(".")[0] for name in MotionNetwork().state_dict()} == {"body", "filter", "doubt", "spread"}


def test_sigma_and_mean_do_not_learn_from_each_other():
    network, given = taught(), inputs()
    coefficient, spread, _ = network.motion_model(*given)
    of_mean = torch.autograd.grad(coefficient.sum(), list(network.parameters()), allow_unused=True, retain_graph=True)
    of_sigma = torch.autograd.grad(spread.sum(), list(network.parameters()), allow_unused=True)
    assert all(a is None or b is None or not (a.any() and b.any()) for a, b in zip(of_mean, of_sigma, strict=True))


def test_a_jump_of_the_newest_result_alone_can_be_taken_back():
    """The displacement shows by how much the newest result jumped; the network can go back to where it jumped from."""
    network, (step, innovation, *rest) = taught(), inputs()
    other = innovation.clone()
    other[..., -1] += 0.3
    with torch.no_grad():
        change = network.motion_model(step, other, *rest)[0] - network.motion_model(step, innovation, *rest)[0]
    assert change[:, 0].abs().min() > 1e-3


def test_specs_are_what_it_takes():
    network = taught(history=8, width=16)
    made, _ = specs(network.config)
    assert [tuple(array.shape) for array in inputs(1, 8)] == [spec.shape for spec in made]
    assert network.engine().run({spec.name: np.ones(spec.shape, np.float32) for spec in made})["motion"].shape == (
        1,
        3,
        5,
        4,
    )


def test_saved_and_loaded_it_answers_the_same(tmp_path):
    network = taught(history=8, width=16, depth=3)
    save(network, tmp_path / "m.safetensors", {"data": "none"})
    back, card = load(tmp_path / "m.safetensors")
    assert card["data"] == "none" and back.config == network.config
    with torch.no_grad():
        torch.testing.assert_close(back(*inputs(history=8)), network(*inputs(history=8)), rtol=0, atol=0)


def test_weights_of_another_kind_are_refused(tmp_path):
    save(taught(history=8, width=16), tmp_path / "m.safetensors")
    card = tmp_path / "m.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "format": "another"}))
    with pytest.raises(InputError, match="format is 'another'"):
        load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("changes", [{"history": 2}, {"width": 0}, {"depth": True}])
def test_a_configuration_that_makes_no_sense_is_refused(changes):
    with pytest.raises(InputError, match="MotionConfig"):
        MotionConfig(**changes)


def test_the_committed_weights_are_the_committed_graph():
    from pvtpp.export.motion import TOLERANCE, difference

    network, card = load(WEIGHTS.with_suffix(".safetensors"))
    assert difference(network, WEIGHTS) <= TOLERANCE
    assert {"data", "command", "seed", "metrics"} <= set(card)
