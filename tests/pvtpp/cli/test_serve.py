"""`pvtpp serve`: an address to open, a token for others, a log that says how times were known."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("aiohttp")

from pvtpp.cli.main import main
from pvtpp.cli.serve import TOKEN_VARIABLE
from pvtpp.core.event_log import EventLog

PATIENCE_S = 60
CHEAP = ["--tracker", "kcf", "--predictors", "hold", "--propagation", "none", "--port", "0"]


@pytest.fixture
def images(clips):
    return str(clips / "left" / "img")


class Served:
    """`pvtpp serve` in a process of its own."""

    def __init__(self, folder, *words, **variables):
        environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pvtpp.cli.main", "serve", *words],
            cwd=str(folder),
            env={**environment, **variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        timer = threading.Timer(PATIENCE_S, self.process.kill)
        timer.start()
        self.address = (re.search(r"http://\S+", self.process.stdout.readline()) or [""])[0]
        timer.cancel()

    def request(self, path, data=None, **headers):
        base, _, query = self.address.partition("?")
        request = urllib.request.Request(base.rstrip("/") + path + (f"?{query}" if query else ""), data, headers)
        return urllib.request.urlopen(request, timeout=PATIENCE_S)

    def get(self, path, data=None, **headers):
        with self.request(path, data, **headers) as answer:
            return answer.read()

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        said = self.process.communicate(timeout=PATIENCE_S)[1]
        return self.process.returncode, said


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_file_is_served_until_ctrl_c_and_the_log_says_how_times_were_known(images, tmp_path):
    served = Served(tmp_path, images, *CHEAP, "--log", "events.jsonl")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", served.address)
    until(lambda: json.loads(served.get("/api/state"))["source"]["condition"] == "ended")
    picture = served.request("/api/picture.jpg")
    wanted = {"t_ns": picture.headers["X-Capture-Time-Ns"], "box": [100, 60, 28, 24]}
    assert json.loads(served.get("/api/init", json.dumps(wanted).encode()))["target"] == 1
    assert b"<!doctype html>" in served.get("/")
    assert served.end() == (0, "")
    log = EventLog.read(str(tmp_path / "events.jsonl"))
    assert log.meta["timings"] == {"file": 24} and log.meta["clock"] == "wall" and log.meta["tracker"] == "kcf"
    assert main(["replay", str(tmp_path / "events.jsonl")]) == 0


def test_for_others_there_is_a_token_of_its_own_or_a_given_one(images, tmp_path):
    served = Served(tmp_path, images, *CHEAP, "--host", "0.0.0.0")
    token = re.search(r"\?token=([\w-]{22})$", served.address)[1]
    assert json.loads(served.get("/api/state"))["type"] == "state"
    served.address = served.address.partition("?")[0]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        served.get("/api/state")
    assert served.get("/api/state", Authorization=f"Bearer {token}")
    assert served.end(signal.SIGTERM) == (143, "")
    given = Served(tmp_path, images, *CHEAP, "--host", "0.0.0.0", **{TOKEN_VARIABLE: "given-to-all-of-us"})
    assert given.address.endswith("?token=given-to-all-of-us") and given.get("/")
    given.end()


def test_a_camera_that_is_not_there_yet_is_waited_for_and_the_page_says_so(tmp_path):
    served = Served(tmp_path, "rtsp://user:secret@127.0.0.1:1/live", *CHEAP)
    until(lambda: json.loads(served.get("/api/state"))["source"]["condition"] == "refused")
    state = json.loads(served.get("/api/state"))
    assert state["message"] == "rtsp://127.0.0.1:1/live: refused (Connection refused)"
    status, said = served.end()
    assert status == 0 and said == f"pvtpp serve: warning: {state['message']}\n"


def test_a_ground_station_hears_of_the_camera(images, tmp_path):
    pytest.importorskip("pymavlink")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ground:
        ground.bind(("127.0.0.1", 0))
        ground.settimeout(PATIENCE_S)
        served = Served(tmp_path, images, *CHEAP, "--mavlink", f"udpout:127.0.0.1:{ground.getsockname()[1]}")
        # The heartbeat of MAVLink 2 is message 0.
        packet = ground.recv(1024)
        assert packet[0] == 0xFD and packet[7:10] == bytes(3)
        assert served.end()[0] == 0


BAD = {
    "no such file": (["nowhere.mp4"], "nowhere.mp4: no such file"),
    "no such scheme": (["ftp://camera/live"], "streams by ftp are not read"),
    "a port that is none": (["IMAGES", "--port", "70000"], "--port is 70000, allowed is a whole number from 0"),
    "no such address": (["IMAGES", "--host", "no.such.host.invalid"], "--host no.such.host.invalid: no such address"),
    "a log of another name": (["IMAGES", "--log", "events.csv"], "--log events.csv: the name must end in .jsonl"),
    "MAVLink's option alone": (["IMAGES", "--mavlink-lead", "1"], "--mavlink-lead needs --mavlink"),
    "no predictors": (["IMAGES", "--predictors", ","], "--predictors names none"),
    "an offset for a file": (["IMAGES", "--capture-offset", "1"], "has no effect on"),
    "a narrow picture": (["IMAGES", "--picture-width", "1"], "--picture-width is 1, allowed is a whole number from 64"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_one_line(case, images, capsys):
    words, said = BAD[case]
    assert main(["serve", *CHEAP, *(images if word == "IMAGES" else word for word in words)]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("pvtpp serve: error: ") and said in error and "\n" not in error


@pytest.mark.parametrize("words", [["--predictors", "nosuch"], ["--host", "no.such.host.invalid"], ["--port", "taken"]])
def test_what_cannot_be_leaves_no_log_behind(words, images, capsys, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        log = tmp_path / "events.jsonl"
        words = [port if word == "taken" else word for word in words]
        assert main(["serve", images, *CHEAP, "--log", str(log), *words]) == 2
    assert capsys.readouterr().err.startswith("pvtpp serve: error: ") and not log.exists()


def test_a_token_that_is_short_is_refused(images, capsys, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    assert main(["serve", images, *CHEAP]) == 2
    assert "token is 'short', allowed is None or 16 or more" in capsys.readouterr().err
