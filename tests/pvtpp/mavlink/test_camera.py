"""The camera component: found, asked and commanded as by a ground station, and never wrong about what it was given."""

import math

import cv2
import numpy as np
import pytest
from ground_station import (
    ACCEPTED,
    COMMON,
    DENIED,
    INTERVAL,
    MS,
    POINT,
    RECTANGLE,
    REQUEST,
    STOP,
    UNSUPPORTED,
    Flight,
    box_of,
    command,
    is_nan,
    kinds,
    text_of,
)
from live_fakes import box_at, until

from pvtpp.boxes import iou
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.dialect import Wire, parse_ids
from pvtpp.mavlink.timesync import TimeSync
from pvtpp.tracker import Frame

NAN = math.nan
INFORMATION, SETTINGS, STATUS, SYSTEM_TIME = 259, 260, 275, 2


def statuses(sent):
    return [(t_ns, each) for t_ns, each in sent if each.get_type() == "CAMERA_TRACKING_IMAGE_STATUS"]


def test_a_ground_station_finds_the_camera_gives_a_target_follows_it_and_stops():
    with Flight() as flight:
        flight.see()
        (_, heartbeat), *_ = flight.at(0)
        assert heartbeat.type == COMMON.MAV_TYPE_CAMERA
        assert heartbeat.get_srcSystem() == 1 and heartbeat.get_srcComponent() == 100
        result, (information,) = flight.command(REQUEST, INFORMATION)
        assert result == ACCEPTED and (information.resolution_h, information.resolution_v) == (200, 100)
        assert information.flags & COMMON.CAMERA_CAP_FLAGS_HAS_TRACKING_POINT
        assert information.flags & COMMON.CAMERA_CAP_FLAGS_HAS_TRACKING_RECTANGLE
        assert bytes(information.vendor_name).rstrip(b"\0") == b"pvtpp"
        assert kinds(flight.command(REQUEST, SETTINGS)[1]) == ["CAMERA_SETTINGS"]
        result, (first,) = flight.command(RECTANGLE, 0.2, 0.2, 0.4, 0.6)
        assert result == ACCEPTED and first.tracking_status == COMMON.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE
        assert first.tracking_mode == COMMON.CAMERA_TRACKING_MODE_RECTANGLE
        np.testing.assert_allclose(box_of(first), [60, 40, 40, 40], atol=1e-4)
        np.testing.assert_allclose(flight.live.predict(0).box, [60, 40, 40, 40], atol=1e-4)
        assert flight.command(INTERVAL, STATUS, 100_000) == (ACCEPTED, [])
        assert len(statuses(flight.at(1000 * MS))) == 11
        result, (last,) = flight.command(STOP)
        assert result == ACCEPTED and not flight.live.active
        assert last.tracking_status == COMMON.CAMERA_TRACKING_STATUS_FLAGS_IDLE and is_nan(last)
        assert flight.command(INTERVAL, STATUS, -1) == (ACCEPTED, [])
        assert not statuses(flight.at(9000 * MS))


@pytest.mark.parametrize("rate", [10, 30])
def test_the_status_comes_at_the_rate_that_was_asked_for(rate):
    with Flight() as flight:
        flight.see()
        flight.command(POINT, 0.5, 0.5, 0.1)
        flight.command(INTERVAL, STATUS, round(1e6 / rate))
        times = [t_ns for t_ns, _ in statuses(flight.at(10_000 * MS))]
        assert len(times) == pytest.approx(10 * rate, abs=2)
        np.testing.assert_allclose(np.diff(times), 1e9 / rate, rtol=1e-3)


def test_a_late_caller_gets_one_status_and_not_those_that_it_missed():
    with Flight() as flight:
        flight.see()
        flight.command(POINT, 0.5, 0.5, 0.1)
        flight.command(INTERVAL, STATUS, 10_000)
        flight.at(0)
        flight.clock.t_ns = 5003 * MS
        sent = flight.camera.due(flight.clock())
        assert [each.get_type() for each in sent].count("CAMERA_TRACKING_IMAGE_STATUS") == 1
        assert flight.camera.next_ns == 5010 * MS


def test_without_a_target_the_status_comes_once_a_second_and_with_one_at_once():
    with Flight() as flight:
        flight.see()
        assert len(statuses(flight.at(5000 * MS))) == 6
        flight.live.init(flight.live.frame_near(0)[0], [100, 50, 20, 20])
        sent = statuses(flight.at(6000 * MS))
        assert len(sent) >= 9, "a target that was given otherwise is shown too"
        assert sent[-1][1].tracking_status == COMMON.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE


