"""The plot of e-LAE curves: complete files, exact steps, and errors for malformed curves."""

from __future__ import annotations

import os
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp.errors import InputError
from pvtpp_benchmarks.report.curves import _checked, apart, plot_elae, plot_elae_panels

CURVES = {"hold": ([0, 0.3, 0.7], [0.3, 0.32, 0.5]), "kalman": ([0], [0.6])}


def test_the_plot_is_a_picture_and_the_only_file(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "new" / "elae.png"
    plot_elae(str(path), CURVES, "title", "data, mode, hardware")
    image = cv2.imread(str(path))
    assert image.shape == (720, 1280, 3)
    assert os.listdir(path.parent) == ["elae.png"]


def test_panels_share_scale_and_legend_in_one_picture(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "panels.png"
    plot_elae_panels(str(path), {f"{ms} ms": CURVES for ms in (20, 47, 85, 165)}, "title", "data, mode, hardware")
    height, width, _ = cv2.imread(str(path)).shape
    assert width > 1.5 * height and os.listdir(tmp_path) == ["panels.png"]
    with pytest.raises(InputError, match="no curve"):
        plot_elae_panels(str(path), {"20 ms": CURVES, "47 ms": {}}, "title")


def test_many_curves_and_a_score_of_one_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    plot_elae(str(tmp_path / "p.png"), {f"predictor {i}": ([0], [1 - i / 20]) for i in range(12)}, "title")
    assert (tmp_path / "p.png").stat().st_size > 10_000


def test_the_last_step_is_drawn_to_the_end_and_later_ones_are_cut():
    sigmas, values = _checked("a", ([0, 0.5, 2.5], [0.1, 0.2, 0.9]), 1.0)
    assert sigmas.tolist() == [0, 0.5, 1.0] and values.tolist() == [0.1, 0.2, 0.2]


@given(wanted=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_labels_keep_their_order_and_never_overlap(wanted):
    places = np.array(apart(wanted, 0.05, 1.0))
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) > 0.05 - 1e-9).all()
    assert places.min() >= -1e-9 and places.max() <= 1 + 1e-9


def test_labels_that_do_not_collide_stay_where_they_belong():
    np.testing.assert_allclose(apart([0.8, 0.2, 0.5], 0.05, 1.0), [0.8, 0.2, 0.5])
    np.testing.assert_allclose(apart([0.5, 0.5], 0.1, 1.0), [0.45, 0.55])


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "no curve"),
        ({"a": ([], [])}, "curve 'a'"),
        ({"a": ([0, 0.5], [1.0])}, "two lists of one length"),
        ({"a": ([0.1], [1.0])}, "rise from 0"),
        ({"a": ([0, 0.5, 0.5], [1, 1, 1])}, "rise from 0"),
        ({"a": ([0], [float("nan")])}, "finite"),
    ],
)
def test_a_malformed_curve_is_named(tmp_path, curves, message):
    with pytest.raises(InputError, match=message):
        plot_elae(str(tmp_path / "p.png"), curves, "title")
    assert os.listdir(tmp_path) == []


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(InputError, match=r"pvtpp\[report\]"):
        plot_elae(str(tmp_path / "p.png"), CURVES, "title")


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"p\.png: cannot write"):
        plot_elae(str(tmp_path / "file" / "p.png"), CURVES, "title")
