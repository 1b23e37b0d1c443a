"""Knowing the camera's rotation removes its share of the error, in the simulation and in a replay of its log."""

from dataclasses import replace

import numpy as np
import pytest

from pvtpp import predictors
from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.pairing import pair
from pvtpp_benchmarks.runs import jobs, obtain
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_benchmarks.studies.ego_motion import centre_error, swung

LATE_NS = 85_000_000


@pytest.fixture(scope="module")
def clip():
    return swung(9, seconds=3)


def with_gyro(gyro):
    """The same clip with another gyro on its camera."""
    clip = swung(9, seconds=3)
    object.__setattr__(clip, "gyro", gyro)
    return clip


def run(clip, gyro=True, **options):
    made = {"kalman": predictors.create("kalman")}
    first = xywh_to_box(clip.ground_truth_xywh)[0]
    return simulate(
        clip, Oracle(clip), made, lambda i: LATE_NS, first_box=first, gyro=clip.gyro if gyro else None, **options
    )


@pytest.mark.parametrize("predictor", ["hold", "constant_velocity", "kalman", "motion"])
def test_with_a_gyro_the_error_is_less_than_a_third(clip, predictor):
    without, known = (
        centre_error(clip, Oracle(clip), predictor, LATE_NS, False, gyro).mean() for gyro in (False, True)
    )
    assert known < without / 3


def test_a_wrong_sign_makes_it_worse(clip):
    wrong = with_gyro(replace(clip.gyro, rates=-clip.gyro.rates))
    without = centre_error(wrong, Oracle(wrong), "kalman", LATE_NS, False, False).mean()
    assert centre_error(wrong, Oracle(wrong), "kalman", LATE_NS, False, True).mean() > without


def test_the_log_replays_to_the_bit_and_scores_by_itself(clip, tmp_path):
    log = run(clip, search_region="predicted", meta={"search_region": "predicted"})
    log.write(str(tmp_path / "log.jsonl"))
    again = EventLog.read(str(tmp_path / "log.jsonl"))
    assert replay(again, {"kalman": predictors.create("kalman")}).rows == log.rows
    assert all(len(row) == 11 and row[-1] is True for row in log.of_kind("trajectory"))
    first, second = (pair(each, "kalman", clip.world_t_ns, clip.world_fps) for each in (log, again))
    np.testing.assert_array_equal(first.box, second.box)


def test_no_answer_uses_a_sample_before_its_delay_has_passed(clip):
    """If the gyro ends at some time, no earlier answer changes."""
    log = run(clip)
    cut = 1_500_000_000
    known = EventLog(log.meta, [row for row in log.rows if row[0] != "gyro" or row[1] <= cut])
    whole, part = (pair(each, "kalman", clip.world_t_ns, clip.world_fps) for each in (log, known))
    before = clip.world_t_ns[whole.frame] <= cut
    np.testing.assert_array_equal(whole.box[before], part.box[before])
    assert np.abs(whole.box[~before] - part.box[~before]).max() > 1
    assert all(row[1] - row[2] >= clip.gyro.delay_ns for row in log.of_kind("gyro"))


def test_after_a_gyro_ends_answers_are_those_without_a_gyro(clip):
    dies, died_ns = clip.gyro.t_ns < 1_000_000_000, 1_600_000_000
    dead = with_gyro(replace(clip.gyro, t_ns=clip.gyro.t_ns[dies], rates=clip.gyro.rates[dies]))
    answers = []
    for gyro in (True, False):
        pairs = pair(run(dead, gyro), "kalman", clip.world_t_ns, clip.world_fps)
        answers.append(pairs.box[(clip.world_t_ns[pairs.frame] > died_ns) & (pairs.sigma == 0)])
    np.testing.assert_array_equal(*answers)


def test_a_run_with_a_gyro_has_a_log_of_its_own_and_needs_one(clip, tmp_path):
    spec = RunSpec("made", "oracle", "85ms", ("kalman",), ego_motion="gyro")
    assert spec.folder() != RunSpec("made", "oracle", "85ms", ("kalman",)).folder()
    job = jobs([clip], spec, str(tmp_path))[0]
    log, ran = obtain(job, Oracle)
    assert ran and log.of_kind("gyro") and not obtain(job, Oracle)[1]
    with pytest.raises(InputError, match=r"gyro\.csv"):
        obtain(jobs([with_gyro(None)], spec, str(tmp_path))[0], Oracle)


def test_a_saved_clip_brings_its_gyro_along(clip, tmp_path):
    from pvtpp_benchmarks.datasets.registry import load

    clip.save(str(tmp_path / "swung"))
    (loaded,) = load("folder", str(tmp_path / "swung"), None)
    np.testing.assert_allclose(loaded.gyro.rates, clip.gyro.rates, rtol=1e-8)
    np.testing.assert_array_equal(loaded.gyro.t_ns, clip.gyro.t_ns)
