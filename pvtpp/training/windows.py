"""Training windows from annotated boxes: the past as a tracker would have reported it in real time, and the truth.

A window is one moment of one online run: a camera of some frame rate, a processing time with its jitter and drops, the
results up to now, and the frames at which the resulting trajectory would be asked. Only boxes are needed, no images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pvtpp.errors import InputError
from pvtpp.networks.rules import count_from
from pvtpp.training.rules import CHOICES, RANGE
from pvtpp.training.tracker_error import ErrorModel, FlowError, log_uniform
from pvtpp.validation import above, between, check

BARE = 1e-6
LONGEST_PROCESSING_S = 10.0
"""Longest processing time of a window, seconds: a longer one is a wrong unit."""
PROPAGATED = 3
"""Most frames that the newest result is propagated to."""


@dataclass(frozen=True)
class WindowConfig:
    """What windows are drawn. Shares are of windows, in [0, 1].

    Attributes
    ----------
    results
        Results in a window, propagated boxes included.
    horizons
        Frames asked in a window: all but the last where this trajectory is the newest, the last anywhere within
        `longest_horizon_s`.
    longest_horizon_s
        Seconds.
    skips, skip_shares
        Every q-th annotated frame is a camera frame, for q out of `skips` with these probabilities: so slow annotations
        reach the image speeds of drones.
    fps30, fps
        Share of cameras at 30 fps; the others are log-uniform within `fps`.
    processing_s
        Bounds of the processing time, seconds, log-uniform.
    jittery
        Share whose processing time varies.
    dropping
        Share that loses frames.
    absent
        Share in which the target is absent for some results.
    doubting
        Share whose scores are not all 1.
    starting
        Share that has little past.
    carrying
        Share with a propagation: optical flow measures the displacement between results and propagates the newest one.
    rounded, rounded_side
        Share that is made small and rounded to whole pixels, as annotations are; bounds of the target's side there,
        pixels.
    interpolated, key_frames
        Share annotated at key frames alone with straight lines between, and the distances of key frames.
    error
        Errors of results in windows without a propagation.
    propagated_error
        Errors of results in windows with one.
    flow
        Errors of the measured displacements.

    Raises
    ------
    InputError
        For a value out of range, and if `skips` and `skip_shares` do not fit each other.
    """

    results: int = 16
    horizons: int = 4
    longest_horizon_s: float = 0.38
    skips: tuple[int, ...] = (1, 2, 3, 4, 6)
    skip_shares: tuple[float, ...] = (0.27, 0.25, 0.2, 0.18, 0.1)
    fps30: float = 0.7
    fps: tuple[float, float] = (12.0, 70.0)
    processing_s: tuple[float, float] = (0.015, 0.25)
    jittery: float = 0.5
    dropping: float = 0.1
    absent: float = 0.04
    doubting: float = 0.4
    starting: float = 0.12
    carrying: float = 0.3
    rounded: float = 0.5
    rounded_side: tuple[float, float] = (14.0, 150.0)
    interpolated: float = 0.05
    key_frames: tuple[int, ...] = (4, 8, 12, 20)
    error: ErrorModel = field(default_factory=ErrorModel)
    propagated_error: ErrorModel = field(default_factory=lambda: ErrorModel(shares=(0.08, 0.12, 0.15, 0.65)))
    flow: FlowError = field(default_factory=FlowError)

    def __post_init__(self) -> None:
        shares = (
            "fps30",
            "jittery",
            "dropping",
            "absent",
            "doubting",
            "starting",
            "carrying",
            "rounded",
            "interpolated",
        )
        rules = {
            "results": count_from(5),
            "horizons": count_from(2),
            "longest_horizon_s": above(0),
            "skips": CHOICES,
            "key_frames": CHOICES,
            **dict.fromkeys(shares, between(0, 1)),
            **dict.fromkeys(("fps", "processing_s", "rounded_side"), RANGE),
        }
        check(self, rules)
        if self.processing_s[1] > LONGEST_PROCESSING_S:
            raise InputError(
                f"WindowConfig.processing_s is {self.processing_s}, allowed are seconds up to {LONGEST_PROCESSING_S:g}"
            )
        one = abs(sum(self.skip_shares) - 1) <= 1e-6 and min(self.skip_shares) >= 0
        if len(self.skips) != len(self.skip_shares) or not one:
            raise InputError(
                f"WindowConfig: skips {self.skips} need as many shares that add up to 1, got {self.skip_shares}"
            )


class BoxPool:
    """All annotated boxes in one array, ``[cx, cy, w, h]``.

    Parameters
    ----------
    xywh
        One array ``(frames, 4)`` per sequence, ``[left, top, w, h]`` in pixels, NaN where the target is absent.

    Raises
    ------
    InputError
        Without a sequence, and for an array of another shape.
    """

    def __init__(self, xywh: Sequence[np.ndarray]):
        kept = [np.asarray(rows, dtype=np.float64) for rows in xywh]
        if not kept or any(rows.ndim != 2 or rows.shape[1] != 4 or not len(rows) for rows in kept):
            raise InputError("training needs at least one sequence, each an array of shape (frames, 4)")
        self.box = np.concatenate(kept)
        self.box[:, :2] += self.box[:, 2:] / 2
        lengths = np.array([len(rows) for rows in kept])
        self.end = np.cumsum(lengths)
        self.start = self.end - lengths
        self.present = np.asarray(np.isfinite(self.box).all(axis=1) & (self.box[:, 2:] > 0).all(axis=1))
        # While the target is absent a tracker answers with its last box, so rows point to the last box that there is.
        first = np.repeat(self.start, lengths)
        self.newest = np.maximum.accumulate(np.where(self.present, np.arange(len(self.box)), first))

    def digest(self) -> str:
        """A text that differs for any other boxes."""
        return hashlib.blake2b(self.box.tobytes() + self.end.tobytes(), digest_size=16).hexdigest()

    def describe(self) -> str:
        """In words how many sequences there are, how long they are and how many frames show a target."""
        length, seen = self.end - self.start, int(self.present.sum())
        return (
            f"the longest of {len(length)} sequences has {length.max()} frames, "
            f"{seen} of all {len(self.box)} show a target"
        )

    def between(self, rows: np.ndarray, step: np.ndarray, start: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Boxes as if key frames alone were annotated, with straight lines between.

        Parameters
        ----------
        rows
            Rows wanted.
        step, start, last
            Every `step`-th row from `start` on, and the row `last`, are key frames.
        """
        low = start + (rows - start) // step * step
        high = np.minimum(low + step, last)
        share = ((rows - low) / np.maximum(high - low, 1))[..., None]
        return self.box[low] * (1 - share) + self.box[high] * share


