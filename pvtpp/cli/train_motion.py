"""Train the any-time motion predictor on your own annotated boxes; needs `pip install 'pvtpp[cpu,train,export]'`.

Images and frame rates are not looked at: rows count as frames of the rates that `windows` in --config draws. Sequences
held out serve validation and the calibration of sigma. `--predictors motion:OUT/motion.onnx` uses the result in every
command. `pvtpp export motion` makes the graph again, of the weights or of a checkpoint.

  pvtpp train motion --dataset lasot --root data/LaSOT --split train --out runs/motion --config '{"epochs": 25}'
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from typing import Any

import numpy as np

from pvtpp.cli import common
from pvtpp.cli.train import (
    MOMENTS,
    after_training,
    configured,
    publish_standing,
    refuse_rates,
    require_place,
    seeded,
    split,
)
from pvtpp.progress import progress
from pvtpp_benchmarks.provenance import facts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only the motion predictor has."""
    parser.add_argument(
        "--calibration", metavar="JSON", help="like --config, with fields of Calibration (sigma, after training)"
    )


def _config(options: argparse.Namespace) -> Any:
    from pvtpp.training.motion import MotionTraining

    return configured(MotionTraining, options.config, "--config", **seeded(options))


def _calibration(options: argparse.Namespace) -> Any:
    from pvtpp.training.calibration import Calibration

    return configured(Calibration, options.calibration, "--calibration", **seeded(options))


CONFIGURATIONS = {"config": _config, "calibration": _calibration}


def run(options: argparse.Namespace) -> None:
    """Train the motion predictor and publish it."""
    from pvtpp.export.motion import publish
    from pvtpp.export.publication import files_of
    from pvtpp.training import calibration as sigma
    from pvtpp.training.draw import few
    from pvtpp.training.moments import from_windows
    from pvtpp.training.motion import train
    from pvtpp.training.ranks import is_first
    from pvtpp.training.windows import BoxPool, sample

    refuse_rates(options, "train motion")
    path = os.path.join(options.out, "motion.onnx")
    require_place(options, map(str, files_of(path)))
    config, calibration = _config(options), _calibration(options)
    title, sequences = common.load_sequences(options, images=False)
    parts = split(options, sequences)
    learnt, kept = ([each.ground_truth_xywh for each in part] for part in parts)
    warning = few(sigma.check(calibration, config.network.history, kept), sigma.PURPOSE)
    if warning and is_first():
        print(warning, file=sys.stderr)
    network = train(config, learnt, kept, options.out, options.resume, progress=sys.stderr.isatty())
    if not is_first():
        return
    card = {
        "data": title,
        "sequences": len(learnt),
        "seed": config.seed,
        "training": asdict(config),
        "calibration": asdict(calibration),
        "protocol": facts(config.seed),
    }
    with after_training(options):
        worst = publish(sigma.calibrate(network, calibration, kept, progress()), path, card)
        drawn = sample(BoxPool(kept), config.windows, np.random.default_rng([config.seed, 1]), MOMENTS)
        publish_standing(options, "motion", path, from_windows(drawn), parts[1])
    print(
        f"{path}: {len(learnt)} sequences learnt from, ONNX against torch {worst:.1e}; "
        f"use it as --predictors motion:{path}"
    )
