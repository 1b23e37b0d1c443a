"""Worker processes: started anew, closed with the block and with their parent, replaced where one is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.workers import WorkerEnded, workers


def test_workers_are_started_anew_and_not_copied():
    with workers(2) as pool:
        # Modules that only this process has loaded are not there: a copied process would have them.
        assert not pool.submit(eval, "'pytest' in __import__('sys').modules").result()
        assert pool.submit(os.getpid).result() != os.getpid()


def test_one_worker_is_this_process_and_fewer_are_refused():
    with workers(1) as executor:
        assert executor is None
    for count in (0, -1, 1.5):
        with pytest.raises(InputError, match=f"--workers must be at least 1, got {count}"), workers(count):
            pass


def test_they_end_with_the_block():
    with workers(2) as pool:
        assert pool.submit(abs, -1).result() == 1
        pid = pool.submit(os.getpid).result()
    with pytest.raises(RuntimeError):
        pool.submit(abs, -1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("os.kill(os.getpid(), 9)", "ended by SIGKILL, as the system does when memory is short"),
        ("os.kill(os.getpid(), 11)", "ended by SIGSEGV"),
        ("os._exit(7)", "ended with exit status 7"),
    ],
)
def test_a_worker_that_ends_in_a_call_costs_that_call_and_no_other(end, words):
    with workers(2) as pool:
        before = [pool.submit(abs, -number) for number in range(4)]
        ended = pool.submit(exec, f"import os; {end}")
        after = [pool.submit(abs, -number) for number in range(4)]
        with pytest.raises(WorkerEnded, match=words):
            ended.result()
        assert [each.result() for each in before + after] == [0, 1, 2, 3, 0, 1, 2, 3]


def test_what_a_call_raises_comes_back_with_the_place_that_raised_it():
    with workers(2) as pool:
        with pytest.raises(ZeroDivisionError) as raised:
            pool.submit(eval, "1 / 0").result()
        assert "division by zero" in str(raised.value.__cause__)
        with pytest.raises(SystemExit):
            pool.submit(sys.exit, 3).result()
        # A class of the worker alone cannot be read here.
        with pytest.raises(RuntimeError, match="UnicodeDecodeError|Odd: lost"):
            pool.submit(exec, ODD).result()
        with pytest.raises((TypeError, AttributeError)):
            pool.submit(lambda: 1).result()
        assert pool.submit(abs, -1).result() == 1


ODD = """
class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)
raise Odd("lost", 2)
"""


def test_an_interrupted_block_ends_at_once_and_its_workers_too():
    with pytest.raises(KeyboardInterrupt), workers(2) as pool:
        pid = pool.submit(os.getpid).result()
        for _ in range(5):
            pool.submit(time.sleep, 600)
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


CLEANING = """
import time
try:
    open({begun!r}, "w").close()
    time.sleep(600)
finally:
    for _ in range(5):
        time.sleep(0.1)
    open({cleaned!r}, "w").close()
"""


def test_what_an_interrupted_call_cleans_up_is_not_interrupted_again(tmp_path):
    """Half-written files are removed: with a signal to all processes and the pool's own, several interrupts come."""
    begun, cleaned = str(tmp_path / "begun"), str(tmp_path / "cleaned")
    with pytest.raises(KeyboardInterrupt), workers(2) as pool:
        pid = pool.submit(os.getpid).result()
        futures = [pool.submit(exec, CLEANING.format(begun=begun, cleaned=cleaned)) for _ in range(2)]
        while not os.path.exists(begun):
            assert not any(future.done() for future in futures)
        os.kill(pid, signal.SIGINT)
        raise KeyboardInterrupt
    assert os.path.exists(cleaned)


PARENT = """
import os, time
from pvtpp_benchmarks.workers import workers

if __name__ == "__main__":
    with workers(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(20)}, flush=True)
        pool.submit(time.sleep, 600)
        pool.submit(time.sleep, 600).result()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent_however_it_ends(tmp_path, number):
    (tmp_path / "parent.py").write_text(PARENT)
    paths = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.send_signal(number)
        # The pipe is closed when all that hold it have ended, the workers too.
        assert parent.stdout.read() == "" and pids


def test_a_script_without_a_guard_says_what_is_missing(tmp_path):
    (tmp_path / "script.py").write_text(
        "from pvtpp_benchmarks.workers import workers\n"
        "with workers(2) as pool:\n    print(pool.submit(abs, -1).result())\n"
    )
    paths = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 1 and "if __name__ == '__main__':" in done.stderr.splitlines()[-1]
