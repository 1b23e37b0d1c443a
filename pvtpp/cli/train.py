"""Train a predictor on your own annotated boxes; needs `pip install 'pvtpp[train,export]'`.

Any data set of `pvtpp datasets list` will do, images are not looked at. Checkpoints and TensorBoard logs go to --out, and at
the end the graph that runs without torch: `--predictors motion:OUT/motion.onnx` uses it in every command. Under `torchrun` it
trains on many machines. Every twentieth sequence is held out for validation and for the calibration of sigma.

  pvtpp train motion --dataset lasot --root data/LaSOT --split train --out runs/motion --config '{"epochs": 25}'
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from typing import Any

from pvtpp.cli import common
from pvtpp.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["motion"], help="motion: from boxes alone, for any tracker")
    common.add_dataset(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help="checkpoints, logs, and the result")
    parser.add_argument("--config", metavar="JSON", help="a file, or an object, with fields of MotionTraining")
    parser.add_argument("--calibration", metavar="JSON", help="likewise, with fields of Calibration (sigma, after training)")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in --out")
    parser.add_argument("--seed", type=int, help="(default: the configuration's)")


def run(options: argparse.Namespace) -> None:
    try:
        from pvtpp.export.motion import publish
        from pvtpp.training import config as configurations
        from pvtpp.training.calibration import Calibration, calibrate, temper
        from pvtpp.training.motion import MotionTraining, held_out, train
    except ImportError as error:
        raise InputError(f"training needs {error.name}: pip install 'pvtpp[train,export]'") from None

    given: dict[str, Any] = {} if options.seed is None else {"seed": options.seed}

    def configured(kind: type, text: str | None, option: str) -> Any:
        text = text or "{}"
        if text.lstrip().startswith("{"):
            return configurations.made(kind, common.parse_json(text, option), option, **given)
        return configurations.read(text, kind, **given)

    config = configured(MotionTraining, options.config, "--config")
    calibration = configured(Calibration, options.calibration, "--calibration")
    title, sequences = common.load_sequences(options, images=False)
    apart = set(held_out([sequence.name for sequence in sequences])) or {sequences[-1].name}
    kept = [sequence.ground_truth_xywh for sequence in sequences if sequence.name in apart]
    learnt = [sequence.ground_truth_xywh for sequence in sequences if sequence.name not in apart]
    if not learnt:
        raise InputError(
            f"{options.root}: {len(sequences)} sequences are too few, one is held out and one to learn from needed"
        )
    network = train(config, learnt, kept, options.out, options.resume, progress=sys.stderr.isatty())
    network = temper(calibrate(network, calibration, kept), calibration, [kept], (1,))
    path = os.path.join(options.out, "motion.onnx")
    card = {
        "data": title,
        "sequences": len(learnt),
        "seed": config.seed,
        "training": asdict(config),
        "calibration": asdict(calibration),
        "protocol": common.facts(config.seed),
    }
    worst = publish(network, path, card)
    print(f"{path}: {len(learnt)} sequences learnt from, ONNX against torch {worst:.1e}; use it as --predictors motion:{path}")
