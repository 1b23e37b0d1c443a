# make setup       .venv with everything that runs here (no torch)
# make demo        the main job on a generated clip, or on real video where PVTPP_DATA is set
# make test        lint, the floor's tests under Python 3.8, then all tests
# make test-floor  the onboard floor's tests under a real Python 3.8, where one is found
# make lint        ruff (3.8 syntax for the floor, newer for the workshop) and mypy

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-floor lint pytest

# constraints.txt holds the one torch that the tests are known to pass with; without it pip takes the newest.
# EXTRAS=gpu,report and the like choose another inference runtime; TEST_EXTRAS adds what some tests need.
EXTRAS ?= cpu,report,weights
TEST_EXTRAS ?= train,export
DEMO_ARGS ?=
PYTEST_ARGS ?=

VENV := .venv
# mypy does not follow the package_dir of setup.py: it is given a folder of links by import name.
LINKS := $(VENV)/links
PACKAGES := pvtpp:pvtpp pvtpp_trackers:trackers pvtpp_benchmarks:benchmarks pvtpp_ros_nodes:ros_nodes
FLOOR := .venv38
comma := ,
joined = $(subst $(comma),+,$(1))
RUN_STAMP := $(VENV)/.installed-$(call joined,$(EXTRAS))
DEV_STAMP := $(RUN_STAMP)+dev$(if $(TEST_EXTRAS),+$(call joined,$(TEST_EXTRAS)))
FLOOR_STAMP := $(FLOOR)/.installed-cpu+report+weights+test

# The tests of rooms that may use current Python and everything in the extras, of a study that trains, and of the flight,
# for rospy is the distribution's own Python's.
WORKSHOP_TESTS := tests/pvtpp/networks tests/pvtpp/training tests/pvtpp/export tests/trackers/models \
    tests/benchmarks/studies/test_n_head_tracked.py tests/ros_nodes/test_flight.py

help:
	@sed -n 's/^# \(make .*\)/\1/p' $(firstword $(MAKEFILE_LIST))

setup: $(RUN_STAMP)

demo: $(RUN_STAMP)
	$(VENV)/bin/pvtpp demo $(DEMO_ARGS)

# The whole suite comes last, so that its counts are the last thing read; `make -k test` reaches it whatever lint says.
test: lint test-floor pytest

pytest: $(DEV_STAMP)
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS)

lint: $(DEV_STAMP)
	$(VENV)/bin/ruff check .
	@mkdir -p $(LINKS) && for pair in $(PACKAGES); do ln -sfn ../../$${pair#*:} $(LINKS)/$${pair%%:*}; done
	MYPYPATH=$(LINKS) $(VENV)/bin/mypy

# The distribution's own Python comes first, with its site packages: that is where apt puts rospy. It often lacks
# `venv` (python3-venv is a package of its own); then virtualenv serves, and after that whatever `python3` is.
# PYTHON=/path/to/python goes before both.
$(VENV)/pyvenv.cfg:
	@for python in $${PYTHON:-} /usr/bin/python3 python3; do \
	    command -v $$python >/dev/null || { echo "setup: there is no $$python"; continue; }; \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 8))' || { echo "setup: $$python is older than 3.8"; continue; }; \
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

# A stamp's name holds the extras: asking for others installs them, asking again does nothing.
define install
	$(1)/bin/python -m pip install --quiet 'pip>=21.3'
	$(1)/bin/python -m pip install --quiet -c constraints.txt -e '.[$(subst +,$(comma),$(2))]'
	@$(1)/bin/python -c 'import cv2' || { echo "setup: OpenCV does not load; apt-get install libgl1 libglib2.0-0"; exit 1; }
	@touch $(1)/.installed-$(2)
endef

$(VENV)/.installed-%: setup.py pyproject.toml | $(VENV)/pyvenv.cfg
	$(call install,$(VENV),$*)

$(FLOOR)/.installed-%: setup.py pyproject.toml | $(FLOOR)/pyvenv.cfg
	$(call install,$(FLOOR),$*)

# Asked for its version, not trusted by name: pyenv's python3.8 on PATH is there but fails where 3.8 is not selected.
PYTHON38 = $(firstword $(shell \
    for python in python3.8 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.8*/bin/python; do \
        "$$python" -c 'import sys, ensurepip, venv; sys.version_info[:2] == (3, 8) and print(sys.executable)' 2>/dev/null; \
    done || true))

$(FLOOR)/pyvenv.cfg:
	$(PYTHON38) -m venv $(FLOOR)

ifneq ($(or $(wildcard $(FLOOR)/pyvenv.cfg),$(PYTHON38)),)
test-floor: $(FLOOR_STAMP)
	$(FLOOR)/bin/python -m pytest $(addprefix --ignore=,$(WORKSHOP_TESTS)) $(PYTEST_ARGS)
else
test-floor:
	@printf '%s\n' '' \
	    '*** THE ONBOARD FLOOR WAS NOT TESTED: no Python 3.8 with venv found (python3.8 on PATH, or one of pyenv). ***' \
	    '*** Install one, e.g. "pyenv install 3.8"; PVTPP_REQUIRE_FLOOR=1 turns this message into a failure.      ***' ''
	@test -z "$${PVTPP_REQUIRE_FLOOR:-}"
endif
