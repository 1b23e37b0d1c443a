"""Scoring what flew: each target against its own time, missing lines noticed, bags of ROS 1 and ROS 2."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
from bag_files import KINDS, path_of, written
from node_helpers import FakeMiddleware

from pvtpp import predictors
from pvtpp.core import commands
from pvtpp.core.event_log import EventLog
from pvtpp.core.state_machine import StateMachine
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_ros_nodes import bag_eval, bags, conversions
from pvtpp_ros_nodes.bags import Truth

BEGIN_NS, FRAME_NS = 10**18, 10**8
OPTIONS = {"events": "/events", "truth": "/truth", "predictors": None, "sequence": None, "bag": "flight.bag"}


def flown(first=0, count=20, meta=None, lag=0, reset=True):
    """The log of a tracker that is right, `lag` frames late, on a target that moves 4 px a frame."""
    log = EventLog(meta)
    hold = {"hold": predictors.create("hold")}
    machine = StateMachine(hold, log=log)
    for index in range(first, first + count):
        t_ns = BEGIN_NS + index * FRAME_NS
        box = np.array([100.0 + 4 * max(index - lag, first), 100, 20, 20])
        todo = machine.frame_arrived(t_ns, Frame(index, t_ns))
        if index == first:
            todo += machine.init(t_ns, Frame(index, t_ns), box)
        # Everything takes no time.
        while todo:
            command = todo.pop(0)
            if isinstance(command, commands.Init):
                todo += machine.initialised(t_ns, command)
            elif isinstance(command, commands.TrackFrame):
                todo += machine.tracked(t_ns, command, TrackerOutput(box))
            elif isinstance(command, commands.Predict):
                todo += machine.predicted(t_ns, command, commands.predict(hold, command))
    if reset:
        machine.reset(t_ns)
    return log


def truth(count=60, shift_ns=0):
    xywh = np.array([[90.0 + 4 * index, 90, 20, 20] for index in range(count)])
    return Truth.of([BEGIN_NS + index * FRAME_NS + shift_ns for index in range(count)], xywh, "truth")


def test_a_target_is_scored_from_where_it_was_given_to_where_it_was_forgotten():
    row = bag_eval.score(flown(first=10), truth(), "hold", "strict")
    assert (row["frames"], row["auc"], row["clock"]) == (20, 1.0, None)
    late = bag_eval.score(flown(first=10, lag=1), truth(), "hold", "strict")
    # 4 px of 20 off: the boxes share 16 of 24; the first frame is given.
    assert late["auc"] == pytest.approx(16 / 24, abs=0.03)


def test_the_cameras_offset_moves_the_truth():
    log = flown(meta={"capture_offset": -0.05})
    assert bag_eval.score(log, truth(shift_ns=50_000_000), "hold", "strict")["auc"] == 1.0


def test_truth_of_another_time_is_no_truth():
    with pytest.raises(InputError, match="was it played at another time"):
        bag_eval.score(flown(), truth(shift_ns=-(10**12)), "hold", "strict")


def test_a_target_that_was_replaced_ends_there(monkeypatch):
    logs = [(1, flown(0, 20, reset=False)), (2, flown(20, 10))]
    monkeypatch.setattr(bags, "event_logs", lambda bag, topic: logs)
    monkeypatch.setattr(bags, "truth_of_bag", lambda bag, topic: truth())
    found = list(bag_eval._flown(None, argparse.Namespace(**OPTIONS)))
    frames = [bag_eval.score(log, known, "hold", "strict")["frames"] for _, log, known in found]
    assert frames == [21, 10]


def test_the_rate_of_the_truth_is_that_of_its_times():
    assert truth().fps == 10.0
    with pytest.raises(InputError, match="1 times with ground truth, at least two are needed"):
        Truth.of([5, 5], [[1, 2, 3, 4]] * 2, "truth")


def recorded(path, kind, logs, left_out=()):
    """A bag of the logs, as the node publishes them, and of the truth."""
    middleware = FakeMiddleware(1 if kind == "ros1" else 2)
    with written(path, kind) as write:
        for target, log in logs:
            lines = [{"meta": log.meta}, *log.rows]
            for number, line in enumerate(lines):
                event = middleware.message("pvtpp/Event")
                event.target_id, event.number, event.line = target, number, json.dumps(line)
                if number not in left_out:
                    write("/camera/tracker/events", BEGIN_NS + number, "pvtpp/Event", event)
        known = truth()
        for t_ns, xywh in zip(known.t_ns.tolist(), known.xywh.tolist()):
            roi = conversions.fill_roi(middleware.message("pvtpp/Roi"), t_ns, "camera", xywh)
            write("/camera/ground_truth", t_ns, "pvtpp/Roi", roi)
    return str(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bag_scores_as_its_event_log_does(kind, tmp_path):
    log = flown(first=3, lag=1)
    path = recorded(path_of(tmp_path, kind), kind, [(7, log)])
    bag_eval.main([path, "--json", str(tmp_path / "rows.json"), "--logs", str(tmp_path), "--mode", "otb,strict"])
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert rows == [{"target": 7, **bag_eval.score(log, truth(), "hold", mode)} for mode in ("otb", "strict")]
    again = EventLog.read(str(tmp_path / "target7.jsonl"))
    assert (again.meta, again.rows) == (log.meta, json.loads(json.dumps(log.rows)))


@pytest.mark.parametrize("kind", KINDS)
def test_lines_that_are_missing_are_counted(kind, tmp_path):
    path = recorded(path_of(tmp_path, kind), kind, [(1, flown())], left_out=(5, 6))
    with pytest.raises(SystemExit, match="the events 5 to 6 of target 1 are missing on /camera/tracker/events"):
        bag_eval.main([path])
