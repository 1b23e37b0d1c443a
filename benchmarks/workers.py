"""Worker processes for runs that do not depend on one another."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
import traceback
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Callable, Iterator, List, Optional, Tuple

from pvtpp.errors import InputError

_PATIENCE_S = 5.0
"""How long an interrupted worker may take to remove its half-written files."""
_INTERRUPT_EVERY_S = 0.2
"""So often workers are interrupted until they have ended; each call notices the first time only."""
_NOT_STARTED = (
    "a worker process did not start, its output above says why; a script that uses workers must do its own work under "
    "`if __name__ == '__main__':`"
)
_Call = Tuple[Callable[..., Any], Tuple[Any, ...], Any]


class WorkerEnded(RuntimeError):
    """A worker process ended in the middle of a call. The message says how."""


class _Traceback(Exception):
    """Cause of an exception that a worker raised: the text of its traceback there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@contextmanager
def workers(count: int) -> Iterator[Optional[Executor]]:
    """Give `count` worker processes for the block, or None for this process alone.

    They are started anew, not copied: a tracker that owns threads or a GPU does not survive being copied. They end with
    the block, and when this process ends for whatever reason. Where the block is interrupted, so are they.

    Parameters
    ----------
    count
        Number of processes.

    Raises
    ------
    InputError
        For a count that is not a whole number of at least 1.
    """
    if not isinstance(count, int) or count < 1:
        raise InputError(f"--workers must be at least 1, got {count}")
    if count == 1:
        yield None
        return
    pool = WorkerPool(count)
    try:
        yield pool
    except Exception:
        pool.shutdown()
        raise
    except BaseException:
        pool.interrupt()
        raise
    else:
        pool.shutdown()


class WorkerPool(Executor):
    """Processes that carry out calls, each replaced when it ends in the middle of one.

    The future of such a call raises `WorkerEnded`; the other calls go on. Where a process does not even start, it
    raises InputError.

    Parameters
    ----------
    count
        Number of processes. Each is started with its first call.
    """

    def __init__(self, count: int):
        self._calls: queue.SimpleQueue[Optional[Tuple[Future, _Call]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = self._interrupted = False
        self._workers: List[_Worker] = []
        self._threads = [threading.Thread(target=self._serve, name="pvtpp worker", daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Have a worker call a function. The function, its arguments and what it returns must be picklable.

        Raises
        ------
        RuntimeError
            After `shutdown`.
        """
        future: Future = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the workers have ended, they take no more calls")
            self._calls.put((future, (fn, args, kwargs)))
        return future

    def shutdown(self, wait: bool = True, **_: Any) -> None:
        """Take no more calls and end each process when it has nothing left to do; with `wait` wait for that."""
        with self._lock:
            if not self._closed:
                self._closed = True
                for _thread in self._threads:
                    self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def interrupt(self) -> None:
        """Interrupt the calls under way, drop those that wait, and end the processes, by force if need be."""
        with self._lock:
            self._closed = self._interrupted = True
        while True:
            try:
                waiting = self._calls.get_nowait()
            except queue.Empty:
                break
            if waiting is not None:
                waiting[0].cancel()
        for _thread in self._threads:
            self._calls.put(None)
        try:
            end = time.monotonic() + _PATIENCE_S
            while any(thread.is_alive() for thread in self._threads) and time.monotonic() < end:
                for worker in self._running():
                    worker.interrupt()
                until = min(end, time.monotonic() + _INTERRUPT_EVERY_S)
                for thread in self._threads:
                    thread.join(max(0.0, until - time.monotonic()))
        finally:
            for worker in self._running():
                worker.kill()
        for thread in self._threads:
            thread.join()

    def _running(self) -> List[_Worker]:
        with self._lock:
            return list(self._workers)

    def _serve(self) -> None:
        worker: Optional[_Worker] = None
        while True:
            taken = self._calls.get()
            if taken is None:
                break
            future, call = taken
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if worker is None:
                    worker = _Worker()
                    with self._lock:
                        self._workers.append(worker)
                if self._interrupted:
                    raise CancelledError
                result = worker.call(call)
            except BaseException as error:
                if worker is not None and worker.ended:
                    with self._lock:
                        self._workers.remove(worker)
                    worker = None
                future.set_exception(error)
            else:
                future.set_result(result)
            del taken, future, call
        if worker is not None:
            worker.end()


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other,), name="pvtpp worker")
        self._process.start()
        other.close()
        self._began = self.ended = False

    def call(self, call: _Call) -> Any:
        """Return what the call returns there, or raise what it raises there; `WorkerEnded` where the process ends."""
        content = pickle.dumps(call)
        try:
            if not self._began:
                # A process that cannot begin has not lost a run: its own output says what is wrong.
                self._began = bool(self._pipe.recv())
            self._pipe.send_bytes(content)
            done, value, where = pickle.loads(self._pipe.recv_bytes())
        except (EOFError, OSError):
            self.ended = True
            self._process.join()
            if not self._began:
                raise InputError(_NOT_STARTED) from None
            raise WorkerEnded(self._how()) from None
        if done:
            return value
        value.__cause__ = _Traceback(where)
        raise value

    def _how(self) -> str:
        code = self._process.exitcode or 0
        if code >= 0:
            return f"its worker process ended with exit status {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        memory = ", as the system does when memory is short" if name == "SIGKILL" else ""
        return f"its worker process was ended by {name}{memory}"

    def interrupt(self) -> None:
        pid = self._process.pid
        if pid is not None and self._process.exitcode is None:
            os.kill(pid, signal.SIGINT)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._pipe.close()
        self._process.join()


def _work(pipe: Connection) -> None:
    """Carry out calls until the pipe is closed; what the process of a worker does."""
    interrupt = _Interrupt()
    signal.signal(signal.SIGINT, interrupt)
    threading.Thread(target=_end_with_parent, name="pvtpp parent", daemon=True).start()
    try:
        pipe.send(True)
        while True:
            content = pipe.recv_bytes()
            answer = _answer(content, interrupt)
            pipe.send_bytes(answer)
            del content, answer
    except (EOFError, OSError):
        return


class _Interrupt:
    """What SIGINT does in a worker: it interrupts a call, once.

    Ctrl-C reaches every process of a terminal, and the pool interrupts as well. A second interrupt would end what the
    first began: the removal of half-written files.
    """

    in_call = False

    def __call__(self, signum: int, frame: Any) -> None:
        if self.in_call:
            self.in_call = False
            raise KeyboardInterrupt


def _answer(content: bytes, interrupt: _Interrupt) -> bytes:
    """Carry out one call; return whether it came to its end, its result or exception, and the traceback, pickled."""
    try:
        interrupt.in_call = True
        try:
            function, arguments, named = pickle.loads(content)
            return pickle.dumps((True, function(*arguments, **named), ""))
        finally:
            interrupt.in_call = False
    except BaseException as error:
        text = traceback.format_exc()
        try:
            answer = pickle.dumps((False, error, text))
            # An exception with arguments of its own may be written and not read.
            pickle.loads(answer)
            return answer
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}"), text))


def _end_with_parent() -> None:
    """End this process with its parent, even one that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
