"""Log files: what happened is in the file before the run ends, however the run ends, and memory does not grow."""

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog, is_complete, read_meta
from pvtpp.core.log_file import LogFile, rows_of
from pvtpp.errors import InputError

BOX = np.array([1 / 3, 2.0, 3, 4])
MANY = 100_000


def until(condition, seconds=60.0):
    """Wait until it is so; a busy machine may take long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


@pytest.fixture(params=[False, True], ids=["same thread", "background"])
def background(request):
    before = set(threading.enumerate())
    yield request.param
    until(lambda: set(threading.enumerate()) <= before)


def rows_in(path):
    return EventLog.read(str(path), cut_off=True).rows


def test_what_is_written_reads_back_to_the_bit(tmp_path, background):
    path = tmp_path / "deep" / "run.jsonl"
    with LogFile(str(path), {"sequence": "clip"}, background=background) as log:
        log.frame(0, 0, 0)
        log.init(1, 0, 0, BOX)
    again = EventLog.read(str(path))
    assert again.rows == [["frame", 0, 0, 0], ["init", 1, 0, 0, BOX.tolist(), [], False]]
    assert again.meta == {"sequence": "clip"} and is_complete(str(path))


def test_a_reader_sees_the_rows_before_the_log_is_closed(tmp_path, background):
    path = tmp_path / "run.jsonl"
    with LogFile(str(path), background=background) as log:
        for number in range(3):
            log.frame(number, number, number)
            if background:
                until(lambda number=number: path.read_text().count("\n") == number + 2)
            assert rows_in(path) == [["frame", i, i, i] for i in range(number + 1)]
        assert not is_complete(str(path))


def test_rows_are_kept_in_memory_only_where_that_is_asked_for(tmp_path, background):
    for keep in (False, True):
        with LogFile(str(tmp_path / "run.jsonl"), keep=keep, background=background) as log:
            log.frame(0, 0, 0)
            log.reset(1)
        assert len(log.rows) == (2 if keep else 0)
        assert rows_of(log) == [["frame", 0, 0, 0], ["reset", 1]]
    assert rows_of(EventLog(rows=[["reset", 3]])) == [["reset", 3]]


def test_meta_is_in_the_header_and_what_it_gains_later_comes_back_too(tmp_path, background):
    path = str(tmp_path / "run.jsonl")
    log = LogFile(path, {"sequence": "clip", "frames": 0}, background=background)
    log.meta["core"] = {"wait_s": 0.1}
    log.frame(0, 0, 0)
    until(lambda: os.path.getsize(path) > 0)
    assert read_meta(path) == {"sequence": "clip", "frames": 0, "core": {"wait_s": 0.1}}
    log.meta.update(frames=1, wall={"late_ms": [1, 2]})
    log.close()
    assert EventLog.read(path).meta == log.meta
    assert EventLog.read(path, cut_off=True).meta == log.meta


def test_a_log_without_events_is_a_log(tmp_path, background):
    path = str(tmp_path / "run.jsonl")
    with LogFile(path, {"sequence": "clip"}, background=background):
        pass
    assert EventLog.read(path).rows == [] and EventLog.read(path).meta == {"sequence": "clip"}


def test_it_may_be_closed_twice_and_takes_no_rows_afterwards(tmp_path, background):
    path = str(tmp_path / "run.jsonl")
    log = LogFile(path, background=background)
    log.frame(0, 0, 0)
    log.close()
    log.reset(1)
    log.close()
    assert EventLog.read(path).rows == [["frame", 0, 0, 0]]


def test_rows_that_come_from_other_threads_while_it_is_closed_leave_a_whole_log(tmp_path, background):
    path, stop, raised = str(tmp_path / "run.jsonl"), threading.Event(), []
    log = LogFile(path, background=background)

    def add():
        try:
            while not stop.is_set():
                # Faster than the disk they would leave it much to write.
                if log._waiting.qsize() < 100:
                    log.frame(0, 0, 0)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: os.path.getsize(path) > 1000)
    log.close()
    stop.set()
    for thread in threads:
        thread.join()
    assert raised == [] and len(EventLog.read(path).rows) > 10


def test_an_old_file_is_replaced_at_once(tmp_path, background):
    path = tmp_path / "run.jsonl"
    path.write_text("something old")
    with LogFile(str(path), background=background):
        assert path.read_text() == ""


def test_a_file_that_cannot_be_written_is_named_when_it_is_opened(tmp_path, background):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "run.jsonl", tmp_path):
        with pytest.raises(InputError, match=f"{path}: cannot write"):
            LogFile(str(path), background=background)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_harms_no_run_and_is_one_error_at_the_end(background):
    log = LogFile("/dev/full", background=background)
    for number in range(100):
        log.frame(number, number, number)
    with pytest.raises(InputError, match="/dev/full: the event log is not whole .No space left"):
        log.close()
    log.close()


@pytest.mark.parametrize("wrong", ["row", "number", "meta", "meta at the end"])
def test_what_json_has_no_place_for_is_one_error_at_the_end(wrong, tmp_path, background):
    path = str(tmp_path / "run.jsonl")
    log = LogFile(path, {"made": {1, 2}} if wrong == "meta" else None, background=background)
    log.frame(0, 0, 0)
    log.frame(1, *{"row": (object(), 1), "number": (float("nan"), 1)}.get(wrong, (1, 1)))
    log.frame(2, 2, 2)
    if wrong == "meta at the end":
        log.meta["made"] = {1, 2}
    with pytest.raises(InputError, match=r"run.jsonl: the event log is not whole"):
        log.close()
    log.close()
    assert not is_complete(path)
    if wrong in ("row", "number"):
        # What was written before it is there.
        assert rows_in(path) == [["frame", 0, 0, 0]]


KILLED = """
import sys, time
from pvtpp.core.log_file import LogFile
log = LogFile(sys.argv[1], {"sequence": "clip"}, background=sys.argv[2] == "True")
number = 0
while True:
    log.frame(number, number, number)
    number += 1
    time.sleep(0.0001)
"""


def test_a_killed_process_leaves_a_log_that_is_read_as_far_as_it_goes(tmp_path, background):
    path = tmp_path / "run.jsonl"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path), str(background)])
    try:
        until(lambda: process.poll() is not None or (path.exists() and path.read_bytes().count(b"\n") > 50))
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    log = EventLog.read(str(path), cut_off=True)
    assert len(log.rows) >= 49 and log.meta == {"sequence": "clip"}
    assert log.rows == [["frame", i, i, i] for i in range(len(log.rows))]
    with pytest.raises(InputError, match=r"run\.jsonl"):
        EventLog.read(str(path))


def test_a_long_run_needs_no_more_memory(tmp_path, background):
    with LogFile(str(tmp_path / "run.jsonl"), background=background) as log:

        def add(first, last):
            for number in range(first, last):
                log.frame(number, number, number)
                if number % 1000 == 0:
                    # What waits to be written is no growth: it depends on how busy the machine is.
                    until(lambda: not background or log._waiting.empty())

        add(0, MANY // 10)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            add(MANY // 10, MANY)
            until(lambda: not background or log._waiting.empty())
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    # A row takes some 200 bytes.
    assert grown < 1 << 20, f"{grown} bytes for {MANY} rows"
    assert len(EventLog.read(log.path).rows) == MANY
