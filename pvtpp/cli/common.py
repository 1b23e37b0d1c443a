"""What several commands share: their arguments, progress, and how a result leaves the program."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from benchmarks import processing
from benchmarks.datasets import Dataset, available, load
from benchmarks.datasets.sequence import Sequence
from benchmarks.metrics import MODES
from benchmarks.protocol import code_version, facts
from benchmarks.report.files import write_json
from benchmarks.report.table import result_table
from benchmarks.runs import RunSpec
from benchmarks.simulation import CORES, SCHEDULES
from pvtpp import predictors, propagation
from pvtpp import weights as catalogue
from pvtpp.errors import InputError
from pvtpp.runtime.pipeline import SEARCH_REGIONS
from pvtpp.shadow import check_trackers
from pvtpp.tracker import Tracker

DEFAULT_PROCESSING = "0ms,20ms,47ms,85ms,165ms"
DEFAULT_PREDICTORS = "hold,constant_velocity,kalman,motion"


def names(text: str) -> Tuple[str, ...]:
    """A comma-separated list, repetitions dropped."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


@dataclass(frozen=True)
class MakeTracker:
    """Makes the tracker for a sequence; one per process, since `init` resets it fully. Can be sent to other processes."""

    name: str
    weights: Optional[str] = None

    def __call__(self, sequence: Optional[Sequence] = None) -> Tracker:
        return _tracker(self.name, self.weights)

    def digest(self) -> str:
        """Tells this tracker from another of the same name: its own source file and its weights."""
        files: List[str] = []
        if ":" in self.name:
            # Made first: where the registry looks for a module, the working folder too, is the registry's business.
            self()
            spec = find_spec(self.name.partition(":")[0])
            files += [spec.origin] if spec is not None and spec.origin else []
        if self.weights is not None:
            files += [os.path.join(folder, name) for folder, _, names_ in os.walk(self.weights) for name in sorted(names_)]
            files += [self.weights] if os.path.isfile(self.weights) else []
        content = hashlib.sha256(repr(self.weights).encode())
        for path in files:
            with open(path, "rb") as file:
                content.update(file.read())
        return content.hexdigest()[:12]


def create_tracker(name: str, weights: Optional[str] = None) -> Tracker:
    """A new tracker of the registry; its weights are fetched first where they are missing, and the progress shown."""
    # Before the import: another distribution of this name would fail in it, far from the cause.
    check_trackers()
    from trackers import registry

    if name in {entry.name for entry in catalogue.list_entries()}:
        # Here, and not in the tracker, because here a person is watching.
        catalogue.find(name, weights, download_progress())
    return registry.create(name, **({} if weights is None else {"weights": weights}))


_tracker = lru_cache(maxsize=4)(create_tracker)


