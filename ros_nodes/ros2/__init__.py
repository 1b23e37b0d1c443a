"""The nodes of ROS 2. Tests run them on Jazzy; launch files and tf are unrun, see docs/how-to/ros2.md."""
