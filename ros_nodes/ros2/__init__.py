"""The same node for ROS 2. Written against the documented API of rclpy (Humble); not run by its authors yet."""
