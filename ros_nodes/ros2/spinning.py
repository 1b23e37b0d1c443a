"""Nodes that are spun in a thread of their own: whatever waits in one of them, the others go on."""

from __future__ import annotations

import threading
from typing import List, Optional

from rclpy.executors import ExternalShutdownException, ShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter


class Spinning:
    """Spins one node in a thread until `stop`. A callback that raises is logged, and the next one is called.

    Of rclpy's executors only one with a single thread delivers samples of a fast IMU in time.

    Parameters
    ----------
    node
        The node.
    """

    def __init__(self, node: Node):
        self._node = node
        self._over = False
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._thread = threading.Thread(target=self._spin, name=f"pvtpp spin {node.get_name()}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread; waits `timeout` seconds at most for the callback that runs."""
        self._over = True
        self._executor.shutdown(timeout_sec=timeout)
        self._thread.join(timeout)

    def _spin(self) -> None:
        while not self._over and self._node.context.ok():
            try:
                self._executor.spin_once()
            except (ExternalShutdownException, ShutdownException):
                return
            except Exception as error:
                self._node.get_logger().error(f"{type(error).__name__}: {error}")


class Helper:
    """A node beside another one, with a thread of its own: for what must not wait, or must not let others wait.

    It is hidden from ``ros2 node list``, and has neither parameters nor a log of its own. Names must be resolved by the
    node that it helps, so that remappings apply.

    Parameters
    ----------
    owner
        The node that it helps.
    purpose
        The end of its name.
    overrides
        Overrides of QoS profiles, see `pvtpp_ros_nodes.ros2.node_parameters.qos_overrides`.

    Attributes
    ----------
    node
        Where topics and services are created, before `start`.
    """

    def __init__(self, owner: Node, purpose: str, overrides: List[Parameter]):
        self.node = Node(
            f"_{owner.get_name()}_{purpose}",
            context=owner.context,
            namespace=owner.get_namespace(),
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
            parameter_overrides=overrides,
        )
        self._spinning: Optional[Spinning] = None

    def start(self) -> None:
        """Begin to call back."""
        self._spinning = Spinning(self.node)

    def close(self) -> None:
        """End the thread and the node."""
        if self._spinning is not None:
            self._spinning.stop()
        self.node.destroy_node()
