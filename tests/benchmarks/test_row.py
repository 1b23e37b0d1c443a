"""A row's figures of sequences and attributes are means of the runs they name; what was charged is said in words."""

from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.charges import charges
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.result import Result
from pvtpp_benchmarks.result_rows import check_rows
from pvtpp_benchmarks.row import row
from pvtpp_benchmarks.runs import jobs, obtain
from pvtpp_benchmarks.score import score_modes
from pvtpp_benchmarks.spec import RunSpec

NEW = ("plots", "by_sequence", "coverage", "latency", "attributes", "charged")


def clip(name, step, attributes=()):
    boxes = np.array([[10 + step * i, 20.0, 60, 50] for i in range(60)])
    return VideoSequence(name, boxes, attributes=attributes)


CLIPS = [clip("slow", 1.0, ("dusk",)), clip("fast", 9.0, ("dusk", "fast motion")), clip("other", 4.0)]


@pytest.fixture(scope="module")
def made():
    settings = {"processing": "47ms", "predictors": ["hold", "kalman"], "propagation": "none", "presence": "off"}
    return evaluate(CLIPS, make_grid("d", "oracle", starts=2, mode=["otb", "strict"], **settings), Oracle)


def test_the_figures_of_sequences_agree_with_those_of_the_row(made):
    for each in made:
        figures = each["by_sequence"]
        assert list(figures) == [one.name for one in CLIPS]
        assert {name: one["auc"] for name, one in figures.items()} == pytest.approx(each["per_sequence"], abs=1e-6)
        for name in ("auc", "dp20", "norm_precision"):
            assert np.mean([one[name] for one in figures.values()]) == pytest.approx(each[name], abs=1e-6)
        assert np.mean([one["nt2f"] for one in figures.values()]) == pytest.approx(each["outages"]["nt2f"], abs=1e-6)
        assert max(one["outage_s"] for one in figures.values()) == each["outages"]["outage_s"][1]
        assert sum(one["frames"] for one in figures.values()) == each["frames"]
        assert {(one["runs"], one["world_frames_per_s"]) for one in figures.values()} == {(2, 30.0)}


def test_an_attribute_has_the_mean_over_the_sequences_that_have_it(made):
    for each in made:
        aucs = each["per_sequence"]
        assert set(each["attributes"]) == {"dusk", "fast motion"}
        assert each["attributes"]["dusk"]["auc"] == pytest.approx((aucs["slow"] + aucs["fast"]) / 2, abs=1e-6)
        assert each["attributes"]["dusk"]["sequences"] == 2
        assert each["attributes"]["fast motion"]["auc"] == pytest.approx(aucs["fast"], abs=1e-6)
        assert each["attributes"]["fast motion"]["dp20"] == each["by_sequence"]["fast"]["dp20"]


def test_plots_are_of_the_rows_mode_and_latency_of_all(made):
    for each in made:
        assert each["plots"]["precision"]["value"][20] == pytest.approx(each["dp20"], abs=1e-6)
        if each["mode"] == "otb":
            assert np.mean(each["plots"]["success"]["value"]) == pytest.approx(each["auc"], abs=1e-6)
    online = [each for each in made if each["predictor"] == "hold"]
    assert online[0]["latency"] == online[1]["latency"] and online[0]["coverage"] == online[1]["coverage"]
    assert online[0]["latency"]["age_n"] == online[0]["coverage"]["frames"] == online[0]["frames"]


def test_the_papers_schedule_has_them_too():
    grid = make_grid("d", "oracle", processing="47ms", predictors="kalman", schedule="paper")
    _, online = evaluate(CLIPS, grid, Oracle)
    # Each frame has its own time's answer, so no more than the newest result's age and the wait for the next.
    assert 0 <= online["latency"]["age_median_ms"] <= online["latency"]["age_worst_ms"] < 47 * 2 + 1000 / 30 + 1e-6
    assert 0 < online["coverage"]["frames"] <= online["frames"]
    assert all(0 <= each["unpredictability"] < 1 for each in online["by_sequence"].values())


def test_without_details_a_row_is_one_of_curves_alone():
    spec = RunSpec("d", "oracle", "47ms")
    log = obtain(jobs(CLIPS[:1], spec, None)[0], Oracle)[0]
    scores = score_modes(log, CLIPS[0], "hold", ("otb",), details=False)
    plain = row([scores["otb"]], spec, CLIPS[0], "hold", "otb")
    assert not {"plots", "latency", "coverage"} & set(plain)
    assert plain["by_sequence"]["slow"]["unpredictability"] is None
    full = row(list(score_modes(log, CLIPS[0], "hold", ("otb",)).values()), spec, CLIPS[0], "hold", "otb")
    assert full["auc"] == plain["auc"] and full["exact_curve"] == plain["exact_curve"]


def test_a_row_of_a_file_may_lack_the_new_fields_and_not_hold_others(made, tmp_path):
    path = str(tmp_path / "result.json")
    Result(tuple(made)).write(path)
    assert Result.read(path).rows == tuple(made)
    old = [{name: value for name, value in each.items() if name not in NEW} for each in made]
    check_rows(old, {}, "old.json")
    # The first row is of zero latency.
    first, online = made[0], made[-1]
    damaged = [
        {"plots": {**online["plots"], "success": {"threshold": [0.0], "value": [0.1, 0.2]}}},
        {"plots": {}},
        {"by_sequence": {"slow": {**online["by_sequence"]["slow"], "frames": -1}}},
        {"coverage": {"frames": 1, "centre": {"50": 0.5}, "size": {}}},
        {"latency": {**online["latency"], "worst_ms": "1"}},
        {"attributes": {"dusk": 0.5}},
        {"charged": {**first["charged"], "not_charged": [1]}},
    ]
    for change in damaged:
        (name,) = change
        with pytest.raises(InputError, match=f"new.json: {name} of row 0 is .*allowed is "):
            check_rows([{**online, **change}], {}, "new.json")


def test_what_was_charged_is_what_the_spec_says():
    spec = RunSpec("d", "t", "47ms", propagation="optical_flow", propagation_ns=2_500_000, propagation_core="shared")
    said = charges(spec)
    assert (said["tracker"], said["propagation_step_ms"], said["propagation_core"]) == ("47ms", 2.5, "shared")
    assert said["predictor_ms"] == 0.0 and "the predictor" in said["not_charged"]
    assert "the predictor" not in charges(replace(spec, predictor_ns=200_000))["not_charged"]
    assert "propagation" in charges(replace(spec, propagation_ns=0))["not_charged"]
    wall = charges(RunSpec("d", "t", "measured", clock="wall"))
    assert (wall["tracker"], wall["propagation_step_ms"], wall["predictor_ms"]) == ("measured", None, None)
    assert "hand-over between threads" not in wall["not_charged"]
    assert charges(spec, online=False)["tracker"] == "nothing"
