"""The grid of runs of a comparison: each predictor in its usual setting, unless something else is asked for."""

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.fingerprint import code_digest
from pvtpp_benchmarks.grid import PREDICTORS, PROCESSING, make_grid
from pvtpp_benchmarks.spec import Grid, RunSpec


def settings(grid):
    """Predictors of each run, with the settings that differ between predictors."""
    return [(spec.predictors, spec.propagation, spec.search_region, spec.processing) for spec in grid.specs()]


def test_each_predictor_has_its_usual_setting():
    grid = make_grid("d", "t", processing=["47ms"], predictors=["hold", "kalman:pvt", "ensemble"])
    assert settings(grid) == [
        (("hold",), "none", "last", "47ms"),
        (("kalman:pvt",), "none", "predicted", "47ms"),
        (("ensemble",), "optical_flow", "predicted", "47ms"),
    ]
    by_name = {spec.predictors[0]: spec for spec in grid.specs()}
    assert by_name["ensemble"].propagation_ns == 2_500_000 and by_name["hold"].propagation_ns == 0


def test_a_setting_that_is_asked_for_is_every_predictors():
    grid = make_grid("d", "t", processing="47ms", predictors=["hold", "ensemble"], propagation="none")
    assert settings(grid) == [(("hold",), "none", "last", "47ms"), (("ensemble",), "none", "predicted", "47ms")]
    both = make_grid("d", "t", processing="47ms", predictors="hold", propagation=["none", "optical_flow"])
    assert [each[1] for each in settings(both)] == ["none", "optical_flow"]


def test_predictors_of_one_setting_share_their_runs_where_none_steers():
    grid = make_grid(
        "d",
        "t",
        processing="47ms",
        predictors=["hold", "kalman"],
        propagation="none",
        search_region="last",
        presence="off",
    )
    assert settings(grid) == [(("hold", "kalman"), "none", "last", "47ms")]
    steered = make_grid("d", "t", processing="47ms", predictors=["hold", "kalman"], search_region="predicted")
    assert [each[0] for each in settings(steered)] == [("hold",), ("kalman",)]
    costly = make_grid(
        "d", "t", processing="47ms", predictors=["hold", "kalman"], propagation="none", search_region="last",
        presence="off", predictor_processing="kalman=0.2ms",
    )  # fmt: skip
    assert [(spec.predictors, spec.predictor_ns) for spec in costly.specs()] == [(("hold",), 0), (("kalman",), 200_000)]


def test_left_alone_it_is_the_usual_comparison():
    grid = make_grid("d", "t")
    assert (grid.predictors, grid.axes) == (PREDICTORS, {"processing": PROCESSING, "schedule": ("async",)})
    assert grid.modes == ("otb",) and grid.offline and grid.base.version == code_digest()
    assert len(grid.specs()) == len(PREDICTORS) * len(PROCESSING)


def test_zero_latency_comes_first_and_only_if_asked_for():
    cells = list(make_grid("d", "t", processing="47ms", predictors="hold").cells())
    assert [served for _, served in cells] == [(None,), ("hold",)] and cells[0][0].processing == "0ms"
    assert [
        served for _, served in make_grid("d", "t", processing="47ms", predictors="hold", offline=False).cells()
    ] == [("hold",)]


def test_one_name_needs_no_list_and_repetitions_count_once():
    one = make_grid("d", "t", processing="47ms", predictors="hold", mode="strict", schedule="paper", apart="clip")
    assert one == make_grid(
        "d", "t", processing=["47ms"] * 2, predictors=["hold"] * 2, mode=["strict"], schedule=["paper"], apart=["clip"]
    )


def test_the_schedule_of_the_paper_has_no_propagation_unless_that_is_asked_for():
    grid = make_grid("d", "t", processing="47ms", predictors="ensemble", schedule="paper")
    assert settings(grid) == [(("ensemble",), "none", "predicted", "47ms")]
    with pytest.raises(InputError, match="schedule 'paper' knows no"):
        make_grid("d", "t", processing="47ms", schedule="paper", propagation="optical_flow")


def test_jitter_has_four_draws_unless_said_otherwise():
    given = ({}, {"jitter_init": 1.0}, {"jitter_init": 1.0, "draws": 2})
    assert [make_grid("d", "t", **more).base.draws for more in given] == [1, 4, 2]


def test_on_the_wall_clock_everything_takes_what_it_takes():
    grid = make_grid("d", "t", clock="wall", predictors=["hold", "ensemble"])
    assert {(spec.processing, spec.propagation_ns, spec.predictor_ns) for spec in grid.specs()} == {("measured", 0, 0)}
    assert next(grid.cells())[0].clock == "simulated"
    for more in ({"processing": ["47ms", "85ms"]}, {"predictor_processing": "1ms"}, {"propagation_processing": "1ms"}):
        with pytest.raises(InputError, match="on the wall clock everything takes what it takes"):
            make_grid("d", "t", clock="wall", **more)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"processing": ()}, "--processing names no time"),
        ({"predictors": ()}, "the grid has no predictors: name at least one"),
        ({"mode": ()}, "the grid has no modes"),
        ({"mode": "vot"}, "unknown metric mode 'vot', expected one of: elae, otb, strict"),
        ({"propagation": "fast"}, "unknown propagation 'fast', expected one of: optical_flow, none"),
        ({"search_region": "left"}, "unknown search_region 'left', expected one of: last, predicted"),
        ({"schedule": "never"}, "unknown schedule 'never', expected one of: async, paper"),
        ({"predictor_processing": "wizard=1ms"}, "names 'wizard', not among the predictors hold"),
        ({"presence": "maybe"}, "unknown presence 'maybe', expected one of: off, on"),
        ({"predictors": "wizard"}, "wizard"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_allowed(given, words):
    with pytest.raises(InputError, match=words):
        make_grid("d", "t", **given)


def test_an_axis_without_values_is_refused():
    with pytest.raises(InputError, match="the grid has no search region: name at least one"):
        Grid(RunSpec("d", "t", "0ms"), ("hold",), {"search_region": ()})


def test_a_cost_that_is_not_constant_is_refused(tmp_path):
    (tmp_path / "times.txt").write_text("0.01\n0.02\n")
    times = f"trace:{tmp_path}/times.txt"
    for option in ("predictor_processing", "propagation_processing"):
        with pytest.raises(InputError, match=f"--{option.replace('_', '-')} 'trace:.*: a constant such as 0.5ms"):
            make_grid("d", "t", **{option: times})
