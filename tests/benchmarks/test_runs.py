"""Logs of runs: streamed to disk, whole or not there, and never more of them in memory than is needed."""

import gc
import importlib
import json
import os
from functools import partial

import numpy as np
import pytest

from pvtpp.core import event_log
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_benchmarks import runs
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.execution import Task, run
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.runs import jobs, obtain
from pvtpp_benchmarks.scoring import score_logs
from pvtpp_benchmarks.spec import Grid, RunSpec
from pvtpp_benchmarks.workers import workers

SPEC = RunSpec("lines", "oracle", "47ms", predictors=("hold", "kalman"), version="test")


def line(name, speed=3.0, frames=40):
    columns = [10 + speed * np.arange(frames), *(np.full(frames, value) for value in (20.0, 30.0, 25.0))]
    return VideoSequence(name, np.stack(columns, axis=1))


SEQUENCES = [line(f"line {number}", number) for number in range(1, 6)]
GRID = Grid(SPEC, ("hold", "kalman"), {"search_region": ("last",), "propagation": ("none",)}, offline=False)


def whole_logs(folder):
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())


def test_a_log_is_on_disk_while_its_run_goes_on_and_has_its_name_when_it_is_whole(tmp_path):
    found = []

    class Looking(Oracle):
        def track(self, frame, search_box=None):
            if frame.index > 20 and not found:
                (path,) = whole_logs(tmp_path)
                found.append((os.path.basename(path), open(path).read()))
            return super().track(frame, search_box)

    job = jobs(SEQUENCES[:1], SPEC, str(tmp_path))[0]
    log, ran = obtain(job, Looking)
    name, text = found[0]
    assert ran and not name.endswith(".jsonl") and '["result"' in text and '["end"' not in text
    assert whole_logs(tmp_path) == [job.path] and log.path == job.path
    assert EventLog.read(job.path).rows == log.rows


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_a_run_that_is_interrupted_or_fails_leaves_no_log(tmp_path, error):
    class Stopping(Oracle):
        def track(self, frame, search_box=None):
            if frame.index > 20:
                raise error("stop")
            return super().track(frame, search_box)

    job = jobs(SEQUENCES[:1], SPEC, str(tmp_path))[0]
    with pytest.raises((error, InputError), match="stop"):
        obtain(job, Stopping)
    assert whole_logs(tmp_path) == []


def test_a_log_that_a_killed_process_cut_off_is_run_again(tmp_path):
    job = jobs(SEQUENCES[:1], SPEC, str(tmp_path))[0]
    log, _ = obtain(job, Oracle)
    text = open(job.path).read()
    for cut in (text[: len(text) // 2], text.rpartition('["end"')[0], ""):
        with open(job.path, "w") as file:
            file.write(cut)
        again, ran = obtain(job, Oracle)
        assert ran and again.rows == log.rows and open(job.path).read() == text
    assert obtain(job, Oracle)[1] is False


def test_an_old_log_stays_until_the_new_one_is_whole(tmp_path):
    job = jobs(SEQUENCES[:1], SPEC, str(tmp_path))[0]
    obtain(job, Oracle)
    text = open(job.path).read()
    newer = jobs(SEQUENCES[:1], RunSpec("lines", "oracle", "47ms", version="newer"), str(tmp_path))[0]
    assert newer.path == job.path

    class Failing(Oracle):
        def track(self, frame, search_box=None):
            raise RuntimeError("broken")

    with pytest.raises(InputError, match="broken"):
        obtain(newer, Failing)
    assert open(job.path).read() == text


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(InputError, match="logs.*cannot write"):
        obtain(jobs(SEQUENCES[:1], SPEC, str(tmp_path / "logs"))[0], Oracle)


def test_a_failure_of_the_tracker_is_not_taken_for_one_of_the_disk(tmp_path):
    def make(sequence):
        raise FileNotFoundError("weights.onnx")

    with pytest.raises(FileNotFoundError, match=r"weights\.onnx"):
        obtain(jobs(SEQUENCES[:1], SPEC, str(tmp_path))[0], make)


def alive():
    """How many event logs with events there are in this process."""
    gc.collect()
    return sum(isinstance(each, EventLog) and len(each.rows) > 0 for each in gc.get_objects())


COUNT = """
import gc
from pvtpp.core.event_log import EventLog

def count(job, log):
    gc.collect()
    return sum(isinstance(each, EventLog) and len(each.rows) > 0 for each in gc.get_objects()), log.predictors
"""


@pytest.mark.parametrize("kept", [False, True])
def test_of_all_logs_one_is_in_memory(tmp_path, kept, monkeypatch):
    before, most = alive(), []

    class Counted(Oracle):
        def track(self, frame, search_box=None):
            if frame.index > 30:
                most.append(alive())
            return super().track(frame, search_box)

    monkeypatch.setattr(runs, "with_predictors", lambda log, *_: most.append(alive()) or log)
    logs = str(tmp_path) if kept else None
    rows = evaluate(SEQUENCES, GRID, Counted, logs)
    assert evaluate(SEQUENCES, GRID, Counted, logs) == rows
    assert len(most) >= 2 * len(SEQUENCES) and max(most) == before + 1 and alive() == before


def test_with_workers_each_has_one_log_in_memory_and_none_comes_back(tmp_path, monkeypatch):
    (tmp_path / "counts_logs.py").write_text(COUNT)
    monkeypatch.syspath_prepend(str(tmp_path))
    count = importlib.import_module("counts_logs").count
    before, todo = alive(), jobs(SEQUENCES, SPEC, str(tmp_path))
    with workers(2) as pool:
        for done in run([Task(job, partial(Oracle, noise=0.02), count) for job in todo], pool):
            assert done.used == (1, ["hold", "kalman"]) and done.ran and alive() == before


def test_scoring_has_one_log_in_memory(tmp_path, monkeypatch):
    rows = evaluate(SEQUENCES, GRID, Oracle, str(tmp_path))
    before, most, read = alive(), [], EventLog.read.__func__

    def counted(cls, path, cut_off=False):
        most.append(alive())
        return read(cls, path, cut_off)

    monkeypatch.setattr(event_log.EventLog, "read", classmethod(counted))
    assert score_logs([str(tmp_path)], SEQUENCES) == rows
    assert len(most) >= len(SEQUENCES) and max(most) == before and alive() == before


def test_a_log_says_what_made_it(tmp_path):
    job = jobs(SEQUENCES[:1], SPEC, str(tmp_path))[0]
    obtain(job, Oracle)
    meta = json.loads(open(job.path).readline())["meta"]
    assert (meta["sequence"], meta["tracker"], meta["processing"], meta["processing_ms"]) == (
        "line 1",
        "oracle",
        "47ms",
        47,
    )
    assert set(meta["listeners"]) == {"hold", "kalman"} and meta["version"] == "test" and meta["presence"] == "off"
