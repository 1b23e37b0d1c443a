"""Projected features: the folded network computes from all channels what the trained one computes from few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from pvtpp.networks.joint import JointConfig, JointNetwork  # noqa: E402
from pvtpp.networks.motion import MotionConfig  # noqa: E402
from pvtpp.training.projection import Projection  # noqa: E402
from pvtpp.training.recordings import Recording  # noqa: E402

torch.set_num_threads(1)


def recording(n=12, channels=6, seed=0):
    """Features of three directions in six channels, and a little noise."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(9).normal(size=(channels, 3))

    def maps(*shape):
        made = np.einsum("cd,...dhw->...chw", mix, rng.normal(size=(*shape[:-2], 3, *shape[-2:])))
        return (made + 0.01 * rng.normal(size=made.shape) + 2).astype(np.float16)

    t_ns = np.arange(n) * 10**8
    boxes = np.tile([50.0, 50, 20, 20], (n, 1))
    return Recording(
        "clip",
        t_ns,
        t_ns,
        boxes,
        np.ones(n),
        boxes[[0, *range(n - 1)]],
        np.arange(n) > 0,
        maps(n, 9, 9),
        maps(4, 4),
        t_ns,
        boxes,
    )


def test_components_are_uncorrelated_of_unit_variance_and_hold_what_there_is():
    whole = recording()
    projection = Projection.of([whole], 3)
    made = projection.recording(whole)
    assert made.search.shape == (12, 3, 9, 9) and made.template.shape == (3, 4, 4) and not made.search[0].any()
    cells = made.search[1:].astype(np.float64).transpose(0, 2, 3, 1).reshape(-1, 3)
    np.testing.assert_allclose(np.cov(cells, rowvar=False), np.eye(3), atol=0.02)
    back = np.linalg.pinv(projection.matrix) @ cells.T + projection.mean[:, None]
    expected = whole.search[1:].astype(np.float64).transpose(0, 2, 3, 1).reshape(-1, 6).T
    assert np.abs(back - expected).mean() < 0.02


def test_the_folded_network_answers_on_whole_features_as_before_on_projected_ones():
    projection = Projection.of([recording()], 3)
    motion = MotionConfig(history=6, width=8)
    config = JointConfig(motion=motion, channels=3, template=4, search=9, compared=4, kept=2, vector=3)
    torch.manual_seed(0)
    network = JointNetwork(config).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    whole = projection.folded(network)
    template, search = torch.randn(2, 6, 4, 4) + 2, torch.randn(2, 6, 9, 9) + 2
    with torch.no_grad():
        expected = network.encode(projection.tensor(template), projection.tensor(search))
        torch.testing.assert_close(whole.encode(template, search), expected, rtol=1e-4, atol=1e-5)
    assert whole.config == replace(config, channels=6)
    assert torch.equal(whole.residual[0].weight, network.residual[0].weight)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="projection to 7 channels, allowed is 1 to the features' own 6"):
        Projection.of([recording()], 7)
    with pytest.raises(InputError, match="the network reads 96"):
        Projection.of([recording()], 3).folded(JointNetwork())
    with pytest.raises(InputError, match=r"expected \(D, C\) and \(C,\)"):
        Projection(np.ones((3, 6), np.float32), np.ones(3, np.float32))
