"""Sigma in flight: its weights, fitted on real clips, and how much of the truth its 50 % and 90 % bounds hold.

    python -m pvtpp_benchmarks.studies.sigma_calibration $PVTPP_DATA --json benchmarks/studies/sigma_calibration.json

A tracker follows each clip from four starts, 20, 47, 85 and 165 ms a frame, in the default configuration on the
simulated clock. Every world frame that shows the target is compared with the newest trajectory of its time. The weights
of `pvtpp.core.sigma_calibration` maximise the likelihood of the errors, Student's t with three degrees of freedom.
Every clip and processing time counts the same. Frames where the target is not followed (IoU up to 0.1) and those before
the third result are left out of the fit, not of the counts. The weights are then multiplied by `--margins`, chosen on
the counts of `left out`: some clips are unlike all others, and a target that is not followed is held by no bound.

Fit: `uav-mini/train`, `uav-more/train` and `uav-more/val`. `left out` counts each of these clips with the weights that
were fitted on all others. `as published` counts with the sigma that trajectories have, hence the weights that stand in
the code, and `stated` with the predictor's own. `--test` counts `uav-mini/test` too, which decides nothing.

To fit anew: run without `--test`, put the weights that are printed into the code, run again. Sigma changes no box, so
the logs stay good: give the `--version` under which they were recorded (it is in the JSON). Then no tracker runs.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp import predictors as predictor_registry
from pvtpp.arguments import comma_separated
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PRESENCES
from pvtpp.core.replay import replay
from pvtpp.core.sigma_calibration import CENTRE, SIZE, Weights, witnesses
from pvtpp.errors import InputError
from pvtpp.predictors import Predictor
from pvtpp.predictors.motion import WITHIN
from pvtpp.progress import progress
from pvtpp.track import Track
from pvtpp.tracker import TrackerOutput
from pvtpp.trajectory import Trajectory
from pvtpp_benchmarks.datasets.registry import load
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.provenance import code_version, facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.runs import jobs, obtain
from pvtpp_benchmarks.spec import RunSpec
from pvtpp_benchmarks.studies.propagation_table import STEP_NS, TIMES, Decoded
from pvtpp_trackers.factory import MakeTracker

FITTED_ON = (("uav-mini", "train"), ("uav-more", "train"), ("uav-more", "val"))
TEST = ("uav-mini", "test")
GROUPS = {"centre": slice(0, 2), "size": slice(2, 4)}
FOLLOWED = 0.1
"""Least IoU of a target that is followed, in the fit."""
RESULTS = 3
"""Least results in the fit: the first of them is the truth itself."""
LEAST_STATED = 0.25
"""Least weight of what the predictor states: where no evidence comes, sigma has to grow with time."""
MARGINS = (1.2, 1.1)
"""Factors of the fitted weights of centre and size."""
FREEDOM, T_90 = 3.0, 2.353
"""Degrees of freedom, and the 90 % bound of that distribution with scale 1."""


class Listener:
    """A predictor that keeps every track it was given, and what it made of it."""

    reads_features = False

    def __init__(self, predictor: Predictor):
        self._predictor = predictor
        self.calls: List[Tuple[Track, Trajectory]] = []

    def encode(self, output: TrackerOutput) -> Any:
        """Return None: the default predictor reads boxes and times alone."""
        return None

    def predict(self, track: Track) -> Trajectory:
        """Predict as the predictor does."""
        made = self._predictor.predict(track)
        self.calls.append((track, made))
        return made


@dataclass(frozen=True)
class Answers:
    """What was known at N world frames that show the target.

    Attributes
    ----------
    clip, time
        Name of the clip and processing time of each, shape ``(N,)``.
    error
        Error of the box, pixels, shape ``(N, 4)``.
    overlap
        IoU with the truth, shape ``(N,)``.
    published, stated
        Sigma as it is published and as the predictor stated it, pixels, shape ``(N, 4)``.
    witnessed
        What the other weights are the shares of, shape ``(N, 4, 5)``.
    used
        Whether the fit uses the frame, shape ``(N,)``.
    """

    clip: np.ndarray
    time: np.ndarray
    error: np.ndarray
    overlap: np.ndarray
    published: np.ndarray
    stated: np.ndarray
    witnessed: np.ndarray
    used: np.ndarray

    def __getitem__(self, mask: np.ndarray) -> Answers:
        return Answers(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))

    @classmethod
    def joined(cls, parts: List[Answers]) -> Answers:
        """Put the frames of many runs into one."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def terms(self, group: str) -> np.ndarray:
        """What each weight of a group is the share of, shape ``(N, 2, 6)``."""
        return np.concatenate([self.stated[..., None], self.witnessed], axis=2)[:, GROUPS[group]]