@dataclass(frozen=True)
class Windows:
    """B windows of K results, asked at H horizons. Boxes are ``[cx, cy, w, h]`` in pixels.

    Attributes
    ----------
    boxes
        Results and propagated boxes, ``(B, K, 4)``, oldest first.
    t
        Their capture times relative to the newest, seconds, ``(B, K)``.
    score
        Of results the score, of propagated boxes the flow's quality, ``(B, K)``; 0 where the target was absent.
    propagated
        1 for propagated boxes, 0 for results, ``(B, K)``.
    there
        Whether there was such a result, bool, ``(B, K)``.
    horizon
        Times asked, relative to the newest result, seconds, ``(B, H)``.
    truth
        The true boxes then, ``(B, H, 4)``.
    weight
        1, or 0 where there is no truth, ``(B, H)``.
    displacement
        What optical flow measures from each result to the next, ``[dx, dy, dlog w, dlog h]``, ``(B, K - 1, 4)``; None
        without a propagation.
    quality
        Of the displacement, in [0, 1], 0 where the flow measures nothing, ``(B, K - 1)``; None without a propagation.
    """

    boxes: np.ndarray
    t: np.ndarray
    score: np.ndarray
    propagated: np.ndarray
    there: np.ndarray
    horizon: np.ndarray
    truth: np.ndarray
    weight: np.ndarray
    displacement: np.ndarray | None = None
    quality: np.ndarray | None = None

    def inputs(self) -> dict[str, np.ndarray]:
        """The inputs of the motion network, float32 by name; `pvtpp.predictors.motion` makes the same of one track."""
        last, past = self.boxes[:, -1:], self.there[:, :-1]
        relative = np.concatenate([self.boxes[..., :2] / last[..., 2:], np.log(self.boxes[..., 2:])], 2)
        own, quality = np.diff(relative, axis=1), np.zeros(past.shape)
        led_to = np.concatenate([np.zeros_like(past[:, :1]), past], 1)
        step = own * past[..., None]
        if self.displacement is not None and self.quality is not None:
            quality = self.quality * past
            seen = np.concatenate([self.displacement[..., :2] / last[..., 2:], self.displacement[..., 2:]], 2)
            step = np.where(quality[..., None] > 0, seen, step)
        made = {
            "step": step.transpose(0, 2, 1),
            "innovation": np.where(quality[..., None] > 0, own - step, 0.0).transpose(0, 2, 1),
            "interval": np.diff(self.t, axis=1) * past,
            "score": self.score * led_to,
            "propagated": self.propagated * led_to,
            "quality": quality,
            "aspect": np.log(last[:, 0, 2:3] / last[:, 0, 3:4]),
        }
        return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in made.items()}


