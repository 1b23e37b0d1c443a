"""Times a suite of trackers on this machine, one after the other, for a contributed result."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

import cv2

from pvtpp import defaults, predictors
from pvtpp.errors import InputError
from pvtpp.inference.observed import observed
from pvtpp.tracker import Tracker
from pvtpp_benchmarks import power, stage_timing
from pvtpp_benchmarks.contributed import SCHEMA
from pvtpp_benchmarks.machine_lock import exclusive_machine
from pvtpp_benchmarks.provenance import facts, load
from pvtpp_benchmarks.speed import propagation_frame
from pvtpp_benchmarks.synthetic import AerialClip, render
from pvtpp_trackers import registry
from pvtpp_trackers.factory import create_tracker
from pvtpp_trackers.opencv import FACTORIES

SUITE = "trackers"
TRACKERS = (
    "nanotrack-v3",
    "nanotrack-v2",
    "nanotrack-v1",
    "siamrpn-mobilenetv2",
    "siamrpn-alexnet",
    "siamrpn-resnet50",
    "siammask-resnet50",
    "csrt",
    "kcf",
)
# They know neither backend nor threads; OpenCV's own threads are set to as many.
WITHOUT_ENGINES = tuple(FACTORIES)
WIDTH, HEIGHT = 1280, 720
LATE = 2
"""Frames that a result is late when propagation is timed."""


def observed_tracker(
    name: str, weights: Optional[str], calls: stage_timing.EngineCalls, **options: Any
) -> Tuple[Tracker, Optional[List[str]]]:
    """Make a tracker whose engines are observed where it shows them; with the providers of its first engine."""
    tracker = create_tracker(name, weights, **options)
    engines = getattr(tracker, "engines", None)
    if not engines:
        return tracker, None
    first = next(iter(engines.values()))
    providers = list(getattr(first, "providers", ())) or [type(first).__name__]
    return registry.create(name, engines=tuple(observed(engines, calls.record).values())), providers


def measure_suite(
    backend: Optional[str] = None,
    threads: int = 1,
    frames: int = 300,
    exports: Optional[str] = None,
    names: Optional[Tuple[str, ...]] = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Dict[str, Any]:
    """Time the trackers of the suite that this machine has, with the default predictor, and a step of propagation.

    Parameters
    ----------
    backend, threads
        Of trackers that have engines: None takes their default, and the CPU threads of each.
    frames
        Timed frames of each tracker.
    exports
        A folder that holds exports of `pvtpp export` by the tracker's name; the suite is then those alone.
    names
        Of the trackers; None: `TRACKERS`.
    progress
        Called with a line for each tracker.

    Returns
    -------
    dict
        As `pvtpp_benchmarks.contributed.RULES` describes it.

    Raises
    ------
    InputError
        Where none of them can be timed, and where another timing is under way on this machine.
    """
    clip = render(AerialClip(width=WIDTH, height=HEIGHT, seconds=2.0, target_px=80.0, occlusions=()))
    options = {} if backend is None else {"backend": backend}
    found: Dict[str, Any] = {}
    left_out: Dict[str, str] = {}
    before = _state()
    with exclusive_machine(), _opencv_threads(threads):
        for name in TRACKERS if names is None else names:
            weights = None if exports is None else os.path.join(exports, name)
            calls = stage_timing.EngineCalls()
            try:
                if weights is not None and not Path(weights).is_dir():
                    raise InputError("no export of it was given")
                given = {} if name in WITHOUT_ENGINES else {**options, "threads": threads}
                tracker, providers = observed_tracker(name, weights, calls, **given)
            except (InputError, ImportError) as error:
                # What follows says where on this machine the weights may lie.
                left_out[name] = str(error).partition(";")[0]
                progress(f"{name}: left out")
                continue
            began, worked = time.perf_counter(), time.process_time()
            seconds = stage_timing.measure(tracker, predictors.create(defaults.PREDICTOR), clip, frames, calls)
            busy = (time.process_time() - worked) / (time.perf_counter() - began)
            found[name] = {
                "providers": providers,
                "cpu_per_wall": round(busy, 3),
                "stages": stage_timing.summary(seconds),
                "frame_ms": [round(float(taken) * 1e3, 3) for taken in seconds["track"]],
            }
            progress(f"{name}: {found[name]['stages']['track']['median_ms']:.1f} ms")
        if not found:
            raise InputError(f"none of the suite can be timed here: {'; '.join(left_out.values())}")
        flow = propagation_frame.measure(*propagation_frame.scene(WIDTH, HEIGHT), LATE, frames)
    after = _state()
    return {
        "schema": SCHEMA,
        "suite": _suite(backend, threads),
        "protocol": facts(0, power_state=False),
        **{key: {"before": before[key], "after": after[key]} for key in before},
        "settings": {
            "backend": backend,
            "threads": threads,
            "predictor": defaults.PREDICTOR,
            "frames": frames,
            "clip": f"generated, {WIDTH} x {HEIGHT}",
        },
        "trackers": found,
        "propagation": stage_timing.summary({"step": flow["frame"]}),
        "left_out": left_out,
    }


@contextmanager
def _opencv_threads(count: int) -> Iterator[None]:
    """Give OpenCV so many threads for the block; it has one setting for the whole process."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _suite(backend: Optional[str], threads: int) -> str:
    parts: List[Optional[str]] = [SUITE, backend and backend.replace(":", "-")]
    return "-".join(filter(None, [*parts, f"{threads}threads" if threads > 1 else None]))


def _state() -> Mapping[str, Any]:
    """What else the machine does, and its clocks: at both ends, since clocks fall under load."""
    return {"power": power.state(), "load": load()}
