"""`Connection` by rospy."""

from __future__ import annotations

import threading
from typing import Any, Callable, List

import rosgraph
import roslib.message
import rospy

from pvtpp.errors import InputError

BUFFER_BYTES = 1 << 25
"""More than the largest image: with less, rospy keeps old ones in its socket whatever the queue size."""
LOGS = {"info": rospy.loginfo, "warning": rospy.logwarn, "error": rospy.logerr}


class RospyPublisher:
    """`Publisher` by rospy.

    Parameters
    ----------
    topic
        As of `Connection.publisher`.
    kind
        The class of its messages.
    queue
        As of `Connection.publisher`.
    """

    def __init__(self, topic: str, kind: Any, queue: int):
        self._publisher = rospy.Publisher(topic, kind, queue_size=queue, tcp_nodelay=True)
        self.topic: str = self._publisher.resolved_name

    def publish(self, message: Any) -> None:
        """As `Publisher.publish`."""
        try:
            self._publisher.publish(message)
        except rospy.ROSException:
            if not rospy.is_shutdown():
                raise

    def readers(self) -> int:
        """As `Publisher.readers`."""
        return int(self._publisher.get_num_connections())


class RospyConnection:
    """`Connection` by rospy.

    Parameters
    ----------
    name, several
        As of `pvtpp_ros_nodes.connection.connect`.

    Raises
    ------
    InputError
        With `several`: there is no master. Other nodes wait for one.
    """

    def __init__(self, name: str, several: bool = False):
        if several and not rosgraph.is_master_online():
            raise InputError("no ROS master answers; is one started?")
        rospy.init_node(name, argv=[] if several else None, anonymous=several, disable_signals=several)
        self.over = threading.Event()
        rospy.on_shutdown(self.over.set)

    def now_ns(self) -> int:
        """As `Connection.now_ns`."""
        return int(rospy.get_rostime().to_nsec())

    def parameter(self, name: str, default: Any) -> Any:
        """As `Connection.parameter`."""
        return rospy.get_param(f"~{name}", default)

    def given(self) -> List[str]:
        """As `Connection.given`: the master keeps those of earlier runs too, so it cannot tell."""
        return []

    def message(self, kind: str) -> Any:
        """As `Connection.message`."""
        return self._kind(kind)()

    def resolved(self, topic: str) -> str:
        """As `Connection.resolved`."""
        return str(rospy.resolve_name(topic))

    def publisher(self, topic: str, kind: str, queue: int) -> RospyPublisher:
        """As `Connection.publisher`."""
        return RospyPublisher(topic, self._kind(kind), queue)

    def subscribe(self, topic: str, kind: str, take: Callable[[Any], None], queue: int) -> None:
        """As `Connection.subscribe`."""
        rospy.Subscriber(topic, self._kind(kind), take, queue_size=queue, buff_size=BUFFER_BYTES, tcp_nodelay=True)

    def log(self, level: str, text: str) -> None:
        """As `Connection.log`."""
        LOGS[level]("%s", text)

    def close(self) -> None:
        """As `Connection.close`."""
        rospy.signal_shutdown("done")

    @staticmethod
    def _kind(kind: str) -> Any:
        found = roslib.message.get_message_class(kind)
        if found is None:
            raise InputError(f"the messages {kind} are not installed; source the workspace's devel/setup.bash")
        return found
