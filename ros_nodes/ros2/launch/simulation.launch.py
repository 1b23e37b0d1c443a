"""A generated aerial clip, or a sequence of any data set, played as a camera; the tracker gets the first box.

Needs no hardware. Without loop, everything ends with the sequence.
"""

from launch.actions import Shutdown
from launch_ros.actions import Node

from pvtpp_ros_nodes.player import PlayerConfig
from pvtpp_ros_nodes.ros2 import launching
from pvtpp_ros_nodes.ros2.launching import Argument

RECORDED = "/camera/(tracker/events|tracker/status|ground_truth)"
ARGUMENTS = [
    Argument("dataset", "generated", "The data set to play from."),
    Argument("root", "", "Where it lies."),
    Argument("split", "", "train, test .. where it has splits."),
    Argument("sequence", "", "What to play; empty: the first."),
    Argument("loop", "true", "Over and over."),
    Argument("speed", "1", "1 as it was recorded, 2 twice as fast."),
    Argument("rviz", "false", "Show it in RViz."),
    Argument("record", "", "The folder of a new bag with all that scoring needs; empty: none."),
    *launching.node_arguments(imu=False),
]


def start(values):
    """What the arguments ask for."""
    loop = launching.switch(values, "loop")
    own = launching.given(PlayerConfig, values)
    ends = {} if loop else {"on_exit": Shutdown()}
    actions = [launching.tracker(values), launching.program("sequence_player", "player", values, own, **ends)]
    if values["record"]:
        actions.append(launching.recording(values["record"], RECORDED))
    if launching.switch(values, "rviz"):
        view = str(launching.SHARE / "rviz" / "tracker.rviz")
        actions.append(Node(package="rviz2", executable="rviz2", arguments=["-d", view]))
    return actions


def generate_launch_description():
    """Called by `ros2 launch pvtpp simulation.launch.py`."""
    return launching.description(ARGUMENTS, start)
