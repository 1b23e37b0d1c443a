"""Running a tracker over a data set: one event log per (sequence, start, draw), written once and never run twice."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np

from benchmarks import processing
from benchmarks.datasets.sequence import Sequence
from benchmarks.processing import ProcessingTime
from benchmarks.simulation import CORES, SCHEDULES, Propagation, simulate
from pvtpp import predictors as predictor_room
from pvtpp import propagation as propagation_room
from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.runtime.log import EventLog, is_complete
from pvtpp.runtime.pipeline import SEARCH_REGIONS
from pvtpp.runtime.replay import replay
from pvtpp.tracker import Tracker

MakeTracker = Callable[[Sequence], Tracker]


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides what a run does, so that an old log can be told from a fitting one.

    `processing`: as text, see `benchmarks.processing`. `predictors`: listeners of the run, the first leads. `starts`: N runs
    per sequence from 0, 1/N, 2/N .. of the clip (the next frame with a target). `draws`: runs per start; the first box of
    draw 0 is the annotated one, later ones move its centre and size by up to `jitter_px` pixels each (uniform, by `seed`).
    `propagation_ns`: what each step of the fast lane costs. `version`: of the code that runs it;
    `tracker_digest`: of the tracker's own code and weights, where they are not the project's.
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

    def __post_init__(self) -> None:
        allowed_names = {
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
        for name in self.predictors:
            predictor_room.create(name)
        self.processing_time  # noqa: B018 - read now, so that a bad text is refused here

    @cached_property
    def processing_time(self) -> ProcessingTime:
        """The model behind `processing`; recorded times are read once for all runs of the spec."""
        return processing.parse(self.processing)

    @property
    def processing_ms(self) -> float:
        return self.processing_time.median_ms()

    def facts(self) -> Dict[str, Any]:
        """What the tracker's path depends on: with the search region at the last result, no predictor but its cost."""
        facts = asdict(self)
        if self.search_region == "last":
            del facts["predictors"]
        else:
            facts["predictors"] = [self.predictors[0], predictor_room.digest(self.predictors[0])]
        return {**facts, "starts": None, "draws": None}

    def folder(self) -> str:
        """A readable folder name that differs wherever the facts differ."""
        facts = {**self.facts(), "version": None, "tracker_digest": None}
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
        lead = f"-{self.predictors[0]}" if self.search_region == "predicted" else ""
        lane = "" if self.propagation == "none" else f"-{self.propagation}-{self.propagation_core}"
        parts = (self.dataset, self.tracker, self.processing, self.schedule + "-" + self.search_region + lead + lane)
        return "_".join(_safe(part) for part in parts) + "_" + digest


@dataclass(frozen=True)
class Job:
    """One run of one sequence."""

    sequence: Sequence
    spec: RunSpec
    start_number: int
    draw: int
    path: Optional[str]

    def meta(self) -> Dict[str, Any]:
        """What the log says of its run: the facts it depends on, data and times by digest, not by name alone."""
        facts = json.loads(json.dumps(self.spec.facts()))
        sequence = self.sequence
        times = self.times()
        images = sequence.image_paths
        return {
            **facts,
            "sequence": sequence.name,
            "start_number": self.start_number,
            "start_of": self.spec.starts,
            "draw": self.draw,
            "truth": truth_digest(sequence),
            "images": os.path.dirname(os.path.abspath(images[0])) if images else None,
            "times": _digest(repr([times(i) for i in range(len(sequence))])),
            "listeners": {name: predictor_room.digest(name) for name in self.spec.predictors},
        }

    def times(self) -> Callable[[int], int]:
        """Processing times of this run: recorded ones are drawn anew for every start and draw."""
        seed = self.spec.seed + 1_000_003 * (self.start_number + 1000 * self.draw)
        return self.spec.processing_time.start(self.sequence.name, seed)


def truth_digest(sequence: Sequence) -> str:
    """Tells one sequence from another of the same name: its boxes and frame rates."""
    rates = f"{sequence.world_fps!r} {sequence.camera_fps!r} "
    return _digest(rates + hashlib.sha256(sequence.ground_truth_xywh.tobytes()).hexdigest())


