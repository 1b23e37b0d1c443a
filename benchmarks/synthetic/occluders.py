"""Drawn occluders and distractors on clips of any kind, real ones above all, with the truth still known.

Everything is a function of the clip, the seed and the configuration. Pixel coordinates are continuous; the first pixel
covers 0 to 1. The times of what is drawn are those of the world, so that a slow camera sees what a fast one does.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.validation import Rule, above, at_least, between, check, holds, whole_from
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.synthetic.scenery import turn
from pvtpp_benchmarks.synthetic.sprites import SHAPES, Outline, Sprite, occluder_sprite, paste, target_sprite

COVERED = 0.1
"""The share of the target's box from which on an event counts as going on, and which no distractor exceeds."""
_GRID = 24  # samples a side of a box
_STARTS = 4  # evaluation starts at these parts of a clip
_TRIES = 600  # for each event
_SMOOTHING_S = 0.1
_SPARE_S = 0.6  # left for events between two starts where the clip has that much


def _ordered(low: float, high: float) -> Rule:
    def fine(value: Any) -> bool:
        first, last = value
        return low <= first <= last <= high

    return holds(f"two numbers from {low:g} to {high:g}, the smaller one first", fine)


@dataclass(frozen=True)
class OccluderConfig:
    """What `occluded` draws.

    Attributes
    ----------
    every_s
        Seconds of clip for each event; there is one at least.
    spacing_s
        The least time between two events.
    first_s, last_s
        The target is free of occluders for so long at the start and at the end of the clip, at most a quarter of it.
    start_gap_s
        The target is free of occluders for so long before and after each quarter of the clip, where evaluation may
        start. In a short clip it is less, so that at least half of each quarter and 0.6 s are left for events.
    cover
        Range of the highest share of the target's box that an event covers.
    duration_s
        Range of the time for which an event covers more than `COVERED` of the box.
    standing
        The share of occluders that stand in the scene: they move evenly past the path of the target, as what stands
        before the camera that follows it. The others pass by evenly through the image.
    shapes
        The outlines to draw from, of `SHAPES`.
    hidden
        The target counts as absent where at least this share of its box is covered.
    """

    every_s: float = 4.0
    spacing_s: float = 2.0
    first_s: float = 1.0
    last_s: float = 1.5
    start_gap_s: float = 0.7
    cover: Tuple[float, float] = (0.3, 1.0)
    duration_s: Tuple[float, float] = (0.3, 2.0)
    standing: float = 0.5
    shapes: Tuple[str, ...] = SHAPES
    hidden: float = 0.75

    def __post_init__(self) -> None:
        rules = {
            "every_s": above(0),
            "spacing_s": at_least(0),
            "first_s": at_least(0),
            "last_s": at_least(0),
            "start_gap_s": at_least(0),
            "cover": _ordered(COVERED, 1),
            "duration_s": _ordered(0.1, 10),
            "standing": between(0, 1),
            "shapes": holds(
                f"one or more of: {', '.join(SHAPES)}", lambda value: len(value) > 0 and set(value) <= set(SHAPES)
            ),
            "hidden": above(0, 1),
        }
        check(self, rules)


@dataclass(frozen=True)
class DistractorConfig:
    """What `distracted` draws.

    Attributes
    ----------
    every_s
        Seconds of clip for each distractor; there is one at least.
    duration_s
        Range of the time for which it stays beside the target.
    distance
        Range of its distance from the target in sizes of the target, centre to centre.
    scale
        Range of its size in sizes of the target.
    """

    every_s: float = 5.0
    duration_s: Tuple[float, float] = (2.0, 5.0)
    distance: Tuple[float, float] = (1.0, 2.5)
    scale: Tuple[float, float] = (0.9, 1.1)

    def __post_init__(self) -> None:
        rules = {
            "every_s": above(0),
            "duration_s": _ordered(0.1, 60),
            "distance": _ordered(1, 20),
            "scale": _ordered(0.5, 2),
        }
        check(self, rules)


