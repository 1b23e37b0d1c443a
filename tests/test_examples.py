"""Every example runs as it stands, without data, weights or network, and is short enough to be read at once."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pvtpp.cli import mavlink_options
from pvtpp.cli.main import _parser

FOLDER = Path(__file__).resolve().parents[1] / "examples"
LAUNCH = "follow.launch.py"
"""Run by ROS 2 alone; `tests/ros_nodes/test_launch_ros2.py` loads it."""
NOTEBOOK = "first_look.ipynb"
EXAMPLES = sorted(path.name for path in FOLDER.glob("*.py") if path.name != LAUNCH)
LONGEST = 40
# What an example needs beside the onboard packages.
NEEDS = {"mavlink_target.py": "pymavlink", "train_and_fly.py": "lightning", "webcam_page.py": "aiohttp"}
# What each prints, as a regular expression over the whole output.
PRINTS = {
    "evaluate_and_compare.py": r"MyTracker(.|\n)*offline(.|\n)*hold(.|\n)*ensemble - hold(.|\n)*85ms .* 2$",
    "live_tracking.py": r"^frame 0: the target is at \d+, \d+ px; evidence is \d+ ms old\n(.*\n)*frame 59: ",
    "point_a_camera.py": r"^own rate not used: \d\d px .*\nown rate fed forward: \d px beside the target$",
    "loop_by_hand.py": r"^frame 0: x = \d+, .*\n(.*\n)*frame 59: x = \d+, truth \d+; evidence is (1\d\d|200) ms",
    "mavlink_target.py": r"^(the target is at 0\.\d\d to 0\.\d\d of the width\n?){3}$",
    "own_predictor.py": r"^mine: AUC 0\.\d{3}\nhold: AUC 0\.\d{3}$",
    "replay_log.py": r"events, \d+ trajectories, the same: True\nkalman: at the last .*\nhold: at the last frame ",
    "slow_tracker.py": r"^offline .* 0\.[78]\d\d (.|\n)*hold .* 165  0\.[34]\d\d (.|\n)*ensemble .* 165  0\.[789]\d\d ",
    "train_and_fly.py": r"^predictor +overlap(.|\n)*\nhold (.|\n)*kalman (.|\n)*\nflown with it: the target is at \d+",
    "webcam_page.py": r"^open http://127\.0\.0\.1:\d+/ and .*\n(TRACKING|UNCERTAIN|LOST): the target is at \[\d.*\]$",
    "score_logs.py": r"mode otb(.|\n)*hold(.|\n)*constant_velocity(.|\n)*kalman(.|\n)*mode strict(.|\n)*kalman",
}


def test_every_example_is_here():
    assert sorted(PRINTS) == EXAMPLES


def test_every_example_is_in_the_table_and_every_file_in_the_table_is_here():
    listed = re.findall(r"^\| \[`([^`]+)`\]\(([^)]+)\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert all(name == path for name, path in listed)
    found = [path.name + "/" * path.is_dir() for path in FOLDER.iterdir() if path.name != "__pycache__"]
    assert sorted(name for name, _ in listed) == sorted(set(found) - {"README.md"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs_and_prints_what_it_says(name, tmp_path):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    environment = {name: value for name, value in os.environ.items() if name not in ("PVTPP_DATA", "PVTPP_WEIGHTS")}
    done = subprocess.run(
        [sys.executable, str(FOLDER / name)],
        cwd=tmp_path,
        env={**environment, "PVTPP_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(PRINTS[name], done.stdout.strip(), re.MULTILINE), done.stdout
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == []


@pytest.mark.parametrize("name", [*EXAMPLES, LAUNCH])
def test_it_is_at_most_forty_lines_and_says_what_it_shows(name):
    lines = (FOLDER / name).read_text().splitlines()
    assert len(lines) <= LONGEST and lines[0].startswith('"""') and max(map(len, lines)) <= 120


def test_the_notebook_runs_from_top_to_bottom_and_holds_no_results(tmp_path):
    pytest.importorskip("matplotlib")
    cells = [cell for cell in json.loads((FOLDER / NOTEBOOK).read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    texts = ["".join(cell["source"]) for cell in cells]
    assert sum(len(text.splitlines()) for text in texts) <= LONGEST
    (tmp_path / "cells.py").write_text("\n".join(texts))
    done = subprocess.run(
        [sys.executable, "cells.py"],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    beside = {name: int(px) for name, px in re.findall(r"^(hold|kalman): (\d+) px beside", done.stdout, re.MULTILINE)}
    assert beside["kalman"] < beside["hold"], done.stdout
    assert (tmp_path / "elae.png").stat().st_size > 1000


# Files for a board, which no test can run: they say so, and their commands are ones that pvtpp takes.

BOARD = sorted(path.name for path in (FOLDER / "board").iterdir())


@pytest.mark.parametrize("name", BOARD)
def test_a_file_for_a_board_says_that_it_was_not_run(name):
    assert re.search(r"\bnot run\b", (FOLDER / "board" / name).read_text())


@pytest.mark.parametrize("name", [name for name in BOARD if not name.endswith(".conf")])
def test_the_commands_in_it_are_ones_that_pvtpp_takes(name):
    pytest.importorskip("pymavlink")
    text = re.sub(r"\\\n#? *", " ", (FOLDER / "board" / name).read_text())
    commands = re.findall(
        r"(?:bin/pvtpp|exec pvtpp| pvtpp|^# +) ?((?:track|doctor|weights) .*|doctor)$", text, re.MULTILINE
    )
    assert commands
    for command in commands:
        words = shlex.split(command)
        options = _parser(words[0]).parse_args(words)
        if words[0] == "track":
            assert mavlink_options.checked(options) is not None


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = (FOLDER / "board" / "pvtpp.service").read_text().replace("/opt/pvtpp/bin/pvtpp", sys.executable)
    (tmp_path / "pvtpp.service").write_text(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "pvtpp.service")], capture_output=True, text=True, timeout=60
    )
    assert "pvtpp.service" not in done.stderr, done.stderr
