"""A controller among ROS 2 nodes: over DDS or zenoh without ROS installed, or as a plugin of ros2_control."""