def answers(log: EventLog, sequence: VideoSequence, time: str, predictor: Predictor) -> Answers:
    """Compare what was known at every world frame with the truth."""
    listener = Listener(predictor)
    rows = replay(log, {log.predictors[0]: listener}).of_kind("trajectory")
    if len(rows) != len(listener.calls) + 1:
        raise InputError(f"{sequence.name}: a log of one target makes one prediction for each trajectory but the first")
    # At permitted latency 0, with the pairing's tolerance for rounded times.
    newest = np.searchsorted([row[1] for row in rows], sequence.world_t_ns + 16, side="right") - 1
    truth = xywh_to_box(sequence.ground_truth_xywh)
    shown = np.flatnonzero((newest >= 0) & np.isfinite(truth).all(axis=1))
    made: Dict[str, List[Any]] = {name: [] for name in ("box", "published", "stated", "witnessed", "used")}
    current = -1
    for frame in shown:
        t_ns, index = int(sequence.world_t_ns[frame]), int(newest[frame])
        if index != current:
            current, trajectory = index, Trajectory.from_row(rows[index][3:])
            # The first trajectory is that of the box that was given.
            track, own = listener.calls[index - 1] if index else (None, trajectory)
            witnessed = np.zeros((4, 5)) if track is None else witnesses(track)
        known, said = trajectory.at(t_ns), own.at(t_ns)
        made["box"].append(known.box)
        made["published"].append(known.sigma)
        made["stated"].append(said.sigma)
        made["witnessed"].append(witnessed)
        # A lost target coasts: its sigma grows by itself.
        made["used"].append(track is not None and len(track) >= RESULTS and np.array_equal(known.box, said.box))
    boxes = np.reshape(made["box"], (-1, 4))
    overlap = iou(boxes, truth[shown])
    return Answers(
        np.full(len(shown), sequence.name),
        np.full(len(shown), time),
        boxes - truth[shown],
        overlap,
        np.reshape(made["published"], (-1, 4)),
        np.reshape(made["stated"], (-1, 4)),
        np.reshape(made["witnessed"], (-1, 4, 5)),
        np.array(made["used"], dtype=bool) & (overlap > FOLLOWED),
    )


def fit(found: Answers, group: str) -> np.ndarray:
    """Weights of one group, shape ``(6,)``, that maximise the likelihood of the errors, each clip and time equal."""
    found = found[found.used]
    _, which, counts = np.unique(np.char.add(found.clip, found.time), return_inverse=True, return_counts=True)
    share = np.repeat(1 / counts[which] / (2 * len(counts)), 2)
    terms = found.terms(group).reshape(-1, len(Weights._fields))
    # Errors of nothing at all come from rounded annotations.
    error = np.maximum(np.abs(found.error[:, GROUPS[group]].reshape(-1)), 1e-3 * terms[:, 1])
    scale = WITHIN[1][1] / T_90

    def loss(logarithms: np.ndarray) -> float:
        z = error / (scale * (terms @ np.exp(logarithms)))
        return float(share @ (np.log(error / z) + (FREEDOM + 1) / 2 * np.log1p(z * z / FREEDOM)))

    # Fisher scoring in the logarithms of the weights, which keeps them positive.
    at, damping = np.log(np.full(len(Weights._fields), 0.1)), 1e-3
    at[0] = least = np.log(LEAST_STATED)
    best, gain = loss(at), np.inf
    while gain > 1e-9 and damping < 1e6:
        parts = terms * np.exp(at)
        sigma = parts.sum(axis=1)
        z = error / (scale * sigma)
        slope = parts.T @ (share * (1 - (FREEDOM + 1) * z * z / (FREEDOM + z * z)) / sigma)
        curvature = 2 * FREEDOM / (FREEDOM + 3) * (parts * (share / sigma**2)[:, None]).T @ parts
        step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature) + 1e-9), -slope)
        there = at + np.clip(step, -1, 1)
        there[0] = max(there[0], least)
        if loss(there) < best:
            gain, damping = best - loss(there), damping / 4
            at, best = there, best - gain
        else:
            damping *= 4
    return np.exp(at)


