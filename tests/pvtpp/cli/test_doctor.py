"""`pvtpp doctor`: one page of what there is, and for everything else what to install."""

import json
import sys

from pvtpp import opencv
from pvtpp.cli import doctor
from pvtpp.cli.main import main


def test_the_page_has_every_section_and_fits_a_screen(capsys, tmp_path):
    assert main(["doctor", "--json", str(tmp_path / "found.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 60
    sections = [line.rstrip(":") for line in lines if not line.startswith(" ")]
    assert sections == ["machine", "library", "inference", "weights", "cameras", "clocks", "ROS", "extras"]
    found = json.loads((tmp_path / "found.json").read_text())
    assert {each["state"] for each in found} <= {"ok", "--", "!!"}
    (runtime,) = [each for each in found if each["name"] == "ONNX Runtime"]
    assert "CPU" in runtime["text"]


def test_what_is_missing_says_what_to_install(monkeypatch, capsys):
    there = doctor._is_there
    gone = ("onnxruntime", "pymavlink", "mcap")
    monkeypatch.setattr(doctor, "_is_there", lambda name: name not in gone and there(name))
    monkeypatch.setattr(doctor.glob, "glob", lambda pattern: [])
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "!! ONNX Runtime: not installed: pip install 'pvtpp[cpu]'" in said
    assert "-- pymavlink" in said and "pip install 'pvtpp[mavlink]'" in said and "pip install 'pvtpp[mcap]'" in said
    assert "none is connected" in said


def test_a_library_that_does_not_load_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "tensorrt.py").write_text("raise OSError('libnvinfer.so.10: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    monkeypatch.setattr(opencv, "problem", lambda: "OpenCV is missing: pip install it")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "-- TensorRT: only for NVIDIA GPUs: TensorRT does not load (OSError: libnvinfer.so.10" in said
    assert "!! OpenCV: OpenCV is missing" in said


def test_cameras_are_listed_with_their_names_and_not_opened(monkeypatch, capsys):
    monkeypatch.setattr(doctor.glob, "glob", lambda pattern: ["/dev/video0", "/dev/video2"])
    monkeypatch.setattr(doctor, "_read", lambda path: "UVC Camera" if "video0" in path else "")
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: path == "/dev/video0")
    main(["doctor"])
    said = capsys.readouterr().out
    assert "ok /dev/video0: UVC Camera" in said
    assert "-- /dev/video2: no name; not allowed to open it: sudo usermod -aG video" in said


def test_a_place_that_cannot_be_written_is_said_first(capsys):
    assert main(["doctor", "--json", "/nowhere/at/all.json"]) == 2
    captured = capsys.readouterr()
    assert "/nowhere/at/all.json" in captured.err and captured.out == ""


def test_a_short_sleep_is_measured():
    assert 0 <= doctor.wake_up_ms() < 1000