def test_the_rectangle_is_where_the_target_will_be_when_it_arrives():
    with Flight(names=("constant_velocity",), lead_s=0.1) as flight:
        flight.see(0, 0)
        flight.command(RECTANGLE, 0.1, 0.4, 0.2, 0.6)
        for index in range(1, 6):
            flight.clock.t_ns = index * 10**9 // 30
            flight.see(index)
            until(lambda index=index: flight.live.trajectory().evidence_ns == index * 10**9 // 30)
        # 10 px a frame, 300 px/s.
        now = flight.clock.t_ns
        _, (status,) = flight.command(REQUEST, STATUS)
        np.testing.assert_allclose(box_of(status)[0], flight.live.predict(now + 100 * MS).box[0], atol=1e-3)
        assert box_of(status)[0] == pytest.approx(30 + 50 + 30, abs=1)


def test_a_point_becomes_a_square_of_the_size_given_or_of_the_default_one():
    with Flight(point_size=0.2) as flight:
        flight.see()
        flight.command(POINT, 0.5, 0.5, 0.05)
        np.testing.assert_allclose(flight.live.predict(0).box, [100, 50, 20, 20], atol=1e-4)
        for nothing in (NAN, 0.0):
            flight.command(POINT, 0.25, 0.5, nothing)
            np.testing.assert_allclose(flight.live.predict(0).box, [50, 50, 40, 40], atol=1e-4)


def driving(index):
    """A frame in which a car drives over textured ground, and its box."""
    ground = np.random.default_rng(4).integers(60, 190, (30, 54), dtype=np.uint8)
    image = cv2.resize(ground, (320, 180), interpolation=cv2.INTER_CUBIC)
    car = np.random.default_rng(5).integers(0, 255, (4, 7), dtype=np.uint8)
    image[80:100, 100 + 3 * index : 136 + 3 * index] = cv2.resize(car, (36, 20), interpolation=cv2.INTER_CUBIC)
    return Frame(index, index * 10**9 // 30, cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)), np.array(
        [118 + 3 * index, 90, 36, 20]
    )


@pytest.mark.parametrize("radius", [0.0, NAN, 0.02])
def test_a_point_becomes_the_box_of_what_moves_there(radius):
    def given(frames, x=None, **settings):
        with Flight(**settings) as flight:
            for index in frames:
                frame, box = driving(index)
                flight.clock.t_ns = frame.t_ns
                flight.live.submit(frame)
            at = (box[0] if x is None else x) / 320
            assert flight.command(POINT, at, 0.5, radius)[0] == ACCEPTED
            return flight.live.predict(frame.t_ns).box, box

    found, truth = given(range(6))
    assert iou(found, truth) > 0.6
    side = 2 * 0.02 * 320 if radius == 0.02 else 32
    for square, at in (
        (given(range(6), point_by_motion=False)[0], truth[0]),
        (given(range(6), x=40)[0], 40),
        (given([5])[0], truth[0]),
    ):
        np.testing.assert_allclose(square, [at, 90, side, side], atol=1e-4)


def test_a_point_in_images_that_have_changed_their_size_becomes_a_square():
    with Flight() as flight:
        for index, size in ((0, (100, 50)), (3, (200, 100))):
            flight.clock.t_ns = index * 10**9 // 30
            flight.see(index, size=size)
        assert flight.command(POINT, 0.5, 0.5, 0.0)[0] == ACCEPTED
        np.testing.assert_allclose(flight.live.predict(flight.clock.t_ns).box, [100, 50, 20, 20], atol=1e-4)


def test_the_target_is_taken_from_the_frame_that_the_operator_saw():
    with Flight(video_delay_s=0.1) as flight:
        for index in range(10):
            flight.clock.t_ns = index * 10**9 // 30
            flight.see(index)
        assert flight.command(RECTANGLE, 0.2, 0.2, 0.4, 0.6)[0] == ACCEPTED
        until(lambda: flight.live._tracker.inits == [6])
        until(lambda: box_at(flight.live, 9) == pytest.approx(90))


@pytest.mark.parametrize(
    ("number", "params", "text"),
    [
        (RECTANGLE, (0.2, NAN, 0.4, 0.6), "is not finite"),
        (RECTANGLE, (0.2, 0.2, math.inf, 0.6), "is not finite"),
        (RECTANGLE, (0.2, 0.2, 1.4, 0.6), "outside of the image"),
        (RECTANGLE, (-0.5, 0.2, 0.4, 0.6), "outside of the image"),
        (RECTANGLE, (0.4, 0.6, 0.2, 0.2), "3 px or more"),
        (RECTANGLE, (0.2, 0.2, 0.2, 0.2), "3 px or more"),
        (POINT, (NAN, 0.5, 0.1), "is not finite"),
        (POINT, (0.5, 1.5, 0.1), "outside of the image"),
        (POINT, (0.5, 0.5, -0.1), "radius -0.1"),
        (POINT, (0.5, 0.5, math.inf), "radius inf"),
        (INTERVAL, (STATUS, 100.0), "interval 100 us"),
        (INTERVAL, (STATUS, NAN), "interval nan us"),
        (INTERVAL, (STATUS, 3e9), "interval 3e+09 us"),
        (INTERVAL, (NAN, 1e5), "nan is no number of a message"),
        (REQUEST, (1e30,), "1e+30 is no number of a message"),
    ],
)
def test_a_bad_command_is_denied_and_the_reason_is_said(number, params, text):
    with Flight() as flight:
        flight.see()
        flight.command(POINT, 0.5, 0.5, 0.1)
        before = flight.live.target
        result, answers = flight.command(number, *params)
        assert result == DENIED and text in text_of(answers)
        assert flight.live.target == before, "the target that there was goes on"


def test_without_an_image_while_paused_and_after_the_end_there_is_no_target():
    flight = Flight()
    with flight:
        assert flight.command(POINT, 0.5, 0.5, 0.1)[0] == DENIED
        flight.see()
        flight.live.pause()
        result, answers = flight.command(RECTANGLE, 0.2, 0.2, 0.4, 0.6)
        assert result == DENIED and "paused" in text_of(answers) and not flight.live.active
        flight.live.resume()
        assert flight.command(RECTANGLE, 0.2, 0.2, 0.4, 0.6)[0] == ACCEPTED
    result, answers = flight.command(RECTANGLE, 0.2, 0.2, 0.4, 0.6)
    assert result == DENIED and "after close()" in text_of(answers)


def test_a_reason_is_not_repeated_for_a_second():
    with Flight() as flight:
        assert text_of(flight.command(POINT, 2, 2, 0.1)[1])
        assert not text_of(flight.command(POINT, 2, 2, 0.1)[1])
        flight.clock.t_ns = 1000 * MS
        assert text_of(flight.command(POINT, 2, 2, 0.1)[1])


def test_a_command_that_is_sent_again_does_not_move_the_target_to_a_later_frame():
    with Flight() as flight:
        flight.see()
        assert flight.command(RECTANGLE, 0.2, 0.2, 0.4, 0.6)[0] == ACCEPTED
        flight.clock.t_ns = 500 * MS
        assert flight.command(RECTANGLE, 0.2, 0.2, 0.4, 0.6, confirmation=1) == (ACCEPTED, [])
        assert flight.live.target == 1
        flight.command(RECTANGLE, 0.2, 0.2, 0.5, 0.6, confirmation=1)
        assert flight.live.target == 2, "another rectangle is another target"
        flight.clock.t_ns = 9000 * MS
        flight.command(RECTANGLE, 0.2, 0.2, 0.5, 0.6, confirmation=1)
        assert flight.live.target == 3
        denied = (
            flight.command(RECTANGLE, 0.2, NAN, 0.5, 0.6)[0],
            flight.command(RECTANGLE, 0.2, NAN, 0.5, 0.6, confirmation=1),
        )
        assert denied == (DENIED, (DENIED, []))


def test_commands_for_others_are_left_alone_and_unknown_ones_are_unsupported():
    with Flight() as flight:
        flight.see()
        assert flight.send(command(POINT, 0.5, 0.5, 0.1, target=(2, 100))) == []
        assert flight.send(command(POINT, 0.5, 0.5, 0.1, target=(1, 101))) == []
        assert not flight.live.active
        assert flight.command(400, 1)[0] == UNSUPPORTED
        assert flight.send(command(400, 1, target=(1, 0))) == [], "arming is for others"
        assert flight.command(REQUEST, 148)[0] == UNSUPPORTED
        assert flight.command(INTERVAL, 0, 1e6)[0] == UNSUPPORTED
        assert flight.command(POINT, 0.5, 0.5, 0.1, target=(0, 0))[0] == ACCEPTED
        assert flight.send(command(POINT, 0.5, 0.5, 0.1), wire=Wire(1, 100)) == [], "its own, sent back by a router"


@pytest.mark.parametrize(
    ("number", "params", "at"), [(POINT, (0.5, 0.5, 0.1), 3), (RECTANGLE, (0.2, 0.2, 0.4, 0.6), 4), (STOP, (), 0)]
)
def test_a_command_may_name_the_camera_that_it_is_for(number, params, at):
    def naming(camera):
        return [*params, *[0] * (at - len(params)), camera]

    with Flight() as flight:
        flight.see()
        flight.live.init(0, [100, 50, 20, 20])
        before = flight.live.target, flight.live.active
        result, answers = flight.command(number, *naming(101))
        assert result == DENIED and text_of(answers) == "camera 101 is asked for, this one is 100"
        assert flight.send(command(number, *naming(1), target=(1, 0))) == [], "for another, among all"
        assert (flight.live.target, flight.live.active) == before
        for own in (0, NAN, 100):
            assert flight.command(number, *naming(own))[0] == ACCEPTED
        assert (flight.live.target, flight.live.active) != before


def test_commands_as_command_int_and_the_older_requests_are_answered():
    with Flight() as flight:
        flight.see()
        message = COMMON.MAVLink_command_int_message(1, 100, 0, RECTANGLE, 0, 0, 0.2, 0.2, 0.4, 0.6, 0, 0, 0)
        ack, status = flight.send(message)
        assert ack.result == ACCEPTED and status.tracking_status == 1
        assert kinds(flight.command(521, 1)[1]) == ["CAMERA_INFORMATION"]
        assert kinds(flight.command(522, 1)[1]) == ["CAMERA_SETTINGS"]
        assert flight.command(INTERVAL, STATUS, 0)[0] == ACCEPTED
        assert flight.command(REQUEST, 244, STATUS)[1][0].interval_us == 100_000
        assert flight.command(REQUEST, 244, INFORMATION)[1][0].interval_us == -1
        assert flight.command(REQUEST, 244, 30)[1][0].interval_us == 0
        flight.command(INTERVAL, SYSTEM_TIME, 1e6)
        assert [each.get_type() for _, each in flight.at(2500 * MS)].count("SYSTEM_TIME") == 3
        flight.command(INTERVAL, SYSTEM_TIME, 0)
        assert "SYSTEM_TIME" not in [each.get_type() for _, each in flight.at(5000 * MS)]


def test_a_lost_target_is_not_shown_as_followed_but_its_rectangle_is_sent():
    class Lost:
        presence, paused, active, size, target, gyro = Presence.LOST, False, True, (200, 100), 1, None

        def predict(self, t_ns):
            from pvtpp.trajectory import Prediction

            return Prediction(t_ns, np.array([100.0, 50, 20, 20]), np.zeros(4), np.ones(4), 3.0)

        def close(self):
            pass

    flight = Flight(live=Lost())
    (status,) = flight.over_the_wire([flight.camera._tracking_status(0)])
    assert not status.tracking_status & COMMON.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE
    assert status.tracking_status & COMMON.CAMERA_TRACKING_STATUS_FLAGS_COASTING
    np.testing.assert_allclose(box_of(status), [100, 50, 20, 20], atol=1e-4)


def test_timesync_is_answered_and_measures_half_of_the_round_trip():
    with Flight(lead_s=None) as flight:
        flight.clock.t_ns = 1234 * MS
        (answer,) = flight.send(COMMON.MAVLink_timesync_message(0, 77))
        assert (answer.tc1, answer.ts1) == (1234 * MS, 77)
        assert flight.camera.lead_s == 0
        for start in range(2, 6):
            sent = flight.at(start * 1000 * MS)
            (asked,) = [each for _, each in sent if each.get_type() == "TIMESYNC"][-1:]
            assert asked.tc1 == 0
            flight.clock.t_ns = asked.ts1 + 80 * MS
            assert flight.send(COMMON.MAVLink_timesync_message(5, asked.ts1)) == []
        assert flight.camera.link_delay_s == pytest.approx(0.04)
        assert flight.camera.lead_s == pytest.approx(0.04)
        flight.send(COMMON.MAVLink_timesync_message(5, 999)), "an answer to somebody else"
        assert flight.camera.link_delay_s == pytest.approx(0.04)


def test_an_answer_that_took_too_long_or_comes_from_the_future_is_no_measure():
    sync = TimeSync(COMMON)
    asked = sync.request(10**9)
    for now in (10**9 - 1, 10 * 10**9):
        sync.received(COMMON.MAVLink_timesync_message(3, asked.ts1), now)
    assert sync.delay_s is None


@pytest.mark.parametrize("text", ["", "0", "256", "1:", "1:6", "1:256", "a:b", "1:100:2", "-1", "1.5"])
def test_ids_that_are_none_are_refused(text):
    with pytest.raises(InputError, match="MAVLink ids"):
        parse_ids(text)
    assert parse_ids("2") == (2, 100) and parse_ids("7:101") == (7, 101)


def test_settings_that_are_not_allowed_are_named():
    bad = {"component_id": 3, "system_id": 0, "video_delay_s": math.inf, "lead_s": 9.0, "point_size": 0, "vendor": "é"}
    for name, value in bad.items():
        with pytest.raises(InputError, match=f"MavlinkConfig.{name} is"):
            MavlinkConfig(**{name: value})
