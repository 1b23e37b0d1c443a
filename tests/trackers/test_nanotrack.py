"""NanoTrack on its real weights: published accuracy, repeatable, fully reset, and searching where it is asked to."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from sliding_patch import clip

from pvtpp import boxes
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_trackers.registry import create

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

# AUC of an independent implementation on the same files, from the first frame.
INDEPENDENT_AUC = {"MountainBike6": 0.793, "wakeboard7": 0.706, "Surfing06": 0.575}


@pytest.fixture(scope="module")
def tracker(weights_root, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PVTPP_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield create("nanotrack-v3", weights=str(weights_root))


FRAMES, TRUTH = clip(5)


def path(tracker, frames=FRAMES, first=TRUTH[0]):
    tracker.init(frames[0], first)
    return [tracker.track(frame) for frame in frames[1:]]


def boxes_of(outputs):
    return np.array([output.box for output in outputs])


def test_follows_a_sliding_patch(tracker):
    assert boxes.iou(boxes_of(path(tracker)), TRUTH[1:]).min() > 0.6


def test_init_is_a_full_reset_and_runs_are_bit_identical(tracker):
    first = boxes_of(path(tracker))
    path(tracker, FRAMES[::-1], TRUTH[2])
    assert np.array_equal(boxes_of(path(tracker)), first)


def test_features_are_the_template_and_this_frame_read_only(tracker):
    one, two = path(tracker)[:2]
    assert one.features.template.shape == (1, 96, 8, 8)
    assert one.features.search.shape == (1, 96, 16, 16)
    assert two.features.template is one.features.template
    assert two.features.search is not one.features.search
    assert not (one.features.template.flags.writeable or one.features.search.flags.writeable)
    assert 0.0 <= one.score <= 1.0


def test_asking_to_search_at_the_last_box_changes_nothing(tracker):
    free = path(tracker)
    tracker.init(FRAMES[0], TRUTH[0])
    last, given = TRUTH[0], []
    for frame in FRAMES[1:]:
        given.append(tracker.track(frame, last))
        last = given[-1].box
    assert np.array_equal(boxes_of(given), boxes_of(free))


def test_a_search_box_moves_the_search_region(tracker):
    far = TRUTH[4] + [150.0, 60.0, 0.0, 0.0]
    tracker.init(FRAMES[0], TRUTH[0])
    assert boxes.iou(tracker.track(FRAMES[4], far).box, TRUTH[4]) == 0.0
    assert boxes.iou(tracker.track(FRAMES[4], TRUTH[4] + [8.0, -6.0, 0.0, 0.0]).box, TRUTH[4]) > 0.6


def test_a_search_box_says_how_large_the_target_is_taken_to_be(tracker):
    tracker.init(FRAMES[0], TRUTH[0])
    small = tracker.track(FRAMES[1], TRUTH[1] * [1, 1, 0.7, 0.7]).box
    large = tracker.track(FRAMES[1], TRUTH[1] * [1, 1, 1.4, 1.4]).box
    assert (small[2:] < TRUTH[1, 2:]).all() and (TRUTH[1, 2:] < large[2:]).all()


@pytest.mark.parametrize("wrong", [[1.0, 2.0, 0.0, 4.0], [float("nan")] * 4, [1.0, 2.0], "box"])
def test_a_wrong_search_box_or_first_box_is_refused(tracker, wrong):
    with pytest.raises(InputError, match="first box"):
        tracker.init(FRAMES[0], wrong)
    tracker.init(FRAMES[0], TRUTH[0])
    with pytest.raises(InputError, match="search box"):
        tracker.track(FRAMES[1], wrong)


def test_a_target_at_the_border_tiny_or_huge_breaks_nothing(tracker):
    for box in ([-5.0, -5.0, 20.0, 20.0], [318.5, 238.5, 1.0, 1.0], [160.0, 120.0, 600.0, 450.0]):
        tracker.init(FRAMES[0], box)
        assert np.isfinite(tracker.track(FRAMES[1]).box).all()


def test_a_target_that_is_not_in_the_image_is_refused(tracker):
    for box in ([-30.0, -30.0, 20.0, 20.0], [319.5, 239.5, 0.01, 0.01], [160.0, 120.0, 900.0, 700.0]):
        with pytest.raises(InputError, match="first box: left, top, width, height"):
            tracker.init(FRAMES[0], box)


def test_track_before_init_is_refused(weights_root, tmp_path, monkeypatch):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="before init"):
        create("nanotrack-v3", weights=str(weights_root)).track(FRAMES[0])


def test_the_published_graphs_go_where_they_are_asked_to_or_say_why_not(tracker, weights_root, tmp_path, monkeypatch):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="backend 'cudnn', expected one of: onnxruntime:cpu"):
        create("nanotrack-v3", weights=str(weights_root), backend="cudnn")
    named = create("nanotrack-v3", weights=str(weights_root), backend="onnxruntime:cpu")
    for each in (tracker, named):
        each.init(FRAMES[0], TRUTH[0])
    np.testing.assert_array_equal(named.track(FRAMES[1]).box, tracker.track(FRAMES[1]).box)


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(INDEPENDENT_AUC))
def test_offline_auc_is_that_of_an_independent_run(tracker, data_root, name):
    folder = data_root / "uav-mini" / "test" / name
    truth = boxes.xywh_to_box(np.loadtxt(folder / "groundtruth.txt", delimiter=","))
    images = sorted((folder / "img").glob("*.jpg"))
    frames = (Frame(index, index, cv2.imread(str(image))) for index, image in enumerate(images))
    tracker.init(next(frames), truth[0])
    found = np.array([truth[0], *(tracker.track(frame).box for frame in frames)])
    overlap = boxes.iou(found, truth)
    overlap = overlap[np.isfinite(overlap)]
    auc = np.mean([(overlap > threshold).mean() for threshold in np.arange(21) * 0.05])
    assert auc == pytest.approx(INDEPENDENT_AUC[name], abs=0.06)


@pytest.mark.parametrize("options", [{"backend": "torch"}, {"file": "nanotrackv3.pth"}])
def test_the_checkpoint_runs_in_torch_and_tracks_the_same(tracker, weights_root, options):
    pytest.importorskip("torch")
    folder = next(weights_root.rglob("nanotrackv3.pth"), weights_root).parent
    in_torch = create("nanotrack-v3", weights=str(folder / options.pop("file", "")), **options)
    np.testing.assert_allclose(boxes_of(path(in_torch)), boxes_of(path(tracker)), atol=0.01)
    with pytest.raises(InputError, match="a checkpoint runs on torch"):
        create("nanotrack-v3", weights=str(folder / "nanotrackv3.pth"), backend="onnxruntime:cpu")


@pytest.mark.real_data
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_older_versions_track_as_opencv_does_with_the_same_graphs(weights_root, data_root, version):
    theirs = create("cv2-nano", weights=str(weights_root), version=version)
    ours = create(f"nanotrack-{version}", weights=str(weights_root))
    clip = data_root / "uav-mini" / "test" / "Surfing06"
    first = boxes.xywh_to_box(np.loadtxt(clip / "groundtruth.txt", delimiter=",")[0])
    frames = [
        Frame(index, index, cv2.imread(str(path)))
        for index, path in enumerate(sorted((clip / "img").glob("*.jpg"))[:20])
    ]
    for tracker in (theirs, ours):
        tracker.init(frames[0], first)
    overlaps = [float(boxes.iou(ours.track(frame).box, theirs.track(frame).box)) for frame in frames[1:]]
    assert np.mean(overlaps) > 0.8 and min(overlaps) > 0.6


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "opencv"), [("Surfing06", 0.669), ("MountainBike6", 0.686)])
def test_v2_is_not_below_opencvs_own(weights_root, data_root, name, opencv):
    from pvtpp_benchmarks.datasets.registry import load
    from pvtpp_benchmarks.studies.opencv_trackers import APART, mean_iou

    (clip,) = load("uav-mini", str(data_root / "uav-mini"), "test").select([name])
    assert mean_iou(create("nanotrack-v2", weights=str(weights_root)), clip) > opencv - APART


def test_the_joint_predictor_refuses_the_features_of_another_version_with_one_line(weights_root):
    from pvtpp.predictors.joint import Joint

    other = create("nanotrack-v2", weights=str(weights_root))
    with pytest.raises(InputError, match=r"^tracker features: .*\[1, 48, .*another tracker\?$"):
        Joint().encode(path(other)[0])