class Occluder(NamedTuple):
    """One occluder and its event, the time during which it covers some of the target.

    Attributes
    ----------
    kind
        ``"standing"`` or ``"passing"``, see `OccluderConfig.standing`.
    outline
        Its shape.
    centres
        Its centre at each world frame in pixels, shape ``(n, 2)``.
    start_s, end_s
        Time of the first and the last world frame at which it covers any of the target.
    covered_s
        The time for which it covers more than `COVERED` of the box.
    peak
        The highest share of the box that it covers.
    """

    kind: str
    outline: Outline
    centres: np.ndarray
    start_s: float
    end_s: float
    covered_s: float
    peak: float


class Distractor(NamedTuple):
    """One distractor.

    Attributes
    ----------
    centres
        Its centre at each world frame in pixels, shape ``(n, 2)``.
    sizes
        Its width and height at each world frame in pixels, shape ``(n, 2)``.
    start_s, end_s
        The time that it spends beside the target; it comes before and leaves after.
    """

    centres: np.ndarray
    sizes: np.ndarray
    start_s: float
    end_s: float


def _no_base() -> VideoSequence:
    raise TypeError("a clip that is drawn on needs its base")


def _no_cover() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True)
class DrawnClip(VideoSequence):
    """A clip with something drawn on its images, else as its base: `occluded` and `distracted` make them.

    `image_paths` are those of the base, which say where the data lies; `frame` draws on a copy of the image.

    Attributes
    ----------
    base
        The clip that is drawn on.
    seed
        Of what is drawn.
    cover
        The share of the target's box that is covered at each world frame, 0 to 1, shape ``(n,)``, what covers it in
        `base` included.
    """

    base: VideoSequence = field(default_factory=_no_base, repr=False, compare=False)
    seed: int = 0
    cover: np.ndarray = field(default_factory=_no_cover, repr=False, compare=False)

    @property
    def whole_truth_xywh(self) -> np.ndarray:
        """The truth with the rows at which the target is hidden, shape ``(n, 4)``; NaN only where it has no box."""
        return whole_truth(self.base)

    def digest(self) -> str:
        """Tell it from another sequence of the same name: the base, the boxes, the seed and what is drawn."""
        facts = f"{super().digest()} {self.base.digest()} {self.seed} {self._facts()}"
        return hashlib.sha256(facts.encode()).hexdigest()[:12]

    def frame(self, index: int) -> Frame:
        """Camera frame `index`; its image is read and drawn on at first access."""
        shown = self.base.frame(index)

        def drawn() -> np.ndarray:
            image = self.base.frame(index).image.copy()
            self._draw(image, index * self.stride)
            return image

        return Frame(index, shown.t_ns, drawn, source=shown.source)

    def _facts(self) -> str:
        raise NotImplementedError

    def _draw(self, image: np.ndarray, world: int) -> None:
        raise NotImplementedError

    def __getstate__(self) -> Dict[str, Any]:
        # Pictures are made anew in the process that draws.
        return {name: value for name, value in self.__dict__.items() if name not in ("_sprites", "_images")}


@dataclass(frozen=True)
class OccludedClip(DrawnClip):
    """A clip with occluders that pass over the target.

    `ground_truth_xywh` is NaN at the world frames at which at least ``config.hidden`` of the box is covered, so that
    scores count the frames at which the target can be seen; `whole_truth_xywh` has these rows too.

    Attributes
    ----------
    config
        What is drawn.
    occluders
        In the order of time.
    """

    config: OccluderConfig = field(default_factory=OccluderConfig)
    occluders: Tuple[Occluder, ...] = field(default=(), repr=False, compare=False)

    def _facts(self) -> str:
        return f"occluders {self.config!r}"

    @cached_property
    def _sprites(self) -> List[Sprite]:
        first, box = self.base.frame(0).image, self.whole_truth_xywh[0]
        rng = _random(self.base, self.seed, 2)
        return [occluder_sprite(occluder.outline, first, box, rng) for occluder in self.occluders]

    def _draw(self, image: np.ndarray, world: int) -> None:
        for occluder, sprite in zip(self.occluders, self._sprites):
            paste(image, sprite, occluder.centres[world])


