"""Profiles of boards: how long each stage takes there, its jitter and its stalls, as data.

A profile is a JSON file, one of the shipped ones by its name (`names`), or a contributed result of a board
(`pvtpp bench --contribute`), which holds the measured times of its trackers.

`profile_of` makes one from the contributed results of two machines, so that what was timed on the one alone can be
taken to the other: ``python -m pvtpp_benchmarks.speed.board_profile``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np

from pvtpp.errors import InputError
from pvtpp.files import read_json
from pvtpp.validation import above, between, check, holds, one_of
from pvtpp_benchmarks import contributed
from pvtpp_benchmarks.json_rules import FILLED_TEXT

FOLDER = Path(__file__).resolve().parent / "boards"
ORIGINS = ("measured", "published", "assumed")
WHOLE = "track"
"""The stage that is a whole frame: its factor is that of every stage without one of its own."""
SPREAD = 3.0
"""Jitter is drawn up to so many standard deviations."""
STALL = 3.0
"""A frame that takes more than so many medians is a stall, and no jitter."""


@dataclass(frozen=True)
class Stalls:
    """Now and then a frame takes longer by far: another process, a garbage collection, a clock that was lowered.

    Attributes
    ----------
    every_s
        Mean time between two, in seconds of tracking; they come independently of one another.
    ms
        Shortest and longest addition, milliseconds; in between all are as likely.
    """

    every_s: float
    ms: Tuple[float, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ms", tuple(self.ms) if isinstance(self.ms, list) else self.ms)
        rising = holds(
            "two rising numbers from 0 to 60000",
            lambda value: len(value) == 2 and all(map(between(0, 60_000).holds, value)) and value[0] <= value[1],
        )
        check(self, {"every_s": above(0), "ms": rising}, "stalls")


@dataclass(frozen=True)
class BoardProfile:
    """What a board takes.

    Attributes
    ----------
    board
        Its name.
    origin
        Whether its figures were ``measured``, are ``published`` ones of others, or ``assumed``.
    source
        Where they come from, in words.
    times_ms
        By tracker: times of frames there in milliseconds, in order; a single one where no more is known.
    scale
        By stage: the factor from the machine that `reference` names. ``track`` is that of a whole frame, and of every
        stage that is not named. Empty: only trackers of `times_ms` can be taken to this board.
    reference
        The machine whose times `scale` multiplies.
    jitter
        Standard deviation of the logarithm of a frame's time; 0.05 is about 5 %.
    stalls
        None: there are none.
    """

    board: str
    origin: str
    source: str
    times_ms: Mapping[str, Tuple[float, ...]] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    reference: str = ""
    jitter: float = 0.0
    stalls: Optional[Stalls] = None

    def __post_init__(self) -> None:
        factor, time = above(0, 1e6), between(0, 3.6e6)
        rules = {
            "board": FILLED_TEXT,
            "origin": one_of(ORIGINS),
            "source": FILLED_TEXT,
            "jitter": between(0, 1),
            "times_ms": holds(
                "one or more times for each tracker, each " + time.allowed,
                lambda value: all(len(each) and all(map(time.holds, each)) for each in value.values()),
            ),
            "scale": holds(
                f"{factor.allowed} for {WHOLE!r} and any other stage",
                lambda value: not value or (WHOLE in value and all(map(factor.holds, value.values()))),
            ),
            "reference": holds(
                "the name of the machine that scale is relative to",
                lambda value: isinstance(value, str) and bool(value) == bool(self.scale),
            ),
        }
        check(self, rules, "profile")

    def factor(self, stage: str) -> float:
        """Return the factor of a stage; InputError where the profile has none at all."""
        if not self.scale:
            raise InputError(
                f"profile of {self.board}: it has no 'scale', so only its own trackers are known: "
                f"{', '.join(sorted(self.times_ms)) or 'none'}"
            )
        return self.scale.get(stage, self.scale[WHOLE])

    def unsteady(self, seed: Any) -> Callable[[float], int]:
        """Return a function from a time without jitter and stalls to one with them, nanoseconds; draws are seeded."""
        rng = np.random.default_rng(seed)

        def drawn(nanoseconds: float) -> int:
            if self.jitter:
                nanoseconds *= math.exp(self.jitter * min(max(rng.normal(), -SPREAD), SPREAD))
            if self.stalls is not None:
                chance, low_high = rng.random(), self.stalls.ms
                addition = rng.uniform(*low_high) * 1e6
                if chance < -math.expm1(-nanoseconds / 1e9 / self.stalls.every_s):
                    nanoseconds += addition
            return round(nanoseconds)

        return drawn

    def longest(self, nanoseconds: float) -> float:
        """Return the longest that `unsteady` makes of a time, nanoseconds."""
        return nanoseconds * math.exp(self.jitter * SPREAD) + (self.stalls.ms[1] * 1e6 if self.stalls else 0)


def names() -> List[str]:
    """Return the names of the profiles that are shipped."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(where: str) -> BoardProfile:
    """Read a profile.

    Parameters
    ----------
    where
        A file, or one of `names`.

    Raises
    ------
    InputError
        For a file that is missing or neither a profile nor a contributed result, naming the field that is wrong.
    """
    shipped = FOLDER / f"{where}.json"
    path = str(shipped) if where in names() and not Path(where).exists() else where
    if path == where and not Path(where).exists():
        raise InputError(f"board {where!r}: no such file, and none of the shipped profiles: {', '.join(names())}")
    content = read_json(path)
    if contributed.is_contributed(content):
        return _of_contributed(contributed.check(content, path))
    return from_json(content, path)


