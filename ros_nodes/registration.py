"""Registers the node again after its master was restarted: rospy registers once, so nobody would find it any more."""

from __future__ import annotations

import xmlrpc.client

import rosgraph
import rospy
from rospy.impl.registration import get_service_manager, get_topic_manager

from pvtpp_ros_nodes.pacer import Pacer

PERIOD_S = 1.0


class Registration:
    """Asks the master once a second whether it knows this node, and registers topics and services again where not.

    What is connected stays connected without a master.
    """

    def __init__(self) -> None:
        self._master = rosgraph.Master(rospy.get_name())
        self._gone = False
        self._pacer = Pacer(self._check, 1 / PERIOD_S, "pvtpp registration", lambda error: rospy.logwarn("%s", error))

    def close(self) -> None:
        """End the thread."""
        self._pacer.stop()

    def _check(self) -> None:
        try:
            known = self._known()
        except (OSError, xmlrpc.client.ProtocolError):
            if not self._gone:
                self._gone = True
                rospy.logwarn("the ROS master is gone; topics that are connected go on")
            return
        if not known and not rospy.is_shutdown():
            self._register()
            rospy.logwarn("the ROS master was restarted; this node is registered again")
        self._gone = False

    def _known(self) -> bool:
        try:
            return self._master.lookupNode(rospy.get_name()) == rospy.get_node_uri()
        except rosgraph.MasterError:
            return False

    def _register(self) -> None:
        uri = rospy.get_node_uri()
        own = xmlrpc.client.ServerProxy(uri)
        for topic, kind in get_topic_manager().get_publications():
            self._master.registerPublisher(topic, kind, uri)
        for service, service_uri in get_service_manager().get_services():
            self._master.registerService(service, service_uri, uri)
        for topic, kind in get_topic_manager().get_subscriptions():
            publishers = self._master.registerSubscriber(topic, kind, uri)
            # As the master tells those that were there already.
            own.publisherUpdate(rospy.get_name(), topic, publishers)
