"""ROS nodes for the live tracker: conversions and connections. Importing this needs no ROS."""
