"""Training windows from recordings: a tracker's last results, the features it saw, and the truth from then on.

Windows are float32 tensors by name. Names and units are those of `pvtpp.training.windows.tensors`. In addition:

``search``        ``(B, k, C, H, W)``  features of the newest k results, oldest first; zero where `seen` is 0
``seen``          ``(B, k)``           1 where there was a result with features
``template``      ``(B, C, h, w)``     the template's features
``searched``      ``(B, 4)``           the box that the last result's search region was placed on, pixels
``newest``        ``(B, 4)``           the last result, pixels
``now``           ``(B, 4)``           the truth at the time of the last result, relative to it
``now_weight``    ``(B,)``             0 where that truth is unknown
``ahead``         ``(B, N, 4)``        the truth 1..N frames after the last result, relative to it
``ahead_weight``  ``(B, N)``           0 where that truth is unknown
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from pvtpp.boxes import iou
from pvtpp.errors import InputError
from pvtpp.networks.rules import BELOW_1, count_from
from pvtpp.training.recordings import Recording
from pvtpp.training.truth import first_asked, truth_at
from pvtpp.training.windows import Windows, tensors
from pvtpp.validation import above, check

LAST_S = 0.1
"""How long the last trajectory of a recording counts as the newest, seconds."""


@dataclass(frozen=True)
class RecordedWindows:
    """What windows are cut from recordings.

    Attributes
    ----------
    history
        Results in a window.
    frames
        The newest results whose features are in the window.
    horizons
        Times asked in a window: all but the last where this trajectory is the newest, the last anywhere within
        `longest_horizon_s`.
    longest_horizon_s
        Seconds.
    ahead, kappa
        Frames ahead whose truth is in the window, at `kappa` frames per second.
    least_overlap
        Results whose IoU with the truth is less have lost the target, and no window ends with them.

    Raises
    ------
    InputError
        For a value out of range.
    """

    history: int = 16
    frames: int = 3
    horizons: int = 5
    longest_horizon_s: float = 0.38
    ahead: int = 8
    kappa: float = 30.0
    least_overlap: float = 0.1

    def __post_init__(self) -> None:
        rules = {
            "history": count_from(5),
            "frames": count_from(1),
            "horizons": count_from(2),
            "longest_horizon_s": above(0),
            "ahead": count_from(1),
            "kappa": above(0),
            "least_overlap": BELOW_1,
        }
        check(self, rules)


class RecordingPool:
    """Recordings of one tracker, for windows drawn at random (`sample`) or all of them in order (`every`).

    Parameters
    ----------
    recordings
        At least one; their features must have the same shapes.
    config
        What windows are cut.

    Raises
    ------
    InputError
        For recordings of different trackers, and where no result is on its target.
    """

    def __init__(self, recordings: Sequence[Recording], config: RecordedWindows):
        shapes = {(r.search.shape[1:], r.template.shape) for r in recordings}
        if len(shapes) != 1:
            raise InputError(
                f"recordings of one tracker are needed, at least one; features are {sorted(shapes) or 'none'}"
            )
        self.recordings, self.config = list(recordings), config
        self.length = np.array([len(r) for r in recordings])
        # For each result the truth at its own time, NaN where it is unknown.
        self.truth = [truth_at(r.truth_t_ns, r.truth, r.t_ns) for r in self.recordings]
        usable = [
            np.flatnonzero(r.seen & (np.nan_to_num(iou(r.boxes, truth), nan=0.0) >= config.least_overlap))
            for r, truth in zip(self.recordings, self.truth, strict=True)
        ]
        self.usable = np.concatenate([np.stack([np.full(len(rows), i), rows], 1) for i, rows in enumerate(usable)])
        if not len(self.usable):
            raise InputError(f"none of the {self.length.sum()} recorded results is on its target")

    def digest(self) -> str:
        """A text that differs for any other recordings."""
        made = hashlib.blake2b(digest_size=16)
        for each in self.recordings:
            made.update(each.clip.encode())
            for field in fields(each)[1:]:
                made.update(np.ascontiguousarray(getattr(each, field.name)).tobytes())
        return made.hexdigest()

    def describe(self) -> str:
        """In words how many recordings there are, and how many results are on target."""
        longest, usable = self.length.max(), len(self.usable)
        return f"the longest of {len(self.length)} recordings has {longest} results, {usable} are on target"

    def sample(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Draw `count` windows, each usable result equally likely; the same generator state gives the same windows."""
        chosen = self.usable[rng.integers(len(self.usable), size=count)]
        horizons = [self._drawn(rng, *pair) for pair in chosen.tolist()]
        return self._windows(chosen, np.stack(horizons))

    def every(self, count: int, on_target: bool = True) -> Iterator[dict[str, Tensor]]:
        """Every window once, asked at every frame at which its trajectory is the newest.

        The mean IoU by weight over these windows is what the online benchmark scores.

        Parameters
        ----------
        count
            Windows at a time.
        on_target
            False also takes results that have lost the target.
        """
        if on_target:
            pairs = self.usable
        else:
            pairs = np.array([(i, k) for i, n in enumerate(self.length) for k in range(1, n)])
        for begin in range(0, len(pairs), count):
            chosen = pairs[begin : begin + count]
            asked = [np.arange(*self.newest(*pair)) for pair in chosen.tolist()]
            horizons = np.full((len(chosen), max(1, *map(len, asked))), -1)
            for row, each in zip(horizons, asked, strict=True):
                row[: len(each)] = each
            yield self._windows(chosen, horizons)

    def newest(self, index: int, row: int) -> tuple[int, int]:
        """Rows of the truth at which this result's trajectory is the newest: the first, and the one after the last."""
        r = self.recordings[index]
        last = row + 1 == len(r)
        until = r.available_ns[row] + round(LAST_S * 1e9) if last else r.available_ns[row + 1]
        first, end = first_asked(r.truth_t_ns, np.array([r.available_ns[row], until]))
        return int(first), int(end)

    def _drawn(self, rng: np.random.Generator, index: int, row: int) -> np.ndarray:
        r, c = self.recordings[index], self.config
        first, end = self.newest(index, row)
        now, latest = np.searchsorted(r.truth_t_ns, r.t_ns[row] + np.array([0, round(c.longest_horizon_s * 1e9)]))
        made = np.full(c.horizons, -1)
        if end > first:
            made[:-1] = rng.integers(first, end, c.horizons - 1)
        if latest > now:
            made[-1] = rng.integers(now, latest)
        return made

    def _windows(self, chosen: np.ndarray, asked: np.ndarray) -> dict[str, Tensor]:
        """Make windows.

        Parameters
        ----------
        chosen
            Number of the recording and of its result, ``(B, 2)``.
        asked
            Rows of the truth that are asked, ``(B, H)``, -1 for none.
        """
        c, n, k = self.config, len(chosen), self.config.history
        boxes, t, score = np.empty((n, k, 4)), np.empty((n, k)), np.empty((n, k))
        horizon, truth = np.zeros(asked.shape), np.full((*asked.shape, 4), np.nan)
        ahead, now = np.empty((n, c.ahead, 4)), np.empty((n, 4))
        shapes = self.recordings[0].search.shape[1:], self.recordings[0].template.shape
        search, template = np.empty((n, c.frames, *shapes[0]), np.float32), np.empty((n, *shapes[1]), np.float32)
        seen, searched = np.empty((n, c.frames)), np.empty((n, 4))
        frames_ns = np.rint(np.arange(1, c.ahead + 1) * 1e9 / c.kappa).astype(np.int64)
        rows = chosen[:, 1:] + np.arange(1 - k, 1)
        for b, index in enumerate(chosen[:, 0].tolist()):
            r, past = self.recordings[index], np.maximum(rows[b], 0)
            newest_ns = r.t_ns[past[-1]]
            boxes[b], score[b], t[b] = r.boxes[past], r.scores[past], (r.t_ns[past] - newest_ns) * 1e-9
            wanted = asked[b] >= 0
            horizon[b, wanted] = (r.truth_t_ns[asked[b, wanted]] - newest_ns) * 1e-9
            truth[b, wanted] = r.truth[asked[b, wanted]]
            ahead[b], now[b] = truth_at(r.truth_t_ns, r.truth, newest_ns + frames_ns), self.truth[index][past[-1]]
            looked = rows[b, -c.frames :]
            seen[b] = (looked >= 0) & r.seen[np.maximum(looked, 0)]
            searched[b] = r.searched[past[-1]]
            search[b], template[b] = r.search[np.maximum(looked, 0)], r.template
        search *= seen[..., None, None, None]
        truth, weight = _weighed(truth)
        made = tensors(Windows(boxes, t, score, np.zeros((n, k)), rows >= 0, horizon, truth, weight))
        newest = boxes[:, -1]
        now, now_weight = _weighed(now)
        ahead, ahead_weight = _weighed(ahead)
        arrays = {
            "search": search,
            "seen": seen,
            "template": template,
            "searched": searched,
            "newest": newest,
            "now": relative(now, newest),
            "now_weight": now_weight,
            "ahead": relative(ahead, newest[:, None]),
            "ahead_weight": ahead_weight,
        }
        return {
            **made,
            **{name: torch.from_numpy(np.asarray(array, dtype=np.float32)) for name, array in arrays.items()},
        }


def relative(box: np.ndarray, last: np.ndarray) -> np.ndarray:
    """A box in sizes of another one: ``[dx/w, dy/h, log w'/w, log h'/h]``, from boxes ``(.., 4)`` in pixels."""
    return np.concatenate([(box[..., :2] - last[..., :2]) / last[..., 2:], np.log(box[..., 2:] / last[..., 2:])], -1)


def _weighed(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The truth, with a placeholder box where it is unknown, and its weight: 1, or 0 there."""
    known = np.isfinite(truth).all(-1) & (np.nan_to_num(truth[..., 2:]) > 0).all(-1)
    return np.where(known[..., None], truth, 1.0), known.astype(np.float64)
