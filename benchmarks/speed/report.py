"""How long a report takes: four trackers, four predictors and twelve clips of DTB70, as `pvtpp report` makes it.

The trackers are the truth as trackers of 20, 33, 47 and 85 ms would deliver it (`pvtpp_benchmarks.oracle`), so that no
image is needed; a row is as large as of any other tracker.

  python -m pvtpp_benchmarks.speed.report data/annotations/uav_annos.tar.xz
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from typing import Any, Dict, List, Optional, Sequence

from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.bundle import PAGE, write_report
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.groups import Source, make_report

TIMES = ("20ms", "33ms", "47ms", "85ms")
PREDICTORS = ("hold", "constant_velocity", "kalman:pvt", "kalman")
CLIPS = 12


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", help="uav_annos.tar.xz")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    dataset = load("annotations", options.annotations, subset="DTB70_official", images=False)
    sequences = list(dataset.select(dataset.names[:CLIPS]))
    sources = [Source(f"oracle-{ms}", facts(0), tuple(_rows(sequences, ms))) for ms in TIMES]
    with tempfile.TemporaryDirectory() as folder:
        start, used = time.perf_counter(), time.process_time()
        files = write_report(folder, make_report("Speed of a report", sources), _warn)
        seconds, used = time.perf_counter() - start, time.process_time() - used
        sizes = [os.path.getsize(os.path.join(folder, name)) for name in files]
        page = os.path.getsize(os.path.join(folder, PAGE))
    found = {"seconds": round(seconds, 2), "processor_seconds": round(used, 2), "files": len(files)}
    found.update(page_mb=round(page / 1e6, 2), all_mb=round(sum(sizes) / 1e6, 2))
    print(
        f"{len(TIMES)} trackers x {len(PREDICTORS)} predictors x {CLIPS} clips: {found['seconds']} s "
        f"({found['processor_seconds']} s of a processor); the page {found['page_mb']} MB, with {found['files'] - 1} "
        f"files beside it {found['all_mb']} MB"
    )
    if options.json:
        write_json(options.json, {"protocol": facts(0), **found})
    return 0


def _warn(text: str) -> None:
    print(text, file=sys.stderr)


def _rows(sequences: List[Any], ms: str) -> List[Dict[str, Any]]:
    grid = make_grid(
        "DTB70",
        f"oracle-{ms}",
        processing=[ms],
        predictors=PREDICTORS,
        propagation="none",
        search_region="last",
        presence="off",
    )
    return evaluate(sequences, grid, Oracle)


if __name__ == "__main__":
    sys.exit(main())
