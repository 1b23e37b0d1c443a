"""Training of the paper's modules by its recipe, for the N-head tables.

    python -m pvtpp_benchmarks.studies.train_paper $PVTPP_DATA --weights $PVTPP_WEIGHTS/nanotrack --modules m,mv

M is trained once for every camera rate and processing time, on LaSOT annotations without every twentieth sequence, in
windows of a camera of that rate and a tracker of that time: annotated frames are the camera's frames, or every second
or third of them, as for the motion predictor. MV is trained once, on the recordings of NanoTrack V3 that the joint
predictor is trained on, at processing times from 20 to 200 ms. With so little data the paper's number
of samples would repeat each hundreds of times, so the run is shorter (`MV_EPOCHS`). A trained module is not trained
again; an interrupted training continues from its last epoch.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import lru_cache
from typing import Any, Dict, List, Tuple

import numpy as np

from pvtpp_benchmarks import processing
from pvtpp_benchmarks.studies.train_motion import annotated

RATES = (15.0, 30.0, 60.0)
TIMES = ("20ms", "47ms", "85ms", "165ms")
KAPPA, SLOWEST_CAMERA, LONGEST_S, KINDS = 30.0, 10.0, 0.165, ("mini", "more")
"""For MV: world rate and slowest camera of `uav-mini`, longest processing time of the table, kinds of recordings."""
M_EPOCHS = 50
"""Half of the recipe: in the other half its learning rate is a ten-thousandth of the first one or less."""
MV_EPOCHS, MV_BATCHES, MV_WINDOWS = 15, 80, 64


def model_path(folder: str, fps: float, time: str) -> str:
    """Path of the graph of M for this camera rate and processing time."""
    return os.path.join(folder, f"m-{fps:g}fps-{time}.onnx")


def joint_path(folder: str) -> str:
    """Path of the graph of MV."""
    return os.path.join(folder, "mv.onnx")


@lru_cache(maxsize=1)
def boxes(root: str) -> Tuple[List[np.ndarray], List[np.ndarray]]:
    """Ground truth to train on, and that held out; boxes ``[left, top, width, height]``, shape ``(n, 4)`` each."""
    from pvtpp.training.fit import held_out

    lasot = annotated(root, "lasot_annos.tar.xz", "LaSOT")
    apart = set(held_out(list(lasot)))
    return [rows for name, rows in lasot.items() if name not in apart], [lasot[name] for name in sorted(apart)]


def train_module(root: str, folder: str, fps: float, time: str, seed: int = 0) -> str:
    """Train, check and write M for one camera rate and processing time, unless it exists; returns its path."""
    from pvtpp.training.paper import on_boxes, recipe

    path = model_path(folder, fps, time)
    if not os.path.isfile(path):
        config = recipe("motion", fps, processing.parse(time).median_ms() / 1e3, epochs=M_EPOCHS, seed=seed)
        learnt, apart = (on_boxes(config, each) for each in boxes(root))
        _train(config, learnt, apart, path, "LaSOT annotations without every twentieth sequence")
    return path


def train_joint(root: str, weights: str, recordings: str, folder: str, seed: int = 0) -> str:
    """Train, check and write MV, unless it exists; returns its path.

    `recordings` is the folder of recordings of NanoTrack V3 with the weights of the folder `weights`; missing ones are
    made.
    """
    from pvtpp.training.paper import on_recordings, recipe
    from pvtpp_benchmarks.studies.joint_data import TRAINABLE, features_of, material

    path = joint_path(folder)
    if not os.path.isfile(path):
        recorded = material(root, TRAINABLE, weights, recordings, KINDS)
        found = features_of(recorded, TRAINABLE, weights, recordings).of(KINDS)
        channels, template, _ = found[0].template.shape
        run: Dict[str, Any] = {
            "epochs": MV_EPOCHS,
            "epoch_batches": MV_BATCHES,
            "shard_windows": MV_WINDOWS,
            "seed": seed,
        }
        # As in the recipe, a tenth of the rate for the last twentieth.
        run["decay_epochs"] = (MV_EPOCHS - max(1, MV_EPOCHS // 20),)
        config = recipe("joint", KAPPA, LONGEST_S, SLOWEST_CAMERA, channels, **run)
        sides = (template, found[0].search.shape[-1])
        data = "NanoTrack V3 along uav-mini/train and uav-more/train"
        _train(config, on_recordings(config, found), None, path, data, sides)
    return path


def _train(config: Any, learnt: Any, apart: Any, path: str, data: str, sides: Tuple[int, int] = (0, 0)) -> None:
    import torch

    from pvtpp.export.n_head import publish
    from pvtpp.training.paper import train

    torch.set_num_threads(1)
    checkpoints = os.path.splitext(path)[0]
    resume = os.path.isfile(os.path.join(checkpoints, "last.ckpt"))
    network = train(config, learnt, apart, checkpoints, resume, progress=False)
    publish(network, path, config.kappa, {"data": data, "training": asdict(config)}, sides)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with annotations/, uav-mini/ and uav-more/")
    parser.add_argument("--modules", default="m,mv", help="of m, mv")
    parser.add_argument("--weights", help="mv: folder with NanoTrack V3's weights, also in torch")
    parser.add_argument(
        "--recordings", default="runs/joint", help="mv: folder of train_joint with recordings of the tracker"
    )
    parser.add_argument("--folder", default="runs/paper", help="graphs, checkpoints and logs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    wanted = args.modules.split(",")
    if "m" in wanted:
        todo = [(args.root, args.folder, fps, time, args.seed) for fps in RATES for time in TIMES]
        with ProcessPoolExecutor(args.workers) as executor:
            for path in executor.map(train_module, *zip(*todo)):
                print(path, file=sys.stderr, flush=True)
    if "mv" in wanted:
        print(train_joint(args.root, args.weights or "", args.recordings, args.folder, args.seed), file=sys.stderr)


if __name__ == "__main__":
    main()
