"""The other side of a tracker node: camera, operator and reader in the test's own process. Needs ROS."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import rospy
from node_helpers import spot_image, spot_xywh, until
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger

from pvtpp.msg import Event, Result, Roi, Status, Target, Trajectory
from pvtpp.srv import Init
from pvtpp_ros_nodes import conversions, images

OUTPUTS = {"target": Target, "result": Result, "trajectory": Trajectory, "events": Event, "status": Status}
QUICK = ("_tracker:=bright_spot:BrightSpot", "_predictor:=constant_velocity", "_propagation:=none")


class Operator:
    """`heard`: what the node said, by topic, with `arrived` the ROS time of each. `sent`: stamp and x of every picture."""

    def __init__(self, world):
        self.world = world
        self.heard, self.arrived = defaultdict(list), defaultdict(list)
        self.sent = []
        self.silent = False
        # What to show instead of the spot at x (None: nothing white), and how to spoil the message.
        self.x = lambda index: 100 + index % 100
        self.spoil = lambda message: None
        self._over = threading.Event()
        self._images = rospy.Publisher("/camera/image", Image, queue_size=10, tcp_nodelay=True)
        self.rois = rospy.Publisher("/camera/init_roi", Roi, queue_size=1)
        self._readers = [
            rospy.Subscriber(f"/camera/tracker/{topic}", kind, self._hear, topic, queue_size=2000, tcp_nodelay=True)
            for topic, kind in OUTPUTS.items()
        ]
        self._camera = None
        self.processes = []

    def launch(self, *arguments, **env):
        """The tracker node, ready; the parameters of one before are forgotten."""
        if rospy.has_param("/camera/tracker"):
            rospy.delete_param("/camera/tracker")
        count = len(self.heard["status"])
        node = self.world.node("tracker_node", "__ns:=/camera", "__name:=tracker", *arguments, **env)
        self.processes.append(node)
        until(lambda: len(self.heard["status"]) > count or not node.alive, 60, "a ready node")
        assert node.alive, node.output
        return node

    def film(self):
        """Pictures at 30 Hz from now on."""
        self._camera = threading.Thread(target=self._film, daemon=True)
        self._camera.start()
        until(lambda: self._images.get_num_connections() and len(self.sent) > 3, what="a camera with a reader")

    def init(self, back=0):
        """The service: a target on the newest picture, or `back` pictures ago, by the spot that was in it."""
        stamp, x = self.sent[-1 - back]
        return self.call("init", Init, conversions.fill_roi(Roi(), stamp, "camera", spot_xywh(x, 100)))

    def call(self, name, kind, *arguments):
        rospy.wait_for_service(f"/camera/tracker/{name}", 30)
        return rospy.ServiceProxy(f"/camera/tracker/{name}", kind)(*arguments)

    def reset(self):
        return self.call("reset", Trigger)

    def pause(self, paused):
        return self.call("pause", SetBool, paused)

    def newest(self, topic):
        return self.heard[topic][-1]

    def more(self, topic, count=1, seconds=30):
        """Wait for so many messages more on this topic."""
        there = len(self.heard[topic])
        until(lambda: len(self.heard[topic]) >= there + count, seconds, f"{count} more on {topic}")
        return self.heard[topic][there:]

    def close(self):
        self._over.set()
        if self._camera:
            self._camera.join(10)
        for process in self.processes:
            process.stop()
        for each in [*self._readers, self._images, self.rois]:
            each.unregister()

    def _hear(self, message, topic):
        self.arrived[topic].append(rospy.get_rostime().to_nsec())
        self.heard[topic].append(message)

    def _film(self):
        begin, index = time.monotonic(), 0
        while not self._over.wait(max(begin + index / 30 - time.monotonic(), 0)):
            index += 1
            if self.silent:
                continue
            stamp, x = rospy.get_rostime().to_nsec(), self.x(index)
            message = images.fill_image(Image(), spot_image(x, 100))
            conversions.set_header(message.header, stamp, "camera")
            self.spoil(message)
            self._images.publish(message)
            self.sent.append((stamp, x))
