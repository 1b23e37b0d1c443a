"""Feed damaged inputs to every reader of user files: each answers or raises InputError, and nothing else.

    python -m pvtpp_benchmarks.studies.fuzz_readers --inputs 10000
    python -m pvtpp_benchmarks.studies.fuzz_readers --reader event_log --case 4711

Every reader begins with a sound file of its own. A case damages it in one to three ways: other bytes, cut off, lines in
another order, numbers that are no numbers or far too large, values of another type, a byte order mark, other ends of
lines, zero bytes. The number of a case decides all of it, so that a failure is repeated by its number.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Optional

from pvtpp.errors import InputError

# Importing the cases registers their readers.
from pvtpp_benchmarks.studies import fuzz_data, fuzz_runs  # noqa: F401
from pvtpp_benchmarks.studies.fuzz_damage import READERS, Sound


def run_case(name: str, number: Optional[int]) -> Optional[str]:
    """Run one case of a reader; None is the number of the case that damages nothing.

    Returns
    -------
    str or None
        None for an answer, and for an InputError of a damaged file; else what was raised, as text.
    """
    case = READERS[name]()
    assert case is not None
    before = os.environ.get("PVTPP_CACHE")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        os.environ["PVTPP_CACHE"] = os.path.join(folder, "cache")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                case(Sound(name) if number is None else random.Random(f"{name} {number}"), Path(folder))
        except Exception as error:
            refused = isinstance(error, InputError) and number is not None
            return None if refused else traceback.format_exc(limit=-4)
        finally:
            if before is None:
                del os.environ["PVTPP_CACHE"]
            else:
                os.environ["PVTPP_CACHE"] = before
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what libraries write about damaged files nowhere: the answers count."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def main(argv: Optional[List[str]] = None) -> int:
    """Run the command line; the exit status is 1 where a reader failed."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=200, help="damaged inputs for each reader (default 200)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default 0)")
    parser.add_argument("--reader", choices=READERS, action="append", help="this reader alone; may be given again")
    parser.add_argument("--case", type=int, help="this case alone, with its whole error")
    options = parser.parse_args(argv)
    numbers: List[Optional[int]] = [options.case]
    if options.case is None:
        numbers += range(options.first, options.first + options.inputs)
    failed = 0
    for name in options.reader or READERS:
        if READERS[name]() is None:
            print(f"{name}: left out, something that it needs is not installed", flush=True)
            continue
        errors: Dict[str, Optional[int]] = {}
        with _quiet():
            found = {number: run_case(name, number) for number in numbers}
        for number, error in found.items():
            if error is not None:
                failed += 1
                if errors.setdefault(error, number) == number:
                    case = "the sound file" if number is None else f"case {number}"
                    print(f"{name}, {case}:\n{error}", flush=True)
        bad = sum(error is not None for error in found.values())
        print(f"{name}: {len(found) - (None in found)} inputs, {bad} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
