"""A recorded bag, in its own time; everything ends with it. In a loop the target is forgotten at every turn.

`ros2 launch pvtpp bag.launch.py bag:=/data/flight image:=/camera/image_raw`.
"""

from launch.actions import ExecuteProcess, Shutdown

from pvtpp_ros_nodes.ros2 import launching
from pvtpp_ros_nodes.ros2.launching import Argument

RENAMED = {"rate": "target_rate"}
ARGUMENTS = [
    Argument("bag", None, "The folder of the bag."),
    Argument("image", None, "The topic of the images in it."),
    Argument("camera_info", "/camera/camera_info", "That of the calibration."),
    Argument("rate", "1", "How fast the bag is played: 1 as it was recorded."),
    Argument("loop", "false", "Over and over."),
    *launching.node_arguments(**RENAMED),
]


def start(values):
    """What the arguments ask for."""
    loop = launching.switch(values, "loop")
    play = ["ros2", "bag", "play", values["bag"], "--clock", "200", "-r", values["rate"], *(["--loop"] if loop else [])]
    ends = {} if loop else {"on_exit": Shutdown()}
    own = {"use_sim_time": True}
    tracker = launching.tracker(values, ["image", "camera_info"], own=own, renamed=RENAMED)
    return [tracker, ExecuteProcess(cmd=play, output="screen", **ends)]


def generate_launch_description():
    """Called by `ros2 launch pvtpp bag.launch.py`."""
    return launching.description(ARGUMENTS, start)
