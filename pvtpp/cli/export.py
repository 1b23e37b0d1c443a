r"""Export a network to ONNX graphs that run without torch; needs `pip install 'pvtpp[cpu,train,export]'`.

*A tracker's network.* Every tensor, then the boxes frame by frame, then whole tracks are compared with torch, on the
clips of --dataset or on a generated one; what does not agree is not written. `--verify` compares what already lies in
--out again, on any --backend, and exports only what is not there.

  pvtpp export nanotrack-v3 --checkpoint nanotrackv3.pth --out exported/nanotrack \
      --dataset uav-mini --root data/uav-mini
  pvtpp export nanotrack-v3 --out exported/int8 --precision int8 --calibrate uav-mini:data/uav-mini:train

For TensorRT, --form unrolled; the engines are built on the board, `pvtpp bench` says how fast they are
(docs/how-to/jetson.md). With --compile NVIDIA's compiler must take every graph: TensorRT, or TensorRT-RTX, which needs
no GPU.

  pvtpp export nanotrack-v3 --out exported/nanotrack --precision fp16 --compile 8.6,12.0

*A trained predictor*: motion, joint or paper, of the weights (.safetensors) or of a checkpoint that `pvtpp train` left.

  pvtpp export motion runs/motion/last.ckpt --out runs/motion/motion.onnx

What --out holds already is replaced with --force only.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from pvtpp.arguments import comma_separated
from pvtpp.errors import InputError
from pvtpp.inference.artefact import Artefact, is_artefact, read
from pvtpp.inference.engine import BACKENDS
from pvtpp.inference.engine_build import BuildError
from pvtpp.weights.store import sha256
from pvtpp_benchmarks.datasets import available, load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.exporting import calibration, load_network
from pvtpp_benchmarks.provenance import facts

if TYPE_CHECKING:
    from pvtpp.export.artefact import ExportConfig
    from pvtpp.export.compiler import Compiler


PREDICTORS = ("motion", "joint", "paper")
"""Kinds of trained predictors, as ``pvtpp train`` calls them."""
_PREDICTORS = ", ".join(PREDICTORS)
_OF_TRACKERS = (
    *("checkpoint", "form", "precision", "pixels", "calibrate"),
    *("verify", "backend", "dataset", "root", "split", "sequences"),
)
"""Options that a trained predictor does not have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help=f"nanotrack-v3, siamrpn-mobilenetv2 or any other network of pvtpp_trackers.models; or {_PREDICTORS}",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help=f"{_PREDICTORS}: the weights, or a checkpoint")
    parser.add_argument("--checkpoint", metavar="FILE", help="a tracker's trained weights (default: the catalogue's)")
    parser.add_argument(
        "--out",
        required=True,
        metavar="PATH",
        help=f"a tracker: the folder of its graphs; {_PREDICTORS}: the graph, .onnx",
    )
    parser.add_argument("--force", action="store_true", help="replace what --out holds")
    parser.add_argument(
        "--compile",
        nargs="?",
        const="",
        metavar="CC,CC",
        help="NVIDIA's compiler must take the graphs, for these compute capabilities, such as 8.6,12.0 (default: "
        "TensorRT: the GPU of this machine; TensorRT-RTX: all from 8.0 on)",
    )
    parser.add_argument("--form", help="of correlations: grouped, or unrolled for TensorRT (default grouped)")
    parser.add_argument("--precision", help="fp32, fp16 or int8 (default fp32)")
    parser.add_argument("--pixels", action="store_true", help="crops go in as BGR bytes, converted inside the graph")
    parser.add_argument(
        "--calibrate", metavar="NAME:ROOT[:SPLIT]", help="clips to calibrate int8 on; not those that it is evaluated on"
    )
    group = parser.add_argument_group("comparison with torch")
    group.add_argument("--verify", action="store_true", help="keep what is in --out if it tracks as torch does")
    group.add_argument("--backend", metavar="B", help=f"for --verify: of {', '.join(BACKENDS['.onnx'])}")
    group.add_argument(
        "--dataset", metavar="NAME", help=f"clips to compare tracks on, one of: {', '.join(available())}"
    )
    group.add_argument("--root", metavar="DIR", help="where the data set lies")
    group.add_argument("--split", help="train, val, test .. where the data set has splits")
    group.add_argument("--sequences", type=comma_separated, metavar="A,B", help="these sequences only")


def run(options: argparse.Namespace) -> int:
    """Export; returns 0, or 1 where the graphs differ too much from torch."""
    if options.model in PREDICTORS:
        return _export_predictor(options)
    if options.file:
        raise InputError(
            f"{options.file}: only {_PREDICTORS} take a FILE; a tracker's weights are named by --checkpoint FILE"
        )
    try:
        from pvtpp.export.artefact import CPU, ExportConfig, check_folder, export, verify
        from pvtpp.export.parity import ParityError
        from pvtpp.export.publication import refuse_existing
    except ModuleNotFoundError as error:
        raise InputError(f"exporting needs {error.name}: pip install 'pvtpp[cpu,train,export]'") from None

    config = ExportConfig(options.form or "grouped", options.precision or "fp32", options.pixels)
    if (config.precision == "int8") != bool(options.calibrate):
        raise InputError(f"--calibrate is for --precision int8, and needed there; the precision is {config.precision}")
    # What costs nothing to refuse comes before a download.
    compiler = _compiler(options)
    check_folder(options.out)
    if is_artefact(options.out) and not options.verify and not options.force:
        refuse_existing(
            [options.out], "compare it with torch by --verify, replace it by --force, or take another --out"
        )
    clips = _clips(options)
    network = load_network(options.model, options.checkpoint)
    gate = partial(network.compare, clips)
    card = {
        "model": network.name,
        "source": {"file": network.checkpoint.name, "sha256": sha256(network.checkpoint)},
        "protocol": facts(0),
    }
    there = _same_artefact(options.out, config, card) if options.verify else None
    try:
        if there is not None:
            found = verify(there, network.engines, gate, options.backend or CPU, compiler).summary()
        else:
            samples = {}
            if options.calibrate:
                fed = config.sources(network.engines)
                samples = calibration(network.tracker, fed, _calibration_clips(options.calibrate))
            found = export(network.engines, options.out, config, gate, card, samples, compiler).card["parity"]
    except (ParityError, BuildError) as error:
        left = "what was there stays" if is_artefact(options.out) else "nothing is left there"
        print(f"{options.out}: refused, and {left}: {error}")
        return 1
    print(f"{options.out}: {'verified' if there else 'accepted'}; {_summary(found)}")
    if compiler:
        print(f"{options.out}: {_compiled_by(compiler)}")
    return 0


