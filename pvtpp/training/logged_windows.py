"""Training windows from event logs: what a real tracker delivered in online runs, and the truth from then on.

The motion network needs boxes, times and scores alone, and a log holds all of them, propagated boxes and displacements
included. So every run that `pvtpp eval --logs` has kept can be learnt from, of any tracker. The inputs are those of the
flight to the bit: the state machine goes through the log again, and what the predictor is given is kept.

Windows are float32 tensors by name, as those of `pvtpp.training.windows.tensors`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pvtpp.boxes import iou
from pvtpp.core.commands import hold
from pvtpp.core.event_log import EventLog
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.predictors.motion import INPUTS, Motion, input_shapes
from pvtpp.track import Track
from pvtpp.training.truth import NEAR_NS, first_asked, truth_at
from pvtpp.trajectory import Trajectory

LEAST_OVERLAP = 0.1
"""Evidence whose IoU with the truth is less has lost the target: nothing is learnt from windows that end with it."""


class _Reader(Motion):
    """A predictor that holds, and keeps what the motion network would have been given."""

    def __init__(self, history: int):
        # Without an engine: the inputs are made from the track alone.
        self.history, self._shapes = history, input_shapes(history)
        self.given: list[tuple[dict[str, np.ndarray], int, np.ndarray]] = []

    def predict(self, track: Track) -> Trajectory:
        self.given.append((self.inputs(track), track.evidence_ns, np.array(track.evidence_box)))
        return hold(track, None)


@dataclass(frozen=True)
class LoggedRun:
    """The moments of one online run at which a predictor was asked: n of them, and the truth.

    Attributes
    ----------
    clip
        Name of the clip.
    inputs
        Inputs of the motion network by name, float32, n along the first axis.
    evidence_ns, box
        Capture time ``(n,)``, nanoseconds, and box ``(n, 4)``, ``[cx, cy, w, h]`` in pixels, of the newest evidence.
    available_ns
        When the answer was available, ``(n + 1,)``, nanoseconds: it is the newest one until the next. The last entry is
        the end of the truth.
    truth_t_ns, truth
        Times ``(m,)``, nanoseconds, and true boxes ``(m, 4)``, NaN where the target is absent.
    """

    clip: str
    inputs: dict[str, np.ndarray]
    evidence_ns: np.ndarray
    box: np.ndarray
    available_ns: np.ndarray
    truth_t_ns: np.ndarray
    truth: np.ndarray

    @classmethod
    def of(cls, clip: str, log: EventLog, truth_t_ns: np.ndarray, truth: np.ndarray, history: int = 16) -> LoggedRun:
        """Go through a log again.

        Parameters
        ----------
        clip, truth_t_ns, truth
            As the attributes.
        log
            Of a run with the search region at the tracker's last result and without presence, so that its results do
            not depend on a predictor.
        history
            Results that the network reads.

        Raises
        ------
        InputError
            As `replay`, and for a log without a result or with several targets.
        """
        reader = _Reader(history)
        rows = replay(log, {"reader": reader}).of_kind("trajectory")
        if not reader.given or len(rows) != len(reader.given) + 1:
            raise InputError(f"log of {clip}: {len(log.of_kind('init'))} targets, {len(reader.given)} predictions")
        inputs, evidence_ns, box = zip(*reader.given, strict=True)
        # The first trajectory is the given box, which stands until the first prediction.
        available = [row[1] for row in rows[1:]] + [int(truth_t_ns[-1]) + 1]
        return cls(
            clip,
            {name: np.concatenate([each[name] for each in inputs]) for name in INPUTS},
            np.array(evidence_ns, dtype=np.int64),
            np.array(box),
            np.array(available, dtype=np.int64),
            np.asarray(truth_t_ns, dtype=np.int64),
            np.asarray(truth, dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.evidence_ns)

    def newest(self) -> np.ndarray:
        """Rows of the truth at which each answer is the newest: the first, and the one after the last, ``(n, 2)``."""
        at = first_asked(self.truth_t_ns, self.available_ns)
        return np.stack([at[:-1], at[1:]], 1)

    def on_target(self) -> np.ndarray:
        """Whether the newest evidence overlaps the truth at its time, bool, ``(n,)``."""
        truth = truth_at(self.truth_t_ns, self.truth, self.evidence_ns)
        return np.nan_to_num(iou(self.box, truth)) >= LEAST_OVERLAP


class LoggedPool:
    """Windows of logged runs, drawn at random (`sample`) or all of them in order (`every`).

    Every clip is drawn equally often, and within a clip every usable moment of its runs.

    Parameters
    ----------
    runs
        At least one.

    Raises
    ------
    InputError
        Where there is no run, or none that is ever on its target.
    """

    def __init__(self, runs: Sequence[LoggedRun]):
        self.runs = list(runs)
        names = [run.clip for run in self.runs]
        self.newest = [run.newest() for run in self.runs]
        usable = [
            np.flatnonzero(run.on_target() & (asked[:, 1] > asked[:, 0]))
            for run, asked in zip(self.runs, self.newest, strict=True)
        ]
        pairs = [np.stack([np.full(len(rows), i), rows], 1) for i, rows in enumerate(usable)]
        by_clip = [
            np.concatenate([pair for pair, name in zip(pairs, names, strict=True) if name == clip])
            for clip in dict.fromkeys(names)
        ]
        self.clips = [each for each in by_clip if len(each)]
        if not self.clips:
            raise InputError(f"logged runs to learn from: none of {len(self.runs)} is ever on its target")

    def digest(self) -> str:
        """A text that differs for any other runs."""
        made = hashlib.blake2b(digest_size=16)
        for run in self.runs:
            made.update(run.clip.encode())
            arrays = (*run.inputs.values(), run.evidence_ns, run.box, run.available_ns, run.truth_t_ns, run.truth)
            for array in arrays:
                made.update(np.ascontiguousarray(array).tobytes())
        return made.hexdigest()

    def describe(self) -> str:
        """In words how many runs and moments there are."""
        usable = sum(map(len, self.clips))
        return f"{len(self.runs)} logged runs of {len(self.clips)} clips have {usable} predictions with a target"

    def sample(
        self, rng: np.random.Generator, count: int, horizons: int, longest_horizon_s: float
    ) -> dict[str, Tensor]:
        """Draw `count` windows; the same generator state gives the same windows.

        Parameters
        ----------
        rng
            The random generator.
        count
            Windows.
        horizons, longest_horizon_s
            As of `pvtpp.training.windows.WindowConfig`.
        """
        drawn = rng.integers(len(self.clips), size=count)
        share = rng.random(count)
        chosen = [self.clips[clip][int(u * len(self.clips[clip]))] for clip, u in zip(drawn, share, strict=True)]
        asked = np.empty((count, horizons), dtype=np.int64)
        for b, (index, row) in enumerate(chosen):
            run = self.runs[index]
            newest, until = self.newest[index][row].tolist()
            asked[b, :-1] = rng.integers(newest, until, horizons - 1)
            now = run.evidence_ns[row] - NEAR_NS
            first, end = np.searchsorted(run.truth_t_ns, [now, now + round(longest_horizon_s * 1e9)])
            asked[b, -1] = rng.integers(first, max(end, first + 1)) if first < len(run.truth) else -1
        return self._windows(np.array(chosen), asked)

    def every(self, count: int) -> Iterator[tuple[np.ndarray, dict[str, Tensor]]]:
        """Every moment once, `count` at a time, asked at every frame at which its answer is the newest.

        Yields
        ------
        chosen : np.ndarray
            Number of the run and of its moment, ``(B, 2)``.
        windows : dict of Tensor
            Those that have lost the target too. The mean IoU by weight is what the online benchmark scores.
        """
        pairs = np.concatenate([np.stack([np.full(len(r), i), np.arange(len(r))], 1) for i, r in enumerate(self.runs)])
        for begin in range(0, len(pairs), count):
            chosen = pairs[begin : begin + count]
            spans = np.array([self.newest[index][row] for index, row in chosen])
            offset = np.arange(max(1, int((spans[:, 1] - spans[:, 0]).max())))
            asked = spans[:, :1] + offset
            yield chosen, self._windows(chosen, np.where(asked < spans[:, 1:], asked, -1))

    def _windows(self, chosen: np.ndarray, asked: np.ndarray) -> dict[str, Tensor]:
        """Make windows of moments ``(B, 2)``, asked at rows of the truth ``(B, H)``, -1 for none."""
        made: dict[str, Any] = {
            name: np.stack([self.runs[index].inputs[name][row] for index, row in chosen]) for name in INPUTS
        }
        evidence_ns = np.array([self.runs[index].evidence_ns[row] for index, row in chosen])
        last = np.array([self.runs[index].box[row] for index, row in chosen])[:, None]
        when = np.stack([self.runs[index].truth_t_ns[rows] for (index, _), rows in zip(chosen, asked, strict=True)])
        truth = np.stack([self.runs[index].truth[rows] for (index, _), rows in zip(chosen, asked, strict=True)])
        known = (asked >= 0) & np.isfinite(truth).all(2) & (np.nan_to_num(truth[..., 2:]) > 0).all(2)
        truth = np.where(known[..., None], truth, last)
        made["horizon"] = np.where(known, (when - evidence_ns[:, None]) * 1e-9, 0.0)
        made["truth"] = np.concatenate(
            [(truth[..., :2] - last[..., :2]) / last[..., 2:], np.log(truth[..., 2:] / last[..., 2:])], 2
        )
        made["weight"] = known
        return {name: torch.from_numpy(np.asarray(array, dtype=np.float32)) for name, array in made.items()}
