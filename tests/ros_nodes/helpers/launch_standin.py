"""What the launch files call of ROS 2's launch, with its documented keywords, for machines without it.

What is not documented is a TypeError here. Nothing is started: a launch file gives the actions it would hand to launch.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

ROS2 = Path(__file__).resolve().parents[3] / "ros_nodes" / "ros2"


class LaunchDescription:
    def __init__(self, initial_entities=None):
        self.entities = list(initial_entities or [])


class DeclareLaunchArgument:
    def __init__(self, name, *, default_value=None, description=None):
        assert default_value is None or isinstance(default_value, str)
        self.name, self.default_value, self.description = name, default_value, description


class OpaqueFunction:
    def __init__(self, *, function, args=None, kwargs=None):
        self.function = function


class LaunchConfiguration:
    def __init__(self, variable_name, *, default=None):
        self.name = variable_name

    def perform(self, context):
        return context.launch_configurations[self.name]


class PythonLaunchDescriptionSource:
    def __init__(self, launch_file_path):
        self.path = launch_file_path


class IncludeLaunchDescription:
    def __init__(self, launch_description_source, *, launch_arguments=None):
        assert all(isinstance(each, str) for pair in launch_arguments or () for each in pair)
        self.path, self.arguments = launch_description_source.path, dict(launch_arguments or ())


class Shutdown:
    def __init__(self, *, reason="reason not given"):
        self.reason = reason


class ExecuteProcess:
    def __init__(self, *, cmd, prefix=None, name=None, additional_env=None, output="log", respawn=False, on_exit=None):
        assert all(isinstance(each, str) for each in cmd)
        self.cmd, self.prefix, self.additional_env, self.output = cmd, prefix, additional_env, output
        self.respawn, self.on_exit = respawn, on_exit


class ParameterValue:
    def __init__(self, value, *, value_type=None):
        assert isinstance(value, value_type)
        self.value, self.value_type = value, value_type


class Node(ExecuteProcess):
    def __init__(
        self,
        *,
        package,
        executable,
        name=None,
        namespace=None,
        parameters=None,
        remappings=None,
        arguments=None,
        **kwargs,
    ):
        super().__init__(cmd=[package, executable, *(arguments or [])], **kwargs)
        self.package, self.executable, self.name, self.namespace = package, executable, name, namespace
        self.remappings = dict(remappings or [])
        self.files = [each for each in parameters or [] if isinstance(each, str)]
        self.parameters = {}
        for each in parameters or []:
            if isinstance(each, dict):
                assert each, "rcl refuses an empty file of parameters"
                self.parameters.update(each)

    @property
    def values(self):
        """The parameters as the node gets them. Of a plain text launch would make whatever YAML makes of it."""
        return {name: getattr(value, "value", value) for name, value in self.parameters.items()}


MODULES = {
    "launch": {"LaunchDescription": LaunchDescription},
    "launch.actions": {
        "DeclareLaunchArgument": DeclareLaunchArgument,
        "ExecuteProcess": ExecuteProcess,
        "IncludeLaunchDescription": IncludeLaunchDescription,
        "OpaqueFunction": OpaqueFunction,
        "Shutdown": Shutdown,
    },
    "launch.launch_description_sources": {"PythonLaunchDescriptionSource": PythonLaunchDescriptionSource},
    "launch.substitutions": {"LaunchConfiguration": LaunchConfiguration},
    "launch_ros": {},
    "launch_ros.actions": {"Node": Node},
    "launch_ros.parameter_descriptions": {"ParameterValue": ParameterValue},
    "ament_index_python": {},
    "ament_index_python.packages": {"get_package_share_directory": lambda package: str(ROS2)},
}


def install(monkeypatch):
    """Make these modules importable in one test."""
    for name, members in MODULES.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "pvtpp_ros_nodes.ros2.launching", raising=False)


def loaded(path):
    """What a launch file describes, of the installed ones or another."""
    spec = importlib.util.spec_from_file_location(f"{path.name.split('.')[0]}_launch", str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_launch_description().entities


def described(name):
    """What a launch file returns: its declared arguments by name, and the function that starts the rest."""
    *declared, begin = loaded(ROS2 / "launch" / f"{name}.launch.py")
    return {each.name: each for each in declared}, begin.function


def launched(name, **arguments):
    """The actions of a launch file that was given these arguments."""
    declared, begin = described(name)
    assert set(arguments) <= set(declared)
    values = {each.name: arguments.get(each.name, each.default_value) for each in declared.values()}
    assert None not in values.values(), "a required argument is not given"
    return begin(SimpleNamespace(launch_configurations=values))
