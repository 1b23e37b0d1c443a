"""The comparison with OpenCV's trackers: what counts, and that ours differs from OpenCV's by what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pvtpp.tracker import TrackerOutput
from pvtpp_benchmarks.studies import opencv_trackers
from pvtpp_benchmarks.studies.opencv_trackers import AS_OPENCV, below, cut, make, mean_iou
from pvtpp_benchmarks.synthetic import AerialClip, render


class Scripted:
    """Answers with the true box, with the scores it was given."""

    def __init__(self, clip, scores):
        self.clip, self.scores = clip, scores

    def init(self, frame, box):
        self.first = box

    def track(self, frame, search_box=None):
        left, top, w, h = self.clip.ground_truth_xywh[frame.index]
        return TrackerOutput([left + w / 2, top + h / 2, w, h], self.scores[frame.index])


def test_a_frame_in_which_nothing_is_found_counts_as_zero_and_the_first_not_at_all():
    clip = render(AerialClip(width=320, height=180, seconds=0.5, occlusions=()))
    scores = np.ones(len(clip))
    assert mean_iou(Scripted(clip, scores), clip) == pytest.approx(1.0)
    scores[[2, 4]] = 0.1
    kept = (len(clip) - 3) / (len(clip) - 1)
    assert mean_iou(Scripted(clip, scores), clip, found_from=0.2) == pytest.approx(kept)
    assert 0.9 < mean_iou(Scripted(clip, np.ones(len(clip))), clip, whole=True) < 1.0


def test_boxes_are_cut_as_opencv_cuts_them():
    assert cut(np.array([10.75, 20.5, 5.5, 0.5])).tolist() == [10.5, 20.5, 5.0, 1.0]


def test_a_row_below_opencvs_is_named():
    rows = {"nanotrack-v2": {"a": 0.5, "b": 0.69}, "cv2-nano": {"a": 0.6, "b": 0.7}}
    assert below(rows) == ["nanotrack-v2 on a: 0.500 against 0.600"]


@pytest.mark.real_data
def test_with_opencvs_scale_vittrack_is_opencvs_frame_by_frame(data_root, weights_root, monkeypatch):
    """So the better overlap of ours comes from the right scale."""
    from pvtpp.boxes import iou, xywh_to_box
    from pvtpp_benchmarks.datasets.registry import load

    monkeypatch.setenv("PVTPP_WEIGHTS", str(weights_root))
    (clip,) = load("uav-mini", str(data_root / "uav-mini"), "test").select(["MountainBike6"])
    means = {}
    for row in (AS_OPENCV, "vittrack"):
        theirs, ours, overlaps = make("cv2-vit"), make(row), []
        last = xywh_to_box(np.round(clip.ground_truth_xywh[0]))
        for tracker in (theirs, ours):
            tracker.init(clip.frame(0), last)
        for index in range(1, 30):
            # From the same box in each frame, since differences grow on this clip.
            found = cut(ours.track(clip.frame(index), last).box)
            last = theirs.track(clip.frame(index)).box
            overlaps.append(float(iou(found, last)))
        means[row] = np.mean(overlaps)
    # What remains is a pixel of the crop's corner.
    assert means[AS_OPENCV] > 0.8 and means["vittrack"] < 0.7


@pytest.mark.real_data
def test_it_writes_every_row(data_root, weights_root, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PVTPP_WEIGHTS", str(weights_root))
    file = tmp_path / "figures.json"
    monkeypatch.setattr(opencv_trackers, "PAIRS", {"vittrack": "cv2-vit"})
    assert opencv_trackers.main([str(data_root), "--clips", "Surfing06", "--json", str(file)]) == 0
    written = json.loads(file.read_text())
    assert set(written["mean_iou"]) == {"vittrack", "cv2-vit"} and written["below"] == []
    assert "below OpenCV's: none" in capsys.readouterr().out


def test_a_place_without_data_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit):
        opencv_trackers.main([str(tmp_path)])
    assert "uav-mini" in capsys.readouterr().err