def sample(pool: BoxPool, config: WindowConfig, rng: np.random.Generator, count: int) -> Windows:
    """Draw `count` windows; the same generator state gives the same windows."""
    c, k = config, config.results
    fps = np.where(rng.random(count) < c.fps30, 30.0, log_uniform(rng, c.fps, count))
    propagating = rng.random(count) < c.carrying
    captured, first, last, propagated = _schedule(c, rng, fps, propagating)
    now = captured[:, -1:]
    asked = np.floor(first[:, None] + rng.random((count, c.horizons)) * (last - first + 1)[:, None])
    asked[:, -1] = now[:, 0] + np.floor(rng.random(count) * c.longest_horizon_s * fps)
    asked = np.minimum(asked, now + np.floor(1.2 * c.longest_horizon_s * fps)[:, None]).astype(np.int64)

    skip = np.array(c.skips)[rng.choice(len(c.skips), size=count, p=c.skip_shares)]
    sequence = rng.integers(len(pool.start), size=count)
    length, latest = pool.end[sequence] - pool.start[sequence], np.maximum(asked.max(1), now[:, 0])
    spare = length - latest * skip - 1
    begin = pool.start[sequence] + np.floor(rng.random(count) * np.maximum(spare, 1)).astype(np.int64)
    # A window that is longer than its sequence begins with it, and has that much less past, but two results.
    within = (latest[:, None] - captured) * skip[:, None] <= length[:, None] - 2
    oldest = np.where(spare >= 1, 0, np.argmax(within, axis=1))
    long_enough = (within & (propagated == 0)).sum(1) >= 2
    begin -= np.take_along_axis(captured, oldest[:, None], 1)[:, 0] * skip
    start, final = pool.start[sequence][:, None], pool.end[sequence][:, None] - 1
    seen, wanted = (np.clip(begin[:, None] + frames * skip[:, None], start, final) for frames in (captured, asked))
    score = pool.present[seen].astype(np.float64)
    boxes, truth = pool.box[pool.newest[seen]], pool.box[wanted]

    step = np.array(c.key_frames)[rng.integers(len(c.key_frames), size=count)] * skip
    for some in _chosen(rng.random(count) < c.interpolated):
        where = (step[some][:, None], pool.start[sequence[some]][:, None], final[some])
        past, future = pool.between(seen[some], *where), pool.between(wanted[some], *where)
        whole = np.isfinite(past).all((1, 2)) & np.isfinite(future).all((1, 2))
        boxes[some[whole]], truth[some[whole]], score[some[whole]] = past[whole], future[whole], 1.0

    weight = np.isfinite(truth).all(2) & (truth[..., 2:] > 0).all(2)
    weight &= (long_enough & np.isfinite(boxes).all((1, 2)) & (boxes[..., 2:] > 0).all((1, 2)))[:, None]
    boxes, truth = np.where(weight.any(1)[:, None, None], boxes, 1.0), np.where(weight[..., None], truth, 1.0)
    _round(c, rng, boxes, truth)
    _lose(c, rng, boxes, score, propagated)

    t = (captured - now) / fps[:, None]
    interval = np.diff(t, axis=1)
    error, quality, slip = c.error.draw(rng, interval, k), np.zeros((count, k - 1)), np.zeros((count, k - 1, 4))
    for some in _chosen(propagating):
        error[some] = c.propagated_error.draw(rng, interval[some], k)
        quality[some], slip[some] = c.flow.draw(rng, propagated[some, 1:] > 0)
    for i in range(1, k):
        # Propagated boxes have the error of their result and that of the flow which propagated them.
        error[:, i] = np.where(propagated[:, i, None] > 0, error[:, i - 1] + slip[:, i - 1], error[:, i])
    error *= (score > 0)[..., None]
    displacement = np.concatenate([np.diff(boxes[..., :2], axis=1), np.diff(np.log(boxes[..., 2:]), axis=1)], 2)
    displacement += slip * np.concatenate([boxes[:, 1:, 2:], np.ones_like(slip[..., 2:])], 2)
    boxes[..., :2] += error[..., :2] * boxes[..., 2:]
    boxes[..., 2:] *= np.exp(error[..., 2:])
    score *= _doubts(c, rng, error)
    for i in range(1, k):
        stale = score[:, i] == 0
        boxes[stale, i] = boxes[stale, i - 1]
    score[:, 1:] = np.where(propagated[:, 1:] > 0, quality, score[:, 1:])
    quality *= (propagated[:, 1:] == 0) & (score[:, 1:] > 0) & (score[:, :-1] > 0)
    past = np.minimum(np.where(rng.random(count) < c.starting, rng.integers(1, k, count), k), k - oldest)
    there = np.arange(k) >= (k - past)[:, None]
    horizon = (asked - now) / fps[:, None]
    weight = weight.astype(np.float64)
    return Windows(boxes, t, score, propagated, there, horizon, truth, weight, displacement, quality)


