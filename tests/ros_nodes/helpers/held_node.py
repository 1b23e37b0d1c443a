"""The tracker node of ROS 2 with a core that is slow: it waits with each image as long as the file HELD_IMAGES exists,
and with each request for a target or another parameter as long as HELD_REQUESTS does."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pvtpp_ros_nodes.core import Core


def held(name, method):
    file = Path(os.environ[name])

    def slow(self, *about):
        while file.exists():
            time.sleep(0.005)
        return method(self, *about)

    return slow


Core.on_image = held("HELD_IMAGES", Core.on_image)
Core.init = held("HELD_REQUESTS", Core.init)
Core.reconfigure = held("HELD_REQUESTS", Core.reconfigure)

if __name__ == "__main__":
    from pvtpp_ros_nodes.ros2.tracker_node import main

    main()
