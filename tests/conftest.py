"""What all tests share: the folders of real data, the settings of hypothesis, and which skips are failures.

Real data and weights are found through the environment alone: PVTPP_DATA is the folder that holds `uav-mini`,
`annotations` and `results`, PVTPP_WEIGHTS the one that holds `nanotrack`. Where one is not set, the tests that need it
are skipped. With PVTPP_REQUIRE_REAL_DATA=1, as in CI, such a skip is a failure: CI always tests on real data.
"""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

REAL_DATA_VARIABLES = ("PVTPP_DATA", "PVTPP_WEIGHTS")

# No deadline, since a busy machine is no bug. In CI the same examples every time.
settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")


def pytest_configure(config):
    # A shell makes its background processes ignore Ctrl-C. Processes that the tests start and interrupt would inherit
    # that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # So is it with the end of a terminal under `nohup`.
    for name in ("SIGHUP", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    config.addinivalue_line("markers", "real_data: needs real sequences or weights (PVTPP_DATA, PVTPP_WEIGHTS)")
    config.addinivalue_line("markers", "xdist_group(name): where tests run in several processes, one runs all of these")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Where tests run in several processes, each file is one process's; a real ROS is one process's altogether.

    A test with a group of its own keeps it: a long one that others of its file need not wait for.
    """
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        real_ros = {"ros_is_there", "world"} & set(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group("ROS" if real_ros else item.nodeid.partition("::")[0]))


def folder_of(variable):
    """The folder that this environment variable names; skips the test where it is unset."""
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set")
    folder = Path(value)
    if not folder.is_dir():
        pytest.fail(f"{variable}={value} is not a folder")
    return folder


@pytest.fixture(scope="session")
def data_root():
    """The folder of real data; the test is skipped where PVTPP_DATA is unset."""
    return folder_of("PVTPP_DATA")


@pytest.fixture(scope="session")
def weights_root():
    """The folder of tracker weights; the test is skipped where PVTPP_WEIGHTS is unset."""
    return folder_of("PVTPP_WEIGHTS")


@pytest.fixture(scope="session")
def rtx():
    """TensorRT-RTX, NVIDIA's compiler that needs no GPU.

    The test is skipped where it is not installed; a failure instead where PVTPP_REQUIRE_COMPILER is set, except in the
    environment of onboard code, which has no development package.
    """
    from pvtpp.inference.tensorrt_library import KINDS, look

    library, problems = look([kind for kind in KINDS if kind.module == "tensorrt_rtx"])
    if library is None:
        required = os.environ.get("PVTPP_REQUIRE_COMPILER") and find_spec("torch")
        (pytest.fail if required else pytest.skip)("; ".join(problems))
    return library


def fail_if_real_data_was_skipped(report, marked=False):
    """Make a skip for lack of real data a failure where real data is required."""
    if not os.environ.get("PVTPP_REQUIRE_REAL_DATA") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if marked or any(variable in reason for variable in REAL_DATA_VARIABLES):
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: PVTPP_REQUIRE_REAL_DATA is set, but this was skipped: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    fail_if_real_data_was_skipped(outcome.get_result(), marked=item.get_closest_marker("real_data") is not None)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report():
    outcome = yield
    fail_if_real_data_was_skipped(outcome.get_result())
