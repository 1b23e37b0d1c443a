"""What decides a run: the specification that a log is known by, and the grid of runs that a comparison asks for."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple

from pvtpp import defaults
from pvtpp import predictors as predictor_registry
from pvtpp import propagation as propagation_registry
from pvtpp.core.config import SCHEDULES, SEARCH_REGIONS
from pvtpp.core.presence import PRESENCES
from pvtpp.errors import InputError
from pvtpp.validation import at_least, check, one_of, optional, whole_from
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.metrics import MODES
from pvtpp_benchmarks.processing import ProcessingTime
from pvtpp_benchmarks.simulation import CORES

# Names that some systems keep for devices, whatever their ending.
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
CLOCKS = ("simulated", "wall")
EGO_MOTIONS = ("none", "gyro")
MEASURED = "measured"
# On the wall clock everything takes what it takes.
_ON_THE_WALL = {
    "processing": MEASURED,
    "schedule": "async",
    "predictor_ns": 0,
    "propagation_ns": 0,
    "propagation_core": "own",
    "ego_motion": "none",
}
AXES: Dict[str, Tuple[str, ...]] = {
    "clock": CLOCKS,
    "presence": PRESENCES,
    "ego_motion": EGO_MOTIONS,
    "schedule": SCHEDULES,
    "search_region": SEARCH_REGIONS,
    "propagation": tuple(propagation_registry.names()),
    "propagation_core": CORES,
}
"""Settings that are one of a few names."""


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides what a run does, so that a log of another run is not taken for it.

    Attributes
    ----------
    dataset, tracker
        Their names.
    processing
        The tracker's time per frame as text, see `pvtpp_benchmarks.processing`; ``measured`` on the wall clock.
    predictors
        Of the run; the first one leads.
    predictor_ns
        What each prediction takes, nanoseconds.
    schedule, search_region, presence
        As of `pvtpp.core.config.CoreConfig`; presence ``on`` or ``off``.
    propagation, propagation_ns, propagation_core
        The propagator's name, what each step takes that it measures (nanoseconds), and the processor that it runs on.
    starts
        N runs of each sequence, from 0, 1/N, 2/N .. of the clip (from the next frame with a target).
    draws, jitter_px, seed
        Runs of each start. The first box of draw 0 is the annotated one; later ones move its centre and size by up to
        `jitter_px` pixels each (uniform, by `seed`).
    version
        Digest of the modules that compute a run (`pvtpp_benchmarks.fingerprint`).
    tracker_digest
        Digest of the tracker's own code and weights, where they are not the project's.
    clock
        ``simulated``, or ``wall`` for a live tracker that is shown the sequence at its frame rate.
    ego_motion
        ``gyro`` where the sequences come with one and the camera's own rotation is to be known from it.
    recorded_ms
        Of runs that there are: the median processing time that their logs say; then nothing that `processing` names is
        read. Decides nothing.
    """

    dataset: str
    tracker: str
    processing: str
    predictors: Tuple[str, ...] = ("hold",)
    predictor_ns: int = 0
    schedule: str = "async"
    search_region: str = "last"
    propagation: str = "none"
    propagation_ns: int = 0
    propagation_core: str = "own"
    starts: int = 1
    draws: int = 1
    jitter_px: float = 0.0
    seed: int = 0
    version: str = ""
    tracker_digest: str = ""
    clock: str = "simulated"
    presence: str = "off"
    ego_motion: str = "none"
    recorded_ms: Optional[float] = None

    def __post_init__(self) -> None:
        rules = {name: one_of(names) for name, names in AXES.items()}
        rules.update(dict.fromkeys(("starts", "draws"), whole_from(1)))
        rules.update(dict.fromkeys(("predictor_ns", "propagation_ns", "seed"), whole_from(0)))
        zero = at_least(0)
        rules["recorded_ms"] = optional(zero)
        check(self, {**rules, "jitter_px": zero})
        if self.schedule == "paper" and (self.ego_motion != "none" or self.propagation != "none"):
            raise InputError("schedule 'paper' knows no ego motion and no propagation, use 'async'")
        for name in self.predictors:
            predictor_registry.check_name(name)
        if self.clock == "wall":
            for name, only in _ON_THE_WALL.items():
                if getattr(self, name) != only:
                    raise InputError(f"{name} is {getattr(self, name)!r}, on the wall clock it can only be {only!r}")
        elif self.recorded_ms is None:
            self.processing_time  # noqa: B018 - read now, so that a bad text is refused here

    @cached_property
    def processing_time(self) -> ProcessingTime:
        """The model behind `processing` on the simulated clock. Recorded times are read once for all runs."""
        return processing.parse(self.processing)

    @property
    def processing_ms(self) -> float:
        """Median of the model's times; 0 on the wall clock, where only the logs know."""
        if self.recorded_ms is not None:
            return self.recorded_ms
        return self.processing_time.median_ms() if self.clock == "simulated" else 0.0

    @property
    def steered(self) -> bool:
        """Whether the leading predictor decides where the tracker looks, be it for a lost target alone."""
        return self.search_region == "predicted" or self.presence == "on"

    def facts(self) -> Dict[str, Any]:
        """Return what the tracker's path depends on: not the predictors (but their cost) where none steers it."""
        facts = {**asdict(self), "starts": None, "draws": None}
        del facts["recorded_ms"], facts["predictors"]
        if self.steered:
            facts["predictors"] = [self.predictors[0], predictor_registry.digest(self.predictors[0])]
        return facts

    def folder(self, place: str = "") -> str:
        """Return a readable folder name that differs wherever the facts differ, but for the code's own version.

        Parameters
        ----------
        place
            Where the data lies: data sets of one name in two places have two folders.
        """
        facts = {**self.facts(), "version": None, "tracker_digest": None, **({"place": place} if place else {})}
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
        how = self.processing if self.clock == "simulated" else self.clock
        settings = [self.schedule, self.search_region, *(self.predictors[:1] if self.steered else ())]
        if self.propagation != "none":
            settings += [self.propagation, self.propagation_core]
        settings += ["presence"] if self.presence == "on" else []
        settings += [self.ego_motion] if self.ego_motion != "none" else []
        parts = (self.dataset, self.tracker, how, "-".join(settings))
        return "_".join(_readable(part, 48) for part in parts) + "_" + digest

    def describe(self) -> str:
        """Say in a few words what is run, for progress."""
        how = self.processing if self.clock == "simulated" else self.clock
        propagation = "" if self.propagation == "none" else f" {self.propagation}"
        return f"{self.tracker} {how} {'/'.join(self.predictors)} {self.search_region}{propagation}"

    def split(self) -> List[RunSpec]:
        """Return the specs whose runs serve this one: one for all predictors where none steers, else one for each."""
        if not self.steered:
            return [self]
        return [replace(self, predictors=(name,)) for name in self.predictors]


