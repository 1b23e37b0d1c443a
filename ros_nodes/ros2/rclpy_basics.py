"""What every node of ROS 2 needs of rclpy: a start, profiles, message classes, a log."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any, Callable, Dict, List, Optional, TypeVar

import rclpy
from rclpy.context import Context
from rclpy.exceptions import ParameterException
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from pvtpp.errors import InputError

Made = TypeVar("Made")
SYSTEM = ("use_sim_time", "start_type_description_service")
"""Parameters that every node has."""
QOS = "qos_overrides"
"""First part of the names of parameters that override QoS profiles."""
LOGS: Dict[str, Callable[[Any, str], Any]] = {
    # rclpy refuses another severity from a line that has logged before: each has a line of its own.
    "info": lambda logger, text: logger.info(text),
    "warning": lambda logger, text: logger.warning(text),
    "error": lambda logger, text: logger.error(text),
}
"""By level: given rclpy's logger and a text."""


def start(
    arguments: List[str], context: Optional[Context] = None, signals: SignalHandlerOptions = SignalHandlerOptions.NO
) -> None:
    """Begin with rclpy; raises InputError for arguments that it cannot read, and for those that are not ROS's."""
    try:
        others = remove_ros_args(arguments)[1:]
        rclpy.init(args=arguments, context=context, signal_handler_options=signals)
    except Exception as error:
        # rcl has classes of its own for arguments that it cannot read, and texts of many lines.
        raise InputError("the arguments cannot be read: " + " ".join(str(error).split(", at ")[0].split())) from None
    if others:
        raise InputError(f"unknown argument {others[0]!r}; a parameter is given as --ros-args -p NAME:=VALUE")


def profile(depth: int, reliable: bool, latched: bool = False) -> QoSProfile:
    """Make a profile that keeps the newest `depth` messages."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def overridable() -> QoSOverridingOptions:
    """Let parameters ``qos_overrides.TOPIC...`` override history, depth, reliability and durability."""
    kinds = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY)
    return QoSOverridingOptions(kinds)


def connected(topic: str, make: Callable[[], Made]) -> Made:
    """Make a publisher or a subscription whose profile parameters override; InputError where they do not fit."""
    try:
        return make()
    except (ParameterException, InvalidQosOverridesError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"qos_overrides of {topic}: {error}") from None


@lru_cache(maxsize=None)
def message_class(kind: str) -> Any:
    """Return the class of messages of this kind (``pvtpp/Roi``); raises InputError where they are not installed."""
    package, _, name = kind.partition("/")
    # In ROS 2 a Python package cannot hold messages of its own.
    package = "pvtpp_msgs" if package == "pvtpp" else package
    try:
        return getattr(import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError):
        raise InputError(
            f"the messages {package}/{name} are not installed; is the workspace's setup.bash sourced?"
        ) from None
