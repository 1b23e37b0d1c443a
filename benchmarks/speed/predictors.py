"""Time of a prediction: the motion predictor compared with the paper's motion module, on one thread, in one run.

    python -m pvtpp_benchmarks.speed.predictors --json predictors.json

`predict` is the whole call, from a full track to a trajectory; `inputs`, `network` and `trajectory` are its parts.
`M predict` is the same call with the paper's module in torch (`pvtpp.networks.n_head`). `M` is its forward pass alone
with the inputs ready: plain, without gradients, and in torch's inference mode. `at` is one evaluation of the
trajectory. All take turns in rounds of 100 calls each, so that a slow moment of the machine affects all. Figures are
medians over rounds of the medians of the rounds; ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from pvtpp import inference
from pvtpp.arguments import check_options
from pvtpp.errors import InputError
from pvtpp.predictors import create
from pvtpp.predictors.motion import OUTPUT, WEIGHTS, Motion, trajectory_of
from pvtpp.track import HISTORY, Displacement, PropagatedBox, Track
from pvtpp.validation import whole_from
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json

PAPER = ("M predict", "M", "M, no gradients", "M, inference mode")
CALLS = 100
STEP_NS = 66_666_667
FRAME_NS = 33_333_333


def full_track(propagated: bool) -> Track:
    """A track with as many results as it keeps.

    With propagation, displacements lie between the results and propagated boxes follow the newest one.
    """
    rng, track = np.random.default_rng(0), Track()
    for i in range(HISTORY):
        track = track.with_result(i * STEP_NS, np.array([300.0 + 5 * i, 200, 40, 30]) + rng.normal(size=4))
        if propagated and i:
            track = track.with_propagated((), Displacement(track.t_ns[-2], np.array([5.0, 0, 0, 0]), 0.8))
    if propagated:
        newest = track.boxes[-1]
        track = track.with_propagated(
            [PropagatedBox(track.t_ns[-1] + k * FRAME_NS, newest + 2 * k, 0.8) for k in (1, 2, 3)]
        )
    return track


def subjects() -> Dict[str, Callable[[], Any]]:
    """The calls to time, by name; each takes no arguments."""
    import torch

    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork, as_engine
    from pvtpp.predictors.n_head import NHead

    torch.set_num_threads(1)
    engine = inference.load(WEIGHTS, threads=1)
    track, with_propagation, motion, kalman = full_track(False), full_track(True), Motion(engine), create("kalman")
    inputs, trajectory = motion.inputs(track), motion.predict(track)
    answer, t_query_ns = engine.run(inputs)[OUTPUT], trajectory.evidence_ns + FRAME_NS
    paper, steps = NHeadNetwork(NHeadConfig("motion")).eval(), (torch.randn(1, 3, 4), torch.ones(1, 3))
    n_head = NHead(as_engine(paper))
    return {
        "M predict": lambda: n_head.predict(track),
        "M": lambda: paper(*steps),
        "M, no gradients": torch.no_grad()(lambda: paper(*steps)),
        "M, inference mode": torch.inference_mode()(lambda: paper(*steps)),
        "predict": lambda: motion.predict(track),
        "predict, propagation": lambda: motion.predict(with_propagation),
        "inputs": lambda: motion.inputs(track),
        "network": lambda: engine.run(inputs),
        "trajectory": lambda: trajectory_of(answer, track),
        "at": lambda: trajectory.at(t_query_ns),
        "kalman predict": lambda: kalman.predict(track),
    }


def measure(rounds: int) -> Dict[str, np.ndarray]:
    """Seconds per call of each subject, shape ``(rounds,)``: the median of its calls in each round."""
    calls = subjects()
    seconds = {name: np.empty(rounds) for name in calls}
    for number in range(-1, rounds):
        for name, call in calls.items():
            took = np.empty(CALLS)
            for i in range(CALLS):
                start = time.perf_counter()
                call()
                took[i] = time.perf_counter() - start
            # The first round is not measured: it warms up.
            if number >= 0:
                seconds[name][number] = np.median(took)
    return seconds


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json")
    options = parser.parse_args(arguments)
    try:
        check_options(options, {"rounds": whole_from(1)})
        check_writable(options.json)
        seconds = measure(options.rounds)
    except (InputError, ImportError) as error:
        parser.error(str(error))
    microseconds = {name: round(float(np.median(values)) * 1e6, 1) for name, values in seconds.items()}
    ratios = {name: round(float(np.median(seconds["predict"] / seconds[name])), 3) for name in PAPER}
    for name, value in microseconds.items():
        print(f"{name:20}{value:9.1f} us")
    for name, ratio in ratios.items():
        print(f"predict / {name}: {ratio:.3f}")
    if options.json:
        rows = {"microseconds": microseconds, "predict_against": ratios}
        write_json(options.json, {"protocol": facts(0), "rounds": options.rounds, "threads": 1, **rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