def jobs(sequences: Iterable[Sequence], spec: RunSpec, log_dir: Optional[str]) -> List[Job]:
    """Every run that `spec` asks for; logs go to a folder of the spec's own under `log_dir`, nowhere if None.

    A later start is left out where the target does not come back: there is nothing to track, or to score.
    """
    made = []
    for sequence in sequences:
        shown = np.isfinite(sequence.ground_truth_xywh[:: sequence.stride]).all(axis=1)
        for start in range(spec.starts):
            if start and shown[start * len(shown) // spec.starts :].sum() < 2:
                continue
            for draw in range(spec.draws):
                name = f"{_safe(sequence.name)}.{start}of{spec.starts}.{draw}.jsonl"
                path = os.path.join(log_dir, spec.folder(), name) if log_dir else None
                made.append(Job(sequence, spec, start, draw, path))
    return made


def run(
    todo: List[Job], make_tracker: MakeTracker, executor: Optional[Executor] = None
) -> Iterator[Tuple[Job, EventLog, bool]]:
    """Each job's log as it becomes ready, and whether it had to be run: a complete log of the same facts is read instead.

    Runs are deterministic, so any executor may do them in any order (a process pool, a cluster's); the answers come in
    order. Interrupting loses the runs under way and nothing else.
    """
    if executor is None:
        for job in todo:
            log, ran = obtain(job, make_tracker)
            yield job, log, ran
        return
    futures: List[Tuple[Job, Future]] = [(job, executor.submit(obtain, job, make_tracker)) for job in todo]
    try:
        for job, future in futures:
            log, ran = future.result()
            yield job, log, ran
    finally:
        for _, future in futures:
            future.cancel()


def obtain(job: Job, make_tracker: MakeTracker) -> Tuple[EventLog, bool]:
    """The log of one job with trajectories of all its predictors, and whether the tracker had to run for it."""
    if job.path and is_complete(job.path):
        log, meta = EventLog.read(job.path), job.meta()
        if all(log.meta.get(name) == value for name, value in meta.items() if name != "listeners"):
            return with_predictors(log, job.spec), False
    log = _simulate(job, make_tracker)
    if job.path:
        log.write(job.path)
    return log, True


def first_frame_and_box(job: Job) -> Tuple[int, np.ndarray]:
    """The camera frame a job starts at, and the box ``[cx, cy, w, h]`` that the tracker is given there."""
    sequence, spec = job.sequence, job.spec
    shown = sequence.ground_truth_xywh[:: sequence.stride]
    wanted = job.start_number * len(shown) // spec.starts
    present = np.flatnonzero(np.isfinite(shown[wanted:]).all(axis=1))
    if not len(present):
        raise InputError(
            f"{sequence.source or sequence.name}: no box to start from at frame {wanted} or later; "
            "the first box must be four finite numbers with width and height above 0"
        )
    first = wanted + int(present[0])
    if job.start_number == 0 and first != 0:
        raise InputError(
            f"{sequence.source or sequence.name}: the first box (row 1) is missing, NaN or of zero size; "
            "a tracker needs four finite numbers with width and height above 0"
        )
    box = xywh_to_box(shown[first])
    if job.draw:
        name = int.from_bytes(hashlib.sha256(sequence.name.encode()).digest()[:4], "big")
        rng = np.random.default_rng([spec.seed, job.draw, job.start_number, name])
        box = box + rng.uniform(-spec.jitter_px, spec.jitter_px, size=4)
        box[2:] = np.maximum(box[2:], 1.0)
    return first, box


def _simulate(job: Job, make_tracker: MakeTracker) -> EventLog:
    spec = job.spec
    first, box = first_frame_and_box(job)
    lane = None
    if spec.propagation != "none":
        lane = Propagation(propagation_room.create(spec.propagation), spec.propagation_ns, spec.propagation_core)
    return simulate(
        job.sequence,
        make_tracker(job.sequence),
        {name: predictor_room.create(name) for name in spec.predictors},
        job.times(),
        predictor_ns=spec.predictor_ns,
        schedule=spec.schedule,
        search_region=spec.search_region,
        propagation=lane,
        start=first,
        first_box=box,
        meta=job.meta(),
    )


def with_predictors(log: EventLog, spec: RunSpec, anew: bool = False) -> EventLog:
    """The log with trajectories of all predictors of `spec`: as recorded if they are all there (and not `anew`), else
    made by driving the pipeline with the log's events."""
    listened = log.meta.get("listeners", {})
    if not anew and all(listened.get(name) == predictor_room.digest(name) for name in spec.predictors):
        return log
    return replay(log, {name: predictor_room.create(name) for name in spec.predictors}, spec.search_region)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-." else "-" for c in name)


def single_predictor_specs(spec: RunSpec) -> List[RunSpec]:
    """The specs whose runs serve `spec`: one for all predictors where they do not steer the tracker, else one for each."""
    if spec.search_region == "last":
        return [spec]
    return [replace(spec, predictors=(name,)) for name in spec.predictors]
