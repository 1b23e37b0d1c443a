"""What the launch files of ROS 2 share: an argument for every parameter of the node, and the node itself.

Not run by its authors: their ROS 2 has no launch. It keeps to launch's documented calls, and the tests run the files
against a stand-in for those.
"""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from pvtpp.errors import InputError
from pvtpp_ros_nodes import parameters
from pvtpp_ros_nodes.config import NodeConfig

SHARE = Path(get_package_share_directory("pvtpp"))
PROFILE = SHARE / "fastdds.xml"
"""With Fast DDS's own settings images are lost."""
PROFILE_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
SWITCHES = {"true": True, "false": False}
IMU = ("camera_from_imu", "imu_bias")


class Argument(NamedTuple):
    """An argument of a launch file.

    Attributes
    ----------
    name
        As in ``name:=value``.
    default
        Its default; None where it must be given.
    meaning
        What ``ros2 launch FILE --show-args`` says of it.
    """

    name: str
    default: Optional[str]
    meaning: str


Values = Dict[str, str]


def description(arguments: Sequence[Argument], start: Callable[[Values], List[Any]]) -> LaunchDescription:
    """Make what a launch file returns.

    Parameters
    ----------
    arguments
        What it declares.
    start
        Called with the values of the arguments; returns the actions. It raises InputError for values that are not
        allowed.
    """

    def started(context: Any) -> List[Any]:
        return start({each.name: LaunchConfiguration(each.name).perform(context) for each in arguments})

    declared = [
        DeclareLaunchArgument(each.name, default_value=each.default, description=each.meaning) for each in arguments
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=started)])


def node_arguments(imu: bool = True, without: Sequence[str] = (), **renamed: str) -> List[Argument]:
    """Return an argument for each parameter of the tracker node, and ``config`` and ``python``.

    Parameters
    ----------
    imu
        Whether there may be an IMU: then the argument ``imu`` is its topic.
    without
        Parameters that are no arguments.
    **renamed
        What the argument for a parameter is called, where that is not the parameter's name.
    """
    meanings = parameters.meanings_of(NodeConfig)
    without = ("imu", *without, *(() if imu else IMU))
    found = [
        Argument("config", str(SHARE / "config" / "tracker.yaml"), "A file of parameters of the node."),
        Argument("python", "", "The Python that runs it, of a virtual environment that holds onnxruntime."),
    ]
    if imu:
        found.append(Argument("imu", "", "The topic of an IMU that is fixed to the camera; empty: none."))
    return found + [
        Argument(renamed.get(field.name, field.name), "", f"{meanings[field.name]} Empty: as `config` says.")
        for field in fields(NodeConfig)
        if field.name not in without
    ]


def given(kind: Any, values: Values, **renamed: str) -> Dict[str, Any]:
    """Return the parameters of a dataclass that the arguments give, each of its own type; empty ones are left out.

    Parameters
    ----------
    kind
        The dataclass.
    values
        Of the arguments.
    **renamed
        As of `node_arguments`.

    Raises
    ------
    InputError
        A value is not of the parameter's type.
    """
    found = {}
    for field in fields(kind):
        name = renamed.get(field.name, field.name)
        if values.get(name):
            found[field.name] = _typed(name, values[name], type(field.default))
    return found


def tracker(values: Values, remapped: Sequence[str] = (), namespace: str = "camera", **more: Any) -> Node:
    """Make the tracker node of the launch files' arguments.

    Parameters
    ----------
    values
        Of the arguments.
    remapped
        Topics that are remapped to the argument of their name.
    namespace
        Of the node.
    **more
        For `program`; `own` are more parameters, `renamed` as of `node_arguments`.
    """
    topics = [(topic, values[topic]) for topic in remapped]
    own = given(NodeConfig, {**values, "imu": ""}, **more.pop("renamed", {}))
    own.update(more.pop("own", {}))
    if values.get("imu"):
        topics.append(("imu", values["imu"]))
        own["imu"] = True
    return program("tracker_node", "tracker", values, own, topics, namespace, config=values["config"], **more)


def program(
    executable: str,
    name: str,
    values: Values,
    own: Dict[str, Any],
    remappings: Sequence[Any] = (),
    namespace: str = "camera",
    config: str = "",
    **more: Any,
) -> Node:
    """Make a node of this package.

    Parameters
    ----------
    executable
        The program.
    name, namespace
        Of the node.
    values
        Of the arguments; ``python`` runs it.
    own
        Its parameters.
    remappings
        Pairs of topics, from and to.
    config
        A file of parameters, over which `own` count; empty for none.
    **more
        For `launch_ros.actions.Node`.
    """
    # An empty dictionary would become an empty file of parameters, which rcl refuses.
    read: List[Any] = [each for each in (config, own) if each]
    if values.get("python"):
        more["prefix"] = values["python"]
    if PROFILE_VARIABLE not in os.environ:
        more["additional_env"] = {PROFILE_VARIABLE: str(PROFILE)}
    return Node(
        package="pvtpp",
        executable=executable,
        name=name,
        namespace=namespace,
        parameters=read,
        remappings=list(remappings),
        output="screen",
        **more,
    )


def recording(folder: str, topics: str) -> ExecuteProcess:
    """Make a recorder of a new bag, of all topics whose whole name matches a regular expression."""
    # How topics are listed differs between Humble, Jazzy and later ones.
    return ExecuteProcess(cmd=["ros2", "bag", "record", "-o", folder, "--regex", f"^{topics}$"], output="screen")


def switch(values: Values, name: str) -> bool:
    """Read an argument that is true or false; InputError where it is neither."""
    return bool(_typed(name, values[name], bool))


def _typed(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in SWITCHES:
            raise InputError(f"{name} is {text!r}, allowed is true or false")
        return SWITCHES[text.lower()]
    if kind is str:
        # launch would make a number of a text that looks like one.
        return ParameterValue(text, value_type=str)
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"{name} is {text!r}, allowed is a{' whole' * (kind is int)} number") from None
