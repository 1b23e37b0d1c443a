"""The study of sigma in flight: its fit finds known weights, its counts are those of the bounds; a run."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp.core.sigma_calibration import Weights
from pvtpp.predictors import create
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.studies import sigma_calibration as study
from pvtpp_benchmarks.studies.sigma_calibration import (
    Answers,
    answers,
    both,
    clip_means,
    coverage,
    fit,
    left_out,
    sigma_of,
)

TRUE = {
    "centre": np.array(Weights(0.5, 0.02, 1.0, 0.05, 1.0, 0.01)),
    "size": np.array(Weights(0.3, 0.05, 2.0, 0.1, 0.5, 0.005)),
}


def drawn(clips=3, frames=8000, seed=0):
    """Frames whose errors are Student's t with sigma of the weights `TRUE`."""
    rng = np.random.default_rng(seed)
    count = clips * frames
    made = Answers(
        np.repeat([f"clip {i}" for i in range(clips)], frames),
        np.tile(["20ms", "47ms"], count // 2),
        np.zeros((count, 4)),
        np.ones(count),
        np.ones((count, 4)),
        rng.uniform(0.2, 3, (count, 4)),
        rng.exponential(1, (count, 4, 5)) * [40, 1, 10, 1, 60],
        np.ones(count, dtype=bool),
    )
    made.error[:] = rng.standard_t(3, size=(count, 4)) * sigma_of(made, TRUE) * 1.645 / 2.353
    return made


def test_fit_finds_the_weights_that_errors_were_drawn_with():
    found = drawn()
    for group, true in TRUE.items():
        np.testing.assert_allclose(fit(found, group), true, rtol=0.35, atol=0.02)
    weights = {group: fit(found, group) for group in TRUE}
    for row in coverage(found, sigma_of(found, weights))["clips_mean"].values():
        for half, nine_tenths in row.values():
            assert half == pytest.approx(0.5, abs=0.02) and nine_tenths == pytest.approx(0.9, abs=0.02)


def test_what_the_predictor_states_keeps_a_weight():
    found = drawn(frames=500)
    found.error[:] = found.witnessed[:, :, 0] * 0.1
    assert fit(found, "centre")[0] == pytest.approx(study.LEAST_STATED)


def test_a_clip_that_is_left_out_does_not_count_in_its_own_fit():
    found = drawn(frames=500)
    found.error[found.clip == "clip 1"] *= 100
    sigma = left_out(found, (1.0, 1.0))
    others = found[found.clip != "clip 1"]
    expected = {group: fit(others, group) for group in TRUE}
    np.testing.assert_allclose(sigma[found.clip == "clip 1"], sigma_of(found[found.clip == "clip 1"], expected))


def test_coverage_counts_both_coordinates_by_clip_and_time_and_means_over_clips():
    found = drawn(clips=2, frames=4)
    found.error[:] = 1.0
    sigma = np.full((8, 4), 10.0)
    sigma[found.clip == "clip 0", 0] = 1.0
    sigma[found.clip == "clip 1", 2:] = 0.1
    found.overlap[found.clip == "clip 1"] = 0.0
    counted = coverage(found, sigma)
    row = {"centre": [0.5, 1.0], "size": [1.0, 1.0]}
    assert counted["clips"]["clip 0"] == {"followed": 1.0, "20ms": row, "47ms": row}
    row = {"centre": [1.0, 1.0], "size": [0.0, 0.0]}
    assert counted["clips"]["clip 1"] == {"followed": 0.0, "20ms": row, "47ms": row}
    assert clip_means(counted)["clip 1"] == row
    assert counted["clips_mean"] == dict.fromkeys(("20ms", "47ms"), {"centre": [0.75, 1.0], "size": [0.5, 0.5]})
    assert list(both(found, sigma)["followed"]["clips"]) == ["clip 0"]


def test_answers_are_those_of_the_log_and_errors_those_of_the_truth():
    xywh = np.array([[10.0 + 2 * i, 10, 20, 30] for i in range(30)])
    xywh[20] = np.nan
    sequence = VideoSequence("clip", xywh)
    ensemble = create("ensemble")
    log = simulate(
        sequence, Oracle(sequence), {"ensemble": ensemble}, lambda _: 47_000_000, first_box=np.array([20.0, 25, 20, 30])
    )
    found = answers(log, sequence, "47ms", ensemble)
    assert len(found.error) == 29 and found.error[0].tolist() == [0, 0, 0, 0]
    assert np.abs(found.error[15:]).max() < 1 and (found.overlap[15:] > 0.9).all()
    # Without propagation sigma is what the predictor states.
    np.testing.assert_array_equal(found.published, found.stated)
    assert not found.used[:3].any() and found.used[-1] and (found.witnessed[-1, :, 0] == pytest.approx(np.sqrt(600)))


def test_the_command_writes_fit_and_counts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "collect", lambda options, tracker, parts: drawn(frames=500))
    out = tmp_path / "sigma.json"
    assert study.main(["root", "--test", "--json", str(out)]) == 0
    content = json.loads(out.read_text())
    assert set(content["fitted"]) == {"centre", "size"} and set(content["choosing"]) == {
        "left out",
        "as published",
        "stated",
    }
    assert list(content["counted"]) == ["nanotrack-v3, uav-mini/test"]
    kinds = content["counted"]["nanotrack-v3, uav-mini/test"]
    assert kinds["as published"]["all"]["clips"]["clip 0"]["20ms"]["size"] and "clips" not in kinds["stated"]["all"]
    assert "least clip at 90 %" in capsys.readouterr().out
