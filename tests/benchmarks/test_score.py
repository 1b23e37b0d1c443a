"""Scoring: one pairing serves every metric mode, and a run on the wall clock says what its tracker took."""

from dataclasses import replace

import numpy as np
import pytest

from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp_benchmarks import score
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.metrics import MODES
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.row import row
from pvtpp_benchmarks.runs import jobs, obtain, with_predictors
from pvtpp_benchmarks.spec import RunSpec

SEQUENCE = VideoSequence(
    "line", np.stack([10 + 3.0 * np.arange(40), *(np.full(40, v) for v in (20.0, 30.0, 25.0))], axis=1)
)
SPEC = RunSpec("lines", "oracle", "47ms")


@pytest.fixture
def log():
    return obtain(jobs([SEQUENCE], SPEC, None)[0], Oracle)[0]


def test_the_modes_of_one_log_share_its_pairing(log, monkeypatch):
    alone = {mode: score.score_online(log, SEQUENCE, "hold", mode) for mode in MODES}
    calls = []
    monkeypatch.setattr(score, "pair", lambda *given, pair=score.pair: calls.append(given) or pair(*given))
    together = score.score_modes(log, SEQUENCE, "hold", tuple(MODES))
    assert len(calls) == 1
    for mode in MODES:
        np.testing.assert_array_equal(together[mode].curves["auc"].value, alone[mode].curves["auc"].value)


def test_the_time_in_a_row_is_the_median_of_what_the_wall_clock_measured(log):
    scores = []
    for median in (12.0, 14.0, 40.0):
        log.meta["wall"] = {"stages_ms": {"track": [30, median, 50.0]}}
        scores.append(score.score_online(log, SEQUENCE, "hold"))
    spec = RunSpec("lines", "oracle", "measured", clock="wall")
    made = row(scores, spec, SEQUENCE, "hold", "otb")
    assert (made["clock"], made["processing"], made["processing_ms"]) == ("wall", "measured", 14.0)
    del log.meta["wall"]
    assert row([score.score_online(log, SEQUENCE, "hold")], SPEC, SEQUENCE, "hold", "otb")["processing_ms"] == 47.0


def test_a_predictor_that_reads_features_is_run_for_and_never_made_of_an_old_log(tmp_path):
    joint = replace(SPEC, predictors=("hold", "joint"))
    old, _ = obtain(jobs([SEQUENCE], SPEC, str(tmp_path))[0], Oracle)
    job = jobs([SEQUENCE], joint, str(tmp_path))[0]
    with pytest.raises(InputError, match="joint: reads the tracker's features"):
        with_predictors(old, joint)
    log, ran = obtain(job, Oracle)
    assert ran and log.predictors == ["hold", "joint"]
    kept, ran = obtain(job, Oracle)
    assert not ran and kept.rows == log.rows and with_predictors(kept, joint) is kept
    with pytest.raises(InputError, match="has to run again"):
        with_predictors(kept, joint, anew=True)


def test_outages_are_of_every_row_and_losses_where_presence_is_assessed(log):
    boxes = SEQUENCE.ground_truth_xywh.copy()
    boxes[20:30] = np.nan
    sequence = replace(SEQUENCE, ground_truth_xywh=boxes)
    log.meta["truth"] = sequence.digest()
    plain = score.score_modes(log, sequence, "hold", tuple(MODES))
    assert len({each.outages for each in plain.values()}) == 1
    made = row([plain["otb"]], SPEC, sequence, "hold", "otb")
    assert made["losses"] is None and (made["outages"]["nt2f"], made["outages"]["returns"]) == (1.0, 1)

    log.presence(int(sequence.world_t_ns[24]), Presence.LOST)
    made = row([score.score_online(log, sequence, "hold")], SPEC, sequence, "hold", "otb")
    losses = made["losses"]
    assert (losses["frames"], losses["lost"], losses["said"], losses["noticed"]) == (40, 10, 16, 1)
    assert losses["seconds_to_notice"][0] == pytest.approx(4 / 30, abs=1e-6)
    assert losses["recall"] == 0.6 and losses["recall_in_time"] == 1.0


def test_the_outages_of_zero_latency_are_those_of_the_camera_frames():
    slow = replace(SEQUENCE, camera_fps=10.0)
    spec = replace(SPEC, processing="0ms")
    log = obtain(jobs([slow], spec, None)[0], Oracle)[0]
    for event in log.rows:
        if event[0] == "result" and event[2] >= 7:
            event[4][0] += 500.0
    assert score.score_offline(log, slow).outages.longest_s == pytest.approx(0.7)
    assert score.score_offline(log, slow).outages.nt2f == 0.5