@dataclass(frozen=True)
class DistractedClip(DrawnClip):
    """A clip with copies of the target beside it, each cut from the first frame.

    Attributes
    ----------
    config
        What is drawn.
    distractors
        In the order of time.
    """

    config: DistractorConfig = field(default_factory=DistractorConfig)
    distractors: Tuple[Distractor, ...] = field(default=(), repr=False, compare=False)

    def _facts(self) -> str:
        return f"distractors {self.config!r}"

    @cached_property
    def _sprites(self) -> List[Sprite]:
        return [target_sprite(self.base.frame(0).image, self.whole_truth_xywh[0])] if self.distractors else []

    def _draw(self, image: np.ndarray, world: int) -> None:
        for distractor in self.distractors:
            paste(image, self._sprites[0], distractor.centres[world], distractor.sizes[world])


def occluded(sequence: VideoSequence, seed: int, config: OccluderConfig = OccluderConfig()) -> OccludedClip:
    """Let occluders pass over the target of a clip.

    Parameters
    ----------
    sequence
        The clip; it stays as it is.
    seed
        A whole number from 0. The same clip, seed and configuration give the same pixels.
    config
        What is drawn.

    Returns
    -------
    OccludedClip
        Its name is ``NAME+occludersSEED``. In a short clip there may be fewer events than the configuration asks for.

    Raises
    ------
    InputError
        Where the clip is too short for an event.
    """
    _check_seed(seed)
    target = _Target.of(sequence)
    occluders = _Events(target, config, _random(sequence, seed, 1)).place()
    if not occluders:
        raise InputError(
            f"{sequence.source or sequence.name}: no time for an occluder in {target.seconds:.2f} s of clip; "
            "take a longer clip or another seed, or change the configuration"
        )
    cover = _cover_before(sequence)
    for occluder in occluders:
        cover = np.maximum(cover, target.cover(occluder.outline, occluder.centres))
    cover.flags.writeable = False
    truth = np.where((cover >= config.hidden)[:, None], np.nan, sequence.ground_truth_xywh)
    return OccludedClip(
        f"{sequence.name}+occluders{seed}",
        truth,
        **_as_base(sequence),
        seed=seed,
        cover=cover,
        config=config,
        occluders=tuple(occluders),
    )


def distracted(sequence: VideoSequence, seed: int, config: DistractorConfig = DistractorConfig()) -> DistractedClip:
    """Let copies of the target move along beside it, without covering more than `COVERED` of it.

    Parameters and errors are those of `occluded`; the name is ``NAME+distractorsSEED``.
    """
    _check_seed(seed)
    target, rng = _Target.of(sequence), _random(sequence, seed, 3)
    count = max(1, round(target.seconds / config.every_s))
    distractors, covers = [], [_cover_before(sequence)]
    for number in range(count):
        distractor, cover = _beside(target, config, rng, (number + rng.uniform(0, 1)) / count)
        distractors.append(distractor)
        covers.append(cover)
    cover = np.max(covers, axis=0)
    cover.flags.writeable = False
    return DistractedClip(
        f"{sequence.name}+distractors{seed}",
        sequence.ground_truth_xywh,
        **_as_base(sequence),
        seed=seed,
        cover=cover,
        config=config,
        distractors=tuple(distractors),
    )


def whole_truth(sequence: VideoSequence) -> np.ndarray:
    """The truth of a clip without what is drawn on it, shape ``(n, 4)``."""
    return sequence.whole_truth_xywh if isinstance(sequence, DrawnClip) else sequence.ground_truth_xywh


def _cover_before(sequence: VideoSequence) -> np.ndarray:
    return sequence.cover.copy() if isinstance(sequence, DrawnClip) else np.zeros(len(sequence.ground_truth_xywh))


def _as_base(sequence: VideoSequence) -> Dict[str, Any]:
    same = ("world_fps", "camera_fps", "image_paths", "source", "size", "images_missing", "gyro")
    return {**{name: getattr(sequence, name) for name in same}, "base": sequence}


