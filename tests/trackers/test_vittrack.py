"""VitTrack on its real weights: no worse than OpenCV's own, repeatable, searching where it is asked to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sliding_patch import clip

from pvtpp import boxes, inference
from pvtpp.appearance import AppearanceTracker
from pvtpp.core.presence import Belief, PresenceConfig
from pvtpp.errors import InputError
from pvtpp_trackers.registry import create
from pvtpp_trackers.vittrack import VitTrackConfig

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def tracker(weights_root):
    return create("vittrack", weights=str(weights_root))


FRAMES, TRUTH = clip()


def path(tracker, frames=FRAMES, first=TRUTH[0]):
    tracker.init(frames[0], first)
    return np.array([tracker.track(frame).box for frame in frames[1:]])


def test_follows_a_sliding_patch(tracker):
    assert boxes.iou(path(tracker), TRUTH[1:]).min() > 0.6


def test_init_is_a_full_reset_and_runs_are_bit_identical(tracker):
    first = path(tracker)
    path(tracker, FRAMES[::-1], TRUTH[2])
    assert np.array_equal(path(tracker), first)


def test_it_gives_no_features_so_that_a_joint_predictor_falls_back(tracker):
    tracker.init(FRAMES[0], TRUTH[0])
    output = tracker.track(FRAMES[1])
    assert output.features is None and 0.2 < output.score < 1.0
    assert AppearanceTracker(tracker).kind == "pixels"


def test_asking_to_search_at_the_last_box_changes_nothing(tracker):
    free = path(tracker)
    tracker.init(FRAMES[0], TRUTH[0])
    last, given = TRUTH[0], []
    for frame in FRAMES[1:]:
        given.append(tracker.track(frame, last).box)
        last = given[-1]
    assert np.array_equal(given, free)


def test_a_search_box_moves_the_search_region_and_scales_it(tracker):
    tracker.init(FRAMES[0], TRUTH[0])
    far = TRUTH[4] + [150.0, 60.0, 0.0, 0.0]
    nothing = tracker.track(FRAMES[4], far)
    assert nothing.score < VitTrackConfig().found_from and nothing.box.tolist() == TRUTH[0].tolist()
    for change in ([8.0, -6.0, 0.0, 0.0], [0.0, 0.0, 20.0, 20.0], [0.0, 0.0, -12.0, -12.0]):
        assert boxes.iou(tracker.track(FRAMES[4], TRUTH[4] + change).box, TRUTH[4]) > 0.6


@pytest.mark.parametrize("wrong", [[1.0, 2.0, 0.0, 4.0], [float("nan")] * 4, [1.0, 2.0], "box"])
def test_a_wrong_search_box_or_first_box_is_refused(tracker, wrong):
    with pytest.raises(InputError, match="first box"):
        tracker.init(FRAMES[0], wrong)
    tracker.init(FRAMES[0], TRUTH[0])
    with pytest.raises(InputError, match="search box"):
        tracker.track(FRAMES[1], wrong)


def test_a_target_at_the_border_tiny_or_huge_breaks_nothing_and_stays_in_the_image(tracker):
    for box in ([-5.0, -5.0, 20.0, 20.0], [318.5, 238.5, 1.0, 1.0], [160.0, 120.0, 600.0, 450.0]):
        tracker.init(FRAMES[0], box)
        # Without a least score every box of the network is taken.
        for each in (tracker, create("vittrack", engine=tracker.engine, config=VitTrackConfig(found_from=0.0))):
            each.init(FRAMES[0], box)
            found = np.array([each.track(frame).box for frame in FRAMES[1:]])
            assert np.isfinite(found).all()
            assert (found[:, :2] <= [320, 240]).all()


def test_track_before_init_and_weights_of_another_tracker_are_refused(weights_root):
    with pytest.raises(InputError, match="before init"):
        create("vittrack", weights=str(weights_root)).track(FRAMES[0])
    other = weights_root / "nanotrack-v2" / "nanotrack_head_sim.onnx"
    with pytest.raises(InputError, match="not a file of vittrack"):
        create("vittrack", weights=str(other))
    with pytest.raises(InputError, match="vittrack: the network takes .*input1.* another tracker"):
        create("vittrack", engine=inference.load(other))


@pytest.mark.parametrize(
    ("option", "value"), [("found_from", 1.5), ("minimum", 0.0), ("search_factor", 0.0), ("scale", (1.0, 2.0))]
)
def test_a_constant_out_of_range_is_refused(option, value):
    with pytest.raises(InputError, match=option):
        VitTrackConfig(**{option: value})


def test_a_target_that_is_gone_keeps_its_box_and_presence_notices(tracker):
    """OpenCV's own grows its box without end there (opencv#25760)."""
    frames, truth = clip(frames=24, gone_from=10)
    assessed = AppearanceTracker(tracker)
    config = replace(PresenceConfig(), kind=assessed.kind)
    assessed.init(frames[0], truth[0])
    belief, beliefs, outputs = Belief(0, 3.0), [], []
    for frame in frames[1:]:
        outputs.append(assessed.track(frame))
        belief = belief.after(config, frame.t_ns, outputs[-1])
        beliefs.append(belief.probability)
    assert beliefs[8] > config.known
    assert beliefs[-1] < config.lost_below
    assert (outputs[-1].box[2:] < 1.5 * truth[0, 2:]).all()
    assert outputs[-1].score < VitTrackConfig().found_from


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "opencv"), [("Surfing06", 0.255), ("MountainBike6", 0.481)])
def test_it_is_not_below_opencvs_own(tracker, data_root, name, opencv):
    from pvtpp_benchmarks.datasets.registry import load
    from pvtpp_benchmarks.studies.opencv_trackers import APART, mean_iou

    (whole,) = load("uav-mini", str(data_root / "uav-mini"), "test").select([name])
    assert mean_iou(tracker, whole) > opencv - APART
