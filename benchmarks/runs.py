"""Runs a tracker over a data set: one event log for each (sequence, start, draw), written once and never run twice."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import numpy as np

from pvtpp import defaults
from pvtpp import predictors as predictor_registry
from pvtpp.boxes import xywh_to_box
from pvtpp.core.event_log import EventLog, is_complete
from pvtpp.core.log_file import LogFile
from pvtpp.core.replay import replay
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.predictors import Predictor
from pvtpp.tracker import Tracker
from pvtpp_benchmarks.datasets.gyro import CAMERA, SAMPLES, GyroRecording
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.machine_lock import exclusive_machine
from pvtpp_benchmarks.provenance import hardware
from pvtpp_benchmarks.simulation import Propagation, simulate
from pvtpp_benchmarks.spec import RunSpec, safe_name
from pvtpp_benchmarks.wall import run_wall

MakeTracker = Callable[[VideoSequence], Tracker]
_NO_FACTS = ("listeners", "processing_ms")
"""What a log says beyond the facts that it is known by."""


@dataclass(frozen=True)
class Job:
    """One run of one sequence.

    Attributes
    ----------
    sequence, spec
        What is run, and how.
    start_number, draw
        Which of the spec's starts and draws.
    path
        Of its log; None keeps none.
    """

    sequence: VideoSequence
    spec: RunSpec
    start_number: int
    draw: int
    path: Optional[str]

    def meta(self) -> Dict[str, Any]:
        """Return what the log says of its run: the facts that it depends on, data and times by digest."""
        facts = json.loads(json.dumps(self.spec.facts()))
        images = self.sequence.image_paths
        return {
            **facts,
            "sequence": self.sequence.name,
            "start_number": self.start_number,
            "start_of": self.spec.starts,
            "draw": self.draw,
            "samples": None if self.spec.ego_motion == "none" else gyro_digest(self.sequence),
            "truth": self.sequence.digest(),
            "images": os.path.dirname(os.path.abspath(images[0])) if images else None,
            **self._clock_meta(),
            "listeners": {name: predictor_registry.digest(name) for name in self.spec.predictors},
        }

    def _clock_meta(self) -> Dict[str, Any]:
        if self.spec.clock == "wall":
            return {"machine": hardware()["machine"]}
        times = self.times()
        digest = _digest(repr([times(i) for i in range(len(self.sequence))]))
        return {"times": digest, "processing_ms": self.spec.processing_ms}

    def times(self) -> Callable[[int], int]:
        """Return the processing times of this run: recorded ones are drawn anew for every start and draw."""
        seed = self.spec.seed + 1_000_003 * (self.start_number + 1000 * self.draw)
        return self.spec.processing_time.start(self.sequence.name, seed)


def gyro_of(sequence: VideoSequence) -> GyroRecording:
    """Return the sequence's gyro. Raises InputError where it has none."""
    if sequence.gyro is None:
        where = sequence.source or sequence.name
        raise InputError(f"{where}: ego motion needs {SAMPLES} and {CAMERA} beside the annotation")
    return sequence.gyro


def gyro_digest(sequence: VideoSequence) -> str:
    """Tell one recording of the camera's rotation from another."""
    gyro = gyro_of(sequence)
    samples = hashlib.sha256(gyro.t_ns.tobytes() + gyro.rates.tobytes()).hexdigest()
    return _digest(f"{samples} {gyro.delay_ns} {gyro.gyro().as_dict()}")


def jobs(sequences: Iterable[VideoSequence], spec: RunSpec, log_dir: Optional[str]) -> List[Job]:
    """List every run that `spec` asks for; logs go to a folder of the spec's own under `log_dir`, nowhere if None.

    A later start is left out where the target does not come back: there is nothing to track, or to score.
    """
    made = []
    for sequence in sequences:
        shown = np.isfinite(sequence.ground_truth_xywh[:: sequence.stride]).all(axis=1)
        for start in range(spec.starts):
            if start and shown[start * len(shown) // spec.starts :].sum() < 2:
                continue
            for draw in range(spec.draws):
                name = f"{safe_name(sequence.name)}.{start}of{spec.starts}.{draw}.jsonl"
                path = os.path.join(log_dir, spec.folder(_place(sequence)), name) if log_dir else None
                made.append(Job(sequence, spec, start, draw, path))
    return made


def check_log_folder(log_dir: Optional[str]) -> None:
    """Check before the work that logs can be written below `log_dir`; nothing is made yet. None keeps no logs.

    Raises
    ------
    InputError
        Where the folder cannot be made or nothing can be written in it.
    """
    if log_dir is None:
        return
    folder = os.path.abspath(log_dir)
    try:
        while not os.path.lexists(folder):
            # Raises for a name that cannot be one, such as one that is too long.
            with suppress(FileNotFoundError):
                os.stat(folder)
            folder = os.path.dirname(folder)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part") as file:
            # More than some file systems keep beside a file's name, so that a full one is found.
            file.write(bytes(65536))
            file.flush()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"--logs {log_dir}: event logs cannot be written there ({reason}), allowed is a folder that can be written "
            "or made"
        ) from None


def _place(sequence: VideoSequence) -> str:
    """Where the data set of a sequence lies, as far as its files tell; two of one name may lie in different places."""
    file = sequence.image_paths[0] if sequence.image_paths else sequence.source
    if not file:
        return ""
    folder = os.path.dirname(os.path.abspath(file))
    above, found, _ = f"{folder}{os.sep}".rpartition(f"{os.sep}{sequence.name}{os.sep}")
    return above if found else folder