def sigma_of(found: Answers, weights: Dict[str, np.ndarray]) -> np.ndarray:
    """Sigma with these weights of `centre` and `size`, pixels, shape ``(N, 4)``."""
    return np.concatenate([found.terms(group) @ weights[group] for group in GROUPS], axis=1)


def coverage(found: Answers, sigma: np.ndarray) -> Dict[str, Any]:
    """Shares of the truth within the 50 % and the 90 % bound.

    Returns
    -------
    dict
        By time as the mean of clips (`clips_mean`) and over all frames (`frames`); by clip and time (`clips`), with the
        share of frames that are followed.
    """
    ratio = np.abs(found.error) / sigma

    def within(mask: np.ndarray) -> Dict[str, Any]:
        return {
            name: [float((ratio[mask, part] <= bound).mean()) for _, bound in WITHIN] for name, part in GROUPS.items()
        }

    times = list(dict.fromkeys(found.time.tolist()))
    clips: Dict[str, Dict[str, Any]] = {}
    for clip, time in dict.fromkeys(zip(found.clip.tolist(), found.time.tolist())):
        clips.setdefault(clip, {})[time] = within((found.clip == clip) & (found.time == time))
    return {
        "clips_mean": {time: mean(rows[time] for rows in clips.values() if time in rows) for time in times},
        "frames": {time: within(found.time == time) for time in times},
        "clips": {
            clip: {"followed": float((found.overlap[found.clip == clip] > FOLLOWED).mean()), **rows}
            for clip, rows in clips.items()
        },
    }


def mean(rows: Iterable[Dict[str, Any]]) -> Dict[str, Any]:
    """Mean of rows of shares, by group."""
    listed = list(rows)
    return {name: np.mean([row[name] for row in listed], axis=0).tolist() for name in GROUPS}


def both(found: Answers, sigma: np.ndarray) -> Dict[str, Any]:
    """Coverage over all frames, and over those where the target is followed."""
    followed = found.overlap > FOLLOWED
    return {"all": coverage(found, sigma), "followed": coverage(found[followed], sigma[followed])}


def clip_means(figures: Dict[str, Any]) -> Dict[str, Any]:
    """The shares of each clip as the mean of its times."""
    return {
        clip: mean(row for time, row in rows.items() if time != "followed") for clip, rows in figures["clips"].items()
    }


def shortened(by: Dict[str, Any]) -> Dict[str, Any]:
    """What the JSON keeps: clips by time for the published sigma of all frames, as means of times else."""
    made: Dict[str, Any] = {}
    for kind, figures in by.items():
        made[kind] = {}
        for frames, table in figures.items():
            full = (kind, frames) == ("as published", "all")
            made[kind][frames] = table if full else {**table, "clips": clip_means(table)}
            if kind == "stated":
                del made[kind][frames]["clips"]
    return made


def with_margins(found: Answers, margins: Sequence[float]) -> Dict[str, np.ndarray]:
    """The weights of both groups, shape ``(6,)`` each: fitted, and multiplied by the margin of their group."""
    return {group: margin * fit(found, group) for group, margin in zip(GROUPS, margins)}


def left_out(found: Answers, margins: Sequence[float]) -> np.ndarray:
    """Sigma of each clip with the weights that were fitted on all other clips, shape ``(N, 4)``."""
    made = np.empty_like(found.error)
    for clip in np.unique(found.clip):
        apart = found.clip == clip
        made[apart] = sigma_of(found[apart], with_margins(found[~apart], margins))
    return made


def collect(options: argparse.Namespace, tracker: str, parts: Sequence[Tuple[str, str]]) -> Answers:
    """Run or read the runs of one tracker on these parts of the data."""
    return Answers.joined([*_collected(options, tracker, parts)])


