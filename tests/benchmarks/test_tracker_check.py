"""The contract check passes a good tracker and reports what is wrong with a bad one, whatever that raises."""

from __future__ import annotations

import numpy as np
import pytest

from pvtpp.boxes import as_box, box_to_xywh, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.synthetic import render
from pvtpp_benchmarks.tracker_check import EASY, check_tracker


@pytest.fixture(scope="module")
def clip():
    return render(EASY)


@pytest.fixture(scope="module")
def good(clip):
    truth = xywh_to_box(clip.ground_truth_xywh)

    class Good:
        """Knows the truth, moves its box by a pixel per frame from where it started, keeps the contract."""

        start = None

        def init(self, frame, box):
            self.start, self.steps = as_box(box, "first box"), 0
            self.level = float(frame.image.mean())

        def track(self, frame, search_box=None):
            if self.start is None:
                raise InputError("track() called before init()")
            self.steps += 1
            shift = [1e-3 * (float(frame.image.mean()) - self.level), 1e-3 * self.steps, 0, 0]
            return TrackerOutput(truth[frame.index] + shift, 0.9)

    return Good


def failed(make_tracker, clip):
    return {r.name: r.detail for r in check_tracker(make_tracker, clip) if not r.passed}


def test_a_good_tracker_passes_every_clause(good, clip):
    results = check_tracker(good, clip)
    assert [r.name for r in results if not r.passed] == []
    details = {r.name: r.detail for r in results}
    assert "mean IoU 1.00" in details["follows the target"]
    assert details["search box"] == "accepted and ignored"
    assert "InputError" in details["bad first box"]
    assert details["time per frame"].endswith(f"{len(clip) - 1} frames")


def test_a_plain_init_update_object_is_checked_too(clip):
    class Plain:
        def init(self, image, xywh):
            self.xywh = np.array(xywh)

        def update(self, image):
            return self.xywh

    assert set(failed(Plain, clip)) == {"follows the target"}


def test_losing_the_target_is_a_warning(good, clip):
    class Static(good):
        def track(self, frame, search_box=None):
            super().track(frame)
            return TrackerOutput(self.start)

    broken = [r for r in check_tracker(Static, clip) if not r.passed]
    assert [(r.name, r.required) for r in broken] == [("follows the target", False)]


def test_a_search_box_that_changes_the_answer_is_reported(good, clip):
    class Honours(good):
        def track(self, frame, search_box=None):
            output = super().track(frame)
            return output if search_box is None else TrackerOutput(search_box)

    details = {r.name: r.detail for r in check_tracker(Honours, clip)}
    assert details["search box"].startswith("honoured")


def test_a_tracker_without_a_search_box_argument_fails_that_clause(good, clip):
    class Old(good):
        def track(self, frame):
            return super().track(frame)

    assert "TypeError" in failed(Old, clip)["search box"]


def test_randomness_is_found(good, clip):
    rng = np.random.default_rng(0)

    class Random(good):
        def track(self, frame, search_box=None):
            return TrackerOutput(super().track(frame).box + rng.normal(size=4) * 1e-9)

    assert "two fresh trackers differ" in failed(Random, clip)["deterministic"]


def test_memory_of_an_earlier_target_is_found(good, clip):
    class Remembers(good):
        total = 0

        def init(self, frame, box):
            before = self.total
            super().init(frame, box)
            self.steps = before

        def track(self, frame, search_box=None):
            self.total += 1
            return super().track(frame)

    broken = failed(Remembers, clip)
    assert set(broken) == {"full reset"} and "does not forget" in broken["full reset"]


def test_writing_into_the_image_or_the_box_is_found(good, clip):
    class Paints(good):
        def track(self, frame, search_box=None):
            output = super().track(frame)
            frame.image[0, 0] = 255 - frame.image[0, 0]
            return output

    class Moves(good):
        def init(self, frame, box):
            super().init(frame, box)
            box += 1

    assert "image" in failed(Paints, clip)["input unchanged"]
    assert "box" in failed(Moves, clip)["input unchanged"]


def test_what_one_clause_does_to_the_images_does_not_reach_the_next(good, clip):
    class Blackens(good):
        def track(self, frame, search_box=None):
            output = super().track(frame)
            frame.image[:] = 0
            return output

    assert "input unchanged" in failed(Blackens, clip)
    assert set(failed(good, clip)) == set()


def test_invalid_answers_are_found(good, clip):
    class Tuple(good):
        def track(self, frame, search_box=None):
            return tuple(box_to_xywh(super().track(frame).box))

    class Almost:
        def __init__(self, output):
            self.box, self.score = output.box * [1, 1, 0, 1], 1.0

    class Flat(good):
        def track(self, frame, search_box=None):
            return Almost(super().track(frame))

    assert "returned tuple, expected a TrackerOutput" in failed(Tuple, clip)["output"]
    assert "frame 1" in failed(Flat, clip)["output"] and "above 0" in failed(Flat, clip)["output"]


def test_accepting_invalid_inputs_is_found(clip):
    class Gullible:
        box = np.array([10.0, 10.0, 5.0, 5.0])

        def init(self, frame, box):
            pass

        def track(self, frame, search_box=None):
            return TrackerOutput(self.box)

    broken = failed(Gullible, clip)
    assert broken["bad first box"] == "accepts a box of NaN without an error"
    assert broken["bad image"] == "accepts an empty image in init() without an error"
    assert broken["track before init"] == "accepts track() before init() without an error"


def test_refusing_with_another_exception_passes_and_is_reported(good, clip):
    class Rude(good):
        def track(self, frame, search_box=None):
            if self.start is None:
                raise RuntimeError("not started")
            return super().track(frame)

    details = {r.name: (r.passed, r.detail) for r in check_tracker(Rude, clip)}
    assert details["track before init"][0] and "RuntimeError: not started" in details["track before init"][1]


def test_a_tracker_that_cannot_be_constructed_fails_clearly(clip):
    def broken():
        raise OSError("no weights\nhere")

    results = check_tracker(broken, clip)
    assert not any(r.passed for r in results)
    assert {r.detail for r in results} == {"raised OSError: no weights here"}


def test_an_object_that_is_no_tracker_fails_clearly(clip):
    assert "is not a tracker" in failed(object, clip)["init"]


def test_a_tracker_that_crashes_midway_fails_where_it_crashes(good, clip):
    class Crashes(good):
        def track(self, frame, search_box=None):
            if frame.index == len(clip) - 1:
                raise ZeroDivisionError("late")
            return super().track(frame)

    broken = failed(Crashes, clip)
    assert broken["output"] == "raised ZeroDivisionError: late"
    assert "init" not in broken and "bad first box" not in broken


def test_a_tracker_that_exits_fails_even_where_it_should_refuse(good, clip):
    class Exits(good):
        def track(self, frame, search_box=None):
            if self.start is None or frame.index == 5:
                raise SystemExit(0)
            return super().track(frame, search_box)

    broken = failed(Exits, clip)
    assert broken["output"] == "raised SystemExit: 0" and "bad first box" not in broken
    assert broken["track before init"] == "track() before init(): raised SystemExit: 0"


def test_an_unsuitable_clip_is_an_error(good):
    with pytest.raises(InputError, match="12 frames"):
        check_tracker(good, VideoSequence("short", np.ones((5, 4))))
    with pytest.raises(InputError, match="no image"):
        check_tracker(good, VideoSequence("annotations", np.ones((20, 4))))