def obtain(job: Job, make_tracker: MakeTracker) -> Tuple[EventLog, bool]:
    """Return the log of one job with trajectories of all its predictors, and whether the tracker had to run for it."""
    kept = _kept(job)
    return (_run(job, make_tracker), True) if kept is None else (kept, False)


def _kept(job: Job) -> Optional[EventLog]:
    """The log of an earlier run of the same facts; None where there is none, or its features would be needed again."""
    if not job.path or not is_complete(job.path):
        return None
    log, meta = EventLog.read(job.path), job.meta()
    same = all(log.meta.get(name) == value for name, value in meta.items() if name not in _NO_FACTS)
    if not same or (_read_features(job.spec) and not _has_predictors(log, job.spec)):
        return None
    return with_predictors(log, job.spec)


def _run(job: Job, make_tracker: MakeTracker) -> EventLog:
    """Run the tracker. The log gets its name when it is whole, so that half a run is never taken for one."""
    carry_out = _RUNNERS[job.spec.clock]
    if job.path is None:
        log = EventLog(job.meta())
        carry_out(job, make_tracker, log)
        return log
    folder, name = os.path.split(job.path)
    part = os.path.join(folder, f".{name}.{os.getpid()}.part")
    file = LogFile(part, job.meta(), keep=True)
    try:
        carry_out(job, make_tracker, file)
        file.close()
        _rename(part, job.path)
    finally:
        with suppress(InputError):
            file.close()
        with suppress(OSError):
            os.remove(part)
    file.path = job.path
    return file


def _rename(part: str, path: str) -> None:
    try:
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path}: cannot write ({error.strerror or error})") from None


def first_frame_and_box(job: Job) -> Tuple[int, np.ndarray]:
    """Return the camera frame that a job starts at, and the box ``[cx, cy, w, h]`` that the tracker is given there."""
    sequence, spec = job.sequence, job.spec
    shown = sequence.ground_truth_xywh[:: sequence.stride]
    wanted = job.start_number * len(shown) // spec.starts
    present = np.flatnonzero(np.isfinite(shown[wanted:]).all(axis=1))
    where = sequence.source or sequence.name
    if not len(present):
        raise InputError(
            f"{where}: no box to start from at frame {wanted} or later; "
            "the first box must be four finite numbers with width and height above 0"
        )
    first = wanted + int(present[0])
    if job.start_number == 0 and first != 0:
        raise InputError(
            f"{where}: the first box (row 1) is missing, NaN or of zero size; "
            "a tracker needs four finite numbers with width and height above 0"
        )
    box = xywh_to_box(shown[first])
    if job.draw:
        name = int.from_bytes(hashlib.sha256(sequence.name.encode()).digest()[:4], "big")
        rng = np.random.default_rng([spec.seed, job.draw, job.start_number, name])
        box = box + rng.uniform(-spec.jitter_px, spec.jitter_px, size=4)
        box[2:] = np.maximum(box[2:], 1.0)
    return first, box


def _simulate(job: Job, make_tracker: MakeTracker, log: EventLog) -> None:
    spec = job.spec
    first, box = first_frame_and_box(job)
    propagator = defaults.propagator(spec.propagation)
    simulate(
        job.sequence,
        make_tracker(job.sequence),
        _predictors(spec),
        job.times(),
        predictor_ns=spec.predictor_ns,
        schedule=spec.schedule,
        search_region=spec.search_region,
        propagation=None if propagator is None else Propagation(propagator, spec.propagation_ns, spec.propagation_core),
        presence=defaults.presence(spec.presence),
        gyro=None if spec.ego_motion == "none" else gyro_of(job.sequence),
        start=first,
        first_box=box,
        log=log,
    )


def _run_live(job: Job, make_tracker: MakeTracker, log: EventLog) -> None:
    """Run on the wall clock. Loading and first use of the tracker come before, as in a live system."""
    spec, tracker = job.spec, make_tracker(job.sequence)
    first, box = first_frame_and_box(job)
    tracker.init(job.sequence.frame(first), box)
    tracker.track(job.sequence.frame(first))

    def live(log: EventLog, clock: Callable[[], int]) -> LiveTracker:
        return LiveTracker(
            tracker,
            _predictors(spec),
            defaults.propagator(spec.propagation),
            spec.search_region,
            log,
            clock,
            presence=defaults.presence(spec.presence),
        )

    with exclusive_machine():
        run_wall(job.sequence, live, first_box=box, start=first, log=log)


_RUNNERS: Dict[str, Callable[[Job, MakeTracker, EventLog], None]] = {"simulated": _simulate, "wall": _run_live}


def _predictors(spec: RunSpec) -> Dict[str, Predictor]:
    return {name: predictor_registry.create(name) for name in spec.predictors}


def with_predictors(log: EventLog, spec: RunSpec, anew: bool = False) -> EventLog:
    """Return the log with trajectories of all predictors of `spec`.

    As recorded if they are all there (and not `anew`), else made by driving the state machine with the log's events.
    Raises InputError for a predictor that needs more than those, see `replay`.
    """
    if not anew and _has_predictors(log, spec):
        return log
    return replay(log, _predictors(spec))


def _read_features(spec: RunSpec) -> bool:
    return any(map(predictor_registry.reads_features, _predictors(spec).values()))


def _has_predictors(log: EventLog, spec: RunSpec) -> bool:
    there = log.meta.get("listeners", {})
    return all(there.get(name) == predictor_registry.digest(name) for name in spec.predictors)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
