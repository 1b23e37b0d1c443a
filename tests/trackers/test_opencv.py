"""OpenCV's trackers follow, repeat, reset and report a loss; a build without them says what to install."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from sliding_patch import clip

from pvtpp import boxes
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_trackers.registry import create

KINDS = ("csrt", "kcf", "mil")
FRAMES, TRUTH = clip()


def path(tracker):
    tracker.init(FRAMES[0], TRUTH[0])
    return np.array([tracker.track(frame).box for frame in FRAMES[1:]])


@pytest.fixture(params=KINDS)
def kind(request):
    try:
        create(request.param)
    except InputError as error:
        pytest.skip(str(error))
    return request.param


def test_follows_a_sliding_patch(kind):
    assert boxes.iou(path(create(kind)), TRUTH[1:]).mean() > 0.5


def test_two_runs_are_bit_identical_and_init_is_a_full_reset(kind):
    tracker = create(kind)
    first = path(tracker)
    assert np.array_equal(path(tracker), first)
    assert np.array_equal(path(create(kind)), first)


def test_opencvs_threads_are_left_as_they_are(kind):
    before = cv2.getNumThreads()
    path(create(kind))
    assert cv2.getNumThreads() == before


def test_a_first_box_outside_the_image_is_refused(kind):
    with pytest.raises(InputError, match="inside the 320 x 240 image"):
        create(kind).init(FRAMES[0], [500.0, 500.0, 20.0, 20.0])


def test_track_before_init_is_refused(kind):
    with pytest.raises(InputError, match="before init"):
        create(kind).track(FRAMES[0])


@pytest.mark.parametrize(
    "answer", [(False, (0, 0, 0, 0)), (True, (1, 2, 0, 5)), (True, (float("nan"),) * 4), cv2.error("x")]
)
def test_a_loss_keeps_the_last_box_at_score_zero(answer):
    class Lost:
        def init(self, image, xywh):
            return None

        def update(self, image):
            if isinstance(answer, Exception):
                raise answer
            return answer

    tracker = create("mil")
    tracker._create = Lost
    tracker.init(FRAMES[0], TRUTH[0])
    output = tracker.track(FRAMES[1])
    assert output.box.tolist() == TRUTH[0].tolist()
    assert output.score == 0.0


def test_without_the_legacy_names_whole_pixels_are_handed_over(monkeypatch):
    if not hasattr(cv2, "TrackerMIL_Params"):
        pytest.skip("this OpenCV is older than 4.5.1")
    monkeypatch.delattr(cv2, "legacy", raising=False)
    tracker = create("mil")
    tracker.init(FRAMES[0], TRUTH[0] + [0.3, 0.4, 0.2, 0.1])
    assert boxes.iou(tracker.track(FRAMES[1]).box, TRUTH[1]) > 0.5


@pytest.mark.parametrize("missing", KINDS)
def test_a_build_without_the_tracker_says_what_to_install(monkeypatch, missing):
    from pvtpp_trackers import opencv

    monkeypatch.delattr(cv2, "legacy", raising=False)
    monkeypatch.delattr(cv2, opencv.FACTORIES[missing], raising=False)
    with pytest.raises(InputError, match=f"without {missing}.*opencv-contrib-python>=4.5,<5"):
        create(missing)


@pytest.mark.parametrize("size", [(3, 3), (1, 20), (20, 1), (2, 8), (4.9, 30)])
def test_mil_refuses_a_target_on_which_opencv_would_never_return(size):
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="mil: first box: .* less than 5 pixels inside"):
        create("mil").init(Frame(0, 0, image), np.array([60.0, 60.0, *size]))
