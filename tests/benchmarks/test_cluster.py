"""A Dask cluster: the same numbers as in this process, a killed worker loses nothing, bad ones are refused before."""

import json
import os
import signal
import subprocess
import sys
import threading
from functools import partial

import cv2
import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

from pvtpp.cli.main import main  # noqa: E402
from pvtpp.errors import InputError  # noqa: E402
from pvtpp_benchmarks import cluster as cluster_module  # noqa: E402
from pvtpp_benchmarks import machine_lock  # noqa: E402
from pvtpp_benchmarks.cluster import executors  # noqa: E402
from pvtpp_benchmarks.datasets.sequence import VideoSequence  # noqa: E402
from pvtpp_benchmarks.evaluate import Entry, evaluate_all  # noqa: E402
from pvtpp_benchmarks.grid import make_grid  # noqa: E402
from pvtpp_benchmarks.oracle import Oracle  # noqa: E402

TRACKERS = """
import os, signal

class Still:
    def init(self, image, box):
        self.box, self.first = list(box), int(image[0, 0, 0])
    def update(self, image):
        return self.box

class Drifting(Still):
    def update(self, image):
        self.box[0] += 0.5
        return self.box

class Stuck(Still):
    '''The first process that tracks the second sequence says which it is, and goes no further.'''
    def update(self, image):
        if self.first == 2 and self.is_first():
            with open("said", "w") as said:
                said.write(str(os.getpid()))
            open("never").read()
        return self.box
    def is_first(self):
        try:
            os.mkdir("stuck")
        except FileExistsError:
            return False
        return True

class Deadly(Still):
    def update(self, image):
        if self.first == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.box

class Failing(Still):
    def update(self, image):
        raise ValueError("no target")
"""


def sequence(folder, mark):
    (folder / "img").mkdir(parents=True)
    image = np.full((40, 60, 3), 90, np.uint8)
    image[0, 0] = mark
    for number in range(10):
        cv2.imwrite(str(folder / "img" / f"{number + 1:04d}.png"), image)
    (folder / "groundtruth.txt").write_text("".join(f"{10 + number},10,12,12\n" for number in range(10)))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with trackers and sequences; it is the working folder of this process and of the workers."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "own_trackers_of_cluster.py").write_text(TRACKERS)
    for mark, name in enumerate(("a", "b", "c"), 1):
        sequence(folder / "data" / name, mark)
    return folder


@pytest.fixture(scope="module")
def address(place):
    """A real scheduler with two real workers, each a process that is started anew when it dies."""
    paths = os.pathsep.join([str(place), *filter(None, sys.path)])
    # A temporary folder of their own, for the machine's lock: other tests take it at the same time.
    (place / "tmp").mkdir()
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "TMPDIR": str(place / "tmp")}
    file = ["--scheduler-file", "scheduler.json"]
    quiet = {"cwd": place, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    started = []
    try:
        scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *file]
        started.append(subprocess.Popen(scheduler, **quiet))
        many = ["--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--local-directory", str(place / "scratch")]
        started.append(subprocess.Popen([*dask, "worker", *many, *file], **quiet))
        with distributed.Client(scheduler_file=str(place / "scheduler.json"), set_as_default=False) as client:
            client.wait_for_workers(2)
        yield json.loads((place / "scheduler.json").read_text())["address"]
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


@pytest.fixture
def here(place, monkeypatch):
    """Work in the folder of trackers; nothing of an earlier test is in it."""
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(str(place))
    yield place
    sys.modules.pop("own_trackers_of_cluster", None)


def walk(name, seed):
    steps = np.random.default_rng(seed).normal(scale=[0.4, 0.4, 0.02, 0.02], size=(60, 4)).cumsum(axis=0)
    return VideoSequence(name, steps.cumsum(axis=0) + [300, 200, 60, 50], 30.0, 30.0)


WALKS = [walk("one", 1), walk("two", 2), walk("three", 3)]


def entries():
    settings = {"processing": ["47ms", "85ms"], "predictors": ["hold", "kalman"], "propagation": "none"}
    return [
        Entry(make_grid("walks", name, presence="off", **settings), partial(Oracle, noise=noise))
        for name, noise in (("exact", 0.0), ("noisy", 0.05))
    ]


def logs_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(address, tracker, *more):
    made = ["--tracker", f"own_trackers_of_cluster:{tracker}", "--processing", "0ms,85ms", "--predictors", "hold"]
    return main(["eval", "--dataset", "folder", "--root", "data", "--cluster", address, *made, *more])


def test_trackers_on_a_cluster_give_the_numbers_and_logs_of_this_process_to_the_bit(address, tmp_path):
    rows = evaluate_all(WALKS, entries(), str(tmp_path / "here"))
    said = []
    with executors(cluster=address) as executor:
        assert evaluate_all(WALKS, entries(), str(tmp_path / "there"), executor, said.append) == rows
    assert len(rows) == 10 and {row["tracker"] for row in rows} == {"exact", "noisy"}
    logs = logs_of(tmp_path / "here")
    assert logs == logs_of(tmp_path / "there") and len(logs) == len(said) > 12
    # What is kept is sent there, scored, and not run again.
    with executors(cluster=address) as executor:
        assert evaluate_all(WALKS, entries(), str(tmp_path / "there"), executor, said.append) == rows
        assert evaluate_all(WALKS, entries(), None, executor) == rows
    assert [line.rpartition(" ")[2] for line in said] == ["ran"] * len(logs) + ["kept"] * len(logs)


