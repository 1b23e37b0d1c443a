"""Training and evaluation of the committed joint weights for NanoTrack V3, on frozen features and with the tracker.

    python -m pvtpp_benchmarks.studies.train_joint $PVTPP_DATA --weights $PVTPP_WEIGHTS/nanotrack --json out.json

Training data: `pvtpp_benchmarks.studies.joint_data`. Other trackers (`--tracker`) are trained on frozen features alone.
There are four stages:

* `choose` leaves a fifth of the clips out in turn and compares kinds of training data on them; the test clips are not
  used.
* `train` trains a network on frozen features and one jointly with the tracker, for each seed.
* `table` runs them on `uav-mini/test` (12 clips, four starts, simulated clock, presence off, AUC `otb`), without
  propagation and, where the tracker is the published one, with it.
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
from pvtpp_benchmarks.studies.joint_data import CHECKPOINT, TRAINABLE, Material, features_of, folds, material
from pvtpp_benchmarks.studies.joint_data import KINDS as RECORDED
from pvtpp_trackers.factory import MakeTracker

TIMES = ("20ms", "47ms", "85ms", "165ms")
STARTS = 4
SEEDS = (0, 1, 2)
KINDS = ("frozen", "joint")
STAGES = ("choose", "train", "table", "publish")
GRAPHS = ("template.onnx", "search.onnx", "head.onnx")
JOINT_RUN: Dict[str, Any] = {"epochs": 2, "epoch_batches": 15, "shard_windows": 16, "warmup": 5, "learning_rate": 3e-4}
"""Changes for joint training: fewer and smaller steps, since a step costs some fifty times as much."""
CLASSICAL = ("hold", "kalman:pvt", "kalman:size_aware")
WITH_PROPAGATION = ("kalman:pvt", "ensemble", "motion")
"""What `joint` is compared with where propagation is on."""
PROPAGATIONS = ("none", "optical_flow")
MATERIAL = {
    "a quarter of the clips": (("mini", "more"), 0.25),
    "half of the clips": (("mini", "more"), 0.5),
    "all 19 clips": (("mini", "more"), 1.0),
    "those of uav-mini": (("mini",), 1.0),
    "all, also displaced": (("mini", "more", "displaced"), 1.0),
    "all, also occluded": (("mini", "more", "occluded"), 1.0),
}
"""Choices of training data: kinds of clips, and the share of the real ones."""
CHOSEN = {"frozen": "all 19 clips", "joint": "all, also displaced"}
"""The choice that each kind of network is trained on."""


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


def choose(features: Material, left_out: Sequence[Sequence[str]], folder: str) -> List[Dict[str, Any]]:
    """Train on each choice of data without each group of clips in turn, and evaluate on the clips left out."""
    from pvtpp.training.joint import train

    rows = []
    for name, (kinds, share) in MATERIAL.items():
        clips: Dict[str, Tuple[float, float]] = {}
        results = 0
        for number, without in enumerate(left_out):
            learnt, config = features.of(kinds, without, share), settings()
            place = os.path.join(folder, "choose", f"{name.replace(' ', '-').replace(',', '')}-{number}")
            resume = os.path.isfile(os.path.join(place, "last.ckpt"))
            network = train(config, None, learnt, [], place, resume=resume, progress=False)
            clips.update(overlaps(network, features.apart(without), config.windows))
            results += sum(map(len, learnt))
        motion, joint = np.mean(list(clips.values()), axis=0).tolist()
        results //= len(left_out)
        rows.append({"material": name, "results": results, "motion": motion, "joint": joint, "clips": clips})
        print(f"{name:34}{results:8d}{motion:9.4f}{joint:9.4f}{joint - motion:+9.4f}", flush=True)
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

    place = os.path.join(folder, f"{kind}-{seed}")
    if os.path.isfile(os.path.join(place, "joint.onnx")):
        return
    together = kind == "joint"
    config = settings(seed, **(JOINT_RUN if together else {}))
    kinds, share = MATERIAL[CHOSEN[kind]]
    resume = os.path.isfile(os.path.join(place, "last.ckpt"))
    part, start = None, None
    if together:
        from pvtpp_trackers.models.nanotrack import engines
        from pvtpp_trackers.models.nanotrack import load as load_tracker
        from pvtpp_trackers.models.nanotrack_training import LastStage

        model = load_tracker(checkpoint)
        part, (start, _) = LastStage(model), load_joint(os.path.join(folder, f"frozen-{seed}", "joint.safetensors"))
    learnt = recorded.of(kinds, share=share)
    network = train(config, None, learnt, [], place, part, together, start, resume, sys.stderr.isatty())
    if together:
        for name, engine in zip(GRAPHS, engines(model.eval())):
            write_graph(engine, os.path.join(place, name))
    publish(network, os.path.join(place, "joint.onnx"), {"kind": kind, "seed": seed, "training": asdict(config)})


@lru_cache(maxsize=None)
def _tracker(place: str) -> Tracker:
    from pvtpp import inference
    from pvtpp_trackers.nanotrack import NanoTrack

    return NanoTrack(engines=tuple(inference.load(os.path.join(place, name)) for name in GRAPHS))


def _trained(place: str, sequence: VideoSequence) -> Tracker:
    return _tracker(place)


def table(
    root: str,
    published: MakeTracker,
    folder: str,
    seeds: Sequence[int],
    kinds: Sequence[str] = KINDS,
    clips: Sequence[str] = (),
) -> List[Dict[str, Any]]:
    """AUC on the test clips, at zero latency and online, for the published tracker and each jointly trained one."""
    dataset = load("uav-mini", os.path.join(root, "uav-mini"), "test")
    sequences = list(dataset.select(clips) if clips else dataset)
    trained = {
        kind: [f"joint:{os.path.join(folder, f'{kind}-{seed}', 'joint.onnx')}" for seed in seeds] for kind in KINDS
    }
    runs: List[Tuple[str, Any, Tuple[str, ...], str]] = []
    if "frozen" in kinds:
        listeners = {"none": (*CLASSICAL, "motion"), "optical_flow": WITH_PROPAGATION}
        listeners["optical_flow"] += tuple(f"ensemble:{name[len('joint:') :]}" for name in trained["frozen"])
        runs += [("published", published, (*listeners[each], *trained["frozen"]), each) for each in PROPAGATIONS]
    for seed, name in zip(seeds if "joint" in kinds else (), trained["joint"]):
        make = partial(_trained, os.path.join(folder, f"joint-{seed}"))
        runs.append((f"joint {seed}", make, ("hold", "motion", name), "none"))
    rows: List[Dict[str, Any]] = []
    for tracker, make, names, propagation in runs:
        # Logs have no features that another network could use later, so each set of networks has its own runs.
        digest = "-".join(predictors.digest(name)[:6] for name in names if name.endswith(".onnx"))
        spec = RunSpec("uav-mini-test", tracker, TIMES[0], starts=STARTS, version=digest)
        one = {"search_region": ("last",), "propagation": (propagation,), "presence": ("off",)}
        grid = Grid(spec, names, {"processing": TIMES, **one})
        found = evaluate(sequences, grid, make, os.path.join(folder, "logs"))
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
            about = {"tracker": tracker, "propagation": propagation, "predictor": _label(name), "time": time}
            rows.append({**about, "auc": auc, "clips": by_clip})
    return rows


def _label(name: str) -> str:
    """What a predictor is called in the table: one of a trained network by the folder that it lies in."""
    base, _, path = name.partition(":")
    if not path.endswith(".onnx"):
        return name
    folder = os.path.basename(os.path.dirname(path))
    return folder if base == "joint" else f"{base} of {folder}"


def show(rows: List[Dict[str, Any]]) -> None:
    """Print the rows of the table."""
    print(
        f"{'tracker':12}{'propagation':14}{'predictor':20}{'time':>6}{'all 12':>9}{'30 fps':>9}{'10 fps':>9}   AUC otb"
    )
    for row in rows:
        about = f"{row['tracker']:12}{row['propagation']:14}{row['predictor']:20}{row['time']:>6}"
        print(about + "".join(f"{row['auc'][group]:9.4f}" for group in row["auc"]))


def summary(rows: List[Dict[str, Any]]) -> Dict[str, float]:
    """AUC over all clips, mean over processing times and seeds, by tracker, propagation and predictor."""
    found: Dict[str, List[float]] = {}
    for row in rows:
        tracker, predictor = (row[name].rstrip("0123456789 -") for name in ("tracker", "predictor"))
        where = "" if row["propagation"] == "none" else ", with propagation"
        found.setdefault(f"{tracker} tracker{where}, {predictor}", []).append(row["auc"]["all"])
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", help="folder with uav-mini/ and uav-more/")
    parser.add_argument("--tracker", default=TRAINABLE, help="default: %(default)s")
    parser.add_argument(
        "--weights", required=True, help="folder with the tracker's graphs, for NanoTrack V3 in torch too"
    )
    parser.add_argument("--folder", default="runs/joint", help="recordings, checkpoints, logs and graphs")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--kinds", nargs="*", choices=KINDS, help="default: all that the tracker can be trained as")
    parser.add_argument("--clips", nargs="*", default=[], help="only these test clips in the table")
    parser.add_argument("--stages", nargs="*", default=["choose", "train", "table"], choices=STAGES)
    parser.add_argument("--json", help="the figures, added to what is there from other stages")
    args = parser.parse_args()

    from pvtpp.export.joint import publish
    from pvtpp.networks.joint import load as load_joint

    checkpoint = os.path.join(args.weights, CHECKPOINT)
    possible = KINDS if args.tracker == TRAINABLE else KINDS[:1]
    args.kinds = args.kinds or list(possible)
    if not set(args.kinds) <= set(possible):
        parser.error(f"--kinds: the layers of {args.tracker} do not learn, allowed is {', '.join(possible)}")
    result: Dict[str, Any] = {}
    if args.json and os.path.isfile(args.json):
        with open(args.json, encoding="utf-8") as file:
            result = json.load(file)
    result["protocol"] = facts(args.seeds[0])
    if {"choose", "train"} & set(args.stages):
        wanted = {name for kind in args.kinds for name in MATERIAL[CHOSEN[kind]][0]}
        recorded_kinds = [kind for kind in RECORDED if "choose" in args.stages or kind in wanted]
        recorded = material(args.root, args.tracker, args.weights, args.folder, recorded_kinds)
        features = features_of(recorded, args.tracker, args.weights, args.folder)
    if "choose" in args.stages:
        result["chosen"] = CHOSEN
        result["material"] = choose(features, folds(args.root), args.folder)
    if "train" in args.stages:
        for kind in args.kinds:
            for seed in args.seeds:
                train_one(kind, seed, recorded if kind == "joint" else features, checkpoint, args.folder)
    if "table" in args.stages:
        published = MakeTracker(args.tracker, args.weights)
        result["rows"] = table(args.root, published, args.folder, args.seeds, args.kinds, args.clips)
        result["summary"] = summary(result["rows"])
        show(result["rows"])
        for name, auc in result["summary"].items():
            print(f"{name:36}{auc:9.4f}")
    if args.json:
        write_json(args.json, result)
    if "publish" in args.stages:
        network, card = load_joint(os.path.join(args.folder, f"frozen-{args.seeds[0]}", "joint.safetensors"))
        about = {
            "data": "uav-mini/train and uav-more/train (10 clips of UAV123@10fps, 9 of OTB100), "
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
