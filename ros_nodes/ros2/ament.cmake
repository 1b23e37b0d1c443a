# The ROS 2 package, included by the CMakeLists.txt above: the Python packages, the programs for `ros2 run`, the files for
# `ros2 launch`, and the messages. They are a package of their own, pvtpp_msgs, since no Python package can hold both
# them and other modules. It is built here, since colcon looks for no package inside another one.
find_package(ament_cmake REQUIRED)
find_package(ament_cmake_python REQUIRED)

option(PVTPP_MESSAGES "Build pvtpp_msgs too; OFF where it is built apart" ON)
if(PVTPP_MESSAGES)
  add_subdirectory(ros_nodes/ros2/pvtpp_msgs)
endif()

set(ROOT ${CMAKE_CURRENT_SOURCE_DIR})
ament_python_install_package(pvtpp PACKAGE_DIR ${ROOT}/pvtpp)
foreach(folder trackers benchmarks ros_nodes)
  ament_python_install_package(pvtpp_${folder} PACKAGE_DIR ${ROOT}/${folder})
endforeach()

# The tools are the programs of ROS 1; the nodes are ROS 2's own.
file(GLOB NODES ${ROOT}/ros_nodes/ros2/scripts/*)
install(PROGRAMS ${NODES}
  ros_nodes/scripts/bag_eval ros_nodes/scripts/roi_selector ros_nodes/scripts/sequence_player
  ros_nodes/scripts/stamp_offset
  DESTINATION lib/${PROJECT_NAME})
install(DIRECTORY ros_nodes/ros2/launch ros_nodes/ros2/config ros_nodes/ros2/rviz DESTINATION share/${PROJECT_NAME})
install(FILES ros_nodes/ros2/fastdds.xml DESTINATION share/${PROJECT_NAME})

ament_package()