def test_a_worker_that_is_killed_in_the_middle_of_a_run_loses_nothing(address, here, capsys, monkeypatch):
    os.mkfifo("said")
    os.mkfifo("never")
    killed, refused = [], []
    monkeypatch.setattr(machine_lock, "lock_path", lambda: str(here / "tmp" / "pvtpp-wall-clock.lock"))

    def kill():
        with open("said") as said:
            killed.append(int(said.read()))
        try:
            with machine_lock.exclusive_machine():
                pass
        except InputError as error:
            refused.append(str(error))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    assert command(address, "Stuck", "--logs", "killed-logs", "--json", "killed.json") == 0
    killer.join()
    # A machine that a cluster uses is not measured.
    assert killed and "runs of a cluster are under way on this machine" in refused[0]
    assert "error" not in capsys.readouterr().err
    made = ["--dataset", "folder", "--root", "data", "--tracker", "own_trackers_of_cluster:Stuck"]
    made += ["--processing", "0ms,85ms", "--predictors", "hold", "--logs", "serial-logs", "--json", "serial.json"]
    assert main(["eval", *made]) == 0
    rows = [json.loads((here / name).read_text())["rows"] for name in ("killed.json", "serial.json")]
    assert rows[0] == rows[1] and logs_of(here / "killed-logs") == logs_of(here / "serial-logs")


def test_a_run_that_kills_every_worker_is_lost_and_named_and_the_others_are_kept(address, here, capsys):
    with distributed.Client(address, set_as_default=False) as client:
        # A run that waits at a worker that dies, or whose result is still there, is blamed as well. On a busy machine
        # that may happen some times in a row: it must not be enough to lose it.
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 5))
        client.wait_for_workers(2)
        assert command(address, "Deadly", "--logs", "deadly-logs", "--processing", "85ms", "--no-offline") == 1
        client.wait_for_workers(2)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("pvtpp eval: error")]
    assert "b (" in lines[0] and "died in it" in lines[0] and "finished runs are kept" in lines[-1]
    assert [name.rpartition("/")[2][0] for name in sorted(logs_of(here / "deadly-logs"))] == ["a", "c"]


def test_what_a_tracker_raises_there_is_the_message_that_it_is_here(address, here, capsys):
    assert command(address, "Failing", "--logs", "failing-logs") == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert "frame 1: ValueError: no target" in line and not (here / "failing-logs").exists()


def test_a_tracker_that_the_workers_do_not_have_is_one_line_before_the_work(address, here, capsys):
    assert command(address, "Absent", "--logs", "absent-logs") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "no class 'Absent'" in line and not (here / "absent-logs").exists()


def test_workers_with_other_code_are_refused_before_the_work(address, here, capsys, monkeypatch):
    monkeypatch.setattr(cluster_module, "code_digest", lambda: "another")
    assert command(address, "Still", "--logs", "other-logs") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "has other code" in line and "(another)" in line and not (here / "other-logs").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("somewhere", "not the address of a Dask scheduler, allowed is tcp://HOST:PORT"),
        ("tcp://127.0.0.1", "not the address"),
        ("http://127.0.0.1:8786", "not the address"),
        ("tcp://127.0.0.1:1", "no Dask scheduler answers there within 0.3 s"),
        ("tcp://no.such.host.invalid:8786", "no Dask scheduler answers there"),
    ],
)
def test_a_bad_address_is_one_line_before_the_work(here, capsys, monkeypatch, given, words):
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.3)
    assert command(given, "Still", "--logs", "bad-logs") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert f"--cluster {given}" in line and words in line and not (here / "bad-logs").exists()


def test_a_cluster_takes_neither_other_workers_nor_the_wall_clock(here, capsys):
    for more, words in ((["--workers", "2"], "leave the other out"), (["--clock", "wall"], "not on the wall clock")):
        made = ["--tracker", "own_trackers_of_cluster:Still", "--cluster", "tcp://127.0.0.1:1", *more]
        assert main(["eval", "--dataset", "folder", "--root", "data", *made]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(("count", "words"), [(0, "no worker has joined"), (1, "has 2 threads, allowed is 1")])
def test_a_scheduler_without_workers_or_with_threads_is_refused(count, words):
    """A tracker is one per process: two runs in two threads of it would share its state."""
    local = {"processes": False, "threads_per_worker": 2, "protocol": "tcp", "dashboard_address": ":0"}
    with distributed.LocalCluster(n_workers=count, **local) as cluster:
        with pytest.raises(InputError, match=words), executors(cluster=cluster.scheduler_address):
            pass
