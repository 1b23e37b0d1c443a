"""Variations of a training clip: mirrored, reversed, sped up, and filmed by a moving camera; images are made on demand.

A few real clips show many things but little motion: most targets are slow in the image. A virtual camera that pans and
zooms over the clips adds the motion of a drone's view, with a truth that is known exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pvtpp.clip import Clip
from pvtpp.tracker import Frame
from pvtpp.training.rules import CHOICES, RANGE
from pvtpp.training.tracker_error import log_uniform
from pvtpp.validation import between, check

WAVES = 4
"""Sine waves in the path of the virtual camera."""


@dataclass(frozen=True)
class Variation:
    """How clips are varied.

    Attributes
    ----------
    mirrored, reversed
        Shares of clips that are mirrored left to right, and played backwards.
    speeds
        One of them is drawn for each clip: with n, every n-th frame is shown, at the rate of all of them.
    swing
        Bounds of the amplitude of the camera's pan in target sizes, log-uniform.
    zoom
        Bounds of the amplitude of its zoom, as a logarithm, log-uniform.
    periods_s
        Bounds of the periods of the waves that the camera's path is made of, seconds, log-uniform.

    Raises
    ------
    InputError
        For a value out of range.
    """

    mirrored: float = 0.5
    reversed: float = 0.5
    speeds: tuple[int, ...] = (1, 1, 2)
    swing: tuple[float, float] = (0.1, 1.5)
    zoom: tuple[float, float] = (0.01, 0.12)
    periods_s: tuple[float, float] = (0.8, 6.0)

    def __post_init__(self) -> None:
        ranges = dict.fromkeys(("swing", "zoom", "periods_s"), RANGE)
        check(self, {"mirrored": between(0, 1), "reversed": between(0, 1), "speeds": CHOICES, **ranges})


def vary(clip: Clip, variation: Variation, rng: np.random.Generator, name: str) -> Clip:
    """A random variation of the clip, called `name`; the same generator state gives the same one."""
    if rng.random() < variation.reversed:
        clip = _reversed(clip)
    clip = _hastened(clip, int(rng.choice(variation.speeds)))
    mirror = rng.random() < variation.mirrored
    size = float(np.nanmedian(np.sqrt(clip.truth[:, 2] * clip.truth[:, 3])))
    amplitude = np.concatenate(
        [log_uniform(rng, variation.swing, (WAVES, 2)) * size, log_uniform(rng, variation.zoom, (WAVES, 1))], 1
    )
    period, phase = log_uniform(rng, variation.periods_s, (WAVES, 3)), rng.uniform(0, 2 * np.pi, (WAVES, 3))
    # Slow waves are wide, fast ones narrow, as for a camera that the wind moves.
    amplitude *= period / variation.periods_s[1]

    def camera(t_ns: np.ndarray) -> np.ndarray:
        angle = 2 * np.pi * np.asarray(t_ns)[:, None, None] * 1e-9 / period + phase
        return (amplitude * np.sin(angle)).sum(1)

    height, width = clip.frame(0).image.shape[:2]

    def shown(frame: Frame) -> np.ndarray:
        import cv2

        (x, y, zoom), *_ = camera(np.array([frame.t_ns]))
        scale = np.exp(zoom)
        sign = -1.0 if mirror else 1.0
        # Zoom and mirror about the middle of the image. OpenCV counts from pixel centres: coordinates are 0.5 less.
        matrix = np.array(
            [[sign * scale, 0, width / 2 * (1 - sign * scale) + x], [0, scale, height / 2 * (1 - scale) + y]]
        )
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
        return cv2.warpAffine(
            frame.image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )

    def frame(index: int) -> Frame:
        seen = clip.frame(index)
        return Frame(seen.index, seen.t_ns, lambda: shown(seen), source=f"{name} frame {seen.index}")

    path = camera(clip.truth_t_ns)
    scale, middle = np.exp(path[:, 2:]), np.array([width / 2, height / 2])
    sign = np.array([-1.0 if mirror else 1.0, 1.0])
    centre = middle + (clip.truth[:, :2] - middle) * sign * scale + path[:, :2]
    truth = np.concatenate([centre, clip.truth[:, 2:] * scale], 1)
    # The target is absent where the virtual camera does not show it.
    truth[((centre < 0) | (centre > (width, height))).any(1)] = np.nan
    return Clip(name, clip.length, frame, clip.truth_t_ns, truth)


def with_variations(clips: Iterable[Clip], copies: int, variation: Variation, seed: int = 0) -> Iterator[Clip]:
    """Each clip, followed by its variations ``NAME+0``, ``NAME+1``, ...

    Parameters
    ----------
    clips
        The clips, read one by one.
    copies
        Variations of each clip.
    variation
        How they are varied.
    seed
        A variation depends on the seed, its number and the clip's position alone.
    """
    for place, clip in enumerate(clips):
        yield clip
        for number in range(copies):
            yield vary(clip, variation, np.random.default_rng([seed, number, place]), f"{clip.name}+{number}")


def _reversed(clip: Clip) -> Clip:
    last_ns = clip.frame(clip.length - 1).t_ns

    def frame(index: int) -> Frame:
        shown = clip.frame(clip.length - 1 - index)
        return Frame(index, last_ns - shown.t_ns, lambda: shown.image)

    kept = clip.truth_t_ns <= last_ns
    return Clip(clip.name, clip.length, frame, last_ns - clip.truth_t_ns[kept][::-1], clip.truth[kept][::-1])


def _hastened(clip: Clip, speed: int) -> Clip:
    """Every `speed`-th frame at the rate of all of them; the truth likewise."""
    if speed == 1:
        return clip

    def frame(index: int) -> Frame:
        shown = clip.frame(index * speed)
        return Frame(index, clip.frame(index).t_ns, lambda: shown.image)

    truth = clip.truth[::speed]
    return Clip(clip.name, -(-clip.length // speed), frame, clip.truth_t_ns[: len(truth)], truth)
