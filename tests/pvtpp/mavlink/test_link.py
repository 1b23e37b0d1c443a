"""The socket: packets go out and come in, a silent or missing peer does no harm, and nothing is left at the end."""

import select
import socket

import numpy as np
import pytest
from ground_station import COMMON, STATION, command, image_frame
from live_fakes import ANY_TIME, PATIENCE_S, Quick, made, until

from pvtpp.errors import InputError
from pvtpp.live.config import LiveConfig
from pvtpp.mavlink import dialect
from pvtpp.mavlink.config import GimbalConfig, MavlinkConfig
from pvtpp.mavlink.dialect import Wire
from pvtpp.mavlink.link import PEERS, MavlinkLink, parse_endpoint


class Station:
    """A UDP socket on loopback that speaks MAVLink."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.wire = Wire(*STATION)
        self.camera = None

    @property
    def endpoint(self):
        return f"udpout:127.0.0.1:{self.socket.getsockname()[1]}"

    def send(self, message):
        self.socket.sendto(self.wire.write(message), self.camera)

    def receive(self, kind):
        """The next message of this kind."""
        while select.select([self.socket], [], [], PATIENCE_S)[0]:
            data, self.camera = self.socket.recvfrom(65535)
            for message in self.wire.read(data):
                if message.get_type() == kind:
                    return message
        raise AssertionError(f"no {kind} came")

    def close(self):
        self.socket.close()


@pytest.fixture
def station():
    made_one = Station()
    yield made_one
    made_one.close()


@pytest.fixture
def live():
    with made(Quick(), config=LiveConfig(capture_times=ANY_TIME)) as made_one:
        made_one.submit(image_frame(0, 0))
        yield made_one


def test_a_ground_station_gives_a_target_over_a_socket_and_gets_its_rectangle(station, live):
    with MavlinkLink(station.endpoint, lambda: live):
        station.receive("HEARTBEAT")
        # Noise does not stop it.
        station.socket.sendto(b"\xfd\xff" * 40, station.camera)
        station.send(command(2005, 0.2, 0.2, 0.4, 0.6))
        assert station.receive("COMMAND_ACK").result == COMMON.MAV_RESULT_ACCEPTED
        status = station.receive("CAMERA_TRACKING_IMAGE_STATUS")
        np.testing.assert_allclose([status.rec_top_x, status.rec_bottom_y], [0.2, 0.6], atol=1e-6)
        assert live.active
        station.send(command(2010))
        until(lambda: not live.active)


def test_a_listening_camera_answers_who_speaks_to_it_and_keeps_few_of_them(live):
    with MavlinkLink(f"udpin:127.0.0.1:{_free_port()}", lambda: live) as link:
        stations = [Station() for _ in range(PEERS + 3)]
        try:
            for each in stations:
                each.camera = link.address
                each.send(command(512, 259))
                assert each.receive("CAMERA_INFORMATION").resolution_h == 200
            assert len(link._peers) == PEERS
            stations[-1].receive("HEARTBEAT")
        finally:
            for each in stations:
                each.close()


def test_nobody_who_listens_is_no_failure(live):
    errors = []
    with MavlinkLink(f"udpout:127.0.0.1:{_free_port()}", lambda: live, on_error=errors.append) as link:
        until(lambda: link._wire._sender.seq >= 3)
    assert errors == []
    link.close()


def test_what_fails_in_the_thread_is_reported_once_and_it_goes_on(station):
    class Broken:
        active = True

        def predict(self, t_ns):
            raise RuntimeError("no prediction today")

    errors = []
    with MavlinkLink(station.endpoint, lambda: Broken(), on_error=errors.append):
        until(lambda: errors)
    assert [str(each) for each in errors] == ["no prediction today"]


def test_at_the_end_a_gimbal_stops(station, live):
    live.init(0, [100, 50, 20, 20])
    with MavlinkLink(station.endpoint, lambda: live, config=MavlinkConfig(gimbal=GimbalConfig(60.0))):
        station.receive("GIMBAL_MANAGER_SET_PITCHYAW")
    moves = []
    while select.select([station.socket], [], [], 0)[0]:
        moves += [each for each in station.wire.read(station.socket.recv(65535)) if each.get_type()[:6] == "GIMBAL"]
    assert (moves[-1].pitch_rate, moves[-1].yaw_rate) == (0, 0)


@pytest.mark.parametrize(
    "text", ["", "udp:1.2.3.4:5", "udpout:1.2.3.4", "udpout::14550", "udpout:host:0", "udpout:host:70000", "/dev/tty"]
)
def test_an_address_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="expected udpout:HOST:PORT"):
        parse_endpoint(text)
    assert parse_endpoint("udpin:[::1]:14550") == ("udpin", "::1", 14550)


def test_a_host_that_is_not_there_and_a_port_in_use_are_named(live):
    with pytest.raises(InputError, match="udpout:nowhere.invalid:14550: no such host"):
        MavlinkLink("udpout:nowhere.invalid:14550", lambda: live)
    taken = Station()
    with pytest.raises(InputError, match="cannot listen there"):
        MavlinkLink(taken.endpoint.replace("udpout", "udpin"), lambda: live)
    taken.close()


def test_a_name_with_addresses_of_both_kinds_is_sent_to_where_ground_stations_listen(monkeypatch, station, live):
    own = socket.getaddrinfo

    def both(host, port, *rest, **options):
        first = [(socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", port, 0, 0))]
        found = own("127.0.0.1" if host == "board" else host, port, *rest, **options)
        return first + found if host == "board" else found

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with MavlinkLink(station.endpoint.replace("127.0.0.1", "board"), lambda: live) as link:
        station.receive("HEARTBEAT")
        assert not link.heard
        station.send(command(512, 259))
        station.receive("COMMAND_ACK")
        assert link.heard == 1


def test_a_whole_network_may_be_sent_to(live):
    errors = []
    with MavlinkLink("udpout:127.255.255.255:14550", lambda: live, on_error=errors.append) as link:
        until(lambda: link._wire._sender.seq >= 3)
    assert errors == [], "the system refuses it where nobody has asked for that"


def test_without_pymavlink_it_is_said_what_to_install(monkeypatch, live):
    monkeypatch.setitem(__import__("sys").modules, "pymavlink.dialects.v20", None)
    with pytest.raises(InputError, match=r"pip install 'pvtpp\[mavlink\]'"):
        dialect.messages()


def _free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
