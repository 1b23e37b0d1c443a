r"""Score published result files online, as if their tracker had been as fast or slow as you say. No image is needed.

  pvtpp replay --dataset annotations --root data/annotations/uav_annos.tar.xz --subset DTB70_official \
      --results data/results/DTB70/NanoTrackV3 --processing 47ms,85ms

Result files may be of any format that `pvtpp convert` reads; `--processing recorded` takes the times that they hold.
Those of an e-LAE toolkit are matched with the world's frames already: they are scored as they are, in rows whose
predictor is `matched`.

Or drive the state machine with recorded event logs, of `run`, of `track` or of a flight, and check that it makes the
same trajectories, to the bit:

  pvtpp replay flight.jsonl
"""

from __future__ import annotations

import argparse
import hashlib
import os
from dataclasses import dataclass
from typing import Any, Dict, List

import numpy as np

from pvtpp import predictors
from pvtpp.cli import common, output
from pvtpp.cli.grid import add_grid, executor_of, settings
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.logs.cut import replays
from pvtpp.progress import progress
from pvtpp.tracker import Tracker
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.execution import RunsLost
from pvtpp_benchmarks.formats import FORMATS, read_results, recognise
from pvtpp_benchmarks.formats.elae import is_sigma
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.provenance import data_facts
from pvtpp_benchmarks.score_files import score_files

RECORDED = "recorded"
"""The processing times that the result files themselves hold."""


@dataclass(frozen=True)
class MakeReplay:
    """Makes the replaying tracker of each sequence."""

    results: Dict[str, np.ndarray]

    def __call__(self, sequence: VideoSequence) -> Tracker:
        """Make the tracker that answers with the recorded boxes of this sequence."""
        from pvtpp_trackers.replay import ReplayTracker

        return ReplayTracker(self.results[sequence.name])

    def digest(self) -> str:
        """Tell these results from others of the same tracker name."""
        content = hashlib.sha256()
        for name in sorted(self.results):
            content.update(name.encode() + self.results[name].tobytes())
        return content.hexdigest()[:12]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "events", nargs="*", metavar="LOG", help="event logs to replay through the state machine, instead of --results"
    )
    parser.add_argument("--results", metavar="DIR", help="one tracker's result files, of any format that can be read")
    common.add_format(parser)
    common.add_dataset(parser, required=False)
    add_grid(parser)
    output.add_output(parser)
    parser.add_argument("--no-offline", action="store_true", help="leave out the zero-latency rows")
    parser.set_defaults(logs=None)


def run(options: argparse.Namespace) -> int:
    """Score result files, or replay event logs; returns 1 where a log replays differently."""
    if options.events:
        return sum([not _agrees(path) for path in options.events]) and 1
    missing = [f"--{name}" for name in ("results", "dataset", "root") if getattr(options, name) is None]
    if missing:
        raise InputError(
            f"{', '.join(missing)} missing: result files need all three of --results, --dataset and --root"
        )
    if options.clock == "wall":
        raise InputError("--clock wall: recorded boxes take no time of their own, allowed is simulated")
    output.check_output(options)
    if "predicted" in options.search_region:
        raise InputError(
            "--search-region predicted: recorded boxes cannot look elsewhere, the tracker itself has to run"
        )
    readers = [name for name in options.predictors if predictors.reads_features(predictors.create(name))]
    if readers:
        raise InputError(
            f"--predictors {','.join(readers)}: reads the tracker's features, which recorded boxes do not have; "
            "the tracker itself has to run"
        )
    form = options.format or recognise(options.results).name
    if form == "logs":
        raise InputError(f"--results {options.results}: event logs, not result files; `pvtpp score` scores them")
    _refuse_one_sigma(options.results)
    title, sequences = common.load_sequences(options, images=False)
    tracker = os.path.basename(os.path.abspath(options.results))
    if FORMATS[form].matched:
        rows = _matched(options, form, title, tracker, sequences)
        output.finish(options, rows, options.seed, data_facts(title, sequences))
        return 0
    lengths = {sequence.name: len(sequence) for sequence in sequences}
    results = read_results(options.results, lengths, lengths, form)
    make_tracker = MakeReplay({name: boxes.xywh[0] for name, boxes in results.items()})
    if options.processing and RECORDED in options.processing:
        options.processing = [f"results:{options.results}" if t == RECORDED else t for t in options.processing]
    grid = make_grid(
        title,
        f"replay:{tracker}",
        tracker_digest=make_tracker.digest(),
        mode=options.mode,
        apart=options.apart,
        offline=not options.no_offline,
        **{
            **settings(options),
            "search_region": ("last",),
            "propagation": options.propagation or ("none",),
            "presence": options.presence or ("off",),
        },
    )
    try:
        with executor_of(options) as executor:
            rows = evaluate(sequences, grid, make_tracker, options.logs, executor, progress())
    except RunsLost as error:
        return output.report_lost("replay", error)
    output.finish(options, rows, options.seed, data_facts(title, sequences))
    return 0


def _matched(
    options: argparse.Namespace, form: str, title: str, tracker: str, sequences: List[VideoSequence]
) -> List[Dict[str, Any]]:
    """The rows of result files that are matched with the world's frames already: no time is charged again."""
    if options.processing is not None:
        raise InputError(
            f"--processing {','.join(options.processing)}: the files in {options.results} are matched in latency "
            f"already (format {form}), they would be charged for it twice; leave the option out"
        )
    lengths = {sequence.name: len(sequence.ground_truth_xywh) for sequence in sequences}
    results = read_results(options.results, lengths, lengths, form, sequences)
    return score_files(f"{form}:{tracker}", results, sequences, title, None, options.mode, frozenset(options.apart))


def _refuse_one_sigma(folder: str) -> None:
    """Refuse the folder of one permitted latency of an e-LAE toolkit: its boxes would be charged for latency twice."""
    above, name = os.path.split(os.path.abspath(folder))
    try:
        beside = [each.name for each in os.scandir(above) if each.is_dir() and is_sigma(each.name)]
    except OSError:
        beside = []
    if is_sigma(name) and ("." in name or len(beside) > 1):
        raise InputError(
            f"--results {folder}: already matched in latency, the folder of sigma {name}; give {above}, which holds "
            "all of them, or the results as the tracker wrote them, one row per frame"
        )


def _agrees(path: str) -> bool:
    """Whether the state machine, driven with the events of a log, makes the trajectories that the log holds."""
    log = EventLog.read(path)
    if not replays(log):
        raise InputError(
            f"{path}: a part from {log.meta['cut']['from_s']} s on, which lacks what the stages were at then; whole "
            "logs and parts by `pvtpp log cut --target` replay"
        )
    if not log.predictors:
        raise InputError(f"{path}: no target was ever given, so there is nothing to replay")
    again = replay(log, {name: predictors.create(name) for name in log.predictors})
    same = again.rows == log.rows
    made = f"{len(log.of_kind('trajectory'))} trajectories of {', '.join(log.predictors)}"
    output.say(f"{path}: {len(log.rows)} events, {made}: {'the same' if same else 'OTHERS'}")
    return same
