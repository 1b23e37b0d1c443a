#!/usr/bin/env python3
"""What rostest asks of a running simulation: targets are published, and results are near to where the target was."""

from __future__ import annotations

import sys
import threading
import unittest

import numpy as np
import rospy
import rostest

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.msg import Result, Roi, Target
from pvtpp_ros_nodes import conversions

RESULTS, TARGETS = 60, 300


class Tracking(unittest.TestCase):
    def test_targets_are_published_and_results_are_near_to_the_truth(self):
        rospy.init_node("rostest_tracking")
        truth, results, targets, enough = {}, [], [], threading.Event()

        def learn(roi):
            truth[conversions.stamp_ns(roi.header.stamp)] = roi.xywh

        def take(message, taken):
            taken.append(message)
            if len(results) >= RESULTS and len(targets) >= TARGETS:
                enough.set()

        readers = [
            rospy.Subscriber("/camera/ground_truth", Roi, learn, queue_size=1000),
            rospy.Subscriber("/camera/tracker/result", Result, take, results, queue_size=1000),
            rospy.Subscriber("/camera/tracker/target", Target, take, targets, queue_size=1000),
        ]
        self.assertTrue(enough.wait(240), f"only {len(results)} results, {len(targets)} targets")
        for reader in readers:
            reader.unregister()
        # Each result and the truth of its own image: a busy machine, which tracks fewer images, is no worse.
        known = [(each.box, truth.get(conversions.stamp_ns(each.header.stamp))) for each in results]
        overlaps = [float(iou(np.array(box), xywh_to_box(np.array(xywh)))) for box, xywh in known if xywh is not None]
        self.assertGreater(len(overlaps), RESULTS // 2)
        self.assertGreater(np.nanmedian(overlaps), 0.4)
        stamps = np.array([conversions.stamp_ns(each.header.stamp) for each in targets])
        self.assertGreater(np.diff(stamps).min(), 0)


if __name__ == "__main__":
    rostest.rosrun("pvtpp", "tracking", Tracking, sys.argv)
