"""Time of a tracker per 1280x720 frame, crop and decoding included, compared with its graph calls alone.

    python -m pvtpp_benchmarks.speed.tracker_frame --json tracker_frame.json
    python -m pvtpp_benchmarks.speed.tracker_frame --trackers vittrack --frames 100

Frames are generated. Whole frames and graph calls take turns, so that a slow moment of the machine affects both. The
figure is the ratio of the medians; one CPU thread. The clock is the processor time of this process, which counts no
time that other processes take.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Callable, Dict, List, Optional

import cv2
import numpy as np

from pvtpp.arguments import check_options, comma_separated
from pvtpp.errors import InputError
from pvtpp.inference.engine import Engine
from pvtpp.tracker import Frame
from pvtpp.validation import whole_from
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_trackers.registry import create

WIDTH, HEIGHT, SCENES, TARGET = 1280, 720, 8, (60, 40)
LABELS = {"frame": "frame (crop to box)", "bare": "bare graph calls"}


def siamese_engines(tracker: Any) -> List[Engine]:
    """What a Siamese tracker runs for a frame: search engine and head."""
    return [tracker.engines["search"], tracker.engines["head"]]


def one_engine(tracker: Any) -> List[Engine]:
    """The engine of a tracker that has one."""
    return [tracker.engine]


ENGINES: Dict[str, Callable[[Any], List[Engine]]] = {
    "nanotrack-v3": siamese_engines,
    "nanotrack-v2": siamese_engines,
    "nanotrack-v1": siamese_engines,
    "vittrack": one_engine,
}
"""By tracker: the engines that it runs for a frame."""


def scenes(seed: int = 0) -> List[np.ndarray]:
    """`SCENES` images of a bright target that moves slowly over textured ground."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    ground = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    w, h = TARGET
    images = []
    for step in range(SCENES):
        image = np.roll(ground, 2 * step, axis=1)
        left, top = (WIDTH - w) // 2 + 3 * step, (HEIGHT - h) // 2 + step
        image[top : top + h, left : left + w] = (40, 220, 240)
        images.append(image)
    return images


def measure(name: str, frames: int, weights: Optional[str]) -> Dict[str, np.ndarray]:
    """Seconds per frame of a tracker and per round of its graph calls, each of shape ``(frames,)``."""
    tracker = create(name, **({"weights": weights} if weights else {}))
    rng = np.random.default_rng(0)
    calls = []
    for engine in ENGINES[name](tracker):
        shapes = {spec.name: [size or 1 for size in spec.shape] for spec in engine.inputs}
        calls.append((engine, {given: rng.uniform(0, 1, shape).astype(np.float32) for given, shape in shapes.items()}))
    shown = [Frame(index, index, image) for index, image in enumerate(scenes())]
    tracker.init(shown[0], np.array([WIDTH / 2, HEIGHT / 2, *TARGET]))
    seconds: Dict[str, List[float]] = {label: [] for label in LABELS}
    for turn in range(-10, frames):
        # Forwards and backwards, so that the target never jumps.
        frame = shown[abs(turn % (2 * SCENES - 2) - (SCENES - 1))]
        begin = time.process_time()
        tracker.track(frame)
        between = time.process_time()
        for engine, given in calls:
            engine.run(given)
        end = time.process_time()
        # Negative turns are not measured: they warm up.
        if turn >= 0:
            seconds["frame"].append(between - begin)
            seconds["bare"].append(end - between)
    return {label: np.array(values) for label, values in seconds.items()}


def summary(seconds: Dict[str, np.ndarray]) -> Dict[str, Any]:
    """Percentiles in milliseconds, and the ratio of the medians."""
    rows: Dict[str, Any] = {
        name: {f"p{quantile}_ms": round(float(np.percentile(values, quantile)) * 1e3, 3) for quantile in (5, 50, 95)}
        for name, values in seconds.items()
    }
    return {"rows": rows, "ratio": round(rows["frame"]["p50_ms"] / rows["bare"]["p50_ms"], 3)}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trackers", type=comma_separated, default=tuple(ENGINES), metavar="NAME,NAME")
    parser.add_argument("--frames", type=int, default=400, help="measured frames (default: %(default)s)")
    parser.add_argument("--weights", help="folder with the weights; left out, the catalogue's")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.trackers if name not in ENGINES]
    if unknown:
        parser.error(f"--trackers names {unknown[0]!r}, allowed: {', '.join(ENGINES)}")
    cv2.setNumThreads(1)
    try:
        check_options(options, {"frames": whole_from(1)})
        check_writable(options.json)
        found = {name: summary(measure(name, options.frames, options.weights)) for name in options.trackers}
    except InputError as error:
        parser.exit(2, f"{error}\n")
    settings = {"image": [WIDTH, HEIGHT], "frames": options.frames, "threads": 1, "clock": "processor time"}
    result: Dict[str, Any] = {"protocol": facts(0), **settings, "trackers": found}
    machine = result["protocol"]["hardware"]["machine"]
    print(f"{WIDTH}x{HEIGHT}, {options.frames} frames, 1 thread, processor time, {machine}")
    for name, each in found.items():
        print(f"{name:26}{'p5 ms':>9}{'median ms':>11}{'p95 ms':>9}")
        for row, label in LABELS.items():
            values = each["rows"][row]
            print(f"{label:26}{values['p5_ms']:9.2f}{values['p50_ms']:11.2f}{values['p95_ms']:9.2f}")
        print(f"ratio of the medians      {each['ratio']:9.3f}")
    if options.json:
        write_json(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
