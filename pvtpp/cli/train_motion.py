"""Train the any-time motion predictor on your own annotated boxes; needs `pip install 'pvtpp[train,export]'`.

Images and frame rates are not looked at: rows count as frames of the rates that `windows` in --config draws. Sequences
held out serve validation and the calibration of sigma. `--predictors motion:OUT/motion.onnx` uses the result in every
command.

  pvtpp train motion --dataset lasot --root data/LaSOT --split train --out runs/motion --config '{"epochs": 25}'
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict

from pvtpp.cli import common
from pvtpp.cli.train import configured, refuse_rates, seeded, split
from pvtpp_benchmarks.provenance import facts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--calibration", metavar="JSON", help="like --config, with fields of Calibration (sigma, after training)"
    )


def run(options: argparse.Namespace) -> None:
    """Train, calibrate sigma, and write the graph."""
    from pvtpp.export.motion import publish
    from pvtpp.training import calibration as sigma
    from pvtpp.training.draw import few
    from pvtpp.training.motion import MotionTraining, train
    from pvtpp.training.ranks import is_first

    refuse_rates(options, "train motion")
    config = configured(MotionTraining, options.config, "--config", **seeded(options))
    calibration = configured(sigma.Calibration, options.calibration, "--calibration", **seeded(options))
    title, sequences = common.load_sequences(options, images=False)
    learnt, kept = ([each.ground_truth_xywh for each in part] for part in split(options, sequences))
    warning = few(sigma.check(calibration, config.network.history, kept), sigma.PURPOSE)
    if warning and is_first():
        print(warning, file=sys.stderr)
    network = train(config, learnt, kept, options.out, options.resume, progress=sys.stderr.isatty())
    if not is_first():
        return
    network = sigma.calibrate(network, calibration, kept)
    path = os.path.join(options.out, "motion.onnx")
    card = {
        "data": title,
        "sequences": len(learnt),
        "seed": config.seed,
        "training": asdict(config),
        "calibration": asdict(calibration),
        "protocol": facts(config.seed),
    }
    worst = publish(network, path, card)
    print(
        f"{path}: {len(learnt)} sequences learnt from, ONNX against torch {worst:.1e}; "
        f"use it as --predictors motion:{path}"
    )
