"""Ctrl-C, SIGTERM and SIGHUP end every command in the same way, and nothing that was finished is lost."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from pvtpp.cli import signals
from pvtpp.cli.frame_records import RecordFile
from pvtpp.cli.main import main
from pvtpp.cli.signals import SIGNALS, Interrupted, end_requests

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
BOX = "90,40,28,24"


class Clock:
    """Seconds that the test moves."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def ended(monkeypatch):
    """The signals that would have ended the process at once."""
    found = []
    monkeypatch.setattr(signals, "end_process", found.append)
    return found


def send(signum):
    os.kill(os.getpid(), signum)
    # The handler runs before the next line of Python.
    time.sleep(0)


@pytest.mark.parametrize("signum", SIGNALS)
def test_the_first_signal_is_noted_and_a_later_one_ends_the_process(signum, ended):
    clock, before = Clock(), signal.getsignal(signum)
    with end_requests(raising=False, clock=clock) as request:
        assert not request.is_set() and request.status == 0
        send(signum)
        assert request.is_set() and request.signum == signum and request.status == STATUS[signum] and not ended
        clock.now = 5.0
        send(signum)
        assert ended == [signum]
    assert signal.getsignal(signum) is before


def test_a_signal_that_comes_twice_at_once_is_one_request(ended):
    """As ``timeout`` sends it, to the process and to its group."""
    clock = Clock()
    with end_requests(raising=False, clock=clock) as request:
        send(signal.SIGTERM)
        clock.now = 0.1
        send(signal.SIGTERM)
        send(signal.SIGHUP)
        assert request.signum == signal.SIGTERM and not ended


@pytest.mark.parametrize("signum", SIGNALS)
def test_where_it_raises_it_is_a_keyboard_interrupt(signum, ended):
    with pytest.raises(KeyboardInterrupt) as caught, end_requests(raising=True, clock=Clock()):
        send(signum)
    assert isinstance(caught.value, Interrupted) and caught.value.signum == signum


def test_what_is_ignored_stays_ignored_as_nohup_wants_it():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with end_requests(raising=False) as request:
            send(signal.SIGHUP)
            assert not request.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_handled():
    found = []

    def work():
        with end_requests(raising=True) as request:
            found.append((request.is_set(), signal.getsignal(signal.SIGTERM)))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(False, before)]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ending", ["csv", "json"])
def test_track_writes_what_was_seen(signum, ending, clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def add(records, record, add=RecordFile.add):
        add(records, record)
        if record.frame == 3:
            os.kill(os.getpid(), signum)

    monkeypatch.setattr(RecordFile, "add", add)
    given = ["--box", BOX, "--tracker", "kcf", "--predictors", "hold", "--propagation", "none", "--no-window"]
    files = ["--out", f"seen.{ending}", "--log", "events.jsonl"]
    assert main(["track", str(clips / "left" / "img"), *given, *files]) == STATUS[signum]
    if ending == "json":
        assert [row["frame"] for row in json.loads((tmp_path / "seen.json").read_text())["predictions"]] == [0, 1, 2, 3]
    else:
        assert len((tmp_path / "seen.csv").read_text().splitlines()) == 5
    assert (tmp_path / "tracked.mp4").stat().st_size and main(["replay", "events.jsonl"]) == 0


def test_a_wait_for_the_next_frame_ends_with_the_request(clips, tmp_path, monkeypatch):
    """At one frame in 100 s the signal must not wait for the frame."""
    monkeypatch.chdir(tmp_path)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    add = RecordFile.add
    monkeypatch.setattr(RecordFile, "add", lambda records, record: (add(records, record), timer.start()))
    given = ["--box", BOX, "--tracker", "kcf", "--predictors", "hold", "--propagation", "none", "--no-window"]
    before = time.monotonic()
    assert main(["track", str(clips / "left" / "img"), *given, "--fps", "0.01", "--out", "seen.csv"]) == 143
    assert time.monotonic() - before < 60 and len((tmp_path / "seen.csv").read_text().splitlines()) == 2


SENDING = """
import os, signal
class Sending:
    def init(self, image, box):
        self.box = list(box)
        with open("begun", "a") as file:
            file.write("x")
        if os.path.getsize("begun") == 2:
            os.kill(os.getpid(), signal.{name})
    def update(self, image):
        return self.box
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("command", ["eval", "run"])
def test_finished_runs_are_kept_and_half_a_run_is_not(command, name, clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = f"sending_{command}_{name.lower()}"
    (tmp_path / f"{module}.py").write_text(SENDING.format(name=name))
    given = ["--dataset", "folder", "--root", str(clips), "--tracker", f"{module}:Sending", "--processing", "0ms"]
    more = ["--no-offline"] if command == "eval" else []
    arguments = [command, *given, "--predictors", "hold", "--logs", "logs", *more]
    # `left` begins with the first init, `right` with the second, in which the signal comes.
    assert main(arguments) == STATUS[getattr(signal, name)]
    assert "interrupted; finished runs are kept" in capsys.readouterr().err
    logs = [path.name for path in (tmp_path / "logs").rglob("*") if path.is_file()]
    assert [log for log in logs if log.endswith(".part")] == [] and sum(log.startswith("left") for log in logs) == 1
    (tmp_path / "begun").write_text("xxx")
    assert main(arguments) == 0


WORKING = """
import os, sys, time
class Working:
    def init(self, image, box):
        self.box = list(box)
        open(f"begun.{os.getpid()}", "w").close()
    def update(self, image):
        time.sleep(0.2)
        return self.box
"""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_worker_processes_end_with_the_command(signum, clips, tmp_path):
    (tmp_path / "working.py").write_text(WORKING)
    given = ["--dataset", "folder", "--root", str(clips), "--tracker", "working:Working", "--processing", "0ms"]
    words = ["eval", *given, "--predictors", "hold", "--logs", "logs", "--no-offline", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pvtpp.cli.main", *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        until = time.monotonic() + 120
        while len(list(tmp_path.glob("begun.*"))) < 2 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signum)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == STATUS[signum]
    assert not [path for path in (tmp_path / "logs").rglob("*") if path.name.endswith(".part")]
    until = time.monotonic() + 60
    workers = [int(path.suffix[1:]) for path in tmp_path.glob("begun.*")]
    while [pid for pid in workers if os.path.exists(f"/proc/{pid}")] and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in workers if os.path.exists(f"/proc/{pid}")]


STUBBORN = """
import time
class Stubborn:
    def init(self, image, box):
        self.box = list(box)
        while True:
            try:
                open("begun", "a").close()
                time.sleep(600)
            except KeyboardInterrupt:
                open("asked", "w").close()
    def update(self, image):
        return self.box
"""


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_second_signal_ends_a_command_that_does_not_listen(signum, clips, tmp_path):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    given = ["--dataset", "folder", "--root", str(clips), "--tracker", "stubborn:Stubborn", "--processing", "0ms"]
    words = ["eval", *given, "--predictors", "hold", "--logs", "logs", "--no-offline"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pvtpp.cli.main", *words],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        for mark in ("begun", "asked"):
            until = time.monotonic() + 120
            while not (tmp_path / mark).exists() and process.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            assert process.poll() is None
            # Signals within this time are one request.
            time.sleep(signals.ONE_REQUEST_S if mark == "asked" else 0)
            process.send_signal(signum)
        assert process.wait(60) == -signum
    finally:
        process.kill()
