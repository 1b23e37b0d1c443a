"""The same weights in OpenCV's trackers and in ours, from `benchmarks/studies/opencv_trackers.json`."""

from __future__ import annotations

from typing import Dict

from pvtpp_benchmarks.results_pages.blocks import Block, Content, Lines, from_json, table, three

ROWS = {
    "vittrack": "`vittrack`",
    "vittrack, as OpenCV": "`vittrack` with OpenCV's scaling and whole pixels",
    "cv2-vit": "`cv2-vit`",
    "nanotrack-v2": "`nanotrack-v2`",
    "cv2-nano": "`cv2-nano`",
    "nanotrack-v1": "`nanotrack-v1`",
    "cv2-nano, V1": "`cv2-nano`, graphs of V1",
}
"""Trackers in words, those of the same weights together."""


def overlaps(content: Content) -> Lines:
    """Mean IoU of each tracker on each clip."""
    found = content["mean_iou"]
    clips = list(found["vittrack"])
    return table(["", *clips], [[words, *(three(found[name][clip]) for clip in clips)] for name, words in ROWS.items()])


BLOCKS: Dict[str, Block] = {"opencv_trackers.overlaps": from_json("benchmarks/studies/opencv_trackers.json", overlaps)}
