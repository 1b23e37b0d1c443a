"""Packaging: what is installed, what it needs, and which extras add what.

The settings are one dictionary, so that a build tool which supplies metadata of its own can take it and add to it.
Nothing of the project is imported here: an installer has none of its dependencies yet.
"""

import os
import re

from setuptools import find_packages, setup

ROOT = os.path.dirname(os.path.abspath(__file__))
ROOMS = ("pvtpp", "trackers", "benchmarks", "ros_nodes")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def version():
    found = re.search(r'^__version__ = "([^"]+)"$', read("pvtpp", "__init__.py"), re.MULTILINE)
    if not found:
        raise RuntimeError('pvtpp/__init__.py: no line of the form __version__ = "1.2.3"')
    return found.group(1)


# One of cpu, gpu, jetson: the inference runtimes overwrite one another, and JetPack and ROS bring a cv2 of their own
# that a wheel would hide, so neither is a plain requirement.
OPENCV = "opencv-contrib-python>=4.5,<5"
PLOTS = ["matplotlib>=3.3"]
PARITY = ["polygraphy>=0.47"]
TESTS = ["pytest>=7", "hypothesis>=6", "setuptools>=70.1"]

EXTRAS = {
    "cpu": ["onnxruntime>=1.10", OPENCV],
    "gpu": ["onnxruntime-gpu>=1.10", OPENCV],
    "jetson": [],
    "weights": ["onnx>=1.10"],
    "report": PLOTS,
    "bench": PLOTS,
    "train": ["torch>=2.6", "lightning>=2.0", "safetensors>=0.4", "tensorboard>=2.10"],
    "export": ["onnx>=1.14", "onnxscript>=0.1", *PARITY],
    "trt": ["tensorrt>=8.4", *PARITY],
    "test": TESTS,
    "dev": [*TESTS, "ruff>=0.17,<0.18", "mypy>=1.14,<3", "catkin_pkg>=0.5"],
}

SETTINGS = {
    "name": "pvtpp",
    "version": version(),
    "description": "Latency-aware visual tracking: where the target is now, not where it was",
    "long_description": read("README.md") if os.path.exists(os.path.join(ROOT, "README.md")) else "",
    "long_description_content_type": "text/markdown",
    "license": "Apache-2.0",
    "author": "the pvtpp authors",
    "python_requires": ">=3.8",
    "packages": find_packages(ROOT, include=[pattern for room in ROOMS for pattern in (room, room + ".*")]),
    "package_data": {"": ["py.typed"], "pvtpp.weights": ["*.onnx", "*.safetensors", "*.json", "*.md"]},
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

if __name__ == "__main__":
    setup(**SETTINGS)
