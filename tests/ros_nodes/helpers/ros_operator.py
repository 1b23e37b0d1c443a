"""Camera, operator and reader of a tracker node, in the test's own process. Needs ROS."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import rospy
from node_helpers import log_of, spot_image, spot_xywh, until
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger

from pvtpp.msg import Event, Result, Roi, Status, Target, Trajectory
from pvtpp.srv import Init
from pvtpp_ros_nodes import conversions, images

OUTPUTS = {"target": Target, "result": Result, "trajectory": Trajectory, "events": Event, "status": Status}
QUICK = (
    "_tracker:=bright_spot:BrightSpot",
    "_predictor:=constant_velocity",
    "_propagation:=none",
    "_presence:=true",
)


class Operator:
    """`heard`: the node's messages by topic. `sent`: stamp and x of every image."""

    def __init__(self, world):
        self.world = world
        self.heard = defaultdict(list)
        self.sent = []
        self.silent = False
        # Where the white spot is (None: nowhere), and what is changed in the message.
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
        until(lambda: len(self.heard["status"]) > count or not node.alive, what="a ready node")
        assert node.alive, node.output
        return node

    def film(self):
        """Images at 30 Hz from now on."""
        self._camera = threading.Thread(target=self._film, daemon=True)
        self._camera.start()
        until(lambda: self._images.get_num_connections() and len(self.sent) > 3, what="a camera with a reader")

    def init(self, back=0):
        """The service: a target where the spot was in the newest image, or `back` images ago. Its id.

        On a busy machine an image may come too late, or be gone from memory: then it asks again.
        """
        answers = []

        def done():
            stamp, x = self.sent[-1 - back]
            roi = conversions.fill_roi(Roi(), stamp, "camera", spot_xywh(x, 100))
            answers.append(self.call("init", Init, roi))
            return answers[-1].success

        until(done, what="a new target")
        return answers[-1].target_id

    def call(self, name, kind, *arguments):
        rospy.wait_for_service(f"/camera/tracker/{name}", 60)
        return rospy.ServiceProxy(f"/camera/tracker/{name}", kind)(*arguments)

    def reset(self):
        return self.call("reset", Trigger)

    def pause(self, paused):
        return self.call("pause", SetBool, paused)

    def newest(self, topic):
        return self.heard[topic][-1]

    def more(self, topic, count=1):
        """Wait for so many messages more on this topic."""
        there = len(self.heard[topic])
        until(lambda: len(self.heard[topic]) >= there + count, what=f"{count} more on {topic}")
        return self.heard[topic][there:]

    def finished_log(self, target_id):
        """The log of a target, when it was reset."""

        def events():
            return [event for event in self.heard["events"] if event.target_id == target_id]

        until(lambda: any(event.line.startswith('["reset"') for event in events()), what="the end of the log")
        return log_of(events())

    def close(self):
        self._over.set()
        if self._camera:
            self._camera.join(10)
        for process in self.processes:
            process.stop()
        for each in [*self._readers, self._images, self.rois]:
            each.unregister()

    def _hear(self, message, topic):
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
