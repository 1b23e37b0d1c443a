"""Runs given to executors: how many at a time, and what travels where an executor shares no files with this machine."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks import execution
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.execution import Task, run
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.runs import jobs
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_trackers.factory import MakeTracker

SPEC = RunSpec("boxes", "oracle", "47ms", version="test")
SEQUENCES = [VideoSequence(f"s{number}", np.tile([10.0 + number, 10, 20, 20], (12, 1))) for number in range(7)]


class Elsewhere(ThreadPoolExecutor):
    """An executor that is to share no files with this process; counts the calls that were given and not done."""

    shares_files = False

    def __init__(self):
        super().__init__(1)
        self.lock, self.open, self.most = threading.Lock(), 0, 0

    def submit(self, function, /, *arguments, **named):
        with self.lock:
            self.open += 1
            self.most = max(self.most, self.open)
        future = super().submit(function, *arguments, **named)
        future.add_done_callback(self.close)
        return future

    def close(self, _):
        with self.lock:
            self.open -= 1


def path_of(job, log):
    return job.path, len(log.rows)


def tasks(folder, spec=SPEC, make=Oracle):
    return [Task(job, make, path_of) for job in jobs(SEQUENCES, spec, folder and str(folder))]


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.jsonl")}


def test_no_more_runs_are_given_than_fit_in_memory_and_all_are_done(monkeypatch):
    monkeypatch.setattr(execution, "AHEAD", 3)
    with Elsewhere() as executor:
        done = list(run(tasks(None), executor))
    assert sorted(each.number for each in done) == list(range(7)) and executor.most == 3


def test_logs_come_back_as_they_would_be_here_and_kept_ones_go_there(tmp_path):
    here = list(run(tasks(tmp_path / "here")))
    with Elsewhere() as executor:
        there = list(run(tasks(tmp_path / "there"), executor))
        again = list(run(tasks(tmp_path / "there"), executor))
    assert content(tmp_path / "here") == content(tmp_path / "there") and len(here) == 7
    assert all(each.ran for each in there) and not any(each.ran for each in again)
    # What is made of a log is given the log's place here, not that of the copy.
    assert {each.used[0] for each in there} == {str(path) for path in (tmp_path / "there").rglob("*.jsonl")}
    assert [each.used[1] for each in again] == [each.used[1] for each in here]


def test_a_kept_log_that_does_not_count_is_made_anew_and_replaced(tmp_path):
    with Elsewhere() as executor:
        list(run(tasks(tmp_path), executor))
        newer = tasks(tmp_path, replace(SPEC, version="newer"))
        before = content(tmp_path)
        assert all(each.ran for each in run(newer, executor))
    assert set(before) == set(content(tmp_path)) and before != content(tmp_path)


def test_a_tracker_with_other_weights_there_is_refused():
    make = MakeTracker("kcf")
    for digest, fine in ((make.digest(), True), ("other", False)):
        todo = tasks(None, replace(SPEC, tracker="kcf", tracker_digest=digest), make)[:1]
        with Elsewhere() as executor:
            if not fine:
                with pytest.raises(InputError, match="tracker kcf on .*: other source files or weights"):
                    list(run(todo, executor))
                continue
            # The same tracker begins, and fails for want of images.
            with pytest.raises(InputError, match="s0"):
                list(run(todo, executor))


def test_the_wall_clock_takes_no_executor():
    spec = RunSpec("boxes", "oracle", "measured", clock="wall")
    with Elsewhere() as executor, pytest.raises(InputError, match="they take no executor"):
        list(run(tasks(None, spec), executor))