def _collected(options: argparse.Namespace, tracker: str, parts: Sequence[Tuple[str, str]]) -> Iterator[Answers]:
    predictor, make_tracker, show = predictor_registry.create(defaults.PREDICTOR), MakeTracker(tracker), progress()
    for folder, split in parts:
        for sequence in load("uav-mini", Path(options.root) / folder, split):
            kept = Decoded.of(sequence)
            for time in options.times:
                spec = RunSpec(
                    f"{folder}/{split}",
                    tracker,
                    time,
                    predictors=(defaults.PREDICTOR,),
                    search_region=defaults.SEARCH_REGION,
                    propagation=defaults.PROPAGATION,
                    propagation_ns=STEP_NS,
                    presence=options.presence,
                    starts=options.starts,
                    version=options.version,
                )
                for job in jobs([kept], spec, options.logs):
                    yield answers(obtain(job, make_tracker)[0], kept, time, predictor)
            show(f"{tracker} {folder}/{split} {sequence.name}")


def rounded(content: Any) -> Any:
    """The same content with numbers of four decimals."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [rounded(value) for value in content]
    return round(content, 4) if isinstance(content, float) else content


def lines(title: str, figures: Dict[str, Any]) -> Iterator[str]:
    """The figures as text."""
    for frames, table in figures.items():
        for time, row in table["clips_mean"].items():
            shares = "  ".join(f"{group} {low:.2f} {high:.2f}" for group, (low, high) in row.items())
            yield f"{title}, {frames}, {time:>5}: {shares}"
        clips = clip_means(table).items()
        low = {group: min((row[group][1], clip) for clip, row in clips) for group in GROUPS}
        yield f"{title}, {frames}, least clip at 90 %: " + ", ".join(
            f"{group} {value:.2f} ({clip})" for group, (value, clip) in low.items()
        )


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", help="folder with uav-mini and uav-more")
    parser.add_argument("--logs", default="runs", metavar="DIR", help="where event logs are kept (default %(default)s)")
    parser.add_argument("--version", default=code_version(), help="version of the code whose logs are used")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="fitted on (default %(default)s)")
    parser.add_argument(
        "--others", type=comma_separated, default=(), metavar="NAME,NAME", help="trackers counted on uav-mini/train too"
    )
    parser.add_argument("--times", type=comma_separated, default=TIMES, help=f"(default {','.join(TIMES)})")
    parser.add_argument("--presence", choices=PRESENCES, default=defaults.PRESENCE, help="(default %(default)s)")
    parser.add_argument("--starts", type=int, default=4, help="starts in each clip (default %(default)s)")
    parser.add_argument(
        "--margins",
        type=float,
        nargs=2,
        default=MARGINS,
        metavar=("CENTRE", "SIZE"),
        help="factors of the fitted weights (default: %(default)s)",
    )
    parser.add_argument("--test", action="store_true", help="count uav-mini/test too")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.json)
        found = collect(options, options.tracker, FITTED_ON)
        fitted = {group: Weights(*row.tolist()) for group, row in with_margins(found, options.margins).items()}
        fits = {
            "left out": both(found, left_out(found, options.margins)),
            "as published": both(found, found.published),
            "stated": both(found, found.stated),
        }
        others = [(tracker, FITTED_ON[0]) for tracker in options.others]
        counted = {}
        for tracker, part in [*others, *([(options.tracker, TEST)] if options.test else [])]:
            some = collect(options, tracker, (part,))
            counted[f"{tracker}, {'/'.join(part)}"] = {
                "as published": both(some, some.published),
                "stated": both(some, some.stated),
            }
    except InputError as error:
        parser.exit(2, f"{error}\n")
    for group, weights in fitted.items():
        print(f"{group}: " + ", ".join(f"{name}={value:.3g}" for name, value in weights._asdict().items()))
    for title, by in {"choosing": fits, **counted}.items():
        for kind, figures in by.items():
            print("\n".join(lines(f"{title}, {kind}", figures)))
    if options.json:
        settings = {name: value for name, value in vars(options).items() if name not in ("json", "root", "logs")}
        content = {
            "within": {f"{share:.0%}": bound for share, bound in WITHIN},
            "fitted": {group: weights._asdict() for group, weights in fitted.items()},
            "in the code": {"centre": CENTRE._asdict(), "size": SIZE._asdict()},
            "choosing": shortened(fits),
            "counted": {name: shortened(by) for name, by in counted.items()},
        }
        write_json(options.json, {"protocol": facts(0), "settings": settings, **rounded(content)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