def tensors(windows: Windows) -> dict[str, Tensor]:
    """Windows as float32 tensors by name.

    Returns
    -------
    dict of Tensor
        The inputs of the motion network, and `horizon` ``(B, H)``, `truth` ``(B, H, 4)`` relative to the last box as
        ``[dx/w, dy/h, log w'/w, log h'/h]``, and `weight` ``(B, H)``.
    """
    last = windows.boxes[:, -1:]
    truth = np.concatenate(
        [(windows.truth[..., :2] - last[..., :2]) / last[..., 2:], np.log(windows.truth[..., 2:] / last[..., 2:])], 2
    )
    arrays = {**windows.inputs(), "horizon": windows.horizon, "truth": truth, "weight": windows.weight}
    return {name: torch.from_numpy(np.asarray(array, dtype=np.float32)) for name, array in arrays.items()}


def _schedule(
    c: WindowConfig, rng: np.random.Generator, fps: np.ndarray, propagating: np.ndarray
) -> tuple[np.ndarray, ...]:
    """When frames are captured, taken and available, in frames of the camera.

    Returns
    -------
    tuple of np.ndarray
        Frames of the results ``(B, K)``, the first and the last frame ``(B,)`` at which the newest trajectory is asked,
        and which results are propagated boxes ``(B, K)``.
    """
    count, k = len(fps), c.results
    work = log_uniform(rng, c.processing_s, count) * fps
    jitter = np.where(rng.random(count) < c.jittery, rng.uniform(0.03, 0.4, count), 0.0)
    drop = np.where(rng.random(count) < c.dropping, 0.1, 0.0)
    captured, available = np.zeros((count, k), dtype=np.int64), np.zeros((count, k + 1))
    newest, free = captured[:, 0], rng.random(count) + work
    available[:, 0] = free
    for i in range(1, k + 1):
        lost = (rng.random(count) < drop) * rng.integers(1, 4, count)
        frame = np.floor(free).astype(np.int64)
        waits = (frame <= newest) | (lost > 0)
        frame = np.maximum(frame, newest + 1) + lost
        free = np.where(waits, frame, free) + work * np.exp(jitter * rng.normal(size=count))
        available[:, i], newest = free, frame
        if i < k:
            captured[:, i] = frame
    first = np.ceil(available[:, k - 1] - BARE)
    last = np.maximum(np.ceil(available[:, k] - BARE) - 1, first)
    return _propagate(rng, propagating, captured, available, first, last)


