"""The tracker node of ROS 2 as a managed node: a launch file or a supervisor decides when it loads and when it tracks.

  python3 -m pvtpp_ros_nodes.ros2.managed_tracker_node --ros-args -r image:=/camera/image_raw
  ros2 lifecycle set /tracker configure && ros2 lifecycle set /tracker activate

``configure`` loads the tracker and lets it track once, ``activate`` takes images, ``deactivate`` is a pause in which
nothing but status, diagnostics and the rest of the event log is published, ``cleanup`` frees all. Parameters that are
fixed in flight may be changed before ``configure``.
"""

from __future__ import annotations

import sys
from typing import Optional

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from pvtpp.errors import InputError
from pvtpp_ros_nodes.config import NodeConfig
from pvtpp_ros_nodes.ros2.connections import Connections
from pvtpp_ros_nodes.ros2.node_parameters import NodeParameters, qos_overrides
from pvtpp_ros_nodes.ros2.running import run


class ManagedTrackerNode(LifecycleNode):
    """Loads and tracks when it is asked to.

    Raises
    ------
    InputError
        A parameter is not allowed.
    """

    def __init__(self) -> None:
        super().__init__("tracker", automatically_declare_parameters_from_overrides=True)
        self._overrides = qos_overrides(self)
        self._declared = NodeParameters(self, managed=True)
        self._declared.on_change = self._changed
        self._connections: Optional[Connections] = None

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and connect; without success the node stays unconfigured, and the log says why."""
        try:
            self._connections = Connections(self, self._declared.config, self._overrides)
        except InputError as error:
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        self._connections.core.pause(True)
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take images."""
        done = super().on_activate(state)
        if self._connections is not None:
            self._connections.core.pause(False)
        return done

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take no more images; the target stays, and its evidence grows old."""
        if self._connections is not None:
            self._connections.core.pause(True)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free all that was loaded."""
        done = super().on_cleanup(state)
        self.close()
        return done

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free all that was loaded; the node stays finalized until its process is ended."""
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that failed unexpectedly, be as unconfigured as in the beginning."""
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """End tracking; no event is lost."""
        connections, self._connections = self._connections, None
        if connections is not None:
            connections.close()

    def _changed(self, config: NodeConfig) -> None:
        if self._connections is not None:
            self._connections.core.reconfigure(config)


def main() -> None:
    """Run the node. A parameter that is not allowed is one line and exit status 2."""
    sys.exit(run(ManagedTrackerNode, "pvtpp_ros_nodes.ros2.managed_tracker_node"))


if __name__ == "__main__":
    main()
