"""Sigma's loss is lowest where its intervals hold, and calibration changes sigma alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp.networks.motion import MotionConfig, MotionNetwork, mean_at, sigma_at  # noqa: E402
from pvtpp.predictors.motion import INPUTS  # noqa: E402
from pvtpp.training.calibration import HALF, NINE_TENTHS, Calibration, calibrate, calibration_loss  # noqa: E402
from pvtpp.training.windows import BoxPool, sample, tensors  # noqa: E402

torch.set_num_threads(1)


def test_the_loss_is_lowest_where_both_intervals_hold_what_they_say():
    make = torch.Generator().manual_seed(0)
    # Student's t with three degrees of freedom, 90 % within 1.645.
    freedom = torch.randn(3, 40000, generator=make).pow(2).mean(0).sqrt()
    error = torch.randn(40000, generator=make) / freedom * (1.645 / 2.353)
    losses = {scale: calibration_loss(error, torch.tensor(scale)).mean().item() for scale in (0.7, 0.85, 1.0, 1.2, 1.5)}
    assert min(losses, key=lambda scale: losses[scale]) == 1.0


def test_calibrating_makes_sigma_hold_and_leaves_the_means_alone():
    rng = np.random.default_rng(0)
    steps = np.cumsum(np.cumsum(rng.normal(0, 0.5, (4000, 2)), axis=0) * 0.1, axis=0) + 5000
    rows = np.concatenate([steps, np.full((4000, 2), 40.0) + rng.normal(0, 1, (4000, 2))], axis=1)
    config = Calibration(drawn=8192, steps=300, count=512, learning_rate=0.02)
    config = replace(config, windows=replace(config.windows, results=6))
    network = MotionNetwork(MotionConfig(history=6, width=8))
    made = calibrate(network, config, [rows])
    batch = tensors(sample(BoxPool([rows]), config.windows, np.random.default_rng(99), 3000))
    with torch.no_grad():
        (before, _, unit), (after, spread, _) = (
            each.motion_model(*(batch[name] for name in INPUTS)) for each in (network, made)
        )
        torch.testing.assert_close(after, before, rtol=0, atol=0)
        horizon, truth = batch["horizon"][:, :-1], batch["truth"][:, :-1]
        ratio = ((mean_at(after, unit, horizon) - truth).abs() / sigma_at(spread, horizon))[batch["weight"][:, :-1] > 0]
    assert (ratio <= HALF).float().mean().item() == pytest.approx(0.5, abs=0.08)
    assert (ratio <= NINE_TENTHS).float().mean().item() == pytest.approx(0.9, abs=0.06)


def test_windows_and_network_must_fit():
    with pytest.raises(InputError, match="windows have 16 results, the network looks at 6"):
        calibrate(MotionNetwork(MotionConfig(history=6)), Calibration(), [np.ones((50, 4))])
