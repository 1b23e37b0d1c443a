"""Replay: the same events give the same trajectories; what depends on another predictor has to run again."""

import numpy as np
import pytest

from pvtpp.boxes import xywh_to_box
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.simulation import simulate


def recorded(names, search_region="last", schedule="async"):
    rng = np.random.default_rng(3)
    xywh = np.cumsum(rng.normal(scale=[3, 3, 0.2, 0.2], size=(60, 4)), axis=0) + [300, 200, 40, 30]
    sequence = VideoSequence("walk", xywh)
    return simulate(
        sequence,
        Oracle(sequence, noise=0.02),
        {name: create(name) for name in names},
        lambda frame: 51_000_000 + frame,
        predictor_ns=1_000_000,
        schedule=schedule,
        search_region=search_region,
        first_box=xywh_to_box(xywh[0]),
        meta={"search_region": search_region},
    )


@pytest.mark.parametrize("schedule", ["async", "paper"])
@pytest.mark.parametrize("search_region", ["last", "predicted"])
def test_a_replayed_log_is_the_same_log_to_the_bit(search_region, schedule):
    names = ("kalman", "hold", "constant_velocity")
    log = recorded(names, search_region, schedule)
    assert replay(log, {name: create(name) for name in names}).rows == log.rows


def test_a_predictor_that_did_not_listen_is_evaluated_from_the_old_log():
    log = recorded(("hold",))
    assert replay(log, {"kalman": create("kalman")}).rows == recorded(("kalman",)).rows


def test_where_the_tracker_would_have_looked_elsewhere_it_has_to_run_again():
    with pytest.raises(InputError, match="has to run again"):
        replay(recorded(("hold",), "predicted"), {"constant_velocity": create("constant_velocity")})


def test_a_predictor_that_reads_features_is_not_served_without_them():
    with pytest.raises(InputError, match="joint: reads the tracker's features.* has to run again"):
        replay(recorded(("hold",)), {"hold": create("hold"), "joint": create("joint")})


def test_an_unknown_event_is_refused():
    log = recorded(("hold",))
    log.rows.append(["explosion", 10**12])
    with pytest.raises(InputError, match="explosion"):
        replay(log, {"hold": create("hold")})
