"""Worker processes: started anew, closed with the block, and none where one process will do."""

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.workers import workers


def test_workers_are_started_anew_and_not_copied():
    with workers(2) as pool:
        assert pool._mp_context.get_start_method() == "spawn"
        # Modules that only this process has loaded are not there: a copied process would have them.
        assert not pool.submit(eval, "'pytest' in __import__('sys').modules").result()


def test_one_worker_is_this_process_and_fewer_are_refused():
    with workers(1) as executor:
        assert executor is None
    with pytest.raises(InputError, match="--workers must be at least 1, got 0"), workers(0):
        pass


def test_they_end_with_the_block():
    with workers(2) as pool:
        assert pool.submit(abs, -1).result() == 1
    with pytest.raises(RuntimeError):
        pool.submit(abs, -1)
