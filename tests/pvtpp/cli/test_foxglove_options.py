"""`pvtpp track --foxglove`: who connects sees what is tracked."""

import socket
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("foxglove")

sys.path.append(str(Path(__file__).parents[1] / "logs" / "helpers"))

from foxglove_viewer import PATIENCE_S, Viewer

from pvtpp.cli.main import main

FAST = ["--tracker", "kcf", "--predictors", "kalman", "--no-window", "--box", "90,40,28,24"]


def connected(port):
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return Viewer(port)
        except ConnectionRefusedError:
            assert time.monotonic() < end, "nobody listens"
            time.sleep(0.01)


def test_a_viewer_sees_the_target_of_a_folder_of_images(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = {}

    def look():
        viewer = connected(port)
        viewer.subscribe(3)
        for topic, content in viewer.messages():
            found.setdefault(topic, []).append(content)
        viewer.close()

    looking = threading.Thread(target=look)
    looking.start()
    assert main(["track", str(clips / "left" / "img"), *FAST, "--fps", "8", "--foxglove", f"127.0.0.1:{port}"]) == 0
    looking.join(PATIENCE_S)
    assert set(found) == {"/camera/image", "/target/boxes", "/target"}
    assert all(each["predictor"] == "kalman" and each["target"] == 1 for each in found["/target"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("8765", "--foxglove '8765': expected HOST:PORT"),
        ("127.0.0.1:0", "expected HOST:PORT"),
        ("", "expected HOST:PORT"),
        ("no.such.host.invalid:8765", "cannot listen there"),
    ],
)
def test_an_address_that_is_none_is_refused(given, words, clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["--log", "flight.jsonl", "--out", "seen.csv", "--foxglove", given]
    assert main(["track", str(clips / "left" / "img"), *FAST, *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and "\n" not in error and [each.name for each in tmp_path.iterdir()] == ["clips"]


def test_a_port_in_use_is_said_before_anything_is_written(clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["track", str(clips / "left" / "img"), *FAST, "--log", "flight.jsonl", "--foxglove", address]) == 2
    assert f"a live view on {address}: cannot listen there" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["clips"]
