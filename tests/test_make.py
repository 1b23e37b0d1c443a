"""What `make` and `.ci/run` run, and what becomes of failures; pip, ruff, mypy and pytest are stand-ins here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("setup.py", "pyproject.toml", "constraints.txt")
WHEELS = ("install_wheels.sh", "wheels.txt")
# Writes its own name and arguments into the log; fails where FAILING, a regular expression, matches them.
STAND_IN = """#!/usr/bin/env bash
call="$(basename "$(dirname "$(dirname "$0")")")/$(basename "$0") $*"
echo "$call" >>"$LOG"
if [[ "$call" == *pytest* ]]; then echo "== 7 passed in 0.10s =="; fi
if [[ -n "$FAILING" && "$call" =~ $FAILING ]]; then exit 1; fi
"""
SETTING = re.compile("MAKE|MFLAGS|(TEST_)?EXTRAS$|(PYTEST|DEMO)_ARGS$|(ROS2_)?PYTHON$|PVTPP_REQUIRE_(ONBOARD|ROS)$")
OLD, NEW = 1_000_000_000, 1_000_000_100

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def run(command, cwd, **variables):
    """The finished process, its streams joined; without the settings of a `make` that runs these tests."""
    environment = {name: value for name, value in os.environ.items() if not SETTING.match(name)}
    return subprocess.run(
        [str(part) for part in command],
        cwd=str(cwd),
        env={**environment, "LOG": os.devnull, "FAILING": "", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )


def stubs_of(tree):
    """Where mypy finds the types of TensorRT."""
    version = re.search(r"^STUBS_VERSION := (\S+)$", (tree / "Makefile").read_text(), re.MULTILINE)[1]
    return tree / ".venv" / f"stubs-{version}"


@pytest.fixture
def tree(tmp_path):
    """A folder with the Makefile and installed environments whose programs are stand-ins."""
    for name in ("Makefile", *INPUTS):
        shutil.copy(str(ROOT / name), str(tmp_path))
        os.utime(str(tmp_path / name), (OLD, OLD))
    for folder, extras, programs in (
        (".venv", ("", "+dev+train+export+rtx+docs"), ("python", "ruff", "mypy", "pvtpp")),
        (".venv38", ("+test",), ("python",)),
        (".venv-ros2", (), ("python",)),
    ):
        (tmp_path / folder / "bin").mkdir(parents=True)
        (tmp_path / folder / "pyvenv.cfg").write_text("")
        for program in programs:
            file = tmp_path / folder / "bin" / program
            file.write_text(STAND_IN)
            file.chmod(0o755)
        for extra in extras:
            stamp = tmp_path / folder / f".installed-cpu+report+weights{extra}"
            stamp.write_text("")
            os.utime(str(stamp), (NEW, NEW))
    stubs_of(tmp_path).mkdir()
    wheels = tmp_path / "ros_nodes" / "ros2"
    wheels.mkdir(parents=True)
    for name in WHEELS:
        shutil.copy(str(ROOT / "ros_nodes" / "ros2" / name), str(wheels))
        os.utime(str(wheels / name), (OLD, OLD))
    stamp = tmp_path / ".venv-ros2" / ".installed"
    stamp.write_text("")
    os.utime(str(stamp), (NEW, NEW))
    return tmp_path


@pytest.fixture
def make(tree):
    """Runs make in that folder; returns the process and the calls of the stand-ins."""

    def call(*targets, failing=""):
        log = tree / "log"
        log.write_text("")
        done = run(["make", *targets], tree, LOG=str(log), FAILING=failing)
        return done, log.read_text().splitlines()

    return call


def kinds(calls):
    """Environment, program and whether it is pytest, of each call, in order."""
    short = (re.sub(r"^(\S+).*?( pytest)?( .*)?$", r"\1\2", call.replace("-m ", "")) for call in calls)
    return [name.replace("/bin", "") for name in short]


PARTS = [
    ".venv/ruff",
    ".venv/mypy",
    ".venv38/python pytest",
    # Whether it has ROS 2, then its tests.
    ".venv-ros2/python",
    ".venv-ros2/python pytest",
    ".venv/python pytest",
]


@pytest.mark.parametrize("failing", ["", "ruff", "mypy", "venv38.*pytest", "venv-ros2.*pytest", "venv/python.*pytest"])
def test_every_part_of_the_tests_runs_and_any_failure_is_the_result(make, failing):
    done, calls = make("test", failing=failing)
    assert kinds(calls) == PARTS
    assert (done.returncode != 0) == bool(failing)
    last = [line for line in done.stdout.splitlines() if not line.startswith("make")][-1]
    assert last == "== 7 passed in 0.10s =="


def test_a_failure_is_named_before_the_whole_suite_runs(make):
    done, _ = make("test", failing="ruff|venv38")
    named = done.stdout.index("*** FAILED: lint test-onboard.")
    assert named < done.stdout.rindex("7 passed")


def test_the_onboard_tests_leave_out_development_code(make):
    _, calls = make("test-onboard")
    ignored = re.findall(r"--ignore=(\S+)", " ".join(calls))
    assert "tests/pvtpp/networks" in ignored
    assert all((ROOT / name).exists() for name in ignored)


def test_without_the_oldest_python_the_onboard_tests_say_so_and_fail_where_they_are_required(tree):
    shutil.rmtree(str(tree / ".venv38"))
    programs = tree / "programs"
    programs.mkdir()
    for name in ("make", "bash", "sed", "mkdir", "printf", "env"):
        (programs / name).symlink_to(shutil.which(name))
    alone = {"PATH": str(programs), "PYENV_ROOT": str(tree)}
    for required in ("", "1"):
        done = run(["make", "test-onboard"], tree, PVTPP_REQUIRE_ONBOARD=required, **alone)
        assert "ONBOARD CODE WAS NOT TESTED" in done.stdout
        assert (done.returncode != 0) == bool(required)


def test_without_ros_2_its_tests_say_so_and_fail_where_they_are_required(tree):
    shutil.rmtree(str(tree / ".venv-ros2"))
    for required in ("", "1"):
        done = run(["make", "test-ros2"], tree, PVTPP_REQUIRE_ROS=required)
        assert "ROS 2 WAS NOT TESTED" in done.stdout and "make ros2" in done.stdout
        assert (done.returncode != 0) == bool(required)


def test_the_whole_suite_leaves_the_tests_of_ros_2_to_its_own_environment(make):
    _, calls = make("test")
    assert "pytest tests/ros_nodes/ros2" in calls[-2] and "--ignore=tests/ros_nodes/ros2" in calls[-1]


def test_wheels_that_change_are_installed_again(tree, make):
    (tree / "ros_nodes" / "ros2" / "install_wheels.sh").write_text('echo "installed $*" >>"$LOG"\n')
    done, calls = make("ros2")
    assert calls == ["installed .venv-ros2 cpu,weights,test"], done.stdout
    _, calls = make("ros2")
    assert calls == []


def test_what_is_installed_is_not_installed_again(make):
    for target in ("setup", "demo", "lint", "test"):
        done, calls = make(target)
        assert done.returncode == 0
        assert not any("pip install" in call for call in calls), target


def test_the_types_of_tensorrt_are_installed_for_mypy_apart_from_the_packages(tree, make):
    stubs_of(tree).rmdir()
    # Not the real pip: there is nothing to mend, and make stops.
    _, calls = make("lint")
    version = stubs_of(tree).name.partition("-")[2]
    assert calls[0].startswith(".venv/python -m pip install") and calls[0].endswith(f"tensorrt-stubs=={version}")
    assert "--no-deps" in calls[0] and "--target .venv/stubs" in calls[0]


@pytest.mark.parametrize("name", INPUTS)
def test_a_change_of_what_is_installed_refreshes_the_editable_install(tree, make, name):
    os.utime(str(tree / name), (NEW + 1, NEW + 1))
    every = "[cpu,report,weights,dev,train,export,rtx,docs]"
    for target, extras in (("demo", "[cpu,report,weights]"), ("pytest", every)):
        _, calls = make(target)
        assert any("pip install" in call and f"-e .{extras}" in call for call in calls), calls
    _, calls = make("test-onboard")
    assert any(call.startswith(".venv38/python") and "-e .[cpu,report,weights,test]" in call for call in calls)


# Stands in for make: prints what a run of the tests may print, and exits with FAILS.
MAKE = """#!/usr/bin/env bash
[ "$1" = test ] || exit 0
echo "===== 3 failed, 900 passed, 12 skipped in 123.45s (0:02:03) ====="
echo "*** FAILED: test-onboard. The whole suite follows. ***"
echo "===== 1200 passed in 300.00s (0:05:00) ====="
echo "make: *** [Makefile:48: test] Error 1"
exit "$FAILS"
"""


@pytest.mark.parametrize("fails", ["0", "1"])
def test_ci_ends_with_the_counts_of_both_runs_and_their_result(tmp_path, fails):
    for name, text in (("make", MAKE), ("dpkg-query", "#!/bin/sh\necho 'install ok installed'\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = run([ROOT / ".ci" / "run"], tmp_path, PATH=path, FAILS=fails)
    assert done.stdout.splitlines()[-3:] == [
        "*** FAILED: test-onboard. The whole suite follows. ***",
        "===== 3 failed, 900 passed, 12 skipped in 123.45s (0:02:03) =====",
        "===== 1200 passed in 300.00s (0:05:00) =====",
    ]
    assert done.returncode == int(fails)
