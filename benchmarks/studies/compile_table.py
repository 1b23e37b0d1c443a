"""What NVIDIA's compiler makes of every graph: all tracker networks and predictors, without a GPU.

    python -m pvtpp_benchmarks.studies.compile_table --json benchmarks/studies/compile_table.json

Tracker networks have random weights (`pvtpp_trackers.models.parts.settle`), and are exported in both forms, in fp32 and
fp16. Predictors are the shipped graphs of motion and joint, and the modules of the paper with random weights. Weights
change neither shapes nor operators. Each graph is compiled twice: for the compute capabilities from 8.0 on that the
library has, and for 7.5. A graph that is refused stands there with the compiler's own words. Nothing is run.
`python -m pvtpp_benchmarks.results_pages` writes the table of the docs from the file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp.inference import tensorrt_library
from pvtpp.inference.engine_build import BuildError
from pvtpp.predictors import joint, motion
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json

TURING = "7.5"
PAPER = {"paper M": "motion", "paper V": "visual", "paper MV": "joint"}
"""Modules of the paper by their names in the table."""
SIDES = (7, 31)
"""Sides of the feature maps that the paper's modules read."""
FORMS = ("grouped", "unrolled")
Graphs = Dict[str, Path]


def network_graphs(name: str, folder: Path) -> Dict[Optional[str], Graphs]:
    """Export a tracker's network with random weights, in fp32.

    Returns
    -------
    dict
        Its graphs by form and name; those without a correlation, which are the same in both forms, under None.
    """
    import onnx
    import torch

    from pvtpp.export.graph import write_graph
    from pvtpp.export.operators import runtime_weights, unroll
    from pvtpp_trackers.models import parts, zoo

    torch.manual_seed(0)
    model = parts.settle(zoo.create(name))
    found: Dict[Optional[str], Graphs] = {None: {}, **{form: {} for form in FORMS}}
    for graph, engine in zip(model.parts(), parts.engines(model)):
        path = folder / f"{graph}.onnx"
        write_graph(engine, path)
        made = onnx.load(str(path))
        if runtime_weights(made):
            unrolled = folder / f"{graph}-unrolled.onnx"
            onnx.save(unroll(made), str(unrolled))
            found["grouped"][graph], found["unrolled"][graph] = path, unrolled
        else:
            found[None][graph] = path
    return found


def predictor_graphs(folder: Path) -> Dict[str, Graphs]:
    """The graphs of every predictor that has some, by predictor and name."""
    import torch

    from pvtpp.export.graph import write_graph
    from pvtpp.networks.n_head import NHeadConfig, NHeadNetwork, as_engine, as_engines

    found = {
        "motion": {"whole": Path(motion.WEIGHTS)},
        "joint": {"predictor": Path(joint.WEIGHTS), "encoder": joint.encoder_of(joint.WEIGHTS)},
    }
    for name, kind in PAPER.items():
        torch.manual_seed(0)
        network = NHeadNetwork(NHeadConfig(kind)).eval()
        if network.config.sees_images:
            engines = dict(zip(("predictor", "encoder"), as_engines(network, *SIDES)))
        else:
            engines = {"whole": as_engine(network)}
        found[name] = {part: folder / f"{kind}-{part}.onnx" for part in engines}
        for part, engine in engines.items():
            write_graph(engine, found[name][part])
    return found


def halved(graphs: Mapping[str, Path], folder: Path) -> Graphs:
    """Copies of these graphs in half precision."""
    from pvtpp.export.precision import to_fp16

    made = {name: folder / f"half-{path.name}" for name, path in graphs.items()}
    for name, path in made.items():
        shutil.copyfile(str(graphs[name]), str(path))
        to_fp16(path)
    return made


def outcome(capabilities: Tuple[str, ...], graph: Path, precision: str) -> Dict[str, Any]:
    """What became of a graph: layers, seconds and bytes, or ``refused`` with the compiler's own words."""
    from pvtpp.export.compiler import Compiler

    try:
        return Compiler(tensorrt_library.find("compile_table"), capabilities).compile(graph, precision, graph.stem)
    except BuildError as error:
        return {"refused": str(error)}


class Rows:
    """All rows; each set of compute capabilities has a process of its own.

    In one process the engine that is built after a refusal for 7.5 is up to three times as large (TensorRT-RTX 1.7.1).

    Parameters
    ----------
    targets
        Compute capabilities by the name of the set.

    Attributes
    ----------
    rows
        One for each graph, with the outcome for each set.
    """

    def __init__(self, targets: Mapping[str, Tuple[str, ...]]):
        self.rows: List[Dict[str, Any]] = []
        context = multiprocessing.get_context("spawn")
        self._targets = dict(targets)
        self._processes = {name: ProcessPoolExecutor(1, mp_context=context) for name in targets}

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes.values():
            process.shutdown()

    def add(self, name: str, form: Optional[str], precision: str, graphs: Graphs) -> None:
        """Compile the graphs of one network or predictor; `form` is None for those that are the same in both."""
        made = []
        for graph, path in graphs.items():
            row: Dict[str, Any] = {"network": name, "form": form, "precision": precision, "graph": graph}
            for target, process in self._processes.items():
                row[target] = process.submit(outcome, self._targets[target], path, precision).result()
            made.append(row)
        self.rows += made
        if made:
            print(f"{name} {form or 'both forms'} {precision}: {said(made)}", flush=True)


def measure(models: Tuple[str, ...], targets: Mapping[str, Tuple[str, ...]]) -> List[Dict[str, Any]]:
    """The rows of these networks and of all predictors."""
    with Rows(targets) as made, tempfile.TemporaryDirectory() as scratch:
        for name in models:
            with tempfile.TemporaryDirectory() as folder:
                for form, graphs in network_graphs(name, Path(folder)).items():
                    made.add(name, form, "fp32", graphs)
                    made.add(name, form, "fp16", halved(graphs, Path(folder)))
        for name, graphs in predictor_graphs(Path(scratch)).items():
            made.add(name, None, "fp32", graphs)
            made.add(name, None, "fp16", halved(graphs, Path(scratch)))
    return made.rows


def said(rows: List[Dict[str, Any]]) -> str:
    """What became of some graphs, for a cell of the table: layers and MB of all, or which one was refused."""
    refused = [row["graph"] for row in rows if "refused" in row["modern"]]
    if refused:
        return f"no: {', '.join(refused)}"
    layers, size = (sum(row["modern"][key] for row in rows) for key in ("layers", "bytes"))
    return f"{layers:,} / {size / 1e6:.1f}"


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help="comma-separated (default: every tracker network)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
        content = _compiled(options.models)
    except InputError as error:
        parser.error(str(error))
    if options.json:
        write_json(options.json, content)
    return 0


def _compiled(models: Optional[str]) -> Dict[str, Any]:
    """The content of a result file."""
    import torch

    from pvtpp.arguments import comma_separated
    from pvtpp_trackers.models.zoo import MODELS

    torch.set_num_threads(1)
    library = tensorrt_library.find("compile_table")
    targets = {"modern": tuple(each for each in library.capabilities if each != TURING), "turing": (TURING,)}
    return {
        "protocol": facts(0),
        "torch": torch.__version__,
        "library": library.kind.name,
        "version": library.version,
        "targets": {name: list(capabilities) for name, capabilities in targets.items()},
        "rows": measure(comma_separated(models) if models else tuple(MODELS), targets),
    }


if __name__ == "__main__":
    sys.exit(main())
