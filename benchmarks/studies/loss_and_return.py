"""Loss and return of the target: whether the presence monitor reports a loss, and whether the target is found again.

    python -m pvtpp_benchmarks.studies.loss_and_return --clips generated --seeds 42 48 --json loss_and_return.json
    python -m pvtpp_benchmarks.studies.loss_and_return --clips uav-mini --root $PVTPP_DATA/uav-mini --split test

A tracker follows each clip on the simulated clock, with propagation and predictor, once with the presence monitor
(`on`) and once without it (`off`). In generated clips an overpass hides the target for each of `--lengths` seconds.
Every world frame is compared with what is known at its time: the status, and the box of the newest trajectory. In truth
the target is *lost* where it is absent or where that box misses it (IoU below 0.1). Frames that show less than half of
the target, but not nothing, are left out (known for generated clips only). Precision and recall of LOST are over
frames. `in time` allows the status `--grace` seconds to follow each change of the truth. A return is a target that is
present again after an absence of at least 0.2 s. It counts as found when the IoU is at least 0.5 and the status, if
there is one, is TRACKING.

Constants of `PresenceConfig` and `AppearanceConfig` were chosen on `--split train` and on generated clips with the
seeds 20 to 31 (`similarity_found` also with 40 and 41).
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp import predictors, propagation
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import Presence, PresenceConfig
from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.synthetic import AerialClip, RenderedClip, render
from pvtpp_trackers.registry import create

STEP_NS = 2_500_000
MISSED, FOUND = 0.1, 0.5
BEGIN_S, AFTER_S = 3.0, 4.0
ABSENCE_S = 0.2


class Account(NamedTuple):
    """One run, frame by frame; arrays have the shape ``(n,)`` of the world frames.

    Attributes
    ----------
    lost
        Whether the target is lost in truth.
    said
        Whether presence says LOST.
    unclear
        Frames that are left out.
    overlap
        IoU with the truth, NaN where the target is absent.
    sure
        Whether presence says TRACKING.
    fps
        World frames per second.
    """

    lost: np.ndarray
    said: np.ndarray
    unclear: np.ndarray
    overlap: np.ndarray
    sure: np.ndarray
    fps: float


def generated(seeds: range, lengths: List[float]) -> Iterator[VideoSequence]:
    """A clip for each seed and length of the occlusion."""
    for seed in seeds:
        for length in lengths:
            hidden = ((BEGIN_S, BEGIN_S + length),)
            seconds = BEGIN_S + length + AFTER_S
            yield render(
                AerialClip(f"seed {seed}, {length:g} s", seed, seconds=seconds, agility=0.5, occlusions=hidden)
            )


def account(log: EventLog, sequence: VideoSequence) -> Account:
    """Compare what is known at every world frame with the truth."""
    times, truth = sequence.world_t_ns, xywh_to_box(sequence.ground_truth_xywh)
    available, table = log.trajectories(log.predictors[0])
    newest = np.maximum(np.searchsorted(available, times, side="right") - 1, 0)
    overlap = iou(table.boxes(newest, times), truth)
    rows = log.of_kind("presence")
    newest_row = np.searchsorted([row[1] for row in rows], times, side="right") - 1
    presence = [Presence(rows[i][2]) if i >= 0 else Presence.TRACKING for i in newest_row]
    unclear = np.zeros(len(times), dtype=bool)
    if isinstance(sequence, RenderedClip):
        hidden = np.array([sequence.scene.hidden_at(t * 1e-9) for t in times])
        unclear = (hidden > 0.5) & np.isfinite(overlap)
    return Account(
        ~(overlap >= MISSED),
        np.array([each is Presence.LOST for each in presence]),
        unclear,
        overlap,
        np.array([each is Presence.TRACKING for each in presence]),
        sequence.world_fps,
    )


def returns(found: Account) -> List[Optional[float]]:
    """Seconds from every return of the target until it was found, None if it left or the clip ended before that."""
    absent = np.isnan(found.overlap)
    changes = np.flatnonzero(np.diff(np.concatenate([[False], absent, [False]]).astype(int)))
    seconds: List[Optional[float]] = []
    for begin, end in zip(changes[::2], changes[1::2]):
        if end - begin < ABSENCE_S * found.fps or end == len(absent):
            continue
        later = [change for change in changes[::2] if change > end]
        there = slice(end, later[0] if later else len(absent))
        hits = np.flatnonzero((found.overlap[there] >= FOUND) & found.sure[there])
        seconds.append(round(int(hits[0]) / found.fps, 3) if len(hits) else None)
    return seconds


def forgiven(found: Account, grace_s: float) -> np.ndarray:
    """What presence said; for `grace_s` seconds after each change of the truth, the truth."""
    said = found.said.copy()
    for change in np.flatnonzero(np.diff(found.lost.astype(int))) + 1:
        late = slice(change, change + round(grace_s * found.fps))
        said[late] = found.lost[late]
    return said


def shares(accounts: List[Account], said: List[np.ndarray]) -> Dict[str, Any]:
    """Precision and recall of LOST over all frames that are not left out; None where there is nothing to divide by."""
    clear = [~each.unclear for each in accounts]
    lost = np.concatenate([each.lost[mask] for each, mask in zip(accounts, clear)])
    reported = np.concatenate([each[mask] for each, mask in zip(said, clear)])
    right = int((lost & reported).sum())
    return {
        "precision": round(right / int(reported.sum()), 4) if reported.any() else None,
        "recall": round(right / int(lost.sum()), 4) if lost.any() else None,
        "frames": len(lost),
        "lost": int(lost.sum()),
        "said": int(reported.sum()),
    }


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


def summary(accounts: List[Account], grace_s: float) -> Dict[str, Any]:
    """The figures of these runs."""
    seconds = [each for account in accounts for each in returns(account)]
    found = [each for each in seconds if each is not None]
    overlap = np.concatenate([account.overlap for account in accounts])
    return {
        "LOST": shares(accounts, [each.said for each in accounts]),
        "in time": shares(accounts, [forgiven(each, grace_s) for each in accounts]),
        "returns": len(seconds),
        "found": len(found),
        "seconds_to_find": [round(float(np.percentile(found, q)), 3) for q in (50, 95)] if found else None,
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
    parser.add_argument("--grace", type=float, default=0.3, help="seconds (default: %(default)s)")
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
                accounts[name].append(account(run(clip, options, config), clip))
            per_clip[clip.name] = {name: summary([each[-1]], options.grace) for name, each in accounts.items()}
            print(f"{clip.name:>20}  {_line(per_clip[clip.name])}", flush=True)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    if not per_clip:
        parser.exit(2, "no clips\n")
    total = {name: summary(each, options.grace) for name, each in accounts.items()}
    print(f"{'all':>20}  {_line(total)}")
    if options.json:
        settings = {key: value for key, value in vars(options).items() if key not in ("json", "root")}
        write_json(options.json, {"protocol": facts(0), "settings": settings, "all": total, "clips": per_clip})
    return 0


def _line(figures: Dict[str, Any]) -> str:
    on, off = figures["on"], figures["off"]
    strict, late = on["LOST"], on["in time"]
    return (
        f"LOST precision {_share(strict['precision'])} recall {_share(strict['recall'])}, "
        f"in time {_share(late['precision'])} {_share(late['recall'])}; "
        f"found {on['found']}/{on['returns']} (off {off['found']}) in {on['seconds_to_find']} s; "
        f"IoU {on['mean_iou']:.3f} (off {off['mean_iou']:.3f})"
    )


def _share(value: Optional[float]) -> str:
    return "  - " if value is None else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