def add_dataset(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data set")
    group.add_argument("--dataset", required=True, metavar="NAME", help=f"one of: {', '.join(available())}")
    group.add_argument("--root", required=True, metavar="DIR", help="where the data set lies")
    group.add_argument("--split", help="train, val, test .. where the data set has splits")
    group.add_argument("--subset", help="folder inside an annotation archive")
    group.add_argument("--camera-fps", type=float, help="show the tracker fewer frames than the world has (annotations)")
    group.add_argument("--fps", type=float, help="world frame rate, where the layout does not tell (default 30)")
    group.add_argument("--sequences", type=names, metavar="A,B", help="these sequences only")
    group.add_argument(
        "--apart", type=names, default=(), metavar="A,B", help="table these sequences apart, in rows of their own"
    )


def load_dataset(options: argparse.Namespace, images: bool = True) -> Dataset:
    """The data set that the options name, or the sequences of it that they ask for."""
    given = {name: getattr(options, name) for name in ("subset", "fps", "camera_fps")}
    extra = {name: value for name, value in given.items() if value is not None}
    dataset = load(options.dataset, options.root, options.split, images=images, **extra)
    return dataset.select(options.sequences) if options.sequences else dataset


def load_sequences(options: argparse.Namespace, images: bool = True) -> Tuple[str, List[Sequence]]:
    """The data set's title and its sequences."""
    dataset = load_dataset(options, images)
    return dataset.name, list(dataset)


def add_tracker(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tracker")
    group.add_argument("--tracker", default="nanotrack-v3", metavar="NAME", help="a name of the registry, or module:Class")
    group.add_argument("--weights", metavar="PATH", help="folder or file with the tracker's weights")


def add_grid(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("online protocol")
    group.add_argument(
        "--processing",
        type=names,
        default=names(DEFAULT_PROCESSING),
        metavar="T,T",
        help=f"processing times per frame: {processing.FORMS} (default {DEFAULT_PROCESSING})",
    )
    group.add_argument(
        "--predictors",
        type=names,
        default=names(DEFAULT_PREDICTORS),
        metavar="P,P",
        help=f"of {', '.join(predictors.names())} (default {DEFAULT_PREDICTORS})",
    )
    group.add_argument(
        "--predictor-processing",
        default="0ms",
        metavar="T",
        help="what a prediction costs: 0.2ms for all, or kalman=0.2ms,hold=0ms (default 0ms)",
    )
    group.add_argument("--search-region", type=names, default=("last",), metavar="R,R", help=f"of {', '.join(SEARCH_REGIONS)}")
    group.add_argument("--schedule", type=names, default=("async",), metavar="S,S", help=f"of {', '.join(SCHEDULES)}")
    group.add_argument(
        "--propagation",
        type=names,
        default=("none",),
        metavar="F,F",
        help=f"the fast lane: of {', '.join(propagation.names())}",
    )
    group.add_argument("--propagation-processing", default="2.5ms", metavar="T", help="what a step of it costs (default 2.5ms)")
    group.add_argument("--propagation-core", default="own", choices=CORES, help="its own core, or the tracker's (default own)")
    group.add_argument("--starts", type=int, default=1, metavar="N", help="start at 0, 1/N, 2/N .. of each clip")
    group.add_argument("--jitter-init", type=float, default=0.0, metavar="PX", help="jitter of the first box, in pixels")
    group.add_argument(
        "--draws", type=int, metavar="K", help="runs per start, the first without jitter (default 4 with --jitter-init, else 1)"
    )
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--logs", default="runs", metavar="DIR", help="where event logs are kept (default runs)")
    group.add_argument("--workers", type=int, default=1, metavar="N", help="processes to run sequences in (default 1)")


def add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--mode", type=names, default=("otb",), metavar="M,M", help=f"metric modes, of {', '.join(MODES)}")
    group.add_argument("--json", metavar="FILE", help="write the rows, with everything needed to repeat them")
    group.add_argument("--plot", metavar="PNG", help="draw the e-LAE curves (AUC over sigma)")


def base_spec(options: argparse.Namespace, dataset: str, tracker: str, digest: str) -> RunSpec:
    if not options.processing:
        raise InputError(f"--processing names no time, expected one or more of: {processing.FORMS}")
    draws = options.draws if options.draws is not None else (4 if options.jitter_init else 1)
    return RunSpec(
        dataset,
        tracker,
        options.processing[0],
        starts=options.starts,
        draws=draws,
        jitter_px=options.jitter_init,
        seed=options.seed,
        propagation_ns=constant_ns(options.propagation_processing, "--propagation-processing"),
        propagation_core=options.propagation_core,
        version=code_version(),
        tracker_digest=digest,
    )


def predictor_costs(text: str, served: Tuple[str, ...]) -> Dict[str, int]:
    """``2ms`` or ``name=2ms,name=1ms`` to nanoseconds by predictor."""
    costs = dict.fromkeys(served, 0)
    for part in names(text):
        name, equals, time = part.rpartition("=")
        if equals and name not in costs:
            raise InputError(f"--predictor-processing names {name!r}, not among the predictors {', '.join(served)}")
        costs.update(dict.fromkeys([name] if equals else served, constant_ns(time, "--predictor-processing")))
    return costs


def parse_json(text: str, option: str) -> Any:
    """JSON given on the command line; InputError naming the option."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: not JSON ({error})") from None


def constant_ns(text: str, option: str) -> int:
    """A constant processing time in nanoseconds; InputError naming the option for any other model."""
    model = processing.parse(text)
    if not isinstance(model, processing.Constant):
        raise InputError(f"{option} {text!r}: a constant such as 0.5ms is needed")
    return model.nanoseconds


@contextmanager
def workers(count: int) -> Iterator[Optional[Executor]]:
    """A process pool of `count`, or None for this process alone."""
    if count < 1:
        raise InputError(f"--workers must be at least 1, got {count}")
    if count == 1:
        yield None
        return
    with ProcessPoolExecutor(count) as pool:
        yield pool


def progress() -> Callable[[str], None]:
    """Prints progress to stderr: one line that rewrites itself on a terminal, plain lines elsewhere."""
    terminal = sys.stderr.isatty()

    def show(text: str) -> None:
        print(f"\r\033[K{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)

    return show


def download_progress() -> Callable[[str, int, int], None]:
    """Progress of a download of weights."""
    show = progress()
    return lambda file, done, total: show(f"{file}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")


def finish(options: argparse.Namespace, rows: List[Dict[str, Any]], seed: int = 0) -> None:
    """Print the table, write the JSON and the plot where they are asked for."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(result_table(rows))
    if options.json:
        write_json(options.json, {"protocol": facts(seed), "rows": rows})
    if options.plot:
        plot(options.plot, rows)


def plot(path: str, rows: List[Dict[str, Any]]) -> None:
    """The e-LAE curves of the online rows, each mode and camera rate named."""
    from benchmarks.protocol import hardware
    from benchmarks.report.curves import plot_elae

    drawn = [row for row in rows if not row["apart"]]
    online = [row for row in drawn if row["curve"]]
    if not online:
        raise InputError("--plot: there is no online row to draw")
    varying = [
        name
        for name in ("search_region", "schedule", "propagation", "mode", "camera_fps")
        if len({r[name] for r in online}) > 1
    ]
    curves = {}
    for row in drawn:
        name = f"{row['predictor']}, {row['processing_ms']:g} ms" if row["curve"] else "zero latency"
        details = {**{field: str(row[field]) for field in varying}, "camera_fps": f"{row['camera_fps']:g} fps"}
        details["propagation"] = "fast lane" if row["propagation"] not in (None, "none") else ""
        told = [details[field] for field in varying if row["curve"] or field == "camera_fps"]
        exact = row["exact_curve"] or {"sigma": [0.0], "auc": [row["auc"]]}
        curves[", ".join([name, *filter(None, told)])] = (exact["sigma"], exact["auc"])
    first = online[0]
    modes = "/".join(dict.fromkeys(row["mode"] for row in online))
    plot_elae(
        path,
        curves,
        title=f"{first['tracker']} on {first['dataset']}",
        subtitle=f"AUC ({modes}), {first['sequences']} clips, simulated clock; {hardware()['machine']}",
    )
