"""The share of its zero-latency score that a tracker keeps, by predictor, propagation and search region.

    python -m pvtpp_benchmarks.studies.propagation_table $PVTPP_DATA/uav-mini --json propagation_table.json

NanoTrack V3 is simulated with 20, 47, 85 and 165 ms per frame, CSRT with its own time on this machine. Each clip has
four starts, and each start four first boxes: the annotated one and three with a jitter of up to half a pixel. The clock
is simulated; each step of the propagation takes 2.5 ms. A row is named
``[propagation+]PREDICTOR[@predicted][/shared][/presence]``: with propagation, with the search region at the predicted
box, with the propagation on the tracker's core, with the presence monitor.

Share: AUC (mode `otb`, sigma 0; mean over runs, then over clips) divided by the zero-latency AUC. 95 % intervals are
paired bootstrap: clips are drawn, then runs within them. Requirements are for the clips of the group `bar`. Clips with
two similar targets, and those of a 10 fps camera in a 30 fps world, have tables of their own. Logs are kept: after an
interruption, or with a new predictor, only what is missing is run. Logs of another version of the code are not used,
unless `--version` names it.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp.arguments import comma_separated
from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp.tracker import Frame
from pvtpp_benchmarks.datasets import load
from pvtpp_benchmarks.datasets.dataset import Dataset
from pvtpp_benchmarks.datasets.sequence import VideoSequence, read_image
from pvtpp_benchmarks.metrics import SIGMAS
from pvtpp_benchmarks.provenance import code_version, facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.runs import Job, jobs, obtain
from pvtpp_benchmarks.score import score_offline, score_online
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_benchmarks.studies.propagation_report import ZERO, Cell, bars, markdown, summary
from pvtpp_trackers.factory import MakeTracker

GROUPS = {
    "bar": ("S1301", "S1001", "MountainBike6", "Surfing06", "Biker"),
    "S0601": ("S0601",),
    "10fps": ("wakeboard4", "wakeboard7", "wakeboard10", "building5", "person11"),
    "truck2": ("truck2",),
}
TIMES = ("20ms", "47ms", "85ms", "165ms")
TRACKERS = (defaults.TRACKER, "csrt")
DEFAULT = f"propagation+{defaults.PREDICTOR}@{defaults.SEARCH_REGION}"
DEFAULT += "/presence" if defaults.PRESENCE == "on" else ""
"""Name of the row of the default configuration."""
ROWS = (
    "hold",
    "constant_velocity",
    "kalman:pvt@predicted",
    "kalman",
    "motion",
    "motion@predicted",
    "propagation+hold",
    "propagation+hold@predicted",
    "propagation+constant_velocity",
    "propagation+constant_velocity@predicted",
    "propagation+kalman",
    "propagation+kalman@predicted",
    "propagation+motion",
    "propagation+motion@predicted",
    "propagation+ensemble@predicted",
    "propagation+hold@predicted/shared",
    "propagation+kalman@predicted/shared",
    "propagation+ensemble@predicted/shared",
    "propagation+ensemble@predicted/presence",
)
STEP_NS = 2_500_000
# These trackers take no search box. Of the rows that need one, two are run for comparison.
NOT_STEERED = ("csrt",)
STEERED_ANYWAY = (DEFAULT, "kalman:pvt@predicted")


@dataclass(frozen=True)
class Row:
    """The configuration of a row.

    Attributes
    ----------
    predictor
        Name of the predictor.
    search_region
        ``last`` (the tracker's last result) or ``predicted``.
    propagation
        Name of the propagator, or ``none``.
    core
        ``own``, or ``shared`` where the propagation runs on the tracker's core.
    presence
        ``on`` with the presence monitor, else ``off``.
    """

    predictor: str
    search_region: str = "last"
    propagation: str = "none"
    core: str = "own"
    presence: str = "off"

    @classmethod
    def parse(cls, text: str) -> Row:
        """Read ``[propagation+]PREDICTOR[@predicted][/shared][/presence]``; InputError for anything else."""
        found = re.fullmatch(r"(propagation\+)?([^@+]+?)(@predicted)?(/shared)?(/presence)?", text)
        if not found or (found[4] and not found[1]):
            form = "[propagation+]PREDICTOR[@predicted][/shared][/presence], shared only with propagation"
            raise InputError(f"row {text!r} is not of the form {form}")
        return cls(
            predictor=found[2],
            search_region="predicted" if found[3] else "last",
            propagation=defaults.PROPAGATION if found[1] else "none",
            core="shared" if found[4] else "own",
            presence="on" if found[5] else "off",
        )

    def spec(self, base: RunSpec) -> RunSpec:
        """The run that this row needs, if no other row shares it."""
        return replace(
            base,
            predictors=(self.predictor,),
            search_region=self.search_region,
            propagation=self.propagation,
            propagation_ns=STEP_NS if self.propagation != "none" else 0,
            propagation_core=self.core,
            presence=self.presence,
        )


def specs(rows: Dict[str, Row], base: RunSpec) -> Iterator[Tuple[RunSpec, Dict[str, str]]]:
    """The runs that the rows need, each with the names of its rows and their predictors.

    Rows whose predictors do not change what the tracker does share a run.
    """
    shared: Dict[RunSpec, Dict[str, str]] = {}
    for name, row in rows.items():
        spec = row.spec(base)
        shared.setdefault(spec if spec.steered else replace(spec, predictors=()), {})[name] = row.predictor
    for spec, served in shared.items():
        yield replace(spec, predictors=tuple(dict.fromkeys(served.values()))), served


@lru_cache(maxsize=600)
def _image(path: str) -> np.ndarray:
    return read_image(path)


class Decoded(VideoSequence):
    """A sequence whose decoded images are kept, since many runs of it follow one another."""

    @classmethod
    def of(cls, sequence: VideoSequence) -> Decoded:
        """The same sequence with kept images."""
        return cls(**{field.name: getattr(sequence, field.name) for field in fields(VideoSequence)})

    def frame(self, index: int) -> Frame:
        """Camera frame `index`."""
        frame = super().frame(index)
        return Frame(frame.index, frame.t_ns, partial(_image, frame.source), frame.source)


def measure(job: Job, served: Dict[str, str], make_tracker: MakeTracker) -> Dict[str, np.ndarray]:
    """AUC at the 51 permitted latencies by row, each of shape ``(51,)``; the zero-latency row is scored offline."""
    log, _ = obtain(job, make_tracker)
    found = {}
    for name, predictor in served.items():
        score = score_offline(log, job.sequence) if name == ZERO else score_online(log, job.sequence, predictor)
        found[name] = score.curves["auc"].at(SIGMAS)
    return found


class Study:
    """Runs what is missing and makes the cells of the table.

    Parameters
    ----------
    dataset
        The data set of the clips.
    base
        What all runs have in common.
    logs
        Folder of the event logs.
    workers
        Number of processes.
    """

    def __init__(self, dataset: Dataset, base: RunSpec, logs: str, workers: int):
        self._dataset, self._base, self._logs, self._workers = dataset, base, logs, workers
        self._show = progress()

    def cell(self, group: str, tracker: str, time_text: str, rows: Dict[str, Row]) -> Cell:
        """All rows of one group of clips at one processing time, zero latency first."""
        sequences = [Decoded.of(sequence) for sequence in self._dataset.select(GROUPS[group])]
        base = replace(self._base, tracker=tracker, processing=time_text)
        if tracker in NOT_STEERED:
            rows = {name: row for name, row in rows.items() if row.search_region == "last" or name in STEERED_ANYWAY}
        zero = (replace(base, processing="0ms"), {ZERO: "hold"})
        curves: Dict[str, Dict[str, List[np.ndarray]]] = {}
        with ProcessPoolExecutor(self._workers) as pool:
            for spec, served in (zero, *specs(rows, base)):
                todo = jobs(sequences, spec, self._logs)
                began, measured = time.monotonic(), partial(measure, served=served, make_tracker=MakeTracker(tracker))
                for number, (job, found) in enumerate(zip(todo, pool.map(measured, todo)), 1):
                    for name, curve in found.items():
                        curves.setdefault(name, {}).setdefault(job.sequence.name, []).append(curve)
                    if number % 16 == 0 or number == len(todo):
                        done = f"{number}/{len(todo)}, {time.monotonic() - began:.0f} s"
                        self._show(f"{group} {tracker} {spec.processing} {' '.join(served)}: {done}")
        return Cell(
            group, tracker, time_text, {name: {c: np.array(v) for c, v in by.items()} for name, by in curves.items()}
        )


def own_time(tracker: str, dataset: Dataset) -> str:
    """The median time of the tracker on this machine over the clips of the group `bar`, one thread, as text."""
    import cv2

    cv2.setNumThreads(1)
    made, taken = MakeTracker(tracker)(), []
    for sequence in dataset.select(GROUPS["bar"]):
        made.init(sequence.frame(0), xywh_to_box(sequence.ground_truth_xywh[0]))
        for index in range(1, min(len(sequence), 100)):
            frame = sequence.frame(index)
            frame.image  # noqa: B018 - decoded before the measurement
            began = time.perf_counter()
            made.track(frame)
            taken.append(time.perf_counter() - began)
    return f"{np.median(taken) * 1e3:.0f}ms"


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder of uav-mini")
    parser.add_argument("--logs", default="runs", metavar="DIR", help="where event logs are kept (default %(default)s)")
    parser.add_argument("--version", default=code_version(), help="version of the code whose logs are used")
    parser.add_argument("--only", type=comma_separated, default=(), metavar="ROW,ROW", help="only these rows")
    parser.add_argument("--also", type=comma_separated, default=(), metavar="ROW,ROW", help="these rows in addition")
    parser.add_argument(
        "--groups", type=comma_separated, default=tuple(GROUPS), help=f"of {', '.join(GROUPS)} (default all)"
    )
    parser.add_argument(
        "--times", type=comma_separated, default=TIMES, help=f"of {TRACKERS[0]} (default {','.join(TIMES)})"
    )
    parser.add_argument("--trackers", type=comma_separated, default=TRACKERS, help=f"(default {','.join(TRACKERS)})")
    parser.add_argument("--starts", type=int, default=4, help="starts in each clip (default %(default)s)")
    parser.add_argument("--draws", type=int, default=4, help="first boxes of each start (default %(default)s)")
    parser.add_argument("--own-time", metavar="T", help=f"processing time of {TRACKERS[1]} (default: measured now)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default %(default)s)")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
        cells = [*_cells(options)]
    except InputError as error:
        parser.error(str(error))
    content: Dict[str, Any] = {"bars": bars(cells, DEFAULT), "cells": [summary(cell) for cell in cells]}
    print(markdown(cells, content["bars"]))
    if options.json:
        runs = {"starts": options.starts, "draws": options.draws, "logs_of": options.version}
        write_json(options.json, {"protocol": facts(0), **runs, "mode": "otb", "groups": GROUPS, **content})
    return 0


def _cells(options: argparse.Namespace) -> Iterator[Cell]:
    for option, allowed in (("groups", tuple(GROUPS)), ("trackers", TRACKERS)):
        for name in getattr(options, option):
            if name not in allowed:
                raise InputError(f"--{option} names {name!r}, allowed: {', '.join(allowed)}")
    rows = {name: Row.parse(name) for name in options.only or dict.fromkeys((*ROWS, *options.also))}
    dataset = load("uav-mini", options.root, "test")
    base = RunSpec(
        dataset.name,
        TRACKERS[0],
        TIMES[0],
        starts=options.starts,
        draws=options.draws,
        jitter_px=0.5,
        version=options.version,
    )
    study = Study(dataset, base, options.logs, options.workers)
    for tracker in options.trackers:
        times = options.times if tracker == TRACKERS[0] else (options.own_time or own_time(tracker, dataset),)
        for group in options.groups:
            for time_text in times:
                yield study.cell(group, tracker, time_text, rows)


if __name__ == "__main__":
    sys.exit(main())
