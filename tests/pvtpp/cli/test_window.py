"""A window is opened only where a child process could open one; otherwise the command goes on without."""

import os
import subprocess
import sys

import pytest

from pvtpp.cli import window
from pvtpp.cli.main import main

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are tried on Linux only")


@pytest.fixture
def displays(monkeypatch):
    def name(**given):
        for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(variable, raising=False)
        for variable, value in given.items():
            monkeypatch.setenv(variable, value)

    name()
    return name


@pytest.fixture
def child(monkeypatch):
    """Replaces the program that the child runs."""

    def run(code):
        monkeypatch.setattr(window, "_OPEN_A_WINDOW", code)

    return run


def test_without_a_display_nothing_is_tried_and_nothing_said(displays, child, capsys):
    child("raise SystemExit(9)")
    if sys.platform.startswith("linux"):
        assert not window.opens() and capsys.readouterr().err == ""


@linux
@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_display_that_kills_the_child_is_named_in_one_line(variable, displays, child, capsys):
    displays(**{variable: "nowhere:77"})
    child("import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    assert not window.opens()
    said = capsys.readouterr().err
    assert said == f"pvtpp track: warning: no window: the display cannot be opened ({variable}=nowhere:77)\n"


@linux
def test_a_display_that_does_not_answer_is_given_up(displays, child, capsys, monkeypatch):
    displays(DISPLAY="far:0")
    monkeypatch.setattr(window, "LIMIT_S", 0.2)
    child("import time; time.sleep(600)")
    assert not window.opens() and "did not answer within 0.2 s" in capsys.readouterr().err


@linux
def test_an_opencv_without_windows_is_said_to_be_so(displays, child, capsys):
    displays(DISPLAY=":0")
    child(f"raise SystemExit({window.REFUSED})")
    assert not window.opens() and "this OpenCV opens none" in capsys.readouterr().err


@linux
def test_what_the_child_opens_is_opened(displays, child, monkeypatch):
    import cv2

    opened = []
    displays(DISPLAY=":0")
    child("import json, sys; json.loads(sys.argv[1])")
    monkeypatch.setattr(cv2, "namedWindow", lambda *given: opened.append(given))
    assert window.opens() and opened == [(window.TITLE, cv2.WINDOW_NORMAL)]


@linux
@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_track_goes_on_without_a_window_where_the_display_cannot_be_reached(variable, displays, clips, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    given = ["--box", "90,40,28,24", "--tracker", "kcf", "--predictors", "hold", "--propagation", "none"]
    command = [sys.executable, "-m", "pvtpp.cli.main", "track", str(clips / "left" / "img"), *given, "--fps", "100"]
    done = subprocess.run(
        [*command, "--out", "seen.csv"],
        cwd=tmp_path,
        env={**environment, variable: ":97" if variable == "DISPLAY" else "wayland-97"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0 and "no window" in done.stderr, done.stderr
    assert (tmp_path / "seen.csv").exists() and (tmp_path / "tracked.mp4").exists()


@linux
def test_without_a_box_and_a_window_the_box_is_asked_for(displays, child, clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    displays(DISPLAY=":97")
    child("import os; os.abort()")
    assert main(["track", str(clips / "left" / "img")]) == 2
    assert "give it as --box X,Y,W,H" in capsys.readouterr().err.splitlines()[-1]
