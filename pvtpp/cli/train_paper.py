r"""Train PVT++'s own modules with N heads by its recipe; needs `pip install 'pvtpp[cpu,train,export]'`.

A module is made for one frame rate and one processing time, which say how many heads it has. `m` learns from annotated
boxes alone; `v` and `mv` from what the tracker said and saw along the clips, recorded once under --out. `--predictors
n_head:OUT/m.onnx` uses the result in every command. `pvtpp export paper` makes the graphs again, of the weights or of a
checkpoint.

  pvtpp train paper --modules m --kappa 30 --processing 47ms --dataset lasot --root data/LaSOT --split train \
      --out runs/m47
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from pvtpp.cli import common
from pvtpp.cli.train import (
    MOMENTS,
    after_training,
    clips,
    configured,
    publish_standing,
    refuse_rates,
    require_place,
    seeded,
    split,
)
from pvtpp.errors import InputError
from pvtpp.progress import progress
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.provenance import facts
from pvtpp_trackers.factory import MakeTracker

if TYPE_CHECKING:
    from pvtpp.training.moments import Moment

MODULES = {"m": "motion", "v": "visual", "mv": "joint"}
SHORTEST_S = 0.02
"""Recordings for V and MV are made at processing times from this one up to --processing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only a module of the paper has."""
    group = parser.add_argument_group("module")
    group.add_argument("--modules", required=True, choices=list(MODULES), help="motion, visual, or both")
    group.add_argument("--kappa", type=float, default=30.0, metavar="FPS", help="frame rate of its heads (default 30)")
    group.add_argument(
        "--processing",
        required=True,
        metavar="T",
        help=f"what the tracker needs a frame (v, mv: at most): {processing.FORMS}",
    )
    group.add_argument("--runs", type=int, default=6, metavar="N", help="v, mv: recorded runs of each clip (default 6)")
    common.add_tracker(parser)


def _config(options: argparse.Namespace) -> Any:
    from pvtpp.training.paper import recipe

    if options.modules is None or options.processing is None:
        raise InputError("--print-config needs --modules and --processing before it: they decide the recipe")
    return _configured(options, recipe(MODULES[options.modules], options.kappa, _seconds(options)))


CONFIGURATIONS = {"config": _config}


def _seconds(options: argparse.Namespace) -> float:
    return processing.parse(options.processing).median_ms() / 1e3


def run(options: argparse.Namespace) -> None:
    """Train a module of the paper and publish it."""
    from pvtpp.export.n_head import publish
    from pvtpp.export.publication import files_of
    from pvtpp.training.moments import from_recordings, from_windows
    from pvtpp.training.paper import on_boxes, on_recordings, recipe, train
    from pvtpp.training.ranks import is_first
    from pvtpp.training.recorded_windows import RecordingPool
    from pvtpp.training.windows import BoxPool, sample

    kind, seconds = MODULES[options.modules], _seconds(options)
    boxes_alone = kind == "motion"
    path = os.path.join(options.out, f"{options.modules}.onnx")
    require_place(options, map(str, files_of(path)))
    if boxes_alone:
        refuse_rates(options, "train paper --modules m")
        config, sides = _configured(options, recipe(kind, options.kappa, seconds)), (0, 0)
    title, sequences = common.load_sequences(options, images=not boxes_alone)
    parts = split(options, sequences)
    moments: Iterator[Moment]
    if boxes_alone:
        learnt, apart = (on_boxes(config, [each.ground_truth_xywh for each in part]) for part in parts)
        boxes = BoxPool([each.ground_truth_xywh for each in parts[1]])
        moments = from_windows(sample(boxes, config.windows, np.random.default_rng([config.seed, 1]), MOMENTS))
    else:
        camera_fps = min(each.camera_fps for each in sequences)
        # Before anything is recorded, though the features' channels are not known yet.
        seed = _configured(options, recipe(kind, options.kappa, seconds, camera_fps)).seed
        recordings = [_recorded(options, part, seconds, seed) for part in parts]
        template, search = recordings[0][0].template, recordings[0][0].search
        sides = template.shape[-1], search.shape[-1]
        config = _configured(options, recipe(kind, options.kappa, seconds, camera_fps, len(template)))
        learnt, apart = (on_recordings(config, part) for part in recordings)
        moments = from_recordings(RecordingPool(recordings[1], config.recorded), MOMENTS)
    network = train(config, learnt, apart, options.out, options.resume, progress=sys.stderr.isatty())
    if not is_first():
        return
    card = {
        "data": title,
        "sequences": len(parts[0]),
        "seed": config.seed,
        "training": asdict(config),
        "protocol": facts(config.seed),
    }
    with after_training(options):
        worst = publish(network, path, config.kappa, card, sides)
        own = () if boxes_alone else (MakeTracker(options.tracker, options.weights, options.style), options.tracker)
        publish_standing(options, "n_head", path, moments, parts[1], *own)
    print(
        f"{path}: {len(parts[0])} sequences learnt from, ONNX against torch {worst:.1e}; "
        f"use it as --predictors n_head:{path}"
    )


def _configured(options: argparse.Namespace, preset: Any) -> Any:
    """The recipe's configuration with what --config changes: not the frame rate and the heads, which are options."""
    from pvtpp.training.paper import PaperTraining

    config = configured(PaperTraining, options.config, "--config", preset, **seeded(options))
    found, wanted = ((each.kappa, each.network.heads, each.network.kind) for each in (config, preset))
    if found != wanted:
        names = ("kappa", "network.heads", "network.kind")
        wrong = next((name, value) for name, value, other in zip(names, found, wanted) if value != other)
        raise InputError(
            f"--config: {wrong[0]} {wrong[1]} is what --kappa, --processing and --modules say, leave it out"
        )
    return config


def _recorded(options: argparse.Namespace, sequences: list[Any], longest_s: float, seed: int) -> list[Any]:
    """The tracker's boxes and features along these sequences, at processing times up to `longest_s` seconds."""
    from pvtpp.training.ranks import is_first
    from pvtpp.training.recordings import RecordingPlan, record_all

    make = MakeTracker(options.tracker, options.weights, options.style)
    plan = RecordingPlan(runs=options.runs, processing_s=(min(SHORTEST_S, longest_s), longest_s), seed=seed)
    source, folder = f"{options.tracker} {make.digest()}", os.path.join(options.out, "recordings")
    return list(record_all(make(), clips(sequences), plan, folder, source, progress(), wait=not is_first()))
