"""Clocks and governor are read from the kernel's files; on a machine without these files nothing is reported."""

import stat

import pytest

from pvtpp_benchmarks import power


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n")


@pytest.fixture
def board(tmp_path, monkeypatch):
    """The files of an Orin with two cores, clocks pinned as jetson_clocks does."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    write(tmp_path, "etc/nv_tegra_release", "# R35 (release), REVISION: 4.1")
    for core in (0, 1):
        folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
        for name in ("min", "max", "cur"):
            write(tmp_path, f"{folder}/scaling_{name}_freq", "2201600")
        write(tmp_path, f"{folder}/scaling_governor", "schedutil")
    for name in ("min", "max", "cur"):
        write(tmp_path, f"sys/class/devfreq/17000000.ga10b/{name}_freq", "1300500000")
    write(tmp_path, "sys/class/devfreq/13e40000.host1x/cur_freq", "1")
    return tmp_path


def test_a_board_says_its_release_governor_and_clocks(board):
    found = power.state(board)
    assert found["l4t"].startswith("# R35") and found["governor"] == "schedutil" and found["fixed"] is True
    assert found["cpu"] == [{"min": 2201600, "max": 2201600, "cur": 2201600}] * 2
    assert found["gpu"] == [{"min": 1300500000, "max": 1300500000, "cur": 1300500000}]
    assert "nvpmodel" not in found


def test_clocks_with_a_range_are_not_fixed(board):
    write(board, "sys/class/devfreq/17000000.ga10b/min_freq", "306000000")
    assert power.state(board)["fixed"] is False


def test_the_power_mode_is_nvpmodel_s_answer(board):
    tool = board / "bin" / "nvpmodel"
    write(board, "bin/nvpmodel", '#!/bin/sh\necho "NV Power Mode: MAXN"\necho 0')
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    assert power.state(board)["nvpmodel"] == "NV Power Mode: MAXN 0"


def test_a_machine_without_these_files_reports_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert power.state(tmp_path) == {}