@dataclass(frozen=True)
class Grid:
    """What to evaluate: every combination of the axes.

    Attributes
    ----------
    base
        All other settings.
    predictors
        Their names. Where `axes` does not say otherwise each has its own propagation, search region and presence
        (`pvtpp.defaults.settings`): the product's default, but ``hold`` and ``kalman:pvt`` as they are usually meant.
    axes
        Values by the name of the setting: any of `processing`, `search_region`, `schedule`, `propagation`, `presence`.
    modes
        Of `pvtpp_benchmarks.metrics`.
    predictor_ns
        What a prediction of each predictor takes, nanoseconds; 0 where not named.
    apart
        Sequences that are tabled in rows of their own.
    offline
        Also the zero-latency rows.
    """

    base: RunSpec
    predictors: Tuple[str, ...]
    axes: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    modes: Tuple[str, ...] = ("otb",)
    predictor_ns: Mapping[str, int] = field(default_factory=dict)
    apart: FrozenSet[str] = frozenset()
    offline: bool = True

    def __post_init__(self) -> None:
        for name, values in (("predictors", self.predictors), ("modes", self.modes), *self.axes.items()):
            if not values:
                raise InputError(f"the grid has no {name.replace('_', ' ')}: name at least one")
        for mode in self.modes:
            if mode not in MODES:
                raise InputError(f"unknown metric mode {mode!r}, expected one of: {', '.join(MODES)}")
        self.specs()

    def specs(self) -> List[RunSpec]:
        """Return the runs of the grid, each with the predictors that it serves: as few as settings and costs allow."""
        found: List[RunSpec] = []
        for values in product(*self.axes.values()):
            cell = dict(zip(self.axes, values))
            served: Dict[Tuple[Tuple[str, Any], ...], List[str]] = {}
            for name in self.predictors:
                settings: Dict[str, Any] = {
                    **defaults.settings(name),
                    "predictor_ns": self.predictor_ns.get(name, 0),
                    **cell,
                }
                if settings.get("schedule", self.base.schedule) == "paper":
                    settings["propagation"] = cell.get("propagation", "none")
                    settings["presence"] = cell.get("presence", "off")
                if settings["propagation"] == "none":
                    settings["propagation_ns"], settings["propagation_core"] = 0, "own"
                served.setdefault(tuple(settings.items()), []).append(name)
            for chosen, names in served.items():
                found += replace(self.base, predictors=tuple(names), **dict(chosen)).split()
        return found

    def cells(self) -> Iterator[Tuple[RunSpec, Tuple[Optional[str], ...]]]:
        """Iterate over the runs and what is scored of each: its predictors; first, if asked for, None: zero latency."""
        if self.offline:
            yield self._zero_latency(), (None,)
        for spec in self.specs():
            yield spec, spec.predictors

    def _zero_latency(self) -> RunSpec:
        nothing: Dict[str, Any] = {
            "propagation": "none",
            "propagation_ns": 0,
            "propagation_core": "own",
            "ego_motion": "none",
        }
        return replace(
            self.base,
            clock="simulated",
            processing="0ms",
            predictors=("hold",),
            predictor_ns=0,
            search_region="last",
            schedule="async",
            presence="off",
            **nothing,
        )


def safe_name(name: str) -> str:
    """Return the name as a part of a file name; different names stay different, on every file system.

    A name of small letters, digits, ``-``, ``_`` and ``.`` stays as it is. Any other is changed or cut where it must
    be, and ends in a digest of the name, since what remains may be that of another one too.
    """
    readable = _readable(name, 80)
    plain = unicodedata.normalize("NFKC", name).casefold()
    if plain.partition(".")[0] in _RESERVED:
        readable = f"_{readable}"
    if readable == name == plain and name.strip(".") == name != "" and not re.search(r"-[0-9a-f]{8}$", name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{readable.strip('.')}-{digest}".lstrip("-")


def _readable(name: str, most: int) -> str:
    """The name with ``-`` for what is no letter, digit, ``-``, ``_`` or ``.``, and of at most so many bytes."""
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return kept.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
