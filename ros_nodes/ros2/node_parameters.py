"""The parameters of a ROS 2 node: declared with what they mean and what is allowed, and changed while it runs."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Callable, List

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from pvtpp.errors import InputError
from pvtpp_ros_nodes import parameters
from pvtpp_ros_nodes.config import IN_FLIGHT, RANGES, RULES, NodeConfig
from pvtpp_ros_nodes.ros2.rclpy_basics import QOS, SYSTEM

NAMES = tuple(field.name for field in fields(NodeConfig))


class NodeParameters:
    """Declares the parameters of `NodeConfig`, and passes changes on.

    A whole number serves as a double. What is not allowed is refused with a reason.

    Parameters
    ----------
    node
        Made with ``automatically_declare_parameters_from_overrides``, so that one of a wrong name is found.
    managed
        Whether those that are fixed in flight may be set before the node is configured.

    Attributes
    ----------
    config
        The parameters as they are.
    on_change
        Called with the new ones before they are accepted; raises InputError where they cannot be applied.

    Raises
    ------
    InputError
        A parameter is not allowed, or there is none of that name.
    """

    def __init__(self, node: Node, managed: bool = False):
        self._node = node
        self.on_change: Callable[[NodeConfig], None] = lambda config: None
        self._forget_overrides()
        self.config = parameters.read(NodeConfig, self._declared)
        meanings = parameters.meanings_of(NodeConfig)
        for field in fields(NodeConfig):
            fixed = not (managed or field.name in IN_FLIGHT)
            node.set_descriptor(field.name, _descriptor(field.name, field.default, meanings[field.name], fixed))
        node.add_on_set_parameters_callback(self._set)

    def _forget_overrides(self) -> None:
        """Refuse unknown names; the others are declared again, each with its descriptor, and get their values then."""
        for name in self._node.get_parameters_by_prefix(""):
            if name in SYSTEM:
                continue
            if name not in NAMES and name.partition(".")[0] != QOS:
                raise InputError(f"there is no parameter {name!r}; there are {', '.join(NAMES)}")
            self._node.undeclare_parameter(name)

    def _declared(self, name: str, default: Any) -> Any:
        # By its rule the value is checked in words of our own: rclpy would raise for a wrong type.
        return self._node.declare_parameter(name, default, ParameterDescriptor(dynamic_typing=True)).value

    def _set(self, changes: List[Parameter]) -> SetParametersResult:
        given = {each.name: each.value for each in changes if each.name in NAMES}
        if not given:
            return SetParametersResult(successful=True)
        try:
            config = replace(self.config, **given)
            self.on_change(config)
        except InputError as error:
            return SetParametersResult(successful=False, reason=str(error))
        except Exception as error:
            # Whatever a predictor raises while it is loaded: who asked is to know.
            return SetParametersResult(successful=False, reason=f"{type(error).__name__}: {error}")
        self.config = config
        return SetParametersResult(successful=True)


def _descriptor(name: str, default: Any, meaning: str, fixed: bool) -> ParameterDescriptor:
    made = ParameterDescriptor(name=name, description=meaning, read_only=fixed)
    made.additional_constraints = f"allowed is {RULES[name].allowed}"
    # A double takes a whole number as well.
    made.dynamic_typing = isinstance(default, float)
    made.type = Parameter.Type.from_parameter_value(default).value
    if name in RANGES:
        low, high = RANGES[name]
        if isinstance(default, float):
            made.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
        else:
            made.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return made


def qos_overrides(node: Node) -> List[Parameter]:
    """List the overrides of QoS profiles that a node was started with, before they are declared."""
    return [Parameter(f"{QOS}.{name}", value=each.value) for name, each in node.get_parameters_by_prefix(QOS).items()]
