"""Another live tracker takes over: nobody waits for it, no tracker is called by two threads, and no log is mixed."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from gated import Gate, GatedTracker
from node_helpers import (
    BEGIN_NS,
    FRAME_NS,
    begin,
    follow,
    image_message,
    newest_evidence,
    roi_message,
    send,
    spot_xywh,
    stamp_of_last,
    until,
)
from swung_flight import MS, camera_known, info_message

from pvtpp import predictors
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_ros_nodes import conversions, replaceable
from pvtpp_ros_nodes.background import BackgroundWorker
from pvtpp_ros_nodes.handover import HandedOverTracker

GATED = {"tracker": "gated:GatedTracker", "imu": True, "camera_from_imu": "1, 0, 0, 0, 1, 0, 0, 0, 1"}
MATRIX = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
FOREVER_S = 3600.0


@pytest.fixture
def gates(monkeypatch):
    """The gates of the tracker, and one of the parts of live trackers; all are opened in the end."""
    GatedTracker.renew()
    parts, create = Gate(), predictors.create

    def slow(name):
        parts.go_through()
        return create(name)

    monkeypatch.setattr(replaceable.predictors, "create", slow)
    made = {"parts": parts, "close": GatedTracker.working, "load": GatedTracker.loading}
    yield made
    for gate in made.values():
        gate.open()


@pytest.mark.parametrize("stage", ["parts", "close", "load"])
def test_the_target_has_no_gap_and_images_do_not_wait_while_another_live_tracker_takes_over(
    start, middleware1, gates, monkeypatch, stage
):
    """For a second of the test's clock one stage of the replacement does not end; a target is due every 10 ms."""
    core = start(middleware1, **GATED)
    begin(core, middleware1)
    follow(core, middleware1, 1, 10)
    monkeypatch.setattr(replaceable, "CLOSE_S", 0.0 if stage == "load" else FOREVER_S)
    if stage != "parts":
        # The tracker is at this frame, and does not return from it.
        GatedTracker.working.shut()
        send(core, middleware1, 11, 133)
        until(GatedTracker.working.reached.is_set, what="the tracker's next frame")
    gates[stage].shut()
    gates[stage].reached.clear()
    before, first = core.live, len(middleware1.published["target"])
    steps(core, middleware1, 1)
    core.on_camera_info(info_message(middleware1, MATRIX))
    if stage == "close":
        until(lambda: core.live is not before, what="another live tracker")
    else:
        until(gates[stage].reached.is_set, what=stage)
    steps(core, middleware1, 100)
    end_ns = middleware1.t_ns
    assert not gates[stage].hung and (stage == "parts") == (core.live is before)
    gates[stage].open()
    until(lambda: core.live is not before, what="another live tracker")
    follow(core, middleware1, (end_ns - BEGIN_NS) // FRAME_NS + 1, 3, step=0)
    stamps = [conversions.stamp_ns(target.header.stamp) for target in middleware1.published["target"][first:]]
    stamps = [stamp for stamp in stamps if stamp <= end_ns]
    assert len(stamps) == 101 and np.diff(stamps).max() <= 20 * MS
    assert GatedTracker.overlaps == 0 and len(GatedTracker.made) == (2 if stage == "load" else 1)
    assert middleware1.has_logged("the tracker hangs, another one is loaded") == (stage == "load")


def steps(core, middleware, count):
    """Time goes on by 10 ms, images arrive at 30 Hz; the next step comes when there is a target of this moment."""
    for _ in range(count):
        middleware.t_ns += 10 * MS
        index, late = divmod(middleware.t_ns - BEGIN_NS, FRAME_NS)
        if late < 10 * MS:
            core.on_image(image_message(middleware, index, 130))
        until(lambda: stamp_of_last(middleware, "target") == middleware.t_ns, what="a target of this moment")


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_when_a_live_tracker_forgets_its_target_the_next_one_predicts_already(
    start, middleware1, gates, monkeypatch, ending
):
    core, ended = start(middleware1, **GATED), []
    begin(core, middleware1)
    follow(core, middleware1, 1, 10)
    before, end = core.live, getattr(LiveTracker, ending)

    def recorded(live, *about, **settings):
        if live is before:
            prediction, status = core._tracking.answer(middleware1.t_ns)
            ended.append((core.live is not live, prediction is not None, status))
        return end(live, *about, **settings)

    monkeypatch.setattr(LiveTracker, ending, recorded)
    camera_known(core, info_message(middleware1, MATRIX))
    until(lambda: ended, what=f"{ending} of the live tracker before")
    assert ended[0] == (True, True, conversions.TRACKING)


def test_the_logs_of_both_live_trackers_replay_to_the_bit(start, middleware1, gates):
    core = start(middleware1, **GATED)
    begin(core, middleware1)
    follow(core, middleware1, 1, 10)
    camera_known(core, info_message(middleware1, MATRIX))
    follow(core, middleware1, 11, 10)
    core.reset()
    until(lambda: [event.target_id for event in middleware1.published["events"] if '"reset"' in event.line] == [1, 2])
    logs = middleware1.logs()
    assert set(logs) == {1, 2} and "gyro" not in logs[1].meta and "gyro" in logs[2].meta
    for log in logs.values():
        assert log.rows[-1][0] == "reset" and log.of_kind("result")
        assert replay(log, {"constant_velocity": predictors.create("constant_velocity")}).rows == log.rows


def test_images_that_go_back_twice_in_a_moment_do_not_wait(start, middleware1, gates):
    core = start(middleware1, **GATED)
    begin(core, middleware1, 70)
    gates["parts"].shut()
    core.on_image(image_message(middleware1, 35))
    assert middleware1.has_logged("image stamps went back by 1.167")
    assert core.init(roi_message(middleware1, spot_xywh(100, 100)))[2] == 2
    until(gates["parts"].reached.is_set, what="spare parts that are being made")
    core.on_image(image_message(middleware1, 0))
    # What was known is of another time, and this image is given up.
    assert not core.live.active and core.health.refused.count == 1 and not gates["parts"].hung
    gates["parts"].open()
    until(lambda: core._tracking._spare is not None, what="spare parts")
    core.on_image(image_message(middleware1, 1))
    assert middleware1.has_logged("image stamps went back by 1.133")
    assert core.init(roi_message(middleware1, spot_xywh(100, 100)))[2] == 3
    core.on_image(image_message(middleware1, 2))
    until(lambda: newest_evidence(core) == BEGIN_NS + 2 * FRAME_NS, what="evidence")


def test_a_tracker_that_cannot_be_loaded_again_is_reported_and_the_node_goes_on(start, middleware1, gates, monkeypatch):
    def gone(config):
        raise InputError("the weights are gone")

    monkeypatch.setattr(replaceable, "CLOSE_S", 0.0)
    core = start(middleware1, **GATED)
    begin(core, middleware1)
    follow(core, middleware1, 1, 3)
    GatedTracker.working.shut()
    send(core, middleware1, 4)
    until(GatedTracker.working.reached.is_set, what="the tracker's next frame")
    monkeypatch.setattr(replaceable, "loaded", gone)
    camera_known(core, info_message(middleware1, MATRIX))
    text = "no other tracker could be loaded: the weights are gone"
    until(lambda: text in middleware1.published["status"][-1].text, what="a status that says so")
    assert middleware1.has_logged("InputError: the weights are gone") and not core.live.active
    send(core, middleware1, 5)
    assert core.init(roi_message(middleware1, spot_xywh(100, 100)))[0]
    until(lambda: not core.live.active, what="the end of a target that cannot be tracked")


def test_a_tracker_that_is_handed_over_is_waited_for():
    tracker, found = HandedOverTracker(), []
    worker = threading.Thread(target=lambda: found.append(tracker.track(Frame(0, 0))))
    worker.start()
    output = TrackerOutput(np.ones(4))
    tracker.provide(Returning(output))
    worker.join()
    assert found == [output]


def test_a_tracker_that_was_handed_over_is_named_in_errors_and_stays():
    tracker = HandedOverTracker()
    tracker.provide(Returning("output"))
    with pytest.raises(InputError, match=r"Returning.track\(\) returned 'output', expected a TrackerOutput"):
        tracker.track(Frame(0, 0))
    # What comes later changes nothing.
    tracker.fail("too late")
    with pytest.raises(InputError, match="Returning"):
        tracker.track(Frame(0, 0))
    without = HandedOverTracker()
    without.fail("the node ends")
    with pytest.raises(RuntimeError, match="the node ends"):
        without.init(Frame(0, 0), None)


class Returning:
    def __init__(self, output):
        self.output = output

    def track(self, frame, search_box=None):
        return self.output


def test_background_jobs_run_in_order_once_and_go_on_after_an_error(no_thread_is_left):
    gate, done, errors = Gate(), [], []
    gate.shut()
    worker = BackgroundWorker("jobs", errors.append)

    def first():
        gate.go_through()
        done.append(1)

    def second():
        done.append(2)
        raise ValueError("no")

    def third():
        done.append(3)

    worker.submit(first)
    until(gate.reached.is_set, what="the first job")
    for job in (second, third, second, third):
        worker.submit(job)
    gate.open()
    until(lambda: len(done) == 3, what="all jobs")
    worker.close()
    worker.submit(third)
    assert done == [1, 2, 3] and [str(error) for error in errors] == ["no"]
