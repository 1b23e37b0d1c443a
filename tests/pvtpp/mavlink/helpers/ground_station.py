"""A ground station by pymavlink, that speaks as the camera protocol describes it, and a camera to talk to."""

import math

import numpy as np
from live_fakes import ANY_TIME, Clock, Quick, made

from pvtpp.live.config import LiveConfig
from pvtpp.mavlink.camera import CameraComponent
from pvtpp.mavlink.config import MavlinkConfig
from pvtpp.mavlink.dialect import Wire, messages
from pvtpp.tracker import Frame

COMMON = messages()
MS = 10**6
SIZE = (200, 100)
STATION, CAMERA = (255, 190), (1, 100)
ACCEPTED, DENIED, UNSUPPORTED = 0, 2, 3
RECTANGLE, POINT, STOP = 2005, 2004, 2010
REQUEST, INTERVAL = 512, 511


def command(number, *params, target=CAMERA, confirmation=0):
    filled = [*params, *[0.0] * (7 - len(params))]
    return COMMON.MAVLink_command_long_message(*target, number, confirmation, *filled)


def image_frame(index, t_ns, size=SIZE):
    return Frame(index, t_ns, np.zeros((size[1], size[0], 3), np.uint8))


class Flight:
    """A live tracker, its camera component, and a ground station; every packet goes over the wire and back."""

    def __init__(self, tracker=None, names=("hold",), live=None, **settings):
        self.clock = Clock()
        self.live = live or made(tracker or Quick(), names, clock=self.clock, config=LiveConfig(capture_times=ANY_TIME))
        self.camera = CameraComponent(MavlinkConfig(**settings), lambda: self.live)
        self.station, self.wire = Wire(*STATION), Wire(*CAMERA)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.live.close()

    def see(self, index=0, t_ns=None, size=SIZE):
        self.live.submit(image_frame(index, self.clock() if t_ns is None else t_ns, size))

    def send(self, message, wire=None):
        """The camera's answers to a message, as the ground station reads them."""
        (read,) = self.wire.read((wire or self.station).write(message))
        return self.over_the_wire(self.camera.received(read, self.clock()))

    def over_the_wire(self, answers):
        return [read for answer in answers for read in self.station.read(self.wire.write(answer))]

    def command(self, number, *params, **options):
        """The result that the acknowledgement states, and the other answers."""
        ack, *others = self.send(command(number, *params, **options))
        assert ack.get_type() == "COMMAND_ACK" and ack.command == number
        assert (ack.target_system, ack.target_component) == STATION
        return ack.result, others

    def at(self, t_ns):
        """Everything that is sent up to this time."""
        sent = []
        while self.camera.next_ns <= t_ns:
            self.clock.t_ns = max(self.clock.t_ns, self.camera.next_ns)
            sent += [(self.clock.t_ns, each) for each in self.over_the_wire(self.camera.due(self.clock.t_ns))]
        self.clock.t_ns = t_ns
        return sent


def kinds(messages):
    return [each.get_type() for each in messages]


def text_of(messages):
    return "".join(each.text for each in messages if each.get_type() == "STATUSTEXT")


def box_of(status, size=SIZE):
    """``[cx, cy, w, h]`` in pixels of a tracking status."""
    left, top, right, bottom = (
        status.rec_top_x * size[0],
        status.rec_top_y * size[1],
        status.rec_bottom_x * size[0],
        status.rec_bottom_y * size[1],
    )
    return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])


def is_nan(status):
    return all(math.isnan(each) for each in (status.rec_top_x, status.rec_top_y, status.rec_bottom_x))
