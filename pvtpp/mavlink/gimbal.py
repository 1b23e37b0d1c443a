"""A gimbal is turned after the target: rates for its manager, by the reference controller, without clock or I/O."""

from __future__ import annotations

import math
from typing import Any, Callable, List, Optional, Tuple

import numpy as np

from pvtpp.bearing import Pinhole
from pvtpp.control import Aim, CameraRates, Pointing, RateController, pan_rate
from pvtpp.core.presence import Presence
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.mavlink.config import GimbalConfig

CONFIGURE_EVERY_NS, CONFIGURE_TIMES = 1_000_000_000, 5
"""Control is asked for until that is acknowledged, so often at most."""
STOPPED_NS = 1_000_000_000
"""After a stop zero rates are sent for so long, since packets get lost."""
STATUS_INTERVAL_US = 20_000
FASTEST = 20.0
"""A gimbal that reports to turn faster, radians per second, reports nonsense."""
PRIMARY, RELEASED, UNCHANGED = 1, -3.0, -1.0


class GimbalPointer:
    """Commands the rates of a gimbal.

    While there is a target that is not LOST: GIMBAL_MANAGER_SET_PITCHYAW at the configured rate. With a new target it
    asks for the primary control of the gimbal; where another component takes that over, it leaves it alone until the
    next target, also where this one is lost and found meanwhile. Without one it slows down, stops, and gives the
    control back.

    Parameters
    ----------
    config
        Settings.
    system_id, component_id
        Of the camera.
    live
        The live tracker.
    common
        The dialect's messages.
    """

    def __init__(
        self, config: GimbalConfig, system_id: int, component_id: int, live: Callable[[], LiveTracker], common: Any
    ):
        self._config, self._live, self._common = config, live, common
        self._own = system_id, component_id
        self._manager = config.system_id or system_id, config.component_id
        self._period_ns = round(1e9 / config.rate_hz)
        self._controller, self._rates = RateController(config.controller), CameraRates()
        self._aim = Aim(self._rates)
        self._camera: Optional[Tuple[Tuple[int, int], Pinhole]] = None
        self._pitch = 0.0
        # The number of the target that is followed, and of the one for which another component took over.
        self._target: Optional[int] = None
        self._yielded: Optional[int] = None
        self._controls = False
        self._configure_left, self._configure_ns = 0, 0
        self._stop_until_ns: Optional[int] = None
        self.next_ns: Optional[int] = None

    def received(self, message: Any, now_ns: int, delay_s: float) -> Optional[str]:
        """Take in what the gimbal and its manager report.

        Parameters
        ----------
        message
            As pymavlink decodes it; those of others are left alone.
        now_ns
            The time, nanoseconds.
        delay_s
            How long the message was on its way, seconds.

        Returns
        -------
        str or None
            What a person must know of it.
        """
        kind = message.get_type()
        if kind == "GIMBAL_DEVICE_ATTITUDE_STATUS" and self._is_gimbal(message):
            rate = self._rate(message)
            if np.isfinite(rate).all() and np.abs(rate).max() < FASTEST:
                self._rates.add(now_ns - round(delay_s * 1e9), rate)
            pitch = _pitch(message.q)
            self._pitch = self._pitch if pitch is None else pitch
        elif kind == "GIMBAL_MANAGER_STATUS" and self._is_manager(message):
            primary = message.primary_control_sysid, message.primary_control_compid
            if primary == self._own:
                self._controls, self._configure_left = True, 0
                return None
            if self._controls and self._target is not None:
                self._yielded = self._target
            # Else one that comes after the next target, of the time before it, would look like another's taking over.
            self._controls = False
        elif kind == "COMMAND_ACK" and self._is_manager(message):
            return self._answered(message)
        return None

    def _answered(self, message: Any) -> Optional[str]:
        """The manager has answered whether it gives the control."""
        common = self._common
        for_whom = message.target_system, message.target_component
        configures = message.command == common.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE
        if not configures or for_whom not in (self._own, (0, 0)):
            return None
        if message.result in (common.MAV_RESULT_TEMPORARILY_REJECTED, common.MAV_RESULT_IN_PROGRESS):
            return None
        self._configure_left = 0
        if message.result == common.MAV_RESULT_ACCEPTED:
            return None
        named = common.enums["MAV_RESULT"].get(message.result)
        said = f"result {message.result}" if named is None else named.name.replace("MAV_RESULT_", "")
        return f"gimbal: its manager {self._manager[0]}:{self._manager[1]} refuses the control, {said}"

    def due(self, now_ns: int) -> List[Any]:
        """Return the messages that are due."""
        if self.next_ns is not None and now_ns < self.next_ns:
            return []
        self.next_ns = now_ns + self._period_ns
        live = self._live()
        seen, own_rate = self._seen(live, now_ns)
        found: List[Any] = []
        if seen is None:
            return self._stop(now_ns)
        if self._target != live.target:
            self._target = live.target
            self._aim.forget()
            if self._yielded != self._target:
                self._configure_left, self._configure_ns = CONFIGURE_TIMES, now_ns
                found.append(self._ask_for_rates())
        self._stop_until_ns = None
        if self._yielded == self._target:
            self._controller.step(now_ns, None)
            return []
        if self._configure_left and now_ns >= self._configure_ns:
            self._configure_left, self._configure_ns = self._configure_left - 1, now_ns + CONFIGURE_EVERY_NS
            found.append(self._configure(*map(float, self._own), UNCHANGED, UNCHANGED))
        return [*found, self._command(self._controller.step(now_ns, seen, own_rate))]

    def release(self) -> List[Any]:
        """Return what stops the gimbal at once and gives it back: the component ends."""
        target, self._target = self._target, None
        if target is None or target == self._yielded:
            return []
        return [self._command(np.zeros(2)), self._configure(RELEASED, RELEASED, UNCHANGED, UNCHANGED)]

    def _seen(self, live: LiveTracker, now_ns: int) -> Tuple[Optional[Pointing], Optional[np.ndarray]]:
        """Where the target will be when a command takes effect, and its own rate."""
        effect_ns = now_ns + round(self._config.delay_s * 1e9)
        size = live.size
        if size is None or live.paused or live.presence is Presence.LOST:
            return None, None
        if self._camera is None or self._camera[0] != size:
            self._camera = size, Pinhole.of_view(size, self._config.horizontal_deg)
        return self._aim.at(effect_ns, self._camera[1], live.predict, live.gyro)

    def _stop(self, now_ns: int) -> List[Any]:
        if self._target is None:
            return []
        rates = self._controller.step(now_ns, None)
        if self._yielded == self._target:
            self._target = None
            return []
        if rates.any():
            return [self._command(rates)]
        self._stop_until_ns = self._stop_until_ns or now_ns + STOPPED_NS
        return [self._command(rates)] if now_ns < self._stop_until_ns else self.release()

    def _command(self, rates: np.ndarray) -> Any:
        common = self._common
        up, right = rates.tolist()
        # Both axes are held against the vehicle's own turning, since the rates are those of the target in the world.
        flags = (
            common.GIMBAL_MANAGER_FLAGS_ROLL_LOCK
            | common.GIMBAL_MANAGER_FLAGS_PITCH_LOCK
            | common.GIMBAL_MANAGER_FLAGS_YAW_LOCK
        )
        yaw = pan_rate(right, self._pitch, self._config.controller.max_rate)
        return common.MAVLink_gimbal_manager_set_pitchyaw_message(
            *self._manager, flags, self._config.device_id, math.nan, math.nan, up, yaw
        )

    def _configure(self, *ids: float) -> Any:
        number = self._common.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE
        return self._common.MAVLink_command_long_message(*self._manager, number, 0, *ids, 0, 0, self._config.device_id)

    def _ask_for_rates(self) -> Any:
        common = self._common
        status = float(common.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS)
        return common.MAVLink_command_long_message(
            *self._manager, common.MAV_CMD_SET_MESSAGE_INTERVAL, 0, status, STATUS_INTERVAL_US, 0, 0, 0, 0, 0
        )

    def _rate(self, message: Any) -> np.ndarray:
        """How fast the gimbal says that it turns up and right against the world, radians per second; NaN: unknown."""
        common, flags = self._common, message.flags
        # Axes of the gimbal: x forward, y right, z down. Turning about y is up, about z is right.
        up, right = message.angular_velocity_y, message.angular_velocity_z
        in_vehicle = flags & common.GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME
        in_world = flags & (common.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME | common.GIMBAL_DEVICE_FLAGS_YAW_LOCK)
        if in_vehicle or not in_world:
            # Against the vehicle, whose own turning is sent beside; exactly 0 is what a field has that is not sent.
            right += message.delta_yaw_velocity or math.nan
        return np.array([up, right], dtype=np.float64)

    def _is_manager(self, message: Any) -> bool:
        return (message.get_srcSystem(), message.get_srcComponent()) == self._manager

    def _is_gimbal(self, message: Any) -> bool:
        """Whether it is the gimbal's: other vehicles have some too, and a vehicle may have several."""
        device = self._config.device_id
        named = message.get_srcComponent(), message.gimbal_device_id
        return message.get_srcSystem() == self._manager[0] and (device == 0 or device in named)


def _pitch(q: Any) -> Optional[float]:
    """The pitch of an attitude (w, x, y, z), radians, up is positive; None for no attitude."""
    w, x, y, z = q
    sine, norm = 2 * (w * y - z * x), w * w + x * x + y * y + z * z
    return math.asin(min(max(sine / norm, -1.0), 1.0)) if 0.25 < norm < 4 and math.isfinite(sine) else None
