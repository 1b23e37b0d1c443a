"""The log reaches the publisher whole and in order, a log for each target."""

from __future__ import annotations

import threading

from node_helpers import until

from pvtpp.core.event_log import EventLog
from pvtpp_ros_nodes import event_stream
from pvtpp_ros_nodes.event_stream import EventStream, LogFeed, line


def test_every_target_has_a_log_of_its_own_with_a_header_first(no_thread_is_left):
    heard = []
    stream = EventStream(heard.append, None)
    box = [1, 2, 3, 4]
    for row in (
        ["frame", 0, 0, 0],
        ["frame", 1, 1, 1],
        ["init", 2, 1, 1, box],
        ["frame", 3, 2, 3],
        ["init", 4, 1, 1, box],
    ):
        stream.put(row)
    stream.close()
    assert [(event.target_id, event.number, event.row and event.row[0]) for event in heard] == [
        (1, 0, None), (1, 1, "frame"), (1, 2, "init"), (1, 3, "frame"),
        (2, 0, None), (2, 1, "frame"), (2, 2, "frame"), (2, 3, "init"),
    ]  # fmt: skip
    assert stream.target_id == 2
    assert [event.meta for event in heard if event.row is None] == [{"part": True}] * 2


def test_the_gyro_since_the_image_on_which_the_target_was_given_belongs_to_its_log(no_thread_is_left):
    heard = []
    stream = EventStream(heard.append, None)
    seconds = 10**9
    for index in range(5):
        stream.put(["gyro", index * seconds, index * seconds - 1, [0, 0, 0]])
        stream.put(["frame", index * seconds, index, index * seconds])
    stream.put(["init", 9 * seconds, 3, 3 * seconds, [1, 2, 3, 4]])
    stream.begin({})
    stream.put(["frame", 9 * seconds, 9, 9 * seconds])
    stream.put(["init", 9 * seconds, 9, 9 * seconds, [1, 2, 3, 4]])
    stream.close()
    kinds = [(event.target_id, event.row and (event.row[0], event.row[1] // seconds)) for event in heard]
    first = [("gyro", 3), ("frame", 3), ("gyro", 4), ("frame", 4), ("init", 9)]
    # The frame of another live tracker is not in the first log.
    assert kinds == [(1, None), *((1, row) for row in first), (2, None), (2, ("frame", 9)), (2, ("init", 9))]


def test_of_two_live_trackers_at_work_no_log_has_rows_of_both(no_thread_is_left):
    heard = []
    stream = EventStream(heard.append, None)
    old, new = LogFeed(stream), LogFeed(stream)
    old.meta, new.meta = {"live": "old"}, {"live": "new"}
    old.open()
    old.put(["init", 1, 0, 0, [1, 2, 3, 4]])
    new.put(["frame", 2, 9, 2])
    new.put(["init", 2, 9, 2, [1, 2, 3, 4]])
    old.put(["reset", 3])
    old.close()
    new.open()
    old.put(["result", 4, 0, 0, [1, 2, 3, 4], 1.0])
    new.put(["reset", 5])
    stream.close()
    kinds = [(event.target_id, event.meta or event.row[0]) for event in heard]
    first = [{"live": "old", "part": True}, "init", "reset"]
    second = [{"live": "new", "part": True}, "frame", "init", "reset"]
    assert kinds == [*((1, kind) for kind in first), *((2, kind) for kind in second)]


def test_the_lines_are_those_of_the_file(tmp_path, no_thread_is_left):
    log = EventLog({"tracker": "x"}, [["init", 2, 0, 1, [0.1, 2.0, 3.0, 4.0]], ["reset", 3]])
    heard = []
    stream = EventStream(heard.append, None)
    stream.begin(dict(log.meta))
    # Each target has a log of its own, which says so.
    log.meta["part"] = True
    log.write(str(tmp_path / "log.jsonl"))
    for row in log.rows:
        stream.put(row)
    stream.close()
    assert [line(event) for event in heard] == (tmp_path / "log.jsonl").read_text().splitlines()[:-1]


def test_a_publisher_that_raises_or_falls_behind_loses_no_order_and_shows_what_is_missing(
    monkeypatch, no_thread_is_left
):
    monkeypatch.setattr(event_stream, "KEPT", 5)
    go, heard, reported = threading.Event(), [], []

    def slow(event):
        go.wait(60)
        heard.append(event.number)
        if event.number == 1:
            raise RuntimeError("no reader")

    stream = EventStream(slow, reported.append)
    stream.put(["init", 1, 0, 1, [1, 2, 3, 4]])
    for t_ns in range(20):
        stream.put(["frame", t_ns, t_ns, t_ns])
    go.set()
    until(lambda: len(heard) >= 5)
    stream.put(["frame", 30, 30, 30])
    stream.close()
    assert heard == sorted(heard) and heard[-1] == 22 and len(heard) < 10 and str(reported[0]) == "no reader"
