"""The other end of one tracker node of ROS 2: camera, operator and listener."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState, GetState
from node_helpers import log_of, spot_image, spot_xywh, until
from pvtpp_msgs.msg import Event, Result, Roi, Status, Target, Trajectory
from pvtpp_msgs.srv import Init
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger

from pvtpp_ros_nodes import conversions, images
from pvtpp_ros_nodes.ros2.rclpy_basics import profile
from pvtpp_ros_nodes.ros2.spinning import Spinning

NODE = "pvtpp_ros_nodes.ros2.tracker_node"
OUTPUTS = {"target": Target, "result": Result, "trajectory": Trajectory, "events": Event, "status": Status}
QUICK = (
    *("-r", "__ns:=/camera"),
    *("-p", "tracker:=bright_spot:BrightSpot"),
    *("-p", "predictor:=constant_velocity"),
    *("-p", "propagation:=none"),
)
FPS = 30
SERVICES = {
    "init": Init,
    "reset": Trigger,
    "pause": SetBool,
    "set_parameters": SetParameters,
    "get_parameters": GetParameters,
    "describe_parameters": DescribeParameters,
    "change_state": ChangeState,
    "get_state": GetState,
}


class Operator:
    """`heard`: the node's messages by topic. `sent`: stamp and x of every image that was sent."""

    def __init__(self, world):
        self.world = world
        self.node = rclpy.create_node("operator", namespace="/camera")
        self.heard = defaultdict(list)
        self.sent = []
        self.processes = []
        self.forget()
        self._over = threading.Event()
        self._camera = None
        self._images = self.node.create_publisher(Image, "image", profile(5, reliable=True))
        self.rois = self.node.create_publisher(Roi, "init_roi", profile(1, reliable=True))
        for topic, kind in OUTPUTS.items():
            latched = topic == "status"
            self.node.create_subscription(
                kind,
                f"tracker/{topic}",
                lambda message, topic=topic: self.heard[topic].append(message),
                profile(2000, reliable=True, latched=latched),
            )
        self.node.create_subscription(
            DiagnosticArray, "/diagnostics", lambda message: self.heard["diagnostics"].append(message), 10
        )
        # All at the start: a server that has just been found may not have found its client yet, and drop its answer.
        self._clients = {name: self.node.create_client(kind, f"tracker/{name}") for name, kind in SERVICES.items()}
        self._spinning = Spinning(self.node)

    def forget(self):
        """The camera is as good as new."""
        self.silent = False
        # Where the white spot is (None: nowhere), what is changed in the message, which images are lost on the way.
        self.x = lambda index: 200 - abs(index % 200 - 100)
        self.spoil = lambda message: None
        self.lost = lambda index: False

    def launch(self, *arguments, module=NODE, **env):
        """A node that is ready."""
        count = len(self.heard["status"])
        node = self.world.run(module, *QUICK, *arguments, **env)
        self.processes.append(node)
        until(lambda: len(self.heard["status"]) > count or not node.alive, what="a ready node")
        assert node.alive, node.output
        return node

    def film(self):
        """Images at 30 Hz from now on."""
        self._camera = threading.Thread(target=self._film, daemon=True)
        self._camera.start()
        until(lambda: self._images.get_subscription_count() and len(self.sent) > 3, what="a camera with a reader")

    def roi(self, back=0):
        """The region where the spot was in the newest image, or `back` images ago."""
        stamp, x = self.sent[-1 - back]
        return conversions.fill_roi(Roi(), stamp, "camera", spot_xywh(x, 100))

    def init(self, back=0):
        """The service: a target where the spot was in the newest image, or `back` images ago. Its id."""
        answers = []

        def done():
            answers.append(self.call("init", roi=self.roi(back)))
            return answers[-1].success

        until(done, what=f"a new target ({answers and answers[-1].message})")
        return answers[-1].target_id

    def send(self, name, **fields):
        """Send a request; returns the future of its answer."""
        client = self._clients[name]
        until(client.service_is_ready, what=f"the service {name}")
        return client.call_async(SERVICES[name].Request(**fields))

    def call(self, name, **fields):
        """The answer to a request, which is sent again where none comes: the first may be lost while nodes find one
        another."""
        futures = []

        def answered():
            if time.monotonic() - begun > 5 * len(futures):
                futures.append(self.send(name, **fields))
            return any(future.done() for future in futures)

        begun = time.monotonic()
        until(answered, what=f"an answer of {name}")
        return next(future for future in futures if future.done()).result()

    def reset(self):
        return self.call("reset")

    def pause(self, paused):
        return self.call("pause", data=paused)

    def set(self, **values):
        """Set parameters one by one; whether each was accepted, and why not."""
        asked = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        (result,) = self.call("set_parameters", parameters=asked).results
        return result.successful, result.reason

    def get(self, name):
        (value,) = self.call("get_parameters", names=[name]).values
        return Parameter.from_parameter_msg(rcl_parameter(name, value)).value

    def describe(self, name):
        (descriptor,) = self.call("describe_parameters", names=[name]).descriptors
        return descriptor

    def newest(self, topic):
        return self.heard[topic][-1]

    def more(self, topic, count=1):
        """Wait for so many messages more on this topic."""
        there = len(self.heard[topic])
        until(lambda: len(self.heard[topic]) >= there + count, what=f"{count} more on {topic}")
        return self.heard[topic][there:]

    def diagnosis(self, entry=0):
        """Level, text and values of the next entry on /diagnostics."""
        said = self.more("diagnostics")[-1].status[entry]
        return said.level, said.message, {pair.key: pair.value for pair in said.values}

    def status_is(self, status):
        until(lambda: self.newest("status").status == status, what=f"status {status}")

    def finished_log(self, target_id):
        """The log of a target, when it was reset."""

        def events():
            return [event for event in list(self.heard["events"]) if event.target_id == target_id]

        until(lambda: any(event.line.startswith('["reset"') for event in events()), what="the end of the log")
        return log_of(events())

    def close(self):
        self._over.set()
        if self._camera:
            self._camera.join(10)
        for process in self.processes:
            process.stop()
        self._spinning.stop()
        self.node.destroy_node()

    def _film(self):
        begin, index = time.monotonic(), 0
        while not self._over.wait(max(begin + index / FPS - time.monotonic(), 0)):
            index += 1
            if self.silent:
                continue
            stamp, x = time.time_ns(), self.x(index)
            message = images.fill_image(Image(), spot_image(x, 100))
            conversions.set_header(message.header, stamp, "camera")
            self.spoil(message)
            if not self.lost(index):
                self.sent.append((stamp, x))
                self._images.publish(message)


def rcl_parameter(name, value):
    from rcl_interfaces.msg import Parameter as Message

    return Message(name=name, value=value)
