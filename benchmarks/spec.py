"""What decides a run: the specification that a log is known by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Dict, List, Optional, Tuple

from pvtpp import predictors as predictor_room
from pvtpp import propagation as propagation_room
from pvtpp.core.state_machine import SEARCH_REGIONS
from pvtpp.errors import InputError
from pvtpp_benchmarks import processing
from pvtpp_benchmarks.processing import ProcessingTime
from pvtpp_benchmarks.simulation import CORES, SCHEDULES

CLOCKS = ("simulated", "wall")
PRESENCES = ("off", "on")
EGO_MOTIONS = ("none", "gyro")
MEASURED = "measured"
# On the wall clock everything takes what it takes.
_ON_THE_WALL = {
    "processing": MEASURED,
    "schedule": "async",
    "predictor_ns": 0,
    "propagation_ns": 0,
    "propagation_core": "own",
}


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides what a run does, so that an old log can be told from a fitting one.

    `processing`: as text, see `pvtpp_benchmarks.processing`. `predictors`: listeners of the run, the first leads. `starts`: N runs
    per sequence from 0, 1/N, 2/N .. of the clip (the next frame with a target). `draws`: runs per start; the first box of
    draw 0 is the annotated one, later ones move its centre and size by up to `jitter_px` pixels each (uniform, by `seed`).
    `propagation_ns`: what each step of the propagation costs. `version`: of the code that runs it;
    `tracker_digest`: of the tracker's own code and weights, where they are not the project's. `clock`: ``simulated``, or
    ``wall`` for a live tracker that is shown the sequence at its frame rate; then `processing` is ``measured``. `status`:
    whether results are judged, and a lost target is searched for. `ego_motion`: ``gyro`` where the sequences come with one and
    the camera's own rotation is to be known from it. `recorded_ms`: of runs that there are, the median processing time that
    their logs tell; then nothing that `processing` names is read. It is no fact of its own.
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
    status: str = "off"
    ego_motion: str = "none"
    recorded_ms: Optional[float] = None

    def __post_init__(self) -> None:
        allowed_names = {
            "clock": CLOCKS,
            "status": PRESENCES,
            "ego_motion": EGO_MOTIONS,
            "schedule": SCHEDULES,
            "search_region": SEARCH_REGIONS,
            "propagation": tuple(propagation_room.names()),
            "propagation_core": CORES,
        }
        for name, allowed in allowed_names.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"unknown {name} {getattr(self, name)!r}, expected one of: {', '.join(allowed)}")
        for name in ("starts", "draws"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.jitter_px < float("inf"):
            raise InputError(f"jitter_px must be 0 or more pixels, got {self.jitter_px}")
        for name in ("predictor_ns", "propagation_ns", "seed"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} must be 0 or more, got {getattr(self, name)}")
        recorded = self.recorded_ms
        if recorded is not None and not (isinstance(recorded, (int, float)) and 0 <= recorded < float("inf")):
            raise InputError(f"recorded_ms must be 0 or more milliseconds, got {recorded!r}")
        if self.ego_motion != "none" and self.schedule == "paper":
            raise InputError("schedule 'paper' knows no ego motion, use 'async'")
        for name in self.predictors:
            predictor_room.create(name)
        if self.clock == "wall":
            for name, only in _ON_THE_WALL.items():
                if getattr(self, name) != only:
                    raise InputError(f"{name} is {getattr(self, name)!r}, on the wall clock it can only be {only!r}")
            if self.ego_motion != "none":
                raise InputError(
                    "ego_motion 'gyro' is for the simulated clock, on the wall clock it can only be 'none'"
                )
        elif self.recorded_ms is None:
            self.processing_time  # noqa: B018 - read now, so that a bad text is refused here

    @cached_property
    def processing_time(self) -> ProcessingTime:
        """The model behind `processing` on the simulated clock; recorded times are read once for all runs of the spec."""
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
        return self.search_region == "predicted" or self.status == "on"

    def facts(self) -> Dict[str, Any]:
        """What the tracker's path depends on: where no predictor steers it, none but its cost."""
        facts = asdict(self)
        del facts["recorded_ms"]
        if not self.steered:
            del facts["predictors"]
        else:
            facts["predictors"] = [self.predictors[0], predictor_room.digest(self.predictors[0])]
        for name, ordinary in (("status", "off"), ("clock", "simulated"), ("ego_motion", "none")):
            # Logs from before there was a choice are as good.
            if facts[name] == ordinary:
                del facts[name]
        return {**facts, "starts": None, "draws": None}

    def folder(self) -> str:
        """A readable folder name that differs wherever the facts differ."""
        facts = {**self.facts(), "version": None, "tracker_digest": None}
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
        lead = f"-{self.predictors[0]}" if self.steered else ""
        lane = "" if self.propagation == "none" else f"-{self.propagation}-{self.propagation_core}"
        how = self.processing if self.clock == "simulated" else self.clock
        judged = ("" if self.status == "off" else "-status") + (
            "" if self.ego_motion == "none" else f"-{self.ego_motion}"
        )
        parts = (self.dataset, self.tracker, how, self.schedule + "-" + self.search_region + lead + lane + judged)
        return "_".join(safe_name(part) for part in parts) + "_" + digest


def single_predictor_specs(spec: RunSpec) -> List[RunSpec]:
    """The specs whose runs serve `spec`: one for all predictors where they do not steer the tracker, else one for each."""
    if not spec.steered:
        return [spec]
    return [replace(spec, predictors=(name,)) for name in spec.predictors]


def safe_name(name: str) -> str:
    """The name as a part of a file name."""
    return "".join(c if c.isalnum() or c in "-." else "-" for c in name)
