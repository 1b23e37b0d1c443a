"""Image stamps that cannot be right: what the node says in the log and on /diagnostics, and how it goes on after."""

from __future__ import annotations

import time

import pytest
from node_helpers import (
    BEGIN_NS,
    FRAME_NS,
    begin,
    diagnosis,
    follow,
    newest_evidence,
    roi_message,
    send,
    send_stamped,
    spot_xywh,
    stamp_of_last,
    target_for,
    until,
)

from pvtpp.live.session_clock import STEADY_NS
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.refused import why_implausible

DAY_NS = 86_400 * 10**9
WRONG = {
    "an hour ahead": (lambda now: now + 3600 * 10**9, "3600.000 s ahead of ROS time"),
    "half a second ahead": (lambda now: now + 5 * 10**8, "0.500 s ahead of ROS time"),
    "half a minute behind": (lambda now: now - 30 * 10**9, "30.000 s behind ROS time"),
    "of a bag without its clock": (lambda now: now - 9 * DAY_NS, "use_sim_time and `rosbag play --clock`"),
    "in seconds": (lambda now: now // 10**9, "in another unit (seconds"),
    "in microseconds": (lambda now: now // 10**3, "in another unit (microseconds"),
    "of the monotonic clock": (lambda now: time.monotonic_ns(), "of the monotonic clock"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_stamp_that_cannot_be_right_is_refused_by_name_and_the_target_is_kept(start, middleware, name):
    stamped, text = WRONG[name]
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 5)
    live = core.live
    for index in range(6, 40):
        middleware.t_ns = BEGIN_NS + index * FRAME_NS
        middleware.seconds += 1 / 30
        send_stamped(core, middleware, stamped(middleware.t_ns))
    level, said = diagnosis(middleware)
    assert level == "ERROR" and "images on /camera/image are refused" in said and text in said
    assert middleware.count_logged(text) == 1 and not middleware.has_logged("no image on")
    assert core.live is live and live.active and not middleware.has_logged("forgotten")
    middleware.seconds += 0.8
    follow(core, middleware, 40, 3)
    middleware.seconds += 0.3
    assert middleware.has_logged("images of /camera/image are taken again; 34 were refused")
    assert live.active and "refused" not in diagnosis(middleware)[1]


@pytest.mark.parametrize(("begin_ns", "hint"), [(BEGIN_NS + 123_456_789, "stand still"), (BEGIN_NS, "whole seconds")])
def test_stamps_that_stand_still_are_no_missing_images(start, middleware, begin_ns, hint):
    core = start(middleware)
    for index in range(75):
        middleware.t_ns = begin_ns + index * FRAME_NS
        middleware.seconds += 1 / 30
        send_stamped(core, middleware, begin_ns)
        if index == 0:
            assert core.init(roi_message(middleware, spot_xywh(100, 100)))[0]
    assert middleware.count_logged("image stamps do not increase") == 1 and middleware.has_logged(hint)
    level, said = diagnosis(middleware)
    assert level == "ERROR" and "image stamps do not increase" in said
    assert not middleware.has_logged("no image")


def test_an_image_that_comes_twice_is_only_counted(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    for index in range(1, 10):
        send(core, middleware, index)
        send(core, middleware, index)
    assert not middleware.has_logged("increase") and core.health.refused.count == 9
    level, said = diagnosis(middleware)
    assert level == "WARN" and "some images" in said


def test_zero_stamps_say_so_on_diagnostics_too(start, middleware):
    core = start(middleware)
    for _ in range(40):
        middleware.seconds += 1 / 30
        send_stamped(core, middleware, 0)
    assert middleware.count_logged("no stamp (0)") == 1 and not middleware.has_logged("no image on")
    level, said = diagnosis(middleware)
    assert level == "ERROR" and "no stamp (0)" in said
    ok, why, _ = core.init(roi_message(middleware, spot_xywh(100, 100)))
    assert not ok and "no stamp (0)" in why


def test_images_before_simulated_time_has_begun_say_so(start, middleware):
    middleware.t_ns = 0
    core = start(middleware)
    for index in range(3):
        send_stamped(core, middleware, BEGIN_NS + index * FRAME_NS)
    level, said = diagnosis(middleware)
    assert level == "ERROR" and "nobody publishes /clock" in said and middleware.count_logged("/clock") == 1
    begin(core, middleware, 3)
    assert core.live.active


def test_a_single_wrong_stamp_costs_one_image(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 3)
    live = core.live
    send_stamped(core, middleware, middleware.t_ns + 3600 * 10**9)
    send_stamped(core, middleware, middleware.t_ns - 3600 * 10**9)
    follow(core, middleware, 4, 3)
    assert core.live is live and live.active and core.health.refused.count == 2


def test_a_request_while_all_images_are_refused_says_why(start, middleware):
    core = start(middleware)
    begin(core, middleware)
    for _ in range(3):
        send_stamped(core, middleware, middleware.t_ns + 3600 * 10**9)
    ok, why, _ = core.init(roi_message(middleware, spot_xywh(100, 100)))
    assert not ok and "are refused: image stamp" in why


@pytest.mark.parametrize("by_ns", [-600_000_000, -100_000_000, 7_200_000_000_000])
def test_a_clock_that_is_set_keeps_target_and_results(start, middleware, by_ns):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 5)
    # A clock in step with real time, so that a jump forward is seen as one; a busy machine needs longer for it.
    begun, first_ns = time.monotonic_ns(), middleware.t_ns
    while core.live._session._steady_ns < 2 * STEADY_NS:
        assert time.monotonic_ns() - begun < 60e9, "never in step"
        middleware.t_ns = first_ns + time.monotonic_ns() - begun
        send_stamped(core, middleware, middleware.t_ns - 5_000_000)
        time.sleep(0.01)
    middleware.t_ns += by_ns
    direction = "forward" if by_ns > 0 else "back"
    for _ in range(400):
        middleware.t_ns += 10_000_000
        send_stamped(core, middleware, middleware.t_ns - 5_000_000)
        newest_ns = middleware.t_ns - 5_000_000
        until(lambda newest_ns=newest_ns: newest_evidence(core) >= newest_ns - FRAME_NS, what="evidence")
        if middleware.has_logged(f"the clock was set {direction}"):
            break
    until(lambda: middleware.has_logged(f"the clock was set {direction}"), what="a report")
    # The live tracker of the new time is asked for once a second.
    middleware.published["result"].clear()
    for _ in range(20):
        middleware.t_ns += FRAME_NS
        send_stamped(core, middleware, middleware.t_ns - 5_000_000)
        time.sleep(0.01)
    newest_ns = middleware.t_ns - 5_000_000
    until(lambda: newest_evidence(core) == newest_ns, what="evidence")
    until(lambda: middleware.published["result"], what="a result after the clock was set")
    stamp = conversions.stamp_ns(middleware.published["result"][-1].header.stamp)
    assert abs(stamp - middleware.t_ns) < 10**9 and core.live.active
    assert not middleware.has_logged("forgotten") and not middleware.has_logged("refused")
    trajectory = middleware.published["trajectory"][-1]
    assert abs(conversions.trajectory(trajectory).evidence_ns - middleware.t_ns) < 10**9


def test_the_first_image_of_a_bag_s_next_turn_may_come_before_the_clock(start, middleware, monkeypatch):
    core = start(middleware)
    send_at = BEGIN_NS + 100 * 10**9
    middleware.t_ns = send_at + 5_000_000
    send_stamped(core, middleware, send_at)
    assert core.init(roi_message(middleware, spot_xywh(100, 100)))[0]
    monkeypatch.setattr("pvtpp_ros_nodes.core.CLOCK_FOLLOWS_S", 60.0)

    def clock_follows(_):
        middleware.t_ns = BEGIN_NS

    monkeypatch.setattr("pvtpp_ros_nodes.core.time.sleep", clock_follows)
    send_stamped(core, middleware, BEGIN_NS)
    monkeypatch.undo()
    until(lambda: middleware.has_logged("the target is forgotten"))
    assert core.health.refused.count == 0 and not core.live.active


@pytest.mark.parametrize("what", ["paused", "lost", "uncertain"])
def test_diagnostics_say_what_the_target_is(start, middleware, what):
    core = start(middleware)
    begin(core, middleware)
    follow(core, middleware, 1, 10, step=0)
    if what == "paused":
        core.pause(True)
        for index in range(11, 60):
            middleware.seconds += 1 / 30
            send(core, middleware, index)
        assert diagnosis(middleware) == ("OK", "paused: no images are taken in")
        assert not middleware.has_logged("no image")
        core.pause(False)
        follow(core, middleware, 60, 1, step=0)
        return
    index, wanted = 11, conversions.STATUS[what.upper()]
    while core.publications.status != wanted:
        send(core, middleware, index, None)
        stamp_ns = BEGIN_NS + index * FRAME_NS
        until(lambda stamp_ns=stamp_ns: stamp_of_last(middleware, "result") == stamp_ns, what="a result")
        target_for(middleware)
        index += 1
        assert index < 500
    level, said = diagnosis(middleware)
    assert (level, what in said) == ({"lost": "WARN", "uncertain": "OK"}[what], True)


def test_plausible_stamps_are_not_refused():
    assert why_implausible(BEGIN_NS - 85_000_000, BEGIN_NS) is None
    assert why_implausible(BEGIN_NS + 100_000_000, BEGIN_NS) is None
