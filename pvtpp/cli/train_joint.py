"""Train the joint predictor, which also reads the tracker's own features.

It needs `pip install 'pvtpp[cpu,train,export]'`. The tracker is recorded once along the clips and along variations of
them, under --out. `--frozen`: it stays as it is, any tracker with features will do. `--joint`: its last layers learn
too (NanoTrack V3's and SiamRPN++'s, from torch weights), in one step with the predictor, which was trained frozen
before; the tracker's weights go to OUT/tracker.pth, its graphs to OUT/tracker, a folder for `--weights`.
`--predictors joint:OUT/joint.onnx` uses the result in every command. `pvtpp export joint` makes its graphs again, of
the weights or of a checkpoint.

  pvtpp train joint --frozen --tracker nanotrack-v3 --dataset folder --root my_clips --out runs/joint
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from dataclasses import asdict, replace
from typing import Any

from pvtpp.arguments import check_options
from pvtpp.cli import common
from pvtpp.cli.train import (
    MOMENTS,
    SHIPPED,
    after_training,
    checkpoints,
    clips,
    configured,
    publish_standing,
    require_place,
    seeded,
    split,
)
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp.progress import progress
from pvtpp.tracker import takes_search_box
from pvtpp.validation import at_least, whole_from
from pvtpp_benchmarks.provenance import facts
from pvtpp_trackers.factory import MakeTracker

FIRST_STAGE = "frozen"
"""Folder in --out where the first stage of joint training, on the frozen tracker, leaves its checkpoints."""
DISPLACED = 0.5
"""Displacement of recorded search regions where the tracker learns, target sizes."""
RANDOM = "random"
"""In place of a checkpoint: an untrained tracker, to see whether training runs at all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only the joint predictor has."""
    group = parser.add_argument_group("joint training")
    mode = group.add_mutually_exclusive_group(required=True)
    mode.add_argument("--frozen", action="store_true", help="the tracker stays as it is")
    mode.add_argument("--joint", action="store_true", help="its last layers learn too; not every tracker's")
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help=f"--joint: the tracker's torch weights (default: the catalogue's), or {RANDOM} for an untrained tracker",
    )
    group.add_argument(
        "--variations", type=int, default=4, metavar="N", help="of each clip, each by another camera (default 4)"
    )
    group.add_argument("--runs", type=int, default=4, metavar="N", help="recorded runs of each variation (default 4)")
    group.add_argument(
        "--displaced",
        type=float,
        metavar="SIZES",
        help="recorded search regions lie up to this many target sizes off the last result "
        f"(default: {DISPLACED} with --joint, so that the tracker goes on finding a target that has moved; else 0)",
    )
    common.add_tracker(parser)


def _config(options: argparse.Namespace) -> Any:
    from pvtpp.training.joint import JointTraining

    return configured(JointTraining, options.config, "--config", **seeded(options))


CONFIGURATIONS = {"config": _config}


def run(options: argparse.Namespace) -> None:
    """Train the joint predictor and publish it."""
    from pvtpp.export.joint import publish
    from pvtpp.export.publication import files_of
    from pvtpp.training.joint import train
    from pvtpp.training.ranks import is_first

    if options.displaced is None:
        options.displaced = DISPLACED if options.joint else 0.0
    check_options(options, {"variations": whole_from(0), "displaced": at_least(0)})
    if options.joint and options.resume:
        _require_first_stage(options.out)
    path, tracker_weights, tracker_graphs = (
        os.path.join(options.out, name) for name in ("joint.onnx", "tracker.pth", "tracker")
    )
    of_tracker = [tracker_weights, tracker_graphs] if options.joint else []
    first_stage = os.path.join(FIRST_STAGE, "last.ckpt") if options.joint else "last.ckpt"
    require_place(options, [*map(str, files_of(path)), *of_tracker], first_stage)
    base = _config(options)
    untrained = options.joint and options.checkpoint == RANDOM
    if untrained:
        # It is never on its target, and would leave nothing to learn from.
        base = replace(base, windows=replace(base.windows, least_overlap=0.0))
    title, sequences = common.load_sequences(options)
    parts = split(options, sequences)
    tracker, part, source = _joint(options, base.seed) if options.joint else _frozen(options)
    if options.displaced and not takes_search_box(tracker):
        raise InputError(f"--displaced is {options.displaced:g}, allowed is 0: {options.tracker} takes no search box")
    learnt, apart = (_recorded(options, tracker, source, each, base.seed) for each in parts)
    shapes = part.shapes if part else (learnt[0].template.shape, learnt[0].search.shape[1:])
    config = replace(base, network=_fitting(base.network, *shapes))
    progress = sys.stderr.isatty()
    where = os.path.join(options.out, FIRST_STAGE) if options.joint else options.out
    if not options.resume and is_first():
        _forget(options.out)
    network = train(config, None, learnt, apart, where, part, resume=options.resume, progress=progress)
    if options.joint:
        resumes = options.resume and os.path.isfile(os.path.join(options.out, "last.ckpt"))
        network = train(config, None, learnt, apart, options.out, part, True, network, resumes, progress)
    if not is_first():
        return
    card = {
        "data": title,
        "tracker": source,
        "sequences": len(parts[0]),
        "seed": config.seed,
        "training": asdict(config),
        "protocol": facts(config.seed),
    }
    with after_training(options):
        if options.joint:
            _save_tracker(part, tracker_weights)
        worst = publish(network, path, card)
        if options.joint:
            _export_tracker(options, part, source, parts[1], tracker_weights, tracker_graphs, config.seed)
        _publish_standing(options, path, apart, part, config, parts[1], tracker_graphs)
    print(
        f"{path}: {len(parts[0])} sequences learnt from, ONNX against torch {worst:.1e}; "
        f"use it as --predictors joint:{path}"
    )
    if untrained:
        print(
            f"{options.tracker} began with random weights and tracks nothing: neither it nor this predictor is of use"
        )


def _publish_standing(
    options: argparse.Namespace,
    path: str,
    apart: list[Any],
    part: Any,
    config: Any,
    sequences: list[Any],
    tracker_graphs: str,
) -> None:
    """Say where the predictor stands behind the tracker that it was trained with, as it is after the training."""
    from pvtpp.predictors.joint import WEIGHTS
    from pvtpp.training.joint import seen_by
    from pvtpp.training.moments import from_recordings
    from pvtpp.training.recorded_windows import RecordingPool

    seen = [seen_by(part, each) for each in apart] if part else apart
    make = MakeTracker(options.tracker, tracker_graphs if part else options.weights, options.style)
    # The joint predictor that comes with pvtpp reads the features of one tracker alone, as it was published.
    shipped = (SHIPPED, "joint") if not part and WEIGHTS.stem == f"joint-{options.tracker}" else (SHIPPED,)
    moments = from_recordings(RecordingPool(seen, config.windows), MOMENTS)
    publish_standing(options, "joint", path, moments, sequences, make, options.tracker, shipped)


def _require_first_stage(folder: str) -> None:
    """InputError, before the long first stage of joint training, where the second one could not be resumed after it."""
    second, first = checkpoints(folder)
    if os.path.isfile(second) and not os.path.isfile(first):
        raise InputError(f"{second}: not of joint training, whose first stage leaves {first}; take another --out")


def _forget(folder: str) -> None:
    """Remove the newest checkpoints of an earlier training, of both stages: a later --resume goes on with this one."""
    for path in checkpoints(folder):
        if os.path.isfile(path):
            os.remove(path)


def _frozen(options: argparse.Namespace) -> tuple[Any, None, str]:
    if options.checkpoint:
        raise InputError(
            f"--checkpoint {options.checkpoint} is for --joint; --frozen takes the tracker by --weights PATH"
        )
    make = MakeTracker(options.tracker, options.weights, options.style)
    return make(), None, f"{options.tracker} {make.digest()}"


def _joint(options: argparse.Namespace, seed: int) -> tuple[Any, Any, str]:
    from pvtpp_trackers.models.learning import LEARNING
    from pvtpp_trackers.recorder import Recorder

    name = options.tracker
    if name not in LEARNING:
        raise InputError(
            f"--joint trains {', '.join(LEARNING)}, the tracker is {name}; --frozen takes any with features"
        )
    if options.weights:
        raise InputError(
            f"--weights {options.weights} is for --frozen; --joint starts from --checkpoint FILE, or {RANDOM}"
        )
    model, source = _untrained(name, seed) if options.checkpoint == RANDOM else _trained(name, options.checkpoint)
    part = LEARNING[name](model)
    # The recorder runs the same layers, but only before they learn.
    return Recorder(part), part, f"{name} maps {source}"


def _trained(name: str, checkpoint: str | None) -> tuple[Any, str]:
    from pvtpp.weights.store import sha256
    from pvtpp_benchmarks.exporting import load_network
    from pvtpp_trackers.models import zoo

    path = load_network(name, checkpoint).checkpoint
    return zoo.load(name, path), sha256(path)[:12]


def _untrained(name: str, seed: int) -> tuple[Any, str]:
    import torch

    from pvtpp_trackers.models import zoo
    from pvtpp_trackers.models.parts import settle

    torch.manual_seed(seed)
    return settle(zoo.create(name), seed), f"random weights, seed {seed}"


def _recorded(options: argparse.Namespace, tracker: Any, source: str, sequences: list[Any], seed: int) -> list[Any]:
    from pvtpp.training.ranks import is_first
    from pvtpp.training.recordings import RecordingPlan, record_all
    from pvtpp.training.variations import Variation, with_variations

    made = with_variations(clips(sequences), options.variations, Variation(), seed)
    folder = os.path.join(options.out, "recordings")
    plan = RecordingPlan(options.runs, displaced=options.displaced, seed=seed)
    return list(record_all(tracker, made, plan, folder, source, progress(), wait=not is_first()))


def _fitting(network: Any, template: tuple[int, ...], search: tuple[int, ...]) -> Any:
    """The network's configuration for features of these shapes."""
    return replace(network, channels=min(network.channels, template[0]), template=template[-1], search=search[-1])


def _save_tracker(part: Any, path: str) -> None:
    """Write the tracker's weights, as ``pvtpp export`` reads them by --checkpoint."""
    import torch

    content = io.BytesIO()
    torch.save({"state_dict": part.model.state_dict()}, content)
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        file.write(content.getbuffer())


def _export_tracker(
    options: argparse.Namespace, part: Any, source: str, sequences: list[Any], weights: str, folder: str, seed: int
) -> None:
    """Export the tracker's graphs to `folder`; where that fails the message names its `weights`."""
    from functools import partial
    from pathlib import Path

    from pvtpp.export.artefact import ExportConfig, export
    from pvtpp_benchmarks.exporting import Network
    from pvtpp_trackers.models.parts import engines

    model = part.model.eval()
    network = Network(options.tracker, Path(weights), dict(zip(model.parts(), engines(model))))
    card = {"model": options.tracker, "source": {"trained": source}, "protocol": facts(seed)}
    try:
        export(network.engines, folder, ExportConfig(), partial(network.compare, sequences[:1]), card)
    except InputError as error:
        raise InputError(
            f"{error}; the tracker's trained weights are kept in {weights}; export them with: "
            f"pvtpp export {options.tracker} --checkpoint {weights} --out {folder}"
        ) from error
