"""Time of the joint predictor on NanoTrack V3's features, compared with the paper's MV module in torch.

    python -m pvtpp_benchmarks.speed.joint_predictor --json joint_predictor.json

Features are random, the track is steady. All take turns, so that a slow moment of the machine affects all; one CPU
thread. MV, as published, computes the template and three search regions for every prediction. `encode` and `predict`
are the whole calls, with ONNX Runtime graphs. The figures are ratios of medians.
"""

from __future__ import annotations

import argparse
import sys
import time
from types import SimpleNamespace
from typing import Callable, Dict, List, Optional

import numpy as np

from pvtpp.arguments import check_options
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.validation import whole_from
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import write_json

CHANNELS, TEMPLATE, SEARCH, FRAMES = 96, 8, 16, 3


def cases(predictor: str) -> Dict[str, Callable[[], object]]:
    """The calls to time, by name; each takes no arguments."""
    import torch

    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork, as_engine

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    template = rng.normal(0, 2, (1, CHANNELS, TEMPLATE, TEMPLATE)).astype(np.float32)
    search = rng.normal(0, 2, (1, FRAMES, CHANNELS, SEARCH, SEARCH)).astype(np.float32)
    network = NHeadNetwork(NHeadConfig("joint", channels=CHANNELS, auxiliary=False)).eval()
    paper = as_engine(network, TEMPLATE, SEARCH)
    steps = {
        "motion": rng.normal(0, 0.05, (1, FRAMES, 4)).astype(np.float32),
        "interval": np.full((1, FRAMES), 2, np.float32),
    }
    joint, motion = create(predictor), create("motion")
    outputs, track, plain = [], Track(), Track()
    for i in range(20):
        features = SimpleNamespace(template=template, search=np.ascontiguousarray(search[:, i % FRAMES]))
        outputs.append(TrackerOutput(np.array([100.0 + 3 * i, 80, 40, 30]), 0.9, features))
        track = track.with_result(i * 66_666_667, outputs[-1].box, 0.9, joint.encode(outputs[-1]))
        plain = plain.with_result(i * 66_666_667, outputs[-1].box, 0.9)
    return {
        "mv": lambda: paper.run({**steps, "template": template, "search": search}),
        "encode": lambda: joint.encode(outputs[-1]),
        "predict": lambda: joint.predict(track),
        "motion": lambda: motion.predict(plain),
    }


def measure(timed: Dict[str, Callable[[], object]], rounds: int) -> Dict[str, np.ndarray]:
    """Seconds of every call, shape ``(rounds,)``; the cases take turns."""
    seconds: Dict[str, List[float]] = {name: [] for name in timed}
    for turn in range(-5, rounds):
        for name, call in timed.items():
            begin = time.perf_counter()
            call()
            # Negative turns are not measured: they warm up.
            if turn >= 0:
                seconds[name].append(time.perf_counter() - begin)
    return {name: np.array(values) for name, values in seconds.items()}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300, help="measured calls of each (default: %(default)s)")
    parser.add_argument("--predictor", default="joint", help="or joint:PATH (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_options(options, {"rounds": whole_from(1)})
        seconds = measure(cases(options.predictor), options.rounds)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    rows = {
        name: {f"p{quantile}_ms": round(float(np.percentile(values, quantile)) * 1e3, 4) for quantile in (5, 50, 95)}
        for name, values in seconds.items()
    }
    ours = rows["encode"]["p50_ms"] + rows["predict"]["p50_ms"]
    ratio = round(rows["mv"]["p50_ms"] / ours, 2)
    result = {"protocol": facts(0), "rounds": options.rounds, "threads": 1, "rows": rows, "mv_over_joint": ratio}
    print(f"NanoTrack V3 features, {options.rounds} rounds, 1 thread, {result['protocol']['hardware']['machine']}")
    print(f"{'':34}{'p5 ms':>9}{'median ms':>11}{'p95 ms':>9}")
    labels = ("the paper's MV in torch", "joint: encode", "joint: predict", "motion: predict")
    for name, label in zip(rows, labels):
        print(f"{label:34}{rows[name]['p5_ms']:9.3f}{rows[name]['p50_ms']:11.3f}{rows[name]['p95_ms']:9.3f}")
    print(f"MV over encode + predict          {ratio:9.2f}")
    if options.json:
        write_json(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
