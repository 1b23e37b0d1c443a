"""Tests without the real data or the compiler that they need are skipped, or fail where these are required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_DATA = """
import os
import pytest

def test_by_fixture(data_root, weights_root):
    pass

@pytest.mark.skipif("PVTPP_DATA" not in os.environ, reason="PVTPP_DATA is not set")
def test_by_condition():
    pass

@pytest.mark.real_data
def test_by_marker():
    pytest.skip("no such sequence")

def test_that_lacks_something_else():
    pytest.skip("no GPU here")

def test_that_needs_nothing():
    pass
"""


WITHOUT_COMPILER = """
import sys
import types

sys.modules["tensorrt_rtx"] = None
# The environment of development: that of onboard code never has the compiler.
sys.modules["torch"] = types.ModuleType("torch")
sys.modules["torch"].__spec__ = types.SimpleNamespace()

def test_by_fixture(rtx):
    pass
"""


GROUPS = """
import pytest

def groups(request):
    return [marker.args for marker in request.node.iter_markers("xdist_group")]

def test_of_the_file(request):
    assert groups(request) == [("test_without.py",)]

@pytest.mark.xdist_group("alone")
def test_that_is_long(request):
    assert groups(request) == [("alone",)]
"""


def run_apart(tmp_path, text, **variables):
    """Run tests in a folder that has our conftest alone; returns the last line and the exit status."""
    shutil.copy(str(Path(__file__).with_name("conftest.py")), str(tmp_path))
    (tmp_path / "test_without.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PVTPP_", "PYTEST_"))}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--color=no", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=str(tmp_path),
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    return run.stdout.splitlines()[-1], run.returncode


@pytest.mark.parametrize(
    ("required", "counts"), [("", "1 passed, 4 skipped"), ("1", "1 failed, 1 passed, 1 skipped, 2 errors")]
)
def test_a_skip_for_lack_of_required_real_data_is_a_failure(tmp_path, required, counts):
    last, status = run_apart(tmp_path, WITHOUT_DATA, PVTPP_REQUIRE_REAL_DATA=required)
    assert counts in last and status == (1 if required else 0)


@pytest.mark.parametrize(("required", "counts"), [("", "1 skipped"), ("1", "1 error")])
def test_a_skip_for_lack_of_a_required_compiler_is_a_failure(tmp_path, required, counts):
    last, status = run_apart(tmp_path, WITHOUT_COMPILER, PVTPP_REQUIRE_COMPILER=required)
    assert counts in last and status == (1 if required else 0)


def test_a_file_is_one_process_s_but_for_tests_with_a_group_of_their_own(tmp_path):
    last, status = run_apart(tmp_path, GROUPS)
    assert status == 0, last
