"""Event logs: what is written reads back to the bit, and half a log is never taken for a whole one."""

import json

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog, Unlogged, is_complete
from pvtpp.core.state_machine import Pipeline
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.tracker import TrackerOutput


@pytest.fixture
def log():
    pipeline = Pipeline({"hold": create("hold"), "kalman": create("kalman")}, log=EventLog({"sequence": "clip"}))
    pipeline.init(0, 0, 0, np.array([1 / 3, 2 / 7, 11.1, 0.1 + 0.2]))
    pipeline.tracker_finished(7, 1, 5, TrackerOutput(np.array([np.pi, np.e, 10, 1e-3]), 1 / 3))
    pipeline.predict(9)
    return pipeline.log


def test_written_and_read_back_a_log_is_the_same_to_the_bit(log, tmp_path):
    path = str(tmp_path / "deep" / "run.jsonl")
    log.write(path)
    again = EventLog.read(path)
    assert again.rows == log.rows
    assert again.meta == log.meta
    assert is_complete(path)
    assert again.predictors == ["hold", "kalman"]


def test_a_sink_is_told_every_row_and_one_that_raises_is_not_asked_again():
    told, asked = [], []

    def broken(row):
        asked.append(row)
        raise OSError("full")

    for sink, keep in ((told.append, EventLog), (told.append, Unlogged), (broken, EventLog)):
        log = keep(sink=sink)
        log.frame(0, 0, 0)
        log.reset(1)
        assert len(log.rows) == (0 if keep is Unlogged else 2)
    assert told == [["frame", 0, 0, 0], ["reset", 1]] * 2 and len(asked) == 1


def test_a_likeness_follows_the_score_where_somebody_looked():
    log = EventLog()
    for similarity in (None, 0.75):
        log.result(0, 0, 0, TrackerOutput([0, 0, 1, 1], 0.5, similarity=similarity))
    assert [row[5:] for row in log.rows] == [[0.5], [0.5, 0.75]]


def test_a_cut_off_log_is_neither_complete_nor_readable(log, tmp_path):
    path = tmp_path / "run.jsonl"
    log.write(str(path))
    lines = path.read_text().splitlines(keepends=True)
    for kept in (len(lines) - 1, 2, 1, 0):
        path.write_text("".join(lines[:kept]))
        assert not is_complete(str(path))
        with pytest.raises(InputError, match="run.jsonl"):
            EventLog.read(str(path))
    path.write_text("".join(lines)[:-30])
    with pytest.raises(InputError, match="not a complete event log"):
        EventLog.read(str(path))


def test_a_missing_event_in_the_middle_is_noticed(log, tmp_path):
    path = tmp_path / "run.jsonl"
    log.write(str(path))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2] + lines[3:]))
    with pytest.raises(InputError, match="cut off"):
        EventLog.read(str(path))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('["frame",3,1,3]', "'frame' at t_ns=3 comes after an event at t_ns=7"),
        (
            '["photo",7,1,3]',
            "photo.* is no event.*init, frame, start, result, lane, propagated, trajectory, status, reset",
        ),
        ('["frame",7.5,1,3]', "is no event"),
        ('["frame",true,1,3]', "is no event"),
        ('["frame"]', "is no event"),
        ("[]", "is no event"),
        ("[[1],7]", "is no event"),
        ('"frame"', "is no event"),
        ('{"kind":"frame"}', "is no event"),
        ("null", "is no event"),
    ],
)
def test_a_row_that_is_no_event_or_out_of_order_is_named_with_its_line(row, words, log, tmp_path):
    path = tmp_path / "run.jsonl"
    log.write(str(path))
    lines = path.read_text().splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith('["result"')) + 1
    lines[number] = row
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=rf"run\.jsonl, line {number + 1}: .*{words}"):
        EventLog.read(str(path))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"format": "other"}, "not an event log"),
        ({"format": "pvtpp-event-log", "version": 99}, "version 99"),
        ([], "not an"),
    ],
)
def test_other_formats_and_versions_are_refused(header, words, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps(header) + '\n["end", 0]\n')
    with pytest.raises(InputError, match=words):
        EventLog.read(str(path))


def test_a_log_that_cannot_be_written_leaves_nothing_behind(log, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        log.write(str(tmp_path / "file" / "run.jsonl"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(InputError, match="nothing.jsonl"):
        EventLog.read(str(tmp_path / "nothing.jsonl"))
    assert not is_complete(str(tmp_path / "nothing.jsonl"))
