"""What the tests of the nodes share: pictures, messages, and a middleware that only remembers."""

from __future__ import annotations

import json
import time
from collections import defaultdict

import numpy as np
from message_fakes import message_class

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp_ros_nodes import conversions, images

WIDTH, HEIGHT, SIDE = 320, 240, 20
QUICK = {
    "tracker": "bright_spot:BrightSpot",
    "predictor": "constant_velocity",
    "propagation": "none",
    "rate": 200.0,
    "presence": True,
}
BEGIN_NS = 1_700_000_000 * 10**9
FRAME_NS = 10**9 // 30


def until(condition, seconds=60.0, what="it"):
    """Wait until it is so; the time only ends a test that hangs."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(0.005)


def spot_image(x, y):
    """Grey texture with a white square centred at (x, y); no square where x is None."""
    image = np.random.default_rng(0).integers(40, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    if x is not None:
        image[y - SIDE // 2 : y + SIDE // 2, x - SIDE // 2 : x + SIDE // 2] = 255
    return image


def spot_xywh(x, y):
    return [x - SIDE / 2, y - SIDE / 2, SIDE, SIDE]


class FakeMiddleware:
    """The middleware as lists of what was published and logged. Both its clocks stand unless the test moves them."""

    LOSS_ADVICE = "mend the link"

    def __init__(self, generation=1):
        self.generation, self.t_ns, self.seconds = generation, BEGIN_NS, 0.0
        self.published, self.logged = defaultdict(list), []
        self.read = set()
        # Quaternions by (to, from); None: there is no tf.
        self.tf = None

    def now_ns(self):
        return self.t_ns

    def message(self, kind):
        return message_class(kind, self.generation)()

    def publish(self, topic, message):
        self.published[topic].append(message)

    def listeners(self, topic):
        return int(topic in self.read)

    def log(self, level, text):
        self.logged.append((level, text))

    def rotation(self, to_frame, from_frame):
        if self.tf is None:
            raise InputError("tf cannot be asked (No module named 'tf2_ros')")
        return self.tf.get((to_frame, from_frame))

    def count_logged(self, part):
        return len([text for _, text in list(self.logged) if part in text])

    def has_logged(self, part):
        return self.count_logged(part) > 0

    def logs(self):
        """The event logs that were published, by target; numbers without a gap."""
        made = {}
        for event in list(self.published["events"]):
            made.setdefault(event.target_id, []).append(event)
        return {target: log_of(events) for target, events in made.items()}


def log_of(events):
    assert [event.number for event in events] == list(range(len(events)))
    header, *rows = (json.loads(event.line) for event in events)
    return EventLog(header["meta"], rows)


def image_message(middleware, index, x=100, y=100, **changed):
    """A sensor_msgs/Image of frame `index` with the target at (x, y)."""
    message = images.fill_image(middleware.message("sensor_msgs/Image"), spot_image(x, y))
    conversions.set_header(message.header, BEGIN_NS + index * FRAME_NS, "camera")
    for name, value in changed.items():
        setattr(message, name, value)
    return message


def roi_message(middleware, xywh, index=None):
    t_ns = 0 if index is None else BEGIN_NS + index * FRAME_NS
    return conversions.fill_roi(middleware.message("pvtpp/Roi"), t_ns, "camera", xywh)


def send(core, middleware, index, x=100, y=100, **changed):
    """Frame `index` arrives 5 ms after its capture."""
    middleware.t_ns = BEGIN_NS + index * FRAME_NS + 5_000_000
    core.on_image(image_message(middleware, index, x, y, **changed))


def follow(core, middleware, first, count, step=3):
    """Frames with the target moving right; each is processed before the next one comes."""
    for index in range(first, first + count):
        send(core, middleware, index, 100 + step * index)
        until(lambda index=index: newest_evidence(core) >= BEGIN_NS + index * FRAME_NS, what="evidence")


def target_for(middleware, lead_ns=0):
    """The target that is published for the next millisecond."""
    middleware.t_ns += 1_000_000
    until(lambda: stamp_of_last(middleware, "target") == middleware.t_ns + lead_ns, what="a target of this moment")
    return middleware.published["target"][-1]


def stamp_of_last(middleware, topic):
    """In nanoseconds; None where there was no message."""
    messages = middleware.published[topic]
    return conversions.stamp_ns(messages[-1].header.stamp) if messages else None


def newest_evidence(core):
    """Its capture time; 0 without a target."""
    trajectory = core.live.trajectory()
    return 0 if trajectory is None else trajectory.evidence_ns


def begin(core, middleware, index=0):
    send(core, middleware, index, 100 + 3 * index)
    ok, text, target_id = core.init(roi_message(middleware, spot_xywh(100 + 3 * index, 100)))
    assert ok, text
    return target_id


def diagnosis(middleware):
    """Level and text of the next entry on /diagnostics."""
    middleware.published["diagnostics"].clear()
    until(lambda: middleware.published["diagnostics"], what="/diagnostics")
    entry = middleware.published["diagnostics"][-1].status[0]
    return {entry.OK: "OK", entry.WARN: "WARN", entry.ERROR: "ERROR"}[entry.level], entry.message


def send_stamped(core, middleware, stamp_ns, x=100):
    """An image of any stamp arrives now."""
    message = image_message(middleware, 0, x)
    conversions.set_stamp(message.header.stamp, stamp_ns)
    core.on_image(message)
