"""Both forms of the cross-correlation are one function, and a model is switched between them as a whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError

torch = pytest.importorskip("torch")
from trackers.models.correlation import FORMS, Correlation, correlation, set_form  # noqa: E402

torch.set_num_threads(1)


def slow(search, kernel, padding):
    """Sum by sum, in double precision."""
    search = np.pad(search.astype(np.float64), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = np.lib.stride_tricks.sliding_window_view(search, kernel.shape[2:], axis=(2, 3))
    return np.einsum("bcyxij,bcij->bcyx", windows, kernel.astype(np.float64))


@pytest.mark.parametrize("form", FORMS)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(0, 6), st.integers(0, 2), st.integers(0, 99))
def test_every_form_is_the_sum_of_products(form, batch, rows, columns, more, padding, seed):
    rng = np.random.default_rng(seed)
    search = rng.normal(size=(batch, 4, rows + more, columns + more + 1)).astype(np.float32)
    kernel = rng.normal(size=(batch, 4, rows, columns)).astype(np.float32)
    found = correlation(torch.from_numpy(search), torch.from_numpy(kernel), form, padding)
    np.testing.assert_allclose(found, slow(search, kernel, padding), atol=1e-5)


def test_the_forms_agree_at_the_trackers_size():
    search, kernel = torch.rand(1, 256, 29, 29), torch.rand(1, 256, 5, 5)
    both = [correlation(search, kernel, form) for form in FORMS]
    torch.testing.assert_close(both[0], both[1], rtol=1e-5, atol=1e-5)


def test_set_form_switches_every_correlation_of_a_model(monkeypatch):
    used = []
    monkeypatch.setitem(FORMS, "unrolled", lambda search, kernel: used.append("unrolled") or search)
    model = torch.nn.Sequential(Correlation(), torch.nn.Sequential(Correlation(padding=1)))
    set_form(model, "unrolled")
    for module in (model[0], model[1][0]):
        module(torch.rand(1, 1, 3, 3), torch.rand(1, 1, 2, 2))
    assert used == ["unrolled", "unrolled"]


def test_an_unknown_form_is_refused_with_the_known():
    for attempt in (lambda: set_form(Correlation(), "fft"), lambda: correlation(None, None, "fft")):
        with pytest.raises(InputError, match="'fft'; there are grouped, unrolled"):
            attempt()