def _check_seed(seed: int) -> None:
    rule = whole_from(0)
    if not rule.holds(seed):
        raise InputError(f"seed is {seed!r}, allowed is {rule.allowed}")


def _random(sequence: VideoSequence, seed: int, use: int) -> np.random.Generator:
    """Random numbers of one use; clips of other names get others."""
    name = int.from_bytes(hashlib.sha256(sequence.name.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    return np.random.default_rng([seed, use, name])


class _Target(NamedTuple):
    """The target at the world frames, its box filled in where the truth has none.

    `boxes` is ``[left, top, width, height]``, `known` says where the truth has a box, `path` is the smooth path of the
    centre, `starts_s` are the times at which evaluation may start, `image` is width and height of the images.
    """

    boxes: np.ndarray
    known: np.ndarray
    path: np.ndarray
    times: np.ndarray
    fps: float
    starts_s: np.ndarray
    image: Tuple[float, float]

    @classmethod
    def of(cls, sequence: VideoSequence) -> _Target:
        boxes = whole_truth(sequence)
        known, every = np.isfinite(boxes).all(axis=1), np.arange(len(boxes))
        if not known[0]:
            raise InputError(f"{sequence.source or sequence.name}: the target does not show in the first frame")
        filled = np.stack([np.interp(every, every[known], column[known]) for column in boxes.T], axis=1)
        reach = math.ceil(3 * _SMOOTHING_S * sequence.world_fps)
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (_SMOOTHING_S * sequence.world_fps)) ** 2)
        padded = np.pad(filled[:, :2] + filled[:, 2:] / 2, ((reach, reach), (0, 0)), mode="edge")
        path = np.stack([np.convolve(column, weights / weights.sum(), "valid") for column in padded.T], axis=1)
        starts = np.array([part * len(sequence) // _STARTS for part in range(_STARTS)])
        times = every / sequence.world_fps
        size = sequence.size or _image_size(sequence, filled)
        return cls(filled, known, path, times, sequence.world_fps, times[starts * sequence.stride], size)

    @property
    def seconds(self) -> float:
        return len(self.times) / self.fps

    def cover(self, outline: Outline, centres: np.ndarray, sizes: Optional[np.ndarray] = None) -> np.ndarray:
        """The share of the box that a shape at `centres` covers at each frame, shape ``(n,)``.

        With `sizes` the shape is of another size at each frame, in units of that of the outline.
        """
        scale = np.ones((len(centres), 2)) if sizes is None else sizes
        corner, size = self.boxes[:, :2], self.boxes[:, 2:]
        apart = np.abs(corner + size / 2 - centres)
        near = np.flatnonzero((apart < outline.reach * scale + size / 2).all(axis=1))
        cover = np.zeros(len(self.boxes))
        if len(near):
            places = (np.arange(_GRID) + 0.5) / _GRID
            offset, size, scale = (corner - centres)[near, :, None], size[near, :, None], scale[near, :, None]
            inside = (offset + size * places) / scale
            x, y = np.broadcast_arrays(inside[:, 0, None, :], inside[:, 1, :, None])
            cover[near] = outline.opacity(x, y).mean(axis=(1, 2))
        return cover


def _image_size(sequence: VideoSequence, boxes: np.ndarray) -> Tuple[float, float]:
    """Width and height of the images; of the part that the target moves in where there are none."""
    if sequence.image_paths is not None:
        height, width = sequence.frame(0).image.shape[:2]
        return width, height
    width, height = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    return float(width), float(height)


class _Events:
    """Places the events of one clip, each drawn anew until it is as the configuration asks."""

    def __init__(self, target: _Target, config: OccluderConfig, rng: np.random.Generator):
        self._target, self._config, self._rng = target, config, rng
        seconds = target.seconds
        self._first = min(config.first_s, seconds / 4)
        self._last = seconds - min(config.last_s, seconds / 4)
        part = seconds / _STARTS
        self._gap = min(config.start_gap_s, part / 4, max(part - _SPARE_S, 0) / 2)
        self._placed: List[Occluder] = []

    def place(self) -> List[Occluder]:
        count = max(1, round(self._target.seconds / self._config.every_s))
        for number in range(count):
            for attempt in range(_TRIES):
                # Spread over the clip first, then wherever there is time, then short ones.
                part = number / count, (number + 1) / count
                low, high = part if attempt < _TRIES // 3 else (0.0, 1.0)
                found = self._event(low * self._target.seconds, high * self._target.seconds, attempt / _TRIES)
                if found is not None:
                    self._placed.append(found)
                    break
        return sorted(self._placed, key=lambda occluder: occluder.start_s)

    def _event(self, low: float, high: float, haste: float) -> Optional[Occluder]:
        target, rng, config = self._target, self._rng, self._config
        shortest, longest = config.duration_s
        wanted = shortest + (longest - shortest) * rng.uniform(0, 1 - haste)
        middle = rng.uniform(low, high)
        if not self._free(middle - wanted / 2, middle + wanted / 2):
            return None
        if not target.known[np.abs(target.times - middle) <= wanted / 2].all():
            return None
        peak, kind = rng.uniform(*config.cover), "standing" if rng.random() < config.standing else "passing"
        at = min(round(middle * target.fps), len(target.times) - 1)
        outline, direction, offset = self._shape(target.boxes[at, 2:], peak)
        # About the way on which it covers enough to count; the speed is set right below.
        way = 0.9 * float(np.abs(direction) @ target.boxes[at, 2:]) + 2 * _extent(outline, direction)
        speed = way / wanted
        since = target.times - target.times[at]
        # Away from the event it gathers speed, so that it comes from outside the image and leaves it soon.
        beyond = np.sign(since) * np.maximum(np.abs(since) - wanted, 0) ** 2 * 0.5 * math.hypot(*target.image)
        path = target.path if kind == "standing" else self._even_path(at, wanted)
        for _ in range(5):
            centres = path + (since * speed + beyond)[:, None] * direction + offset
            cover = target.cover(outline, centres)
            covered = int(np.count_nonzero(cover > COVERED)) / target.fps
            if not covered or abs(covered - wanted) < 1 / target.fps:
                break
            speed *= float(np.clip(covered / wanted, 0.5, 2.0))
        touched, most = np.flatnonzero(cover > 0), float(cover.max())
        if not len(touched) or not target.known[touched].all():
            return None
        start, end = float(target.times[touched[0]]), float(target.times[touched[-1]])
        once = len(touched) == touched[-1] - touched[0] + 1 and _in_one_piece(cover > COVERED)
        fits = shortest - 1e-9 <= covered <= longest + 1e-9 and config.cover[0] <= most <= config.cover[1]
        if not (once and fits and abs(most - peak) < 0.1 and self._free(start, end)):
            return None
        return Occluder(kind, outline, centres, start, end, covered, most)

    def _free(self, start: float, end: float) -> bool:
        """Whether an event may last from `start` to `end`."""
        if start < self._first or end > self._last:
            return False
        if ((self._target.starts_s > start - self._gap) & (self._target.starts_s < end + self._gap)).any():
            return False
        spacing = self._config.spacing_s
        return all(end + spacing <= other.start_s or other.end_s + spacing <= start for other in self._placed)

    def _even_path(self, at: int, wanted: float) -> np.ndarray:
        """The path with the mean velocity that the target has during the event."""
        target = self._target
        reach = max(round(wanted / 2 * target.fps), 1)
        low, high = max(at - reach, 0), min(at + reach, len(target.times) - 1)
        velocity = (target.path[high] - target.path[low]) / (target.times[high] - target.times[low])
        return target.path[at] + (target.times - target.times[at])[:, None] * velocity

    def _shape(self, size: np.ndarray, peak: float) -> Tuple[Outline, np.ndarray, np.ndarray]:
        """Draw an outline, the direction it moves in, and its offset from the target when it covers the most."""
        rng = self._rng
        shape = self._config.shapes[rng.integers(len(self._config.shapes))]
        if shape == "pole":
            heading = float(rng.integers(0, 4) * np.pi / 2 + rng.uniform(-0.4, 0.4))
            angle = float(np.round(heading / (np.pi / 2)) * np.pi / 2 + rng.uniform(-0.15, 0.15))
            direction = turn(heading)[:, 0]
            wide = peak * float(np.abs(turn(angle)[:, 0]) @ size) * rng.uniform(1.0, 1.05 + 0.5 * (peak > 0.95))
            half = (max(wide, 2.0) / 2, float(max(self._target.image)))
            return Outline(shape, half, angle, _feather(half)), direction, np.zeros(2)
        heading = rng.uniform(0, 2 * np.pi)
        direction, across = turn(heading)[:, 0], turn(heading)[:, 1]
        slack = 1.1 if shape == "box" else 1.4
        angle = float(heading + rng.uniform(-0.25, 0.25))
        long = float(np.abs(direction) @ size) * slack * rng.uniform(max(0.6, peak), 1.7)
        wide = float(np.abs(across) @ size) * slack * rng.uniform(1.0, 1.7)
        half = max(long, 3.0) / 2, max(wide, 3.0) / 2
        outline = Outline(shape, half, angle, _feather(half))
        places = ((np.arange(_GRID) + 0.5) / _GRID - 0.5) * size[:, None]
        x, y = np.broadcast_arrays(places[0][None, :], places[1][:, None])
        near, far = 0.0, float(np.linalg.norm(outline.reach) + np.linalg.norm(size))
        for _ in range(14):
            half_way = (near + far) / 2
            enough = outline.opacity(x - across[0] * half_way, y - across[1] * half_way).mean() >= peak
            near, far = (half_way, far) if enough else (near, half_way)
        return outline, direction, across * near * rng.choice([-1.0, 1.0])


def _feather(half: Tuple[float, float]) -> float:
    return float(np.clip(0.15 * min(half), 1.5, 8.0))


def _extent(outline: Outline, direction: np.ndarray) -> float:
    """Half the length of a shape in a direction; for a pole that of its width."""
    c, s = np.abs(turn(outline.angle).T @ direction)
    a, b = outline.half
    return float(a / max(c, 0.5) if outline.shape == "pole" else np.hypot(c * a, s * b))


def _in_one_piece(flags: np.ndarray) -> bool:
    return np.count_nonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)) > 0) == 1


