"""The gimbal turns towards the target, asks for control and gives it back, and stops where the target is lost."""

import math

import numpy as np
import pytest
from ground_station import COMMON, MS, STATION, Flight, text_of
from live_fakes import until

from pvtpp.control import ControllerConfig
from pvtpp.core.presence import Presence
from pvtpp.errors import InputError
from pvtpp.mavlink.config import GimbalConfig
from pvtpp.mavlink.dialect import Wire
from pvtpp.trajectory import Prediction

AUTOPILOT = Wire(1, 1)
SET = "GIMBAL_MANAGER_SET_PITCHYAW"
CONFIGURE = 1001


class Seen:
    """A live tracker that has the target at one place in the image; the test moves it."""

    def __init__(self):
        self.presence, self.paused, self.active, self.size, self.target = Presence.TRACKING, False, True, (200, 100), 1
        self.gyro, self.box, self.velocity = None, [150.0, 50, 20, 20], [0.0] * 4

    def predict(self, t_ns):
        parts = (np.array(each, dtype=np.float64) for each in (self.box, self.velocity, np.ones(4)))
        return Prediction(t_ns, *parts, 0.15) if self.active else None

    def frame_near(self, t_ns):
        return None

    def close(self):
        pass


def flying(live=None, **settings):
    return Flight(live=live or Seen(), gimbal=GimbalConfig(**{"horizontal_deg": 60.0, "rate_hz": 50.0, **settings}))


def moves(sent):
    return [each for _, each in sent if each.get_type() == SET]


def configures(sent):
    return [each for _, each in sent if each.get_type() == "COMMAND_LONG" and each.command == CONFIGURE]


EARTH, LOCK = COMMON.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME, COMMON.GIMBAL_DEVICE_FLAGS_YAW_LOCK
VEHICLE = COMMON.GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME


def gimbal_report(q=(1.0, 0, 0, 0), rates=(0.0, 0.0, 0.0), flags=LOCK, vehicle_rate=0.0, device=0):
    return COMMON.MAVLink_gimbal_device_attitude_status_message(
        0, 0, 0, flags, q, *rates, 0, math.nan, vehicle_rate, device
    )


def test_it_turns_towards_the_target_and_never_faster_than_allowed():
    flight = flying(controller=ControllerConfig(max_rate=0.6))
    sent = flight.at(2000 * MS)
    last = moves(sent)[-1]
    assert last.yaw_rate == pytest.approx(0.6) and last.pitch_rate == 0
    assert math.isnan(last.pitch) and math.isnan(last.yaw)
    assert (last.target_system, last.target_component) == (1, 1)
    assert last.flags & COMMON.GIMBAL_MANAGER_FLAGS_YAW_LOCK
    assert len(moves(sent)) == pytest.approx(100, abs=2)
    flight.live.box = [100.0, 20, 20, 20]
    assert moves(flight.at(6000 * MS))[-1].pitch_rate == pytest.approx(0.6), "up is positive"


def test_it_asks_for_control_until_that_is_acknowledged_and_gives_it_back():
    flight = flying()
    sent = flight.at(2500 * MS)
    first = configures(sent)[0]
    assert len(configures(sent)) == 3 and (first.param1, first.param2, first.param3) == (1, 100, -1)
    asked = [each for _, each in sent if each.get_type() == "COMMAND_LONG" and each.command == 511]
    assert [each.param1 for each in asked] == [285]
    flight.send(COMMON.MAVLink_command_ack_message(CONFIGURE, 0, 0, 0, 1, 100), wire=AUTOPILOT)
    assert not configures(flight.at(6000 * MS))
    flight.live.active = False
    sent = flight.at(12_000 * MS)
    (released,) = configures(sent)
    assert (released.param1, released.param2) == (-3, -3)
    assert moves(sent)[-1].yaw_rate == 0 and len(moves(sent)) < 100, "it stops, and then is silent"


@pytest.mark.parametrize("change", [{"presence": Presence.LOST}, {"paused": True}, {"active": False}])
def test_it_stops_where_the_target_is_lost_paused_or_gone(change):
    flight = flying()
    assert moves(flight.at(2000 * MS))[-1].yaw_rate > 0.5
    for name, value in change.items():
        setattr(flight.live, name, value)
    rates = [each.yaw_rate for each in moves(flight.at(2500 * MS))]
    assert rates[-1] == 0 and np.all(np.diff(rates) <= 0), "as fast as the motors may"


def test_another_component_that_takes_over_is_left_alone_until_the_next_target():
    flight = flying()
    status = COMMON.MAVLink_gimbal_manager_status_message
    flight.at(500 * MS)
    flight.send(status(0, 0, 0, *STATION, 0, 0), wire=AUTOPILOT)
    assert moves(flight.at(1000 * MS)), "it had no control yet, and has asked for it"
    flight.send(status(0, 0, 0, 1, 100, 0, 0), wire=AUTOPILOT)
    flight.send(status(0, 0, 0, *STATION, 0, 0), wire=Wire(7, 7))
    assert moves(flight.at(1500 * MS)), "that was not its manager"
    flight.send(status(0, 0, 0, *STATION, 0, 0), wire=AUTOPILOT)
    assert not moves(flight.at(2000 * MS))
    for presence, at_ms in ((Presence.LOST, 3500), (Presence.TRACKING, 4000)):
        flight.live.presence = presence
        sent = flight.at(at_ms * MS)
        assert not moves(sent) and not configures(sent), "the same target, found again, takes nothing from anybody"
    assert not moves([(0, each) for each in flight.over_the_wire(flight.camera.close())])
    flight.live.target = 2
    sent = flight.at(4500 * MS)
    assert moves(sent) and configures(sent)