def _export_predictor(options: argparse.Namespace) -> int:
    """Export a trained predictor's weights or checkpoint."""
    given = [name for name in _OF_TRACKERS if getattr(options, name)]
    if given:
        raise InputError(
            f"--{given[0]} is for a tracker's network; {options.model} takes FILE, --out, --force and --compile"
        )
    if not options.file:
        raise InputError(
            f"pvtpp export {options.model} needs the weights (.safetensors) or a checkpoint (.ckpt) of a training: "
            f"pvtpp export {options.model} FILE --out F.onnx"
        )
    try:
        from pvtpp.export.publication import files_of, graph_path, refuse_existing
        from pvtpp.export.trained import export_again
    except ModuleNotFoundError as error:
        raise InputError(f"exporting needs {error.name}: pip install 'pvtpp[cpu,train,export]'") from None

    out, source, compiler = graph_path(options.out), Path(options.file), _compiler(options)
    if not options.force:
        graph, encoder, *beside = files_of(out)
        # The weights that are exported, with their card, may lie where they would be written.
        in_place = source.resolve() == beside[0].resolve()
        refuse_existing([graph, encoder, *([] if in_place else beside)], "replace it by --force, or take another --out")
    worst = export_again(options.model, source, out, compiler)
    prefix = {"paper": "n_head"}.get(options.model, options.model)
    print(f"{out}: ONNX against torch {worst:.1e}; use it as --predictors {prefix}:{out}")
    if compiler:
        print(f"{out}: {_compiled_by(compiler)}")
    if options.model == "motion" and source.suffix != ".safetensors":
        print("sigma is not calibrated, which pvtpp train motion does after its last epoch (--resume)")
    return 0


def _compiler(options: argparse.Namespace) -> Optional[Compiler]:
    """What must take the graphs; None where --compile is not given."""
    from pvtpp.export.compiler import Compiler

    return None if options.compile is None else Compiler.named(options.compile)


def _compiled_by(compiler: Compiler) -> str:
    where = f" for {', '.join(compiler.capabilities)}" if compiler.capabilities else ""
    return f"compiled by {compiler.library.title}{where}"


def _same_artefact(folder: str, config: ExportConfig, card: Dict[str, Any]) -> Optional[Artefact]:
    """The artefact in `folder`, if it is the one asked for; None where there is none."""
    from pvtpp.export.artefact import config_of

    if not is_artefact(folder):
        return None
    artefact = read(folder)
    asked = {"model": card["model"], "source": card["source"], "configuration": config}
    there = {"model": artefact.card["model"], "source": artefact.card["source"], "configuration": config_of(artefact)}
    differing = [f"{name} {there[name]}, asked for is {asked[name]}" for name in asked if asked[name] != there[name]]
    if differing:
        raise InputError(f"{folder}: holds another export: {differing[0]}; replace it by --force, without --verify")
    return artefact


def _clips(options: argparse.Namespace) -> List[VideoSequence]:
    if not options.dataset:
        if options.root or options.split or options.sequences:
            raise InputError(
                "--root, --split and --sequences say which clips of --dataset NAME to compare on; it is missing"
            )
        from pvtpp_benchmarks.synthetic import AerialClip, render

        return [render(AerialClip(seconds=2.0, occlusions=()))]
    if not options.root:
        raise InputError("--dataset needs --root, the folder it lies in")
    dataset = load(options.dataset, options.root, options.split)
    return list(dataset.select(options.sequences) if options.sequences else dataset)


def _calibration_clips(text: str) -> List[VideoSequence]:
    name, root, split = (*text.split(":"), "", "")[:3]
    if not root:
        raise InputError(
            f"--calibrate {text!r}: expected NAME:ROOT or NAME:ROOT:SPLIT, such as uav-mini:data/uav-mini:train"
        )
    return list(load(name, root, split or None))


def _summary(found: Dict[str, Any]) -> str:
    worst = max(found["tensors"].items(), key=lambda item: item[1]["relative"])
    text = f"tensors within {worst[1]['absolute']:.1e} ({worst[0]})"
    if "boxes" in found:
        boxes, tracks = found["boxes"], found["tracks"]
        text += (
            f", boxes of {boxes['frames']} frames within {boxes['max_px']:.2g} px (95 %: {boxes['p95_px']:.2g}), "
            f"AUC over {tracks['clips']} clips {tracks['candidate']:.4f}, torch {tracks['reference']:.4f}"
        )
    return text
