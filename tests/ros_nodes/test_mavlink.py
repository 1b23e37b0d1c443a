"""A node that is a MAVLink camera too: a ground station gives it the target, and its topics show the same one."""

from __future__ import annotations

import select
import socket

import pytest

pytest.importorskip("pymavlink")

from node_helpers import HEIGHT, WIDTH, begin, send, until

from pvtpp.errors import InputError
from pvtpp.mavlink.dialect import Wire, messages
from pvtpp_ros_nodes import conversions
from pvtpp_ros_nodes.config import NodeConfig


def test_a_ground_station_gives_the_target_of_the_node(start, middleware1):
    station, wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), Wire(255, 190)
    station.bind(("127.0.0.1", 0))
    core = start(middleware1, mavlink=f"udpout:127.0.0.1:{station.getsockname()[1]}", mavlink_lead=0.1)

    def receive(kind):
        while select.select([station], [], [], 60)[0]:
            data, camera = station.recvfrom(65535)
            for message in wire.read(data):
                if message.get_type() == kind:
                    return message, camera
        raise AssertionError(f"no {kind} came")

    _, camera = receive("HEARTBEAT")
    send(core, middleware1, 0, 100)
    corners = [90 / WIDTH, 90 / HEIGHT, 110 / WIDTH, 110 / HEIGHT]
    station.sendto(wire.write(messages().MAVLink_command_long_message(1, 100, 2005, 0, *corners, 0, 0, 0)), camera)
    assert receive("COMMAND_ACK")[0].result == 0
    while receive("CAMERA_TRACKING_IMAGE_STATUS")[0].tracking_status != 1:
        pass
    middleware1.t_ns += 10_000_000
    until(lambda: middleware1.published["target"])
    target = middleware1.published["target"][-1]
    assert list(target.box) == pytest.approx([100, 100, 20, 20], abs=0.01) and target.target_id == 1
    assert middleware1.published["status"][-1].status == conversions.TRACKING
    # Another target by the node's own topic is the station's too.
    assert begin(core, middleware1) == 2
    station.close()


def test_a_wrong_address_is_named_before_anything_is_loaded():
    with pytest.raises(InputError, match="MAVLink 'udp:here': expected udpout:HOST:PORT"):
        NodeConfig(mavlink="udp:here")
