"""Loss and return of the target: whether the presence monitor reports a loss, and whether the target is found again.

    python -m pvtpp_benchmarks.studies.loss_and_return --clips generated --seeds 42 48 --json loss_and_return.json
    python -m pvtpp_benchmarks.studies.loss_and_return --clips uav-mini --root $PVTPP_DATA/uav-mini --split test

A tracker follows each clip on the simulated clock, with propagation and predictor, once with the presence monitor
(`on`) and once without it (`off`). In generated clips an overpass hides the target for each of `--lengths` seconds.
The figures are those of `pvtpp_benchmarks.outages`, with `--grace` seconds for the monitor to follow each change of the
truth. Frames that show less than half of the target, but not nothing, are left out of precision and recall (known for
generated clips only).

Constants of `PresenceConfig` and `AppearanceConfig` were chosen on `--split train` and on generated clips with the
seeds 20 to 31 (`similarity_found` also with 40 and 41).
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp import predictors, propagation
from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.outages import GRACE_S, Outages, find_outages, loss_figures, outage_figures
from pvtpp_benchmarks.pairing import pair, reported_lost
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.synthetic import AerialClip, RenderedClip, render
from pvtpp_trackers.registry import create

STEP_NS = 2_500_000
BEGIN_S, AFTER_S = 3.0, 4.0


class Account(NamedTuple):
    """One run, compared with the truth.

    Attributes
    ----------
    outages
        Its outages, losses and returns.
    overlap
        IoU of the answer with the truth at each world frame, shape ``(n,)``; NaN where the target is absent.
    """

    outages: Outages
    overlap: np.ndarray


def generated(seeds: range, lengths: List[float]) -> Iterator[VideoSequence]:
    """A clip for each seed and length of the occlusion."""
    for seed in seeds:
        for length in lengths:
            hidden = ((BEGIN_S, BEGIN_S + length),)
            seconds = BEGIN_S + length + AFTER_S
            yield render(
                AerialClip(f"seed {seed}, {length:g} s", seed, seconds=seconds, agility=0.5, occlusions=hidden)
            )


def account(log: EventLog, sequence: VideoSequence, grace_s: float = GRACE_S) -> Account:
    """Compare what is known at every world frame with the truth."""
    times, fps = sequence.world_t_ns, sequence.world_fps
    overlap = pair(log, log.predictors[0], times, fps).overlap(sequence.ground_truth_xywh)
    counted = None
    if isinstance(sequence, RenderedClip):
        hidden = np.array([sequence.scene.hidden_at(t * 1e-9) for t in times])
        counted = (hidden <= 0.5) | np.isnan(overlap)
    return Account(find_outages(overlap, fps, reported_lost(log, times, fps), counted, grace_s), overlap)


def run(sequence: VideoSequence, options: argparse.Namespace, presence: Optional[PresenceConfig]) -> EventLog:
    """Simulate one run with the presence monitor of this configuration, or without one."""
    propagator = None
    if options.propagation != "none":
        propagator = Propagation(propagation.create(options.propagation), STEP_NS)
    return simulate(
        sequence,
        create(options.tracker),
        {options.predictor: predictors.create(options.predictor)},
        parse(options.processing).start(sequence.name),
        first_box=xywh_to_box(sequence.ground_truth_xywh[0]),
        search_region=options.search_region,
        propagation=propagator,
        presence=presence,
    )


def summary(accounts: List[Account]) -> Dict[str, Any]:
    """The figures of these runs."""
    outages = [each.outages for each in accounts]
    overlap = np.concatenate([each.overlap for each in accounts])
    return {
        "losses": loss_figures(outages),
        "outages": outage_figures(outages),
        "mean_iou": round(float(np.nanmean(overlap)), 4),
    }


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", choices=["generated", "uav-mini"], default="generated")
    parser.add_argument("--seeds", type=int, nargs=2, default=[20, 28], metavar=("FIRST", "END"), help="default: 20 28")
    parser.add_argument("--lengths", type=float, nargs="+", default=[0.5, 1.0, 2.0, 3.0], help="default: 0.5 1 2 3")
    parser.add_argument("--root", help="the folder that holds uav-mini's splits")
    parser.add_argument("--split", default="train", help="default: %(default)s")
    parser.add_argument("--sequences", nargs="*", help="only these of uav-mini")
    parser.add_argument("--tracker", default="nanotrack-v3", help="default: %(default)s")
    parser.add_argument("--processing", default="47ms", help="default: %(default)s")
    parser.add_argument("--predictor", default="motion", help="default: %(default)s")
    parser.add_argument(
        "--propagation", choices=propagation.names(), default="optical_flow", help="default: %(default)s"
    )
    parser.add_argument("--search-region", default="predicted", help="default: %(default)s")
    parser.add_argument("--grace", type=float, default=GRACE_S, help="seconds (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    kinds: Tuple[Tuple[str, Optional[PresenceConfig]], ...] = (("on", PresenceConfig()), ("off", None))
    try:
        check_writable(options.json)
        if options.clips == "generated":
            clips: Any = generated(range(*options.seeds), options.lengths)
        elif options.root:
            clips = load("uav-mini", options.root, options.split)
            clips = clips.select(options.sequences) if options.sequences else clips
        else:
            raise InputError("--clips uav-mini needs --root, the folder that holds its splits")
        accounts: Dict[str, List[Account]] = {name: [] for name, _ in kinds}
        per_clip: Dict[str, Any] = {}
        for clip in clips:
            for name, config in kinds:
                accounts[name].append(account(run(clip, options, config), clip, options.grace))
            per_clip[clip.name] = {name: summary([each[-1]]) for name, each in accounts.items()}
            print(f"{clip.name:>20}  {_line(per_clip[clip.name])}", flush=True)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    if not per_clip:
        parser.exit(2, "no clips\n")
    total = {name: summary(each) for name, each in accounts.items()}
    print(f"{'all':>20}  {_line(total)}")
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key not in ("json", "root")}
        write_json(options.json, {"protocol": facts(0), "settings": settings, "all": total, "clips": per_clip})
    return 0


def _line(figures: Dict[str, Any]) -> str:
    on, off = figures["on"], figures["off"]
    losses, (found, without) = on["losses"], (each["outages"] for each in (on, off))
    return (
        f"LOST precision {_share(losses['precision'])} recall {_share(losses['recall'])}, "
        f"in time {_share(losses['precision_in_time'])} {_share(losses['recall_in_time'])}; "
        f"found {found['found']}/{found['returns']} (off {without['found']}) in {found['seconds_to_find']} s; "
        f"NT2F {found['nt2f']:.3f} (off {without['nt2f']:.3f}); IoU {on['mean_iou']:.3f} (off {off['mean_iou']:.3f})"
    )


def _share(value: Optional[float]) -> str:
    return "  - " if value is None else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
