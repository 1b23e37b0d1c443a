"""Time of the propagation per camera frame, by image size and by the delay of the tracker's results.

    python -m pvtpp_benchmarks.speed.propagation_frame --json propagation_frame.json

Frames are generated. Every frame is pushed and the newest result is propagated to it, as in a run. A result is the true
box of the frame that the tracker began with, and arrives so many frames later. One CPU thread. The conversion to grey
is part of `push`, the reading of the image is not. `cpu` is the processor time of a frame: its time on a core without
other work.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Dict, List, Optional, Tuple

import cv2
import numpy as np

from pvtpp import propagation
from pvtpp.arguments import check_options
from pvtpp.boxes import xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.validation import whole_from
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_benchmarks.synthetic import AerialClip, render

SIZES = ((1280, 720), (640, 360))
LATE = (1, 2, 3, 5, 10)
SHOWN = 48


def scene(width: int, height: int) -> Tuple[List[np.ndarray], np.ndarray]:
    """`SHOWN` images of the generated aerial clip and their true boxes, shape ``(SHOWN, 4)``."""
    clip = render(AerialClip(width=width, height=height, seconds=SHOWN / 30, target_px=width / 16, occlusions=()))
    return [clip.frame(index).image for index in range(SHOWN)], xywh_to_box(clip.ground_truth_xywh)


def measure(images: List[np.ndarray], boxes: np.ndarray, late: int, frames: int) -> Dict[str, np.ndarray]:
    """Measure the propagation with results that come `late` frames late.

    Returns
    -------
    dict
        Seconds of each ``push``, of each ``carry``, and of both in wall time (``frame``) and processor time (``cpu``),
        each of shape ``(frames,)``.
    """
    flow = propagation.create("optical_flow")
    seconds: Dict[str, List[float]] = {"push": [], "carry": [], "frame": [], "cpu": []}
    period = 2 * (len(images) - 1)
    result, region, warm_up = 0, boxes[0], 10
    for number in range(frames + warm_up):
        if number % late == 0:
            result = max(number - late, 0)
        # Forwards and backwards, so that the target never jumps.
        newest, oldest = (abs((n + len(images) - 1) % period - (len(images) - 1)) for n in (number, result))
        frame = Frame(number, number * 10**9 // 30, images[newest])
        begin, worked = time.perf_counter(), time.thread_time()
        flow.push(frame, region)
        between = time.perf_counter()
        region = flow.carry(boxes[oldest], result * 10**9 // 30, frame.t_ns).box
        end, worked = time.perf_counter(), time.thread_time() - worked
        if number >= warm_up:
            for name, value in zip(seconds, (between - begin, end - between, end - begin, worked)):
                seconds[name].append(value)
    return {name: np.array(values) for name, values in seconds.items()}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300, help="measured frames per row (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_options(options, {"frames": whole_from(1)})
        check_writable(options.json)
    except InputError as error:
        parser.error(str(error))
    cv2.setNumThreads(1)
    rows: List[Dict[str, Any]] = []
    for width, height in SIZES:
        images, boxes = scene(width, height)
        for late in LATE:
            seconds = measure(images, boxes, late, options.frames)
            row: Dict[str, Any] = {"image": [width, height], "late_frames": late}
            for name, values in seconds.items():
                row.update({f"{name}_p{q}_ms": round(float(np.percentile(values, q)) * 1e3, 3) for q in (50, 95)})
            rows.append(row)
    result: Dict[str, Any] = {"protocol": facts(0), "frames": options.frames, "threads": 1, "rows": rows}
    print(f"optical flow, {options.frames} frames per row, 1 thread, {result['protocol']['hardware']['machine']}; ms")
    print(f"{'image':>10}{'late':>6}" + "".join(f"{f'{name} p{q}':>12}" for name in seconds for q in (50, 95)))
    for row in rows:
        cells = "".join(f"{row[f'{name}_p{q}_ms']:12.2f}" for name in seconds for q in (50, 95))
        print(f"{'x'.join(map(str, row['image'])):>10}{row['late_frames']:6d}{cells}")
    if options.json:
        write_json(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
