"""Runs on a Dask cluster, through the same interface as worker processes of this machine."""

from __future__ import annotations

import pickle
import platform
import re
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional

import pvtpp
from pvtpp.errors import InputError
from pvtpp_benchmarks.fingerprint import code_digest
from pvtpp_benchmarks.machine_lock import shared_machine
from pvtpp_benchmarks.workers import WorkerEnded, workers

ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^/:\s]+):\d{1,5}")
CONNECT_S = 10
"""How long a scheduler may take to answer, seconds."""
_OWN_THREADS = "a tracker serves one run at a time; start workers with `dask worker ADDRESS --nthreads 1 --nworkers N`"


@contextmanager
def executors(count: int = 1, cluster: Optional[str] = None) -> Iterator[Optional[Executor]]:
    """Give what carries out runs for the block: a cluster, worker processes, or None for this process alone.

    Parameters
    ----------
    count
        Number of worker processes.
    cluster
        Address of a Dask scheduler such as ``tcp://10.0.0.5:8786``; its workers do the runs, `count` must be 1.

    Raises
    ------
    InputError
        For a count or an address that is not allowed, both together, and a cluster that cannot be used.
    """
    if cluster is None:
        with workers(count) as executor:
            yield executor
        return
    if count != 1:
        raise InputError(f"--workers {count} with --cluster {cluster}: runs go to one of them, leave the other out")
    with _connected(cluster) as executor:
        yield executor


class ClusterExecutor(Executor):
    """Has the workers of a Dask cluster carry out calls.

    A call whose worker dies is done again by another, as often as the scheduler's ``allowed-failures`` says (3); after
    that its future raises `WorkerEnded`. Files are not shared with this machine.

    Parameters
    ----------
    client
        A `distributed.Client`.
    address
        Of its scheduler, for messages.
    """

    shares_files = False

    def __init__(self, client: Any, address: str):
        # Two calls are never taken for one another: what a run depends on is what its log says, not a key of Dask.
        self._calls = client.get_executor(pure=False)
        self._address = address

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Have a worker call a function. The function, its arguments and what it returns must be picklable."""
        import cloudpickle

        try:
            # As one piece, so that Dask looks for nothing in it; a class of a script goes along by value.
            content = cloudpickle.dumps((fn, args, kwargs))
        except Exception as error:
            raise InputError(f"{fn.__name__}: cannot be sent to the workers of {self._address} ({error})") from None
        ours: Future = Future()
        theirs = self._calls.submit(_call, code_digest(), content)
        theirs.add_done_callback(lambda done: self._hand_over(done, ours))
        ours.add_done_callback(lambda done: theirs.cancel() if done.cancelled() else None)
        return ours

    def shutdown(self, wait: bool = True, **_: Any) -> None:
        """Take no more calls; with `wait` wait for those under way."""
        self._calls.shutdown(wait=wait)

    def _hand_over(self, theirs: Future, ours: Future) -> None:
        """Set the outcome of the call, Dask's own errors in the terms of `workers`."""
        from distributed.scheduler import KilledWorker

        if not ours.set_running_or_notify_cancel():
            return
        try:
            ours.set_result(theirs.result())
        except KilledWorker as error:
            times = error.allowed_failures + 1
            ours.set_exception(WorkerEnded(f"{times} workers of {self._address} died in it, one after the other"))
        except CancelledError:
            ours.set_exception(
                InputError(
                    f"--cluster {self._address}: the scheduler has gone; finished runs are kept, the same command goes "
                    "on from there"
                )
            )
        except BaseException as error:
            ours.set_exception(error)


class _Facts(NamedTuple):
    """What a worker says of itself."""

    code: str
    version: str
    python: str


def _facts() -> _Facts:
    return _Facts(code_digest(), pvtpp.__version__, platform.python_version())


@contextmanager
def _connected(address: str) -> Iterator[Executor]:
    if not ADDRESS.fullmatch(address):
        raise InputError(f"--cluster {address}: not the address of a Dask scheduler, allowed is tcp://HOST:PORT")
    try:
        import distributed
    except ImportError:
        raise InputError("--cluster needs Dask: pip install 'pvtpp[cluster]'") from None
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"--cluster {address}: no Dask scheduler answers there within {CONNECT_S} s ({reason})"
        ) from None
    try:
        _check_workers(client, address)
        executor = ClusterExecutor(client, address)
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False)
            raise
        executor.shutdown()
    finally:
        client.close()


def _check_workers(client: Any, address: str) -> None:
    """Raise InputError where the workers of a cluster cannot do what this process would do."""
    threads: Dict[str, int] = client.nthreads()
    if not threads:
        raise InputError(
            f"--cluster {address}: no worker has joined this scheduler; start some with "
            f"`dask worker {address} --nthreads 1 --nworkers N`"
        )
    for worker, count in threads.items():
        _check_threads(f"--cluster {address}: worker {worker}", count)
    try:
        said = client.run(_facts)
    except Exception as error:
        raise InputError(
            f"--cluster {address}: a worker cannot import pvtpp ({type(error).__name__}: {error}); "
            "install the same version there"
        ) from None
    for worker, facts in said.items():
        _check_code(f"--cluster {address}: worker {worker}", facts, _facts())


def _check_threads(where: str, count: int) -> None:
    if count != 1:
        raise InputError(f"{where} has {count} threads, allowed is 1: {_OWN_THREADS}")


def _check_code(where: str, theirs: _Facts, ours: _Facts) -> None:
    if theirs.code != ours.code:
        raise InputError(
            f"{where} has other code: pvtpp {theirs.version} ({theirs.code}) under Python {theirs.python}, here "
            f"{ours.version} ({ours.code}) under Python {ours.python}; allowed is the same everywhere"
        )


def _call(code: str, content: bytes) -> Any:
    """Carry out a call on a worker, which may have joined after the check before the work."""
    from distributed import get_worker

    where = f"worker {get_worker().address}"
    _check_threads(where, get_worker().state.nthreads)
    if code_digest() != code:
        raise InputError(f"{where} has other code ({code_digest()}, here {code}); allowed is the same everywhere")
    try:
        function, args, kwargs = pickle.loads(content)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{where} lacks code of the tracker ({error}): install its package there") from None
    with shared_machine():
        return function(*args, **kwargs)
