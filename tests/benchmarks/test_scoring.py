"""Scoring logs that there are: what `evaluate` gives, other predictors on old logs, and clear errors."""

import json
import shutil

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.scoring import find_logs, score_logs


def walk(name, seed, frames=50):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=[0.4, 0.4, 0.02, 0.02], size=(frames, 4)).cumsum(axis=0)
    return VideoSequence(name, steps.cumsum(axis=0) + [300, 200, 60, 50])


CLIPS = [walk("one", 1), walk("two", 2)]


def run(folder, clips=CLIPS, **settings):
    settings = {"processing": "47ms", "predictors": "hold", "offline": False, "propagation": "none", **settings}
    return evaluate(clips, make_grid("walks", "oracle", **{"presence": "off", **settings}), Oracle, str(folder))


def test_logs_score_as_their_runs_did_in_the_order_of_their_times(tmp_path):
    rows = run(tmp_path, processing=["165ms", "20ms"], predictors=["hold", "kalman:pvt"], starts=2)
    again = score_logs([str(tmp_path)], CLIPS)
    assert sorted(again, key=json.dumps) == sorted(rows, key=json.dumps)
    assert [row["processing_ms"] for row in again] == [20, 20, 165, 165]


def test_predictors_that_were_not_in_a_run_are_scored_as_if_they_had_been(tmp_path):
    run(tmp_path / "old")
    expected = run(tmp_path / "new", predictors=["hold", "kalman"], search_region="last")
    assert score_logs([str(tmp_path / "old")], CLIPS, ["hold", "kalman"]) == expected
    assert score_logs([str(tmp_path / "old")], CLIPS, "kalman") == expected[1:]


def test_made_anew_the_trajectories_are_the_same(tmp_path):
    rows = run(tmp_path, predictors=["hold", "kalman"], search_region="last")
    assert score_logs([str(tmp_path)], CLIPS, anew=True) == rows


def test_a_predictor_that_would_have_looked_elsewhere_is_refused_with_the_log(tmp_path):
    run(tmp_path, predictors="constant_velocity", search_region="predicted", processing="165ms")
    with pytest.raises(InputError, match=r"one\.0of1\.0\.jsonl: .*the tracker has to run again"):
        score_logs([str(tmp_path)], CLIPS, "hold")


def test_a_predictor_is_served_by_the_runs_that_it_did_not_have_to_steer(tmp_path):
    run(tmp_path, predictors="constant_velocity", search_region="predicted", processing="165ms")
    expected = run(tmp_path, predictors=["hold", "kalman"], search_region="last", processing="165ms")
    assert score_logs([str(tmp_path)], CLIPS, ["hold", "kalman"]) == expected
    both = score_logs([str(tmp_path)], CLIPS, ["constant_velocity", "hold"])
    assert sorted((row["predictor"], row["search_region"]) for row in both) == [
        ("constant_velocity", "last"), ("constant_velocity", "predicted"), ("hold", "last")
    ]  # fmt: skip
    with pytest.raises(InputError, match="wizard"):
        score_logs([str(tmp_path)], CLIPS, ["hold", "wizard"])


def test_two_logs_of_one_run_are_refused_where_they_differ_and_taken_once_where_they_do_not(tmp_path):
    rows = run(tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    assert score_logs([str(tmp_path)], CLIPS) == rows
    path = find_logs([str(tmp_path / "there")])[0]
    head, _, rest = open(path).read().partition("\n")
    with open(path, "w") as file:
        file.write(head.replace('"images": null', '"images": "/elsewhere"') + "\n" + rest)
    with pytest.raises(InputError, match="two logs of one run.*name the folder of one of them"):
        score_logs([str(tmp_path)], CLIPS)


def test_modes_and_sequences_apart_have_rows_of_their_own(tmp_path):
    run(tmp_path)
    rows = score_logs([str(tmp_path)], CLIPS, modes=["otb", "strict"], apart="two")
    found = [(row["mode"], row["apart"], list(row["per_sequence"])) for row in rows]
    assert found == [
        ("otb", False, ["one"]), ("strict", False, ["one"]), ("otb", True, ["two"]), ("strict", True, ["two"])
    ]  # fmt: skip
    with pytest.raises(InputError, match="--apart names three, not among: one, two"):
        score_logs([str(tmp_path)], CLIPS, apart=["three"])


def test_logs_of_other_sequences_are_refused_or_left_out(tmp_path):
    rows = run(tmp_path)
    with pytest.raises(InputError, match="made on sequence 'two', which is not among: one"):
        score_logs([str(tmp_path)], CLIPS[:1])
    assert list(score_logs([str(tmp_path)], CLIPS[:1], strict=False)[0]["per_sequence"]) == ["one"]
    with pytest.raises(InputError, match="no event log of the sequences three"):
        score_logs([str(tmp_path)], [walk("three", 3)], strict=False)
    with pytest.raises(InputError, match="another sequence of this name"):
        score_logs([str(tmp_path)], [walk("one", 4), CLIPS[1]])
    assert score_logs(find_logs([str(tmp_path)]), CLIPS) == rows


def test_what_is_no_log_of_a_run_is_named(tmp_path):
    EventLog({"tracker": "t"}).write(str(tmp_path / "flight.jsonl"))
    with pytest.raises(InputError, match=r"flight\.jsonl: the log does not say its sequence, processing, dataset"):
        score_logs([str(tmp_path)], CLIPS)
    (tmp_path / "flight.jsonl").write_text("no log\n")
    with pytest.raises(InputError, match=r"flight\.jsonl: not an event log"):
        score_logs([str(tmp_path)], CLIPS)
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        find_logs([str(tmp_path / "nowhere")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no event logs"):
        find_logs([str(tmp_path / "empty")])


def test_a_run_that_is_under_way_is_no_log(tmp_path):
    rows = run(tmp_path)
    path = find_logs([str(tmp_path)])[0]
    folder, _, name = path.rpartition("/")
    with open(f"{folder}/.{name}.123.part", "w") as part, open(path) as whole:
        part.write(whole.read()[:500])
    assert score_logs([str(tmp_path)], CLIPS) == rows