def test_control_that_was_given_back_is_not_taken_for_lost_at_the_next_target():
    flight = flying()
    status = COMMON.MAVLink_gimbal_manager_status_message
    flight.at(100 * MS)
    flight.send(status(0, 0, 0, 1, 100, 0, 0), wire=AUTOPILOT)
    flight.live.active = False
    assert configures(flight.at(4000 * MS))[-1].param1 == -3
    flight.send(status(0, 0, 0, 0, 0, 0, 0), wire=AUTOPILOT)
    flight.live.active, flight.live.target = True, 2
    assert configures(flight.at(4100 * MS))
    # A status on its way from before the manager has answered.
    flight.send(status(0, 0, 0, 0, 0, 0, 0), wire=AUTOPILOT)
    assert len(moves(flight.at(5100 * MS))) == pytest.approx(50, abs=2)


@pytest.mark.parametrize(
    ("result", "more", "said"),
    [(0, 0, ""), (1, 2, ""), (5, 2, ""), (2, 0, "DENIED"), (3, 0, "UNSUPPORTED"), (77, 0, "result 77")],
)
def test_a_manager_that_refuses_the_control_is_named_and_one_that_is_busy_is_asked_again(result, more, said):
    flight = flying()
    flight.at(0)
    answer = COMMON.MAVLink_command_ack_message
    assert not flight.send(answer(CONFIGURE, 2, 0, 0, *STATION), wire=AUTOPILOT), "an answer to another"
    text = text_of(flight.send(answer(CONFIGURE, result, 0, 0, 1, 100), wire=AUTOPILOT))
    assert text == (said and f"gimbal: its manager 1:1 refuses the control, {said}")
    assert len(configures(flight.at(2500 * MS))) == more


def fed_forward(wire=AUTOPILOT, settings=None, **report):
    """The yaw rate for a target in the middle of the image, where the gimbal reports to turn right at 0.2 rad/s."""
    flight = flying(**(settings or {}))
    flight.live.box = [100.0, 50, 20, 20]
    for t_ms in range(0, 1000, 20):
        sent = flight.at(t_ms * MS)
        if wire:
            flight.send(gimbal_report(rates=(0.0, 0.0, 0.2), **report), wire=wire)
    return moves(sent)[-1].yaw_rate


def test_the_rate_that_the_gimbal_reports_makes_the_targets_own_rate_known():
    # The target stands in the middle of the image of a camera that turns right: so it moves right itself.
    assert fed_forward() == pytest.approx(0.2, abs=0.01)
    assert fed_forward(None) == pytest.approx(0, abs=0.01), "nothing is fed forward where only the image is known"


@pytest.mark.parametrize(
    ("flags", "vehicle_rate", "expected"),
    [
        (EARTH, 0.0, 0.2),
        (LOCK, 0.3, 0.2),
        (VEHICLE, 0.3, 0.5),
        (VEHICLE | LOCK, 0.3, 0.5),
        (0, -0.1, 0.1),
        (0, 0.0, 0.0),
        (VEHICLE, math.nan, 0.0),
    ],
)
def test_a_rate_against_the_vehicle_needs_the_vehicles_own(flags, vehicle_rate, expected):
    assert fed_forward(flags=flags, vehicle_rate=vehicle_rate) == pytest.approx(expected, abs=0.01)


def test_reports_of_another_gimbal_are_left_alone():
    assert fed_forward(Wire(2, 1)) == pytest.approx(0, abs=0.01), "of another vehicle"
    second = {"device_id": 2}
    assert fed_forward(settings=second, device=1) == pytest.approx(0, abs=0.01)
    assert fed_forward(settings=second, device=2) == pytest.approx(0.2, abs=0.01)
    assert fed_forward(Wire(1, 154), {"device_id": 154}) == pytest.approx(0.2, abs=0.01)


def test_looking_down_the_yaw_turns_faster():
    down = math.radians(-60)
    q = (math.cos(down / 2), 0.0, math.sin(down / 2), 0.0)
    rates = []
    for reported in ((1.0, 0, 0, 0), q, (math.nan,) * 4):
        flight = flying(controller=ControllerConfig(max_rate=9.0, proportional=1.0, integral=0.0))
        flight.at(0)
        flight.send(gimbal_report(reported, (math.nan,) * 3), wire=AUTOPILOT)
        rates.append(moves(flight.at(1000 * MS))[-1].yaw_rate)
    assert rates[1] == pytest.approx(2 * rates[0], rel=0.01) and rates[2] == rates[0]


def test_with_a_gyro_the_prediction_knows_the_cameras_turning():
    class Gyro:
        def rate(self, t_ns):
            return (0.0, 0.3, 0.0)

    live = Seen()
    live.gyro, live.box, live.velocity = Gyro(), [100.0, 50, 20, 20], [0.0] * 4
    assert moves(flying(live).at(1000 * MS))[-1].yaw_rate == pytest.approx(0.3, abs=0.01)


def test_a_real_live_tracker_is_followed():
    flight = Flight(gimbal=GimbalConfig(60.0))
    with flight:
        flight.see()
        flight.live.init(0, [150, 50, 20, 20])
        until(lambda: flight.live.active)
        assert moves(flight.at(500 * MS))[-1].yaw_rate > 0.1


@pytest.mark.parametrize(
    ("name", "value"), [("horizontal_deg", 0), ("rate_hz", 500), ("delay_s", -1), ("device_id", -1)]
)
def test_settings_that_are_not_allowed_are_named(name, value):
    with pytest.raises(InputError, match=f"GimbalConfig.{name} is {value}"):
        GimbalConfig(**{"horizontal_deg": 60.0, name: value})
