"""The cross-correlation is the sum of products, separately for each sample and channel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
from pvtpp_trackers.models.correlation import correlation  # noqa: E402

torch.set_num_threads(1)


def slow(search, kernel, padding):
    """Sum by sum, in double precision."""
    search = np.pad(search.astype(np.float64), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = np.lib.stride_tricks.sliding_window_view(search, kernel.shape[2:], axis=(2, 3))
    return np.einsum("bcyxij,bcij->bcyx", windows, kernel.astype(np.float64))


@given(
    st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(0, 6), st.integers(0, 2), st.integers(0, 99)
)
def test_a_correlation_is_the_sum_of_products(batch, rows, columns, more, padding, seed):
    rng = np.random.default_rng(seed)
    search = rng.normal(size=(batch, 4, rows + more, columns + more + 1)).astype(np.float32)
    kernel = rng.normal(size=(batch, 4, rows, columns)).astype(np.float32)
    found = correlation(torch.from_numpy(search), torch.from_numpy(kernel), padding)
    np.testing.assert_allclose(found, slow(search, kernel, padding), atol=1e-5)
