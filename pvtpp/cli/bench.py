"""Time every stage of a tracker and a predictor on this machine.

The stages are crop, template, search, head, decode, observe, predict and at.

Measure on the board, evaluate at home: the JSON holds every frame's time and serves as a processing-time model.

  pvtpp bench --weights exported/nanotrack --backend tensorrt --json orin.json
  pvtpp eval --processing bench:orin.json ...

With --contribute the suite of all trackers is timed, for the table of boards (docs/how-to/jetson.md).

Run nothing else meanwhile, and fix the clocks first (docs/how-to/jetson.md); the JSON says what they were.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, Optional, Tuple

from pvtpp import predictors
from pvtpp.cli import common
from pvtpp.errors import InputError
from pvtpp.files import create_folder
from pvtpp.inference.artefact import Artefact, is_artefact, read
from pvtpp.inference.engine import BACKENDS
from pvtpp.progress import progress
from pvtpp.tracker import Tracker
from pvtpp_benchmarks import contributed, power, stage_suite, stage_timing
from pvtpp_benchmarks.datasets import available, load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.machine_lock import exclusive_machine
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report import boards
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.report.table import table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--tracker", metavar="NAME", help="a name of the registry, or module:Class (default: the export's)"
    )
    parser.add_argument(
        "--weights", metavar="PATH", help="the tracker's weights, or the folder that pvtpp export wrote"
    )
    common.add_style(parser)
    parser.add_argument("--backend", metavar="B", help=f"of {', '.join(BACKENDS['.onnx'])} (default the first)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads of the tracker (default 1)")
    parser.add_argument("--predictor", default="motion", metavar="P", help="(default motion)")
    parser.add_argument("--frames", type=int, default=300, metavar="N", help="timed frames (default 300)")
    parser.add_argument(
        "--dataset", metavar="NAME", help=f"one of: {', '.join(available())} (default: a generated 720p clip)"
    )
    parser.add_argument("--root", metavar="DIR", help="where the data set lies")
    parser.add_argument("--sequence", metavar="NAME", help="the sequence to run on (default: the first)")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument(
        "--contribute",
        nargs="?",
        const=contributed.FOLDER,
        metavar="DIR",
        help="time the whole suite of trackers instead, and write the file of this machine below DIR (default "
        f"{contributed.FOLDER}); --weights is then a folder of exports by tracker",
    )


def run(options: argparse.Namespace) -> None:
    """Time the stages, and print the table."""
    if options.contribute is not None:
        _contribute(options)
        return
    check_writable(options.json)
    calls = stage_timing.EngineCalls()
    artefact = None
    if options.weights and (not options.tracker or is_artefact(options.weights)):
        artefact = read(Path(options.weights).expanduser())
    name, tracker = _tracker(options, artefact, calls)
    sequence = _sequence(options)
    predictor = predictors.create(options.predictor)
    before = power.state()
    with exclusive_machine():
        seconds = stage_timing.measure(tracker, predictor, sequence, options.frames, calls)
    after = power.state()
    rows, said = stage_timing.summary(seconds), facts(0, power_state=False)
    print(f"{name}, {options.backend or 'default backend'}, {sequence.name}, {said['hardware']['machine']}")
    print(table([("stage", lambda row: row[0]), *_COLUMNS], list(rows.items())))
    if not options.json:
        return
    kept = ("form", "precision", "pixels", "source", "graphs")
    content = {
        "protocol": said,
        # Clocks fall under load: the state at both ends is written.
        "power": {"before": before, "after": after},
        "tracker": name,
        "export": {key: artefact.card[key] for key in kept} if artefact else None,
        **{key: getattr(options, key) for key in ("backend", "threads", "predictor")},
        "sequence": sequence.name,
        "stages": rows,
        # What each tracked frame consists of, to scale it to another board stage by stage.
        "stage_s": {
            stage: [round(float(taken), 7) for taken in times]
            for stage, times in stage_timing.frame_parts(seconds).items()
        },
        # The first is the initialisation's, as in a trace.
        "frame_s": [round(float(taken), 7) for taken in (seconds["init"][0], *seconds["track"])],
    }
    write_json(options.json, content)


_COLUMNS: Tuple[Tuple[str, Any], ...] = tuple(
    (title, lambda row, key=key: f"{row[1][key]:.3f}")
    for title, key in (("median ms", "median_ms"), ("p95", "p95_ms"), ("p99", "p99_ms"), ("max", "max_ms"))
)


def _tracker(
    options: argparse.Namespace, artefact: Optional[Artefact], calls: stage_timing.EngineCalls
) -> Tuple[str, Tracker]:
    """The tracker's name and the tracker, its engines observed where it shows them."""
    name = options.tracker or (artefact.card["model"] if artefact else None)
    if name is None:
        raise InputError("name what to time: --tracker NAME, or --weights with the folder of an export")
    given = {key: getattr(options, key) for key in ("backend", "threads") if getattr(options, key) is not None}
    return name, stage_suite.observed_tracker(name, options.weights, calls, style=options.style, **given)[0]


def _contribute(options: argparse.Namespace) -> None:
    """Time the suite, print a table and write the file of this machine."""
    for name in ("tracker", "dataset", "root", "sequence", "json"):
        if getattr(options, name):
            raise InputError(
                f"--{name} with --contribute: the suite says what is timed, on what and where it is written"
            )
    create_folder(options.contribute, "--contribute")
    check_writable(os.path.join(options.contribute, "result.json"))
    threads = 1 if options.threads is None else options.threads
    content = stage_suite.measure_suite(options.backend, threads, options.frames, options.weights, progress=progress())
    path = os.path.join(options.contribute, contributed.name_of(contributed.check(content, "--contribute")))
    create_folder(os.path.dirname(path))
    write_json(path, content)
    print(boards.suite_table([content]))
    print(f"\nwritten: {path}")


def _sequence(options: argparse.Namespace) -> VideoSequence:
    if not options.dataset:
        if options.root or options.sequence:
            raise InputError("--root and --sequence need --dataset, the layout of what lies there")
        from pvtpp_benchmarks.synthetic import AerialClip, render

        return render(AerialClip(width=1280, height=720, seconds=2.0, target_px=80.0, occlusions=()))
    if not options.root:
        raise InputError("--dataset needs --root, the folder it lies in")
    dataset = load(options.dataset, options.root)
    return dataset[options.sequence] if options.sequence else dataset[0]
