"""Training and evaluation of the committed joint weights for NanoTrack V3, on frozen features and with the tracker.

    python -m pvtpp_benchmarks.studies.train_joint $PVTPP_DATA --weights $PVTPP_WEIGHTS/nanotrack --json out.json

Training data: recordings of the tracker on the eight training clips of `uav-mini`, on variations of these clips as
other cameras would have filmed them, and on generated clips. There are four stages:

* `choose` leaves two clips out in turn and compares kinds of training data on them; the test clips are not used.
* `train` trains a network on frozen features and one jointly with the tracker, for each seed.
* `table` runs them on `uav-mini/test` (12 clips, four starts, simulated clock, no propagation, AUC `otb`).
* `publish` writes the first network on frozen features into the package.

Every stage continues where an earlier call was interrupted. By default all stages but `publish` run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import lru_cache, partial
from typing import Any, Dict, List, Tuple

import numpy as np

from pvtpp import predictors
from pvtpp.predictors.joint import WEIGHTS
from pvtpp.tracker import Tracker
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import Grid, evaluate
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import write_json
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_benchmarks.studies.joint_data import FOLDS, RUNS, Material, features_of, material, source

TIMES = ("47ms", "85ms", "165ms")
STARTS = 4
SEEDS = (0, 1, 2)
KINDS = ("frozen", "joint")
STAGES = ("choose", "train", "table", "publish")
GRAPHS = ("template.onnx", "search.onnx", "head.onnx")
JOINT_RUN: Dict[str, Any] = {"epochs": 2, "epoch_batches": 15, "shard_windows": 16, "warmup": 5, "learning_rate": 3e-4}
"""Changes for joint training: fewer and smaller steps, since a step costs some fifty times as much."""
CLASSICAL = ("hold", "kalman:pvt", "kalman:size_aware")
MATERIAL = {
    "real": (("real",), 1.0),
    "real and varied": (("real", "varied"), 1.0),
    "all": (("real", "varied", "generated"), 1.0),
    "half of the clips, varied": (("real", "varied"), 0.5),
    "a quarter of the clips, varied": (("real", "varied"), 0.25),
}
"""Choices of training data: kinds of clips, and the share of the real ones."""
CHOSEN = "real and varied"
"""The choice that the committed weights were trained on."""


def settings(seed: int = 0, **changes: Any) -> Any:
    """The training configuration of the committed weights, with `changes`."""
    from pvtpp.training.joint import JointTraining

    return replace(JointTraining(seed=seed), **changes)


def overlaps(network: Any, recordings: Sequence[Any], windows: Any) -> Dict[str, Tuple[float, float]]:
    """By clip the mean IoU of the predictions at all queried frames, for the motion part and for the joint network."""
    import torch

    from pvtpp.networks.motion import mean_at
    from pvtpp.predictors.motion import INPUTS
    from pvtpp.training.motion import overlap
    from pvtpp.training.recorded_windows import RecordingPool

    found = {}
    for clip in dict.fromkeys(each.clip for each in recordings):
        sums = np.zeros(3)
        for batch in RecordingPool([each for each in recordings if each.clip == clip], windows).every(256):
            with torch.inference_mode():
                vectors = network.encode_all(batch["template"], batch["search"], batch["seen"])
                motion_models = (
                    network.motion.motion_model(*(batch[name] for name in INPUTS)),
                    network.motion_model(batch, vectors, batch["seen"]),
                )
                shared = [
                    overlap(mean_at(model[0], model[2], batch["horizon"]), batch["truth"]) for model in motion_models
                ]
            sums += [float((each * batch["weight"]).sum()) for each in (*shared, torch.ones_like(shared[0]))]
        found[clip] = sums[0] / sums[2], sums[1] / sums[2]
    return found


def choose(features: Material, folder: str) -> List[Dict[str, Any]]:
    """Train four times on each choice of data, each time without two clips, and evaluate on the clips left out."""
    from pvtpp.training.joint import train

    rows = []
    for name, (kinds, share) in MATERIAL.items():
        clips: Dict[str, Tuple[float, float]] = {}
        results = 0
        for number, without in enumerate(FOLDS):
            learnt, config = features.of(kinds, without, share), settings()
            place = os.path.join(folder, "choose", f"{name.replace(' ', '-').replace(',', '')}-{number}")
            resume = os.path.isfile(os.path.join(place, "last.ckpt"))
            network = train(config, None, learnt, [], place, resume=resume, progress=False)
            apart = [each for each in features.recordings["real"] if source(each) in without]
            clips.update(overlaps(network, apart, config.windows))
            results += sum(map(len, learnt))
        means = np.mean(list(clips.values()), axis=0).tolist()
        rows.append(
            {"material": name, "results": results // len(FOLDS), "motion": means[0], "joint": means[1], "clips": clips}
        )
        print(f"{name:34}{rows[-1]['results']:8d}{means[0]:9.4f}{means[1]:9.4f}{means[1] - means[0]:+9.4f}", flush=True)
    return rows


def train_one(kind: str, seed: int, recorded: Material, checkpoint: str, folder: str) -> None:
    """Train one network, unless it exists.

    Parameters
    ----------
    kind
        ``frozen``: on features of the published tracker. ``joint``: together with the last stage of the tracker's
        backbone, starting from the frozen network of the same seed; the graphs of the changed tracker are written too.
    seed
        Seed of the training.
    recorded
        Training data: features (frozen), or the inputs of the trained stage (joint).
    checkpoint
        NanoTrack V3 in torch.
    folder
        Folder of networks and checkpoints.
    """
    from pvtpp.export.graph import write_graph
    from pvtpp.export.joint import publish
    from pvtpp.networks.joint import load as load_joint
    from pvtpp.training.joint import train
    from pvtpp_trackers.models.nanotrack import engines
    from pvtpp_trackers.models.nanotrack import load as load_tracker
    from pvtpp_trackers.models.nanotrack_training import LastStage

    place = os.path.join(folder, f"{kind}-{seed}")
    if os.path.isfile(os.path.join(place, "joint.onnx")):
        return
    together = kind == "joint"
    model, config = load_tracker(checkpoint), settings(seed, **(JOINT_RUN if together else {}))
    kinds, share = MATERIAL[CHOSEN]
    resume = os.path.isfile(os.path.join(place, "last.ckpt"))
    part, start = None, None
    if together:
        part, (start, _) = LastStage(model), load_joint(os.path.join(folder, f"frozen-{seed}", "joint.safetensors"))
    learnt = recorded.of(kinds, share=share)
    network = train(config, None, learnt, [], place, part, together, start, resume, sys.stderr.isatty())
    if together:
        for name, engine in zip(GRAPHS, engines(model.eval())):
            write_graph(engine, os.path.join(place, name))
    publish(network, os.path.join(place, "joint.onnx"), {"kind": kind, "seed": seed, "training": asdict(config)})


@lru_cache(maxsize=None)
def _graphs(place: str) -> Tuple[Any, ...]:
    from pvtpp import inference

    return tuple(inference.load(os.path.join(place, name)) for name in GRAPHS)


def _tracker(graphs: Tuple[Any, ...], sequence: VideoSequence) -> Tracker:
    from pvtpp_trackers.nanotrack import NanoTrack

    return NanoTrack(engines=graphs)


def table(
    root: str, weights: str, folder: str, seeds: Sequence[int], kinds: Sequence[str] = KINDS, clips: Sequence[str] = ()
) -> List[Dict[str, Any]]:
    """AUC on the test clips, at zero latency and online, for the published tracker and each jointly trained one."""
    from pvtpp_trackers.nanotrack import published_engines

    dataset = load("uav-mini", os.path.join(root, "uav-mini"), "test")
    sequences = list(dataset.select(clips) if clips else dataset)
    trained = {
        kind: [f"joint:{os.path.join(folder, f'{kind}-{seed}', 'joint.onnx')}" for seed in seeds] for kind in KINDS
    }
    runs = [("published", published_engines(weights), (*CLASSICAL, "motion", *trained["frozen"]))]
    for seed, name in zip(seeds if "joint" in kinds else (), trained["joint"]):
        runs.append((f"joint {seed}", _graphs(os.path.join(folder, f"joint-{seed}")), ("hold", "motion", name)))
    rows: List[Dict[str, Any]] = []
    for tracker, graphs, listeners in runs:
        # Logs have no features that another network could use later, so each set of networks has its own runs.
        digest = "-".join(predictors.digest(name)[:6] for name in listeners if name.startswith("joint"))
        spec = RunSpec("uav-mini-test", tracker, TIMES[0], starts=STARTS, version=digest)
        grid = Grid(spec, listeners, {"processing": TIMES, "search_region": ("last",), "propagation": ("none",)})
        found = evaluate(sequences, grid, partial(_tracker, graphs), os.path.join(folder, "logs"))
        cells: Dict[Tuple[str, str], Dict[str, float]] = {}
        for row in found:
            name = row["predictor"] or "zero latency"
            cells.setdefault((name, row["processing"] or ""), {}).update(row["per_sequence"])
        fast = {sequence.name for sequence in sequences if sequence.camera_fps == 30}
        for (name, time), by_clip in cells.items():
            groups = {"all": list(by_clip), "30 fps": sorted(fast), "10 fps": sorted(set(by_clip) - fast)}
            # With a selection of clips a group may be empty.
            auc = {
                group: round(float(np.mean([by_clip[c] for c in names or by_clip])), 4)
                for group, names in groups.items()
            }
            label = os.path.basename(os.path.dirname(name)) if name.startswith("joint:") else name
            rows.append({"tracker": tracker, "predictor": label, "time": time, "auc": auc, "clips": by_clip})
    return rows


def show(rows: List[Dict[str, Any]]) -> None:
    """Print the rows of the table."""
    print(f"{'tracker':12}{'predictor':16}{'time':>6}{'all 12':>9}{'30 fps':>9}{'10 fps':>9}   AUC otb, four starts")
    for row in rows:
        auc = row["auc"]
        print(f"{row['tracker']:12}{row['predictor']:16}{row['time']:>6}" + "".join(f"{auc[g]:9.4f}" for g in auc))


def summary(rows: List[Dict[str, Any]]) -> Dict[str, float]:
    """AUC over all clips, mean over processing times and seeds, by tracker and predictor."""
    found: Dict[str, List[float]] = {}
    for row in rows:
        tracker, predictor = (row[name].rstrip("0123456789 -") for name in ("tracker", "predictor"))
        found.setdefault(f"{tracker} tracker, {predictor}", []).append(row["auc"]["all"])
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with uav-mini/")
    parser.add_argument("--weights", required=True, help="folder with NanoTrack V3's graphs and its checkpoint")
    parser.add_argument("--folder", default="runs/joint", help="recordings, checkpoints, logs and graphs")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--clips", nargs="*", default=[], help="only these test clips in the table")
    parser.add_argument("--stages", nargs="*", default=["choose", "train", "table"], choices=STAGES)
    parser.add_argument("--json", help="the figures, added to what is there from other stages")
    args = parser.parse_args()

    from pvtpp.export.joint import publish
    from pvtpp.networks.joint import load as load_joint

    checkpoint = os.path.join(args.weights, "nanotrackv3.pth")
    result: Dict[str, Any] = {}
    if args.json and os.path.isfile(args.json):
        with open(args.json, encoding="utf-8") as file:
            result = json.load(file)
    result["protocol"] = facts(args.seeds[0])
    if {"choose", "train"} & set(args.stages):
        kinds = [kind for kind in RUNS if "choose" in args.stages or kind in MATERIAL[CHOSEN][0]]
        recorded = material(args.root, checkpoint, args.folder, kinds)
        features = features_of(recorded, checkpoint, args.folder)
    if "choose" in args.stages:
        result["chosen"] = CHOSEN
        result["material"] = choose(features, args.folder)
    if "train" in args.stages:
        for kind in args.kinds:
            for seed in args.seeds:
                train_one(kind, seed, recorded if kind == "joint" else features, checkpoint, args.folder)
    if "table" in args.stages:
        result["rows"] = table(args.root, args.weights, args.folder, args.seeds, args.kinds, args.clips)
        result["summary"] = summary(result["rows"])
        show(result["rows"])
        for name, auc in result["summary"].items():
            print(f"{name:36}{auc:9.4f}")
    if args.json:
        write_json(args.json, result)
    if "publish" in args.stages:
        network, card = load_joint(os.path.join(args.folder, f"frozen-{args.seeds[0]}", "joint.safetensors"))
        about = {
            "data": "uav-mini/train (7 clips of UAV123@10fps, 1 of OTB100) and variations of them, "
            "recorded with NanoTrack V3",
            "command": "python -m pvtpp_benchmarks.studies.train_joint $PVTPP_DATA "
            "--weights $PVTPP_WEIGHTS/nanotrack --seeds 0 1 2",
            "seed": args.seeds[0],
            "training": card["training"],
            "metrics": {name: result.get(name) for name in ("summary", "material")},
        }
        print(f"{WEIGHTS}: ONNX against torch {publish(network, WEIGHTS, about):.1e}")


if __name__ == "__main__":
    main()
