"""Time of a search crop inside the image and across its border, compared with PySOT's crop from a padded copy.

    python -m pvtpp_benchmarks.speed.crop --json benchmarks/speed/crop.json

The two take turns on the same frames, so that a slow moment of the machine affects both. The figures are ratios of
medians. Frames are generated; crops have 255 x 255 pixels for targets of 60 x 40 and 300 x 200 pixels; one CPU thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

import cv2
import numpy as np

from pvtpp.arguments import check_options
from pvtpp.errors import InputError
from pvtpp.validation import whole_from
from pvtpp_benchmarks.provenance import facts
from pvtpp_benchmarks.report.files import check_writable, write_json
from pvtpp_trackers.crop import channel_average, context_side, crop, window_corner

SIZE = 255
SCALE = SIZE / 127
IMAGES = ((1280, 720), (640, 360))
TARGETS = ((60, 40), (300, 200))
# Centre of the target, as shares of the image's sides.
PLACES = {"inside": (0.5, 0.5), "border": (0.01, 0.5), "corner": (0.99, 0.99)}
Crop = Callable[[np.ndarray, float, float, int, Tuple[float, float, float]], np.ndarray]


def padded(image: np.ndarray, x: float, y: float, side: int, fill: Tuple[float, float, float]) -> np.ndarray:
    """PySOT's crop: where the window leaves the image, the whole image is copied into a larger one first."""
    left, top = window_corner(x, y, side)
    rows, columns = image.shape[:2]
    before_x, before_y = max(0, -left), max(0, -top)
    after_x, after_y = max(0, left + side - columns), max(0, top + side - rows)
    if before_x or before_y or after_x or after_y:
        larger = np.zeros((rows + before_y + after_y, columns + before_x + after_x, 3), np.uint8)
        larger[before_y : before_y + rows, before_x : before_x + columns] = image
        larger[:before_y, before_x : before_x + columns] = fill
        larger[before_y + rows :, before_x : before_x + columns] = fill
        larger[:, :before_x] = fill
        larger[:, before_x + columns :] = fill
        image, left, top = larger, left + before_x, top + before_y
    return cv2.resize(image[top : top + side, left : left + side], (SIZE, SIZE))


def ours(out: np.ndarray) -> Crop:
    """The crop of `pvtpp_trackers.crop` as the trackers call it, always into the memory `out`."""
    return lambda image, x, y, side, fill: crop(image, x, y, side, SIZE, fill, out)


def measure(repeats: int) -> List[Dict[str, Any]]:
    """A row for each image size, target and place where the crop fits: median milliseconds of both and their ratio."""
    rng, rows = np.random.default_rng(0), []
    ways: Dict[str, Crop] = {"ours": ours(np.empty((SIZE, SIZE, 3), np.uint8)), "padded": padded}
    for width, height in IMAGES:
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        fill = channel_average(image)
        for target in TARGETS:
            side = round(context_side(*target, 0.5) * SCALE)
            for place, (across, down) in PLACES.items():
                if place == "inside" and side > min(width, height):
                    continue
                seconds: Dict[str, List[float]] = {name: [] for name in ways}
                for turn in range(-5, repeats):
                    for name, way in ways.items():
                        begin = time.perf_counter()
                        way(image, across * width, down * height, side, fill)
                        if turn >= 0:
                            seconds[name].append(time.perf_counter() - begin)
                median = {name: float(np.median(values)) * 1e3 for name, values in seconds.items()}
                rows.append(
                    {
                        "image": [width, height],
                        "target": list(target),
                        "place": place,
                        **{f"{name}_ms": round(value, 4) for name, value in median.items()},
                        "ratio": round(median["padded"] / median["ours"], 2),
                    }
                )
    return rows


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=300, help="measured crops of each kind (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    try:
        check_options(options, {"repeats": whole_from(1)})
        check_writable(options.json)
    except InputError as error:
        parser.error(str(error))
    cv2.setNumThreads(1)
    rows = measure(options.repeats)
    result = {"protocol": facts(0), "size": SIZE, "repeats": options.repeats, "threads": 1, "rows": rows}
    print(f"search crop, median of {options.repeats}, 1 thread, {result['protocol']['hardware']['machine']}")
    print(f"{'image':>10} {'target':>8} {'place':8}{'ours ms':>9}{'padded ms':>11}{'times faster':>14}")
    for row in rows:
        image, target = ("x".join(map(str, row[name])) for name in ("image", "target"))
        print(
            f"{image:>10} {target:>8} {row['place']:8}{row['ours_ms']:9.3f}{row['padded_ms']:11.3f}{row['ratio']:14.2f}"
        )
    if options.json:
        write_json(options.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
