"""Exported graphs of every tracker network in both forms: their difference from torch, and how much faster they are.

    python -m pvtpp_benchmarks.speed.export_models --json export_models.json

Weights are random (`pvtpp_trackers.models.parts.settle`), which changes neither shapes nor arithmetic. Parity is the
largest difference over all graphs and outputs on random inputs. A frame is what `track` runs: search and head. Torch
and ONNX Runtime take turns, so that a slow moment of the machine affects both. One thread each.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from typing import Any, Dict, List, Mapping, Optional

import numpy as np

from pvtpp.arguments import check_options
from pvtpp.errors import InputError
from pvtpp.validation import whole_from
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json

FRAME = ("search", "head")


def random_inputs(engines: Mapping[str, Any], seed: int = 0) -> Dict[str, Dict[str, np.ndarray]]:
    """Random inputs for each engine: grey levels for crops, normally distributed numbers for features."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, engine in engines.items():
        crops = engine.inputs[0].shape[1] == 3
        drawn = [rng.uniform(0, 255, spec.shape) if crops else rng.normal(size=spec.shape) for spec in engine.inputs]
        made[name] = {spec.name: array.astype(np.float32) for spec, array in zip(engine.inputs, drawn)}
    return made


def milliseconds(candidates: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, Any], frames: int) -> Dict[str, Any]:
    """For each candidate the median milliseconds of its parts and of the whole frame.

    The candidates take turns; the first two turns are not measured.
    """
    taken: Dict[str, List[List[float]]] = {name: [] for name in candidates}
    for turn in range(frames + 2):
        for name, engines in candidates.items():
            clock = [time.perf_counter()]
            for part in FRAME:
                engines[part].run(inputs[part])
                clock.append(time.perf_counter())
            if turn >= 2:
                taken[name].append([*np.diff(clock), clock[-1] - clock[0]])
    return {
        name: dict(zip((*FRAME, "frame"), (np.median(values, axis=0) * 1e3).round(3).tolist()))
        for name, values in taken.items()
    }


def measure(name: str, frames: int) -> Dict[str, Any]:
    """The row of one network: parity and median milliseconds of `frames` frames."""
    import torch

    from pvtpp.export.artefact import ExportConfig, export
    from pvtpp.export.parity import compare_engines
    from pvtpp_trackers.models import parts, zoo

    torch.manual_seed(0)
    model = parts.settle(zoo.create(name))
    engines = dict(zip(model.parts(), parts.engines(model)))
    row: Dict[str, Any] = {"model": name, "parameters": sum(each.numel() for each in model.parameters())}
    candidates: Dict[str, Mapping[str, Any]] = {"torch": engines}
    with tempfile.TemporaryDirectory() as folder:
        for form in ("grouped", "unrolled"):
            artefact = export(engines, f"{folder}/{form}", ExportConfig(form), compare_engines, {"model": name})
            tensors = artefact.card["parity"]["tensors"].values()
            row[form] = {measure: max(each[measure] for each in tensors) for measure in ("absolute", "relative")}
            candidates[form] = artefact.engines()
        row["median_ms"] = milliseconds(candidates, random_inputs(engines), frames)
    plain, exported = row["median_ms"]["torch"], row["median_ms"]["grouped"]
    row["faster"] = {part: round(plain[part] / exported[part], 2) for part in plain}
    return row


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    import torch

    from pvtpp_trackers.models.zoo import MODELS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS), help="(default: %(default)s)")
    parser.add_argument("--frames", type=int, default=20, help="timed frames of each (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_options(options, {"frames": whole_from(1)})
        check_writable(options.json)
    except InputError as error:
        parser.error(str(error))
    torch.set_num_threads(1)
    result = {"protocol": facts(0), "threads": 1, "frames": options.frames, "torch": torch.__version__, "rows": []}
    print(f"search + head, 1 thread, {options.frames} frames, {result['protocol']['hardware']['machine']}; median ms")
    columns = ("torch eager", "grouped", "unrolled", "faster", "search", "head", "parity", "unrolled")
    print(f"{'':20}" + "".join(f"{column:>12}" for column in columns))
    for name in options.models.split(","):
        row = measure(name, options.frames)
        result["rows"].append(row)
        times = "".join(f"{row['median_ms'][each]['frame']:12.2f}" for each in ("torch", "grouped", "unrolled"))
        faster = "".join(f"{row['faster'][part]:11.2f}x" for part in ("frame", *FRAME))
        print(f"{name:20}{times}{faster}{row['grouped']['relative']:12.1e}{row['unrolled']['relative']:12.1e}")
    if options.json:
        write_json(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
