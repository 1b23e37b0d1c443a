"""Time of NanoTrack V3 per 1280x720 frame, crop and decoding included, compared with its two graph calls alone.

    python -m pvtpp_benchmarks.speed.nanotrack_frame --json nanotrack_frame.json

Frames are generated. Whole frames and graph calls take turns, so that a slow moment of the machine affects both. The
figure is the ratio of the medians; one CPU thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Dict, List, Optional

import cv2
import numpy as np

from pvtpp import inference
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.weights import find
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import write_json
from pvtpp_trackers.registry import create

WIDTH, HEIGHT, SCENES, TARGET = 1280, 720, 8, (60, 40)


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


def measure(frames: int, weights: Optional[str]) -> Dict[str, np.ndarray]:
    """Seconds per frame and per pair of graph calls, each of shape ``(frames,)``."""
    folder = find("nanotrack-v3", weights)
    backbone = inference.load(folder / "nanotrackv3_backbone.onnx", threads=1)
    head = inference.load(folder / "nanotrackv3_head.onnx", threads=1)
    tracker = create("nanotrack-v3", weights=weights)
    shown = [Frame(index, index, image) for index, image in enumerate(scenes())]
    tracker.init(shown[0], np.array([WIDTH / 2, HEIGHT / 2, *TARGET]))
    features = tracker.track(shown[1]).features
    blob = np.random.default_rng(0).uniform(0, 255, (1, 3, 255, 255)).astype(np.float32)

    def bare() -> None:
        search = backbone.run({"input": blob})["output"]
        head.run({"input1": features.template, "input2": search})

    seconds: Dict[str, List[float]] = {"frame": [], "bare": []}
    for turn in range(-10, frames):
        # Forwards and backwards, so that the target never jumps.
        frame = shown[abs(turn % (2 * SCENES - 2) - (SCENES - 1))]
        begin = time.perf_counter()
        tracker.track(frame)
        between = time.perf_counter()
        bare()
        end = time.perf_counter()
        # Negative turns are not measured: they warm up.
        if turn >= 0:
            seconds["frame"].append(between - begin)
            seconds["bare"].append(end - between)
    return {name: np.array(values) for name, values in seconds.items()}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=400, help="measured frames (default: %(default)s)")
    parser.add_argument("--weights", help="folder with the NanoTrack V3 graphs")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    if options.frames < 1:
        parser.error(f"--frames is {options.frames}, allowed is any whole number from 1")
    cv2.setNumThreads(1)
    try:
        seconds = measure(options.frames, options.weights)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    rows = {
        name: {f"p{quantile}_ms": round(float(np.percentile(values, quantile)) * 1e3, 3) for quantile in (5, 50, 95)}
        for name, values in seconds.items()
    }
    ratio = round(rows["frame"]["p50_ms"] / rows["bare"]["p50_ms"], 3)
    result: Dict[str, Any] = {
        "protocol": facts(0),
        "image": [WIDTH, HEIGHT],
        "frames": options.frames,
        "threads": 1,
        "rows": rows,
        "ratio": ratio,
    }
    machine = result["protocol"]["hardware"]["machine"]
    print(f"NanoTrack V3, {WIDTH}x{HEIGHT}, {options.frames} frames, 1 thread, {machine}")
    print(f"{'':26}{'p5 ms':>9}{'median ms':>11}{'p95 ms':>9}")
    for name, label in (("frame", "frame (crop to box)"), ("bare", "bare backbone + head")):
        print(f"{label:26}{rows[name]['p5_ms']:9.2f}{rows[name]['p50_ms']:11.2f}{rows[name]['p95_ms']:9.2f}")
    print(f"ratio of the medians      {ratio:9.3f}")
    if options.json:
        write_json(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
