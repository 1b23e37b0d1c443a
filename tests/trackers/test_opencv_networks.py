"""OpenCV's own networks as trackers: they follow, report a loss, and one line says what an older OpenCV lacks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pvtpp import boxes
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, takes_search_box
from pvtpp_benchmarks.synthetic import render
from pvtpp_benchmarks.tracker_check import EASY
from pvtpp_trackers.opencv_networks import NETWORKS
from pvtpp_trackers.registry import create

KINDS = sorted(NETWORKS)


@pytest.fixture(scope="module")
def shown():
    """Six frames of the clip that `pvtpp check` shows, and the true boxes."""
    clip = render(EASY)
    return [clip.frame(index) for index in range(6)], boxes.xywh_to_box(clip.ground_truth_xywh[:6])


def made(kind, weights_root, **options):
    if not hasattr(cv2, NETWORKS[kind].name):
        pytest.skip(f"this OpenCV has no {NETWORKS[kind].name}")
    return create(kind, weights=str(weights_root), **options)


@pytest.mark.parametrize(("kind", "options"), [("cv2-vit", {}), ("cv2-nano", {}), ("cv2-nano", {"version": "v1"})])
def test_follows_repeats_and_gives_opencvs_score(kind, options, weights_root, shown):
    (frames, truth), tracker, runs = shown, made(kind, weights_root, **options), []
    for _ in range(2):
        tracker.init(frames[0], truth[0])
        runs.append([tracker.track(frame) for frame in frames[1:]])
    found = np.array([output.box for output in runs[0]])
    assert boxes.iou(found, truth[1:]).min() > 0.6
    assert np.array_equal(found, [output.box for output in runs[1]])
    assert all(0.2 < output.score < 1.0 for output in runs[0])
    assert not takes_search_box(tracker)


def test_a_frame_in_which_opencv_finds_nothing_keeps_the_last_box_at_score_zero(weights_root, shown):
    (frames, truth), tracker = shown, made("cv2-vit", weights_root)
    tracker.init(frames[0], truth[0])
    black = tracker.track(Frame(1, 1, np.zeros_like(frames[0].image)))
    assert (black.score, black.box.tolist()) == (0.0, truth[0].tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_an_opencv_without_it_says_which_one_has_it(kind, monkeypatch):
    monkeypatch.delattr(cv2, f"{NETWORKS[kind].name}_Params", raising=False)
    with pytest.raises(
        InputError, match=rf"^{kind}: OpenCV \S+ here has no {NETWORKS[kind].name}, which came with 4\."
    ):
        create(kind)


def test_weights_that_opencv_cannot_read_are_one_line(weights_root, monkeypatch):
    made("cv2-vit", weights_root)

    def refused(parameters):
        raise cv2.error("OpenCV(0)\n dnn: unknown layer")

    monkeypatch.setattr(cv2, "TrackerVit_create", refused)
    with pytest.raises(
        InputError, match=r"cv2-vit: OpenCV \S+ cannot read .*vittrack \(OpenCV\(0\) dnn: unknown layer"
    ):
        made("cv2-vit", weights_root)


def test_another_version_than_opencv_can_run_is_refused(weights_root):
    with pytest.raises(InputError, match="version is 'v3', allowed are v1, v2"):
        create("cv2-nano", weights=str(weights_root), version="v3")
