#!/usr/bin/env python3
"""What rostest asks of a running simulation: the target is told at a steady rate, near to where it is."""

from __future__ import annotations

import sys
import threading
import unittest

import numpy as np
import rospy
import rostest

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.msg import Roi, Target
from pvtpp_ros_nodes import conversions

SECONDS = 6.0


class Tracking(unittest.TestCase):
    def test_the_target_is_told_and_near_to_the_truth(self):
        rospy.init_node("rostest_tracking")
        truth, targets, enough = {}, [], threading.Event()

        def follow(target):
            targets.append(target)
            if (
                conversions.stamp_ns(target.header.stamp) - conversions.stamp_ns(targets[0].header.stamp)
                > SECONDS * 1e9
            ):
                enough.set()

        def learn(roi):
            truth[conversions.stamp_ns(roi.header.stamp)] = roi.xywh

        readers = [
            rospy.Subscriber("/camera/ground_truth", Roi, learn, queue_size=1000),
            rospy.Subscriber("/camera/tracker/target", Target, follow, queue_size=1000),
        ]
        self.assertTrue(enough.wait(75), f"only {len(targets)} targets")
        for reader in readers:
            reader.unregister()
        times = np.array(sorted(truth))
        overlaps = []
        for target in targets:
            stamp = conversions.stamp_ns(target.header.stamp)
            nearest = times[np.abs(times - stamp).argmin()]
            if abs(nearest - stamp) < 17_000_000:
                overlaps.append(float(iou(np.array(target.box), xywh_to_box(np.array(truth[nearest])))))
        self.assertGreater(len(overlaps), 100)
        self.assertGreater(np.nanmedian(overlaps), 0.4)


if __name__ == "__main__":
    rostest.rosrun("pvtpp", "tracking", Tracking, sys.argv)