def _beside(
    target: _Target, config: DistractorConfig, rng: np.random.Generator, when: float
) -> Tuple[Distractor, np.ndarray]:
    """A distractor that is beside the target round `when`, in parts of the clip, and the share that it covers."""
    seconds, times = target.seconds, target.times
    lasting = min(rng.uniform(*config.duration_s), 0.8 * seconds)
    start = float(np.clip(when * seconds - lasting / 2, 0.1 * seconds, 0.9 * seconds - lasting))
    phase, rate = rng.uniform(0, 2 * np.pi, 3), rng.uniform(0.15, 0.4, 3) * 2 * np.pi
    angle = phase[0] + 0.6 * np.sin(rate[0] * times + phase[1])
    near, far = config.distance
    distance = near + (far - near) * (0.5 + 0.5 * np.sin(rate[1] * times + phase[2]))
    away = np.maximum(np.maximum(start - times, times - start - lasting), 0)
    distance = distance + 3.0 * away**2 / (1 + away)
    reach = np.ceil(3 * _SMOOTHING_S * target.fps).astype(int)
    padded = np.pad(target.boxes[:, 2:], ((reach, reach), (0, 0)), mode="edge")
    size = np.stack([np.convolve(column, np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid") for column in padded.T])
    sizes = size.T * rng.uniform(*config.scale)
    whole = Outline("box", (0.5, 0.5), 0.0, 1e-3)
    for _ in range(40):
        offset = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (distance[:, None] * size.T)
        centres = target.path + offset
        cover = target.cover(whole, centres, sizes)
        if cover.max() <= COVERED:
            break
        distance = np.where(cover > COVERED, distance * 1.1, np.maximum(distance, 1.02 * near))
    return Distractor(centres, sizes, start, start + lasting), cover
