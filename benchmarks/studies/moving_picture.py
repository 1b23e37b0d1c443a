"""The moving picture of the README: the same slow tracker without prediction, with PVT's filter, and by default.

    python -m pvtpp_benchmarks.studies.moving_picture --out docs/figures/side_by_side.webp

A generated aerial clip on the simulated clock. Each panel shows every camera frame with the box that was known at its
time, and the overlap so far. White is the truth. The picture is cut out round the target, the same for all panels.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Dict, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from pvtpp import defaults
from pvtpp.boxes import iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.files import whole_file
from pvtpp_benchmarks.default_run import default_run, usual_options
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.report.files import check_writable
from pvtpp_benchmarks.report.overlay import boxes_at
from pvtpp_benchmarks.report.video import INK, PREDICTED, STALE, TRUTH, Colour, draw_box
from pvtpp_benchmarks.synthetic import AerialClip, RenderedClip, render
from pvtpp_trackers.registry import create

PVT = "kalman:pvt"
COLOURS: Dict[str, Tuple[str, Colour]] = {
    "hold": ("waiting for the tracker", STALE),
    PVT: ("PVT (Kalman filter)", (200, 120, 255)),
    defaults.PREDICTOR: ("pvtpp", PREDICTED),
}
"""By predictor: the panel's title, and the colour of its box (BGR)."""
_BAND, _GAP = 34, 4
"""Height of a title and width of the line between panels, pixels."""


class Panel(NamedTuple):
    """One run: boxes at the times of the camera frames, shape ``(N, 4)``, and overlaps with the truth, ``(N,)``."""

    boxes: np.ndarray
    overlaps: np.ndarray


def panel(clip: RenderedClip, tracker: str, time: str, predictor: str) -> Panel:
    """Run the clip with one predictor, as evaluations do where nothing else is said."""
    log = default_run(clip, create(tracker), parse(time).start(clip.name), predictor, **usual_options(predictor))
    boxes = boxes_at(log, predictor, clip.camera_t_ns)
    return Panel(boxes, iou(boxes, xywh_to_box(clip.ground_truth_xywh)))


def view(clip: RenderedClip, size: Tuple[int, int]) -> np.ndarray:
    """Where the picture is cut out at each frame: the target's way, smoothed; left and top, shape ``(N, 2)``."""
    centres = xywh_to_box(clip.ground_truth_xywh)[:, :2]
    known = np.flatnonzero(np.isfinite(centres[:, 0]))
    frames = np.arange(len(centres))
    way = np.stack([np.interp(frames, known, centres[known, axis]) for axis in (0, 1)], axis=1)
    width = np.minimum(len(way) // 2 * 2 - 1, 31)
    padded = np.pad(way, ((width // 2, width // 2), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(padded[:, axis], np.ones(width) / width, mode="valid") for axis in (0, 1)], axis=1)
    image = clip.frame(0).image
    most = np.array([image.shape[1] - size[0], image.shape[0] - size[1]])
    return np.clip(np.round(smooth - np.array(size) / 2), 0, most).astype(int)


def picture(image: np.ndarray, corner: np.ndarray, size: Tuple[int, int], scale: int) -> np.ndarray:
    """Cut out, and enlarge by a whole number."""
    left, top = corner
    cut = image[top : top + size[1], left : left + size[0]]
    return cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1 else cut.copy()


def box_on(drawn: np.ndarray, box: np.ndarray, corner: np.ndarray, scale: int, colour: Colour, thick: int) -> None:
    """Draw a box that is given in pixels of the whole image; none where it is NaN."""
    if not np.isfinite(box).all():
        return
    shown = np.concatenate([(box[:2] - corner) * scale, box[2:] * scale])
    draw_box(drawn, shown, INK, thick + 2)
    draw_box(drawn, shown, colour, thick)


def frames(
    clip: RenderedClip, panels: Dict[str, Panel], size: Tuple[int, int], scale: int, every: int
) -> List[np.ndarray]:
    """The pictures in order, BGR."""
    truth, corners = xywh_to_box(clip.ground_truth_xywh), view(clip, size)
    made = []
    for index in range(0, len(clip), every):
        image, parts = clip.frame(index).image, []
        for predictor, (title, colour) in COLOURS.items():
            drawn = picture(image, corners[index], size, scale)
            box_on(drawn, truth[index], corners[index], scale, TRUTH, 1)
            box_on(drawn, panels[predictor].boxes[index], corners[index], scale, colour, 2)
            band = np.full((_BAND, drawn.shape[1], 3), 24, dtype=np.uint8)
            overlap = np.nanmean(panels[predictor].overlaps[: index + 1])
            cv2.putText(band, title, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
            line = f"mean overlap so far {overlap:.2f}"
            cv2.putText(band, line, (6, 29), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (230, 230, 230), 1, cv2.LINE_AA)
            parts += [np.concatenate([band, drawn]), np.full((_BAND + drawn.shape[0], _GAP, 3), 255, dtype=np.uint8)]
        made.append(np.concatenate(parts[:-1], axis=1))
    return made


def write_webp(path: str, pictures: List[np.ndarray], fps: float, quality: int) -> None:
    """Write an animated WebP, which browsers and code hosts show, that repeats for ever."""
    from PIL import Image

    first, *rest = [Image.fromarray(np.ascontiguousarray(each[:, :, ::-1])) for each in pictures]
    duration = round(1000 / fps)
    with whole_file(path, keep_extension=True) as part:
        first.save(part, save_all=True, append_images=rest, duration=duration, loop=0, quality=quality, method=6)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, metavar="FILE", help="ends in .webp")
    parser.add_argument("--time", default="85ms", help="what the tracker takes a frame (default: %(default)s)")
    parser.add_argument("--tracker", default=defaults.TRACKER, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=9, help="of the clip (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of the clip (default: %(default)s)")
    parser.add_argument("--size", type=int, nargs=2, default=(200, 150), metavar=("W", "H"), help="cut out, pixels")
    parser.add_argument("--scale", type=int, default=1, help="by which a panel is enlarged (default: %(default)s)")
    parser.add_argument("--every", type=int, default=2, help="show one frame of so many (default: %(default)s)")
    parser.add_argument("--quality", type=int, default=60, help="of the pictures, 1 to 100 (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        if not options.out.endswith(".webp"):
            raise InputError(f"--out is {options.out!r}, its name must end in .webp")
        check_writable(options.out)
        clip = render(AerialClip(seed=options.seed, seconds=options.seconds, occlusions=(), noise=0.0))
        panels = {name: panel(clip, options.tracker, options.time, name) for name in COLOURS}
        for name, each in panels.items():
            print(f"{name}: mean overlap {np.nanmean(each.overlaps):.3f}")
        made = frames(clip, panels, tuple(options.size), options.scale, options.every)
        write_webp(options.out, made, clip.camera_fps / options.every, options.quality)
        print(f"{options.out}: {len(made)} pictures, {os.path.getsize(options.out) / 1e3:.0f} kB")
    except InputError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
