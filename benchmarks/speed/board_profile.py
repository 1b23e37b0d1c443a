"""A profile of a board from the contributed results of that board and of the machine that others are timed on.

    python -m pvtpp_benchmarks.speed.board_profile BOARD.json REFERENCE.json --out orin.json

BOARD and REFERENCE are files of `pvtpp bench --contribute`. The profile then takes any tracker that was timed on the
reference to the board: `--processing "board:orin.json#bench:mine.json"`.
"""

from __future__ import annotations

import argparse
import sys
from typing import List, Optional

from pvtpp.errors import InputError
from pvtpp.files import read_json
from pvtpp_benchmarks.board_profile import as_json, profile_of
from pvtpp_benchmarks.contributed import check
from pvtpp_benchmarks.report.files import check_writable, write_json


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("board", metavar="BOARD")
    parser.add_argument("reference", metavar="REFERENCE")
    parser.add_argument("--out", metavar="FILE", required=True, help="the profile")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.out)
        board, reference = (check(read_json(path), path) for path in (options.board, options.reference))
        profile = profile_of(board, reference)
        write_json(options.out, as_json(profile))
    except InputError as error:
        print(f"board_profile: error: {error}", file=sys.stderr)
        return 2
    print(f"{profile.board}, relative to {profile.reference}:")
    for stage, factor in profile.scale.items():
        print(f"  {stage:12} x {factor:.3f}")
    print(f"  jitter {profile.jitter:.1%}, stalls {profile.stalls or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