def _propagate(
    rng: np.random.Generator,
    propagating: np.ndarray,
    captured: np.ndarray,
    available: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Replace the oldest results of windows with a propagation by propagated boxes of the newest result.

    The newest result is propagated to the newest frames. A trajectory from it is asked one frame later, or at once, to
    place the next search region.
    """
    k, moment, late = captured.shape[1], rng.random(len(captured)), rng.random(len(captured)) < 0.25

    def newest_frame(result: int) -> np.ndarray:
        seen = available[:, result] + moment * (available[:, result + 1] - available[:, result])
        return np.maximum(np.floor(seen).astype(np.int64), captured[:, result])

    frames = np.where(propagating, np.minimum(newest_frame(k - 1) - captured[:, -1], PROPAGATED), 0)
    propagated = np.arange(k) >= (k - frames)[:, None]
    made, first, last = captured.copy(), first.copy(), last.copy()
    for count in range(PROPAGATED + 1):
        some, result = propagating & (frames == count), k - 1 - count
        now = np.maximum(newest_frame(result), captured[:, result] + count)
        made[some] = np.concatenate([captured[some, : k - count], now[some, None] - np.arange(count)[::-1]], 1)
        first[some], last[some] = now[some], now[some] + 1 + late[some]
    return made, first, last, propagated.astype(np.float64)


def _chosen(which: np.ndarray) -> list[np.ndarray]:
    some = np.flatnonzero(which)
    return [some] if len(some) else []


def _round(c: WindowConfig, rng: np.random.Generator, boxes: np.ndarray, truth: np.ndarray) -> None:
    side = np.sqrt(boxes[:, -1, 2] * boxes[:, -1, 3])
    scale = log_uniform(rng, c.rounded_side, len(boxes)) / side
    corner = rng.random((len(boxes), 1, 2))
    small = (rng.random(len(boxes)) < c.rounded) & (scale < 1)
    for array in (boxes, truth):
        scaled = array[small] * scale[small, None, None]
        size = np.maximum(np.rint(scaled[..., 2:]), 2.0)
        array[small] = np.concatenate(
            [np.rint(scaled[..., :2] - scaled[..., 2:] / 2 + corner[small]) + size / 2, size], 2
        )


def _lose(
    c: WindowConfig, rng: np.random.Generator, boxes: np.ndarray, score: np.ndarray, propagated: np.ndarray
) -> None:
    k = c.results
    start, length = rng.integers(1, k, len(boxes)), rng.integers(1, 6, len(boxes))
    lost = (np.arange(k) >= start[:, None]) & (np.arange(k) < (start + length)[:, None]) & (propagated == 0)
    score[lost & (rng.random(len(boxes)) < c.absent)[:, None]] = 0.0


def _doubts(c: WindowConfig, rng: np.random.Generator, error: np.ndarray) -> np.ndarray:
    """Scores of results: every tracker has its own level and scatter, and its score follows its error more or less."""
    count, k = error.shape[:2]
    level, scatter, insight = (
        rng.uniform(low, high, (count, 1)) for low, high in ((0.4, 1.0), (0.0, 0.15), (0.0, 3.0))
    )
    score = level + scatter * rng.normal(size=(count, k)) - insight * np.abs(error).mean(2)
    return np.where(rng.random((count, 1)) < c.doubting, np.clip(score, 0.05, 1.0), 1.0)
