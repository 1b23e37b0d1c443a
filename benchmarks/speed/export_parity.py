"""NanoTrack V3 in torch, in exported graphs and in the published graphs: differences of tensors, boxes and tracks.

    python -m pvtpp_benchmarks.speed.export_parity $PVTPP_DATA/uav-mini --json export_parity.json

Each candidate is compared with torch on every frame of every clip of the test split (`pvtpp.export.parity`): tensors
and boxes from the same state, then whole tracks. Half precision and int8 run on ONNX Runtime's CPU provider, which
computes exactly what the graph says. Int8 is calibrated on the train split.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import Dataset, load
from pvtpp_benchmarks.exporting import Network, calibration, load_network
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_trackers.nanotrack import published_engines

# Form, precision, and whether crops go in as uint8 pixels.
EXPORTS = (
    ("grouped", "fp32", False),
    ("unrolled", "fp32", False),
    ("unrolled", "fp32", True),
    ("unrolled", "fp16", False),
    ("unrolled", "int8", False),
)


PUBLISHED = "published"
NAMES = (PUBLISHED, *(f"{form} {precision}{' pixels' * pixels}" for form, precision, pixels in EXPORTS))


def candidates(
    network: Network, names: List[str], train: Dataset, folder: str
) -> Iterator[Tuple[str, Dict[str, Any], Dict[str, Any]]]:
    """Each candidate's name, the engines to compare it with, and its own engines.

    An export that differs too much is not refused here, since the difference is what is measured.
    """
    from pvtpp.export.artefact import ExportConfig, write_graphs
    from pvtpp.inference.artefact import Artefact

    if PUBLISHED in names:
        yield PUBLISHED, network.engines, dict(zip(network.engines, published_engines()))
    for name, (form, precision, pixels) in zip(NAMES[1:], EXPORTS):
        if name not in names:
            continue
        config = ExportConfig(form, precision, pixels)
        sources = config.sources(network.engines)
        samples = calibration(network.tracker, sources, list(train)) if precision == "int8" else {}
        with tempfile.TemporaryDirectory(dir=folder) as part:
            graphs = write_graphs(sources, part, config, samples)
            yield name, sources, Artefact(Path(part), {"graphs": graphs}).engines()


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="uav-mini")
    parser.add_argument("--checkpoint", help="nanotrackv3.pth (default: the catalogue's)")
    parser.add_argument("--sequences", help="these of the test split only, comma-separated")
    parser.add_argument("--candidates", default=",".join(NAMES), help="(default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
        import torch

        torch.set_num_threads(1)
        test, train = (load("uav-mini", options.root, split) for split in ("test", "train"))
        clips = list(test.select(options.sequences.split(",")) if options.sequences else test)
        network = load_network("nanotrack-v3", options.checkpoint)
        rows = []
        print(f"{'against torch':24}{'tensors abs':>12}{'rel':>10}{'boxes max px':>14}{'p95':>8}{'AUC':>9}{'torch':>9}")
        with tempfile.TemporaryDirectory() as folder:
            for name, reference, engines in candidates(network, options.candidates.split(","), train, folder):
                found = network.compare(clips, reference, engines).summary()
                rows.append({"candidate": name, **found})
                worst = {key: max(each[key] for each in found["tensors"].values()) for key in ("absolute", "relative")}
                boxes, tracks = found["boxes"], found["tracks"]
                print(
                    f"{name:24}{worst['absolute']:12.1e}{worst['relative']:10.1e}{boxes['max_px']:14.2g}"
                    f"{boxes['p95_px']:8.2g}{tracks['candidate']:9.4f}{tracks['reference']:9.4f}"
                )
    except InputError as error:
        parser.exit(2, f"{error}\n")
    if options.json:
        write_json(options.json, {"protocol": facts(0), "clips": len(clips), "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
