"""Event logs: what is written reads back to the bit, and half a log is never taken for a whole one."""

import json

import numpy as np
import pytest

from pvtpp.core.event_log import KINDS, EventLog, Unlogged, is_complete, read_meta
from pvtpp.core.presence import Presence
from pvtpp.detection import Detections
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.track import Displacement, PropagatedBox, Track
from pvtpp.tracker import TrackerOutput

BOX = np.array([np.pi, np.e, 10, 1e-3])


@pytest.fixture
def log():
    """One event of each kind, with numbers that need every bit."""
    log = EventLog({"sequence": "clip"})
    log.init(0, 0, 0, np.array([1 / 3, 2 / 7, 11.1, 0.1 + 0.2]))
    log.frame(1, 1, 1)
    log.initialised(2)
    log.track(3, 1, 1, None)
    log.track(3, 1, 1, BOX)
    log.result(7, 1, 5, TrackerOutput(BOX, 1 / 3))
    log.propagate(7, None)
    log.propagated(7, 5, [PropagatedBox(6, BOX / 3, 0.1)], None)
    log.propagated(8, 5, [], Displacement(4, -BOX / 7, 1 / 7))
    log.encoded(8)
    for name in ("hold", "kalman"):
        log.trajectory(9, name, create(name).predict(Track().with_result(0, BOX).with_result(5, BOX / 3)))
    log.presence(9, Presence.LOST)
    log.detected(9, 5, Detections(np.array([BOX / 3, BOX]), np.array([1 / 3, 0.1])))
    log.failed(9, "TrackFrame")
    log.done(9, "Predict")
    log.time(9)
    log.gyro(9, 5, np.array([0.1, 1 / 3, -0.7]))
    log.reset(10)
    assert {row[0] for row in log.rows} == set(KINDS)
    return log


def test_written_and_read_back_a_log_is_the_same_to_the_bit(log, tmp_path):
    path = str(tmp_path / "deep" / "run.jsonl")
    log.write(path)
    again = EventLog.read(path)
    assert again.rows == log.rows
    assert again.meta == log.meta == read_meta(path)
    assert is_complete(path)
    assert again.predictors == ["hold", "kalman"]


def test_a_sink_gets_every_row_and_one_that_raises_is_not_called_again():
    rows, asked = [], []

    def broken(row):
        asked.append(row)
        raise OSError("full")

    for sink, keep in ((rows.append, EventLog), (rows.append, Unlogged), (broken, EventLog)):
        log = keep(sink=sink)
        log.frame(0, 0, 0)
        log.reset(1)
        assert len(log.rows) == (0 if keep is Unlogged else 2)
    assert rows == [["frame", 0, 0, 0], ["reset", 1]] * 2 and len(asked) == 1


def test_a_similarity_follows_the_score_where_there_is_one():
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
            "photo.* is no event.*init, frame, initialised, track, result, propagate, propagated, encoded, trajectory, "
            "presence, detected, failed, done, time, reset, gyro",
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
    with pytest.raises(InputError, match="nothing.jsonl"):
        read_meta(str(tmp_path / "nothing.jsonl"))


def test_the_trajectories_of_a_predictor_are_read_off_the_rows_as_often_as_the_log_has_grown(log):
    available, table = log.trajectories("kalman")
    assert available.tolist() == [9] and len(table) == 1 and log.trajectories("kalman")[1] is table
    log.trajectory(11, "kalman", create("kalman").predict(Track().with_result(11, BOX)))
    available, table = log.trajectories("kalman")
    assert available.tolist() == [9, 11] and table.evidence_ns.tolist() == [5, 11]
    with pytest.raises(InputError, match="no trajectories of predictor 'ensemble' in the log, it has: hold, kalman"):
        log.trajectories("ensemble")


@pytest.mark.parametrize("lost", ["the closing row", "half of the last row", "half of it"])
def test_what_there_is_of_a_cut_off_log_is_read_where_that_is_asked_for(lost, log, tmp_path):
    path = tmp_path / "run.jsonl"
    log.write(str(path))
    lines = path.read_text().splitlines(keepends=True)
    kept = {"the closing row": len(log.rows), "half of the last row": len(log.rows) - 1, "half of it": 7}[lost]
    path.write_text("".join(lines[: kept + 1]) + (lines[kept + 1][:9] if lost != "the closing row" else ""))
    again = EventLog.read(str(path), cut_off=True)
    assert again.rows == log.rows[:kept] and again.meta == log.meta
    with pytest.raises(InputError, match=r"run\.jsonl"):
        EventLog.read(str(path))


def test_a_whole_log_is_read_the_same_where_half_a_one_would_do(log, tmp_path):
    path = tmp_path / "run.jsonl"
    log.write(str(path))
    assert EventLog.read(str(path), cut_off=True).rows == log.rows
    # A closing row that counts other events than there are is not taken for an event.
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2] + lines[3:]))
    with pytest.raises(InputError, match="end.* is no event"):
        EventLog.read(str(path), cut_off=True)


def test_what_a_run_found_out_about_itself_at_its_end_is_in_the_meta(log, tmp_path):
    path = tmp_path / "run.jsonl"
    log.write(str(path))
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([*lines[:-1], json.dumps(["end", len(log.rows), {"frames": 7, "sequence": "other"}])]) + "\n"
    )
    assert EventLog.read(str(path)).meta == {"sequence": "other", "frames": 7}


def test_numbers_that_are_none_are_not_written(log, tmp_path):
    log.rows.append(["frame", 11, 0, float("nan")])
    with pytest.raises(ValueError, match="JSON"):
        log.write(str(tmp_path / "run.jsonl"))
    assert list(tmp_path.iterdir()) == []