_FIELDS = {"board", "origin", "source", "trackers", "scale", "reference", "jitter", "stalls"}


def from_json(content: Any, source: str) -> BoardProfile:
    """Make a profile of the content of its file; InputError names `source` and the field that is wrong."""
    if not isinstance(content, dict):
        raise InputError(f"{source}: a profile of a board is an object, this is {type(content).__name__}")
    unknown = sorted(set(content) - _FIELDS)
    if unknown:
        raise InputError(f"{source}: unknown field {unknown[0]!r}, allowed are {', '.join(sorted(_FIELDS))}")
    try:
        given = {name: content[name] for name in ("scale", "reference", "jitter") if name in content}
        times = {name: _times(each) for name, each in content.get("trackers", {}).items()}
        stalls = Stalls(**content["stalls"]) if content.get("stalls") is not None else None
        return BoardProfile(
            content["board"], content["origin"], content["source"], times_ms=times, stalls=stalls, **given
        )
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    except KeyError as error:
        raise InputError(f"{source}: a profile of a board needs the field {error}") from None
    except (TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise InputError(
            f"{source}: no profile of a board ({error}); a tracker has 'fps' or 'frame_ms', stalls have 'every_s' and "
            "'ms'"
        ) from None


def _times(entry: Mapping[str, Any]) -> Tuple[float, ...]:
    """The times of a tracker: of measured frames, or of a published frame rate."""
    if "frame_ms" in entry:
        return tuple(entry["frame_ms"])
    return (1e3 / entry["fps"],)


def as_json(profile: BoardProfile) -> Dict[str, Any]:
    """Return what `from_json` reads."""
    made: Dict[str, Any] = {"board": profile.board, "origin": profile.origin, "source": profile.source}
    made["trackers"] = {name: {"frame_ms": list(times)} for name, times in profile.times_ms.items()}
    made["scale"], made["reference"] = dict(profile.scale), profile.reference
    made["jitter"] = profile.jitter
    if profile.stalls is not None:
        made["stalls"] = {"every_s": profile.stalls.every_s, "ms": list(profile.stalls.ms)}
    return made


def _of_contributed(content: Mapping[str, Any], **more: Any) -> BoardProfile:
    hardware = content["protocol"]["hardware"]["machine"]
    times = {name: tuple(entry["frame_ms"]) for name, entry in content["trackers"].items()}
    source = f"pvtpp bench --contribute, version {content['protocol']['versions']['pvtpp']}"
    return BoardProfile(hardware, "measured", source, times_ms=times, **more)


def profile_of(board: Mapping[str, Any], reference: Mapping[str, Any]) -> BoardProfile:
    """Make a profile from two contributed results, so that times of the reference can be taken to the board.

    Parameters
    ----------
    board, reference
        Contributed results, see `pvtpp_benchmarks.contributed.check`.

    Returns
    -------
    BoardProfile
        Its factors are the geometric mean, over the trackers of both, of the ratio of median times of each stage;
        jitter and stalls are those of the board's own frames.

    Raises
    ------
    InputError
        Where they have no tracker in common.
    """
    both = sorted(set(board["trackers"]) & set(reference["trackers"]))
    if not both:
        raise InputError(
            f"the two results share no tracker: {', '.join(board['trackers'])}; {', '.join(reference['trackers'])}"
        )
    ratios: Dict[str, List[float]] = {}
    for name in both:
        ours, theirs = (each["trackers"][name]["stages"] for each in (board, reference))
        for stage in set(ours) & set(theirs):
            times = ours[stage]["median_ms"], theirs[stage]["median_ms"]
            if min(times) > 0:
                ratios.setdefault(stage, []).append(math.log(times[0] / times[1]))
    frames = [np.array(entry["frame_ms"]) for entry in board["trackers"].values()]
    return _of_contributed(
        board,
        scale={stage: round(math.exp(float(np.mean(each))), 4) for stage, each in sorted(ratios.items())},
        reference=reference["protocol"]["hardware"]["machine"],
        jitter=_jitter(frames),
        stalls=_stalls(frames),
    )


def _jitter(frames: List[np.ndarray]) -> float:
    """By the middle two thirds of the frames, so that stalls do not count; the mean over trackers."""
    found = []
    for times in frames:
        low, high = np.percentile(times, [15.87, 84.13])
        found.append(math.log(high / low) / 2 if low > 0 else 0.0)
    return round(min(float(np.mean(found)), 1.0), 4)


def _stalls(frames: List[np.ndarray]) -> Optional[Stalls]:
    added = np.concatenate([(times - np.median(times))[times > STALL * np.median(times)] for times in frames])
    if not len(added):
        return None
    seconds = sum(float(times.sum()) for times in frames) / 1e3
    low, high = (round(float(value), 2) for value in (added.min(), added.max()))
    return Stalls(round(seconds / len(added), 3), (low, high))
