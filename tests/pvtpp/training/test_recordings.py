"""Recordings: frames of the simulated clock, files that are safe and whole, calls that continue."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from pvtpp.clip import Clip
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput

pytest.importorskip("torch")
from pvtpp.training.recordings import Recording, RecordingPlan, record, record_all

FPS = 30
MS = 10**6


def clip(frames=60, name="clip", every=1, speed=2.0):
    """A camera that shows every `every`-th annotated frame of a target moving right."""
    t_ns = np.rint(np.arange(frames) * 1e9 / FPS).astype(np.int64)
    truth = np.stack(
        [100 + speed * np.arange(frames), np.full(frames, 80.0), np.full(frames, 40.0), np.full(frames, 30.0)], 1
    )
    shown = [Frame(i, int(t), None) for i, t in enumerate(t_ns[::every])]
    return Clip(name, len(shown), shown.__getitem__, t_ns, truth)


class TrueTracker:
    """A tracker that answers with the truth, and with its frame's number as features."""

    def __init__(self, clips, features=True):
        self.truth = {(c.name, t_ns): c.box_at(t_ns) for c in clips for t_ns in c.frame_t_ns()}
        self.features, self.tracked, self.searched = features, 0, []
        self.name = clips[0].name

    def init(self, frame, box):
        self.template = np.full((1, 2, 3, 3), frame.index, np.float32)

    def track(self, frame, search_box=None):
        self.tracked += 1
        self.searched.append(search_box)
        search = np.full((1, 2, 5, 5), frame.index, np.float32)
        features = SimpleNamespace(template=self.template, search=search) if self.features else None
        return TrackerOutput(self.truth[self.name, frame.t_ns], 0.5, features)


@pytest.mark.parametrize(
    ("processing_ms", "expected"), [(20, [0, 1, 2, 3, 4]), (47, [0, 1, 2, 4, 5]), (85, [0, 2, 5, 7, 10])]
)
def test_frames_are_those_of_the_simulated_clock(processing_ms, expected):
    from pvtpp.boxes import box_to_xywh
    from pvtpp.predictors import create
    from pvtpp_benchmarks.datasets.sequence import VideoSequence
    from pvtpp_benchmarks.simulation import simulate

    made = clip()
    recording = record(TrueTracker([made]), made, lambda frame: processing_ms * MS)
    frames = np.rint(recording.t_ns * FPS / 1e9).astype(int).tolist()
    assert frames[:5] == expected
    log = simulate(
        VideoSequence("clip", box_to_xywh(made.truth)),
        TrueTracker([made]),
        {"hold": create("hold")},
        lambda frame: processing_ms * MS,
        first_box=made.truth[0],
    )
    assert [row[2] for row in log.of_kind("result")] == frames[1:]
    assert [row[1] for row in log.of_kind("result")] == recording.available_ns[1:].tolist()


def test_a_recording_holds_results_features_and_truth():
    made = clip()
    recording = record(TrueTracker([made]), made, lambda frame: 47 * MS, start=5)
    frames = np.rint(recording.t_ns * FPS / 1e9).astype(int)
    assert frames[0] == 5 and (np.diff(frames) >= 1).all() and not recording.seen[0] and recording.seen[1:].all()
    np.testing.assert_array_equal(recording.boxes, made.truth[frames])
    np.testing.assert_array_equal(recording.search[1:, 0, 0, 0], frames[1:])
    assert (recording.template == 5).all() and recording.template.shape == (2, 3, 3)
    assert (recording.available_ns[1:] - recording.t_ns[1:] >= 47 * MS).all()


def test_written_and_read_it_is_the_same(tmp_path):
    recording = record(TrueTracker([clip()]), clip(), lambda frame: 47 * MS)
    recording.write(tmp_path / "r.npz")
    back = Recording.read(tmp_path / "r.npz")
    assert back.clip == "clip" and [file.name for file in tmp_path.iterdir()] == ["r.npz"]
    for name in (
        "t_ns",
        "available_ns",
        "boxes",
        "scores",
        "searched",
        "seen",
        "search",
        "template",
        "truth_t_ns",
        "truth",
    ):
        np.testing.assert_array_equal(getattr(back, name), getattr(recording, name))


@pytest.mark.parametrize(
    "content", [b"", b"PK no archive", pytest.param(None, id="missing"), pytest.param("pickle", id="pickle")]
)
def test_a_file_that_is_no_recording_is_refused(tmp_path, content):
    path = tmp_path / "r.npz"
    if content == "pickle":
        np.savez(path, format=np.array([{"code": 1}], dtype=object))
    elif content is not None:
        path.write_bytes(content)
    # NumPy would suggest to load it unsafely; deleting it helps.
    helps = r" \(No such file or directory\)$" if content is None else "; delete it and call again$"
    with pytest.raises(InputError, match="r.npz: no recording, or damaged" + helps):
        Recording.read(path)


@pytest.mark.parametrize(
    "change", [{"t_ns": np.array(3)}, {"boxes": np.array(["a"])}, {"seen": np.ones(30)}, {"search": None}]
)
def test_arrays_of_another_kind_are_no_recording(change, tmp_path):
    path = tmp_path / "r.npz"
    record(TrueTracker([clip()]), clip(), lambda frame: 47 * MS).write(path)
    with np.load(path) as file:
        arrays = {**dict(file), **change}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(InputError, match="r.npz: no recording, or damaged"):
        Recording.read(path)


TEMPLATE, SEARCH = np.zeros((1, 2, 3, 3), np.float32), np.zeros((1, 2, 5, 5), np.float32)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (None, "they are None"),
        ({"template": TEMPLATE, "search": SEARCH}, r"they are a dict; types.SimpleNamespace\(\*\*features\) makes"),
        (SimpleNamespace(template=TEMPLATE), "they are without search"),
        (SimpleNamespace(template=TEMPLATE, search=SEARCH[0]), r"with search float32\[2, 5, 5\]"),
        (SimpleNamespace(template=TEMPLATE, search=SEARCH.astype(np.uint8)), r"with search uint8\[1, 2, 5, 5\]"),
        (SimpleNamespace(template=TEMPLATE[0].tolist(), search=SEARCH), "with template list"),
    ],
)
def test_features_of_another_form_are_named_with_the_form_that_is_expected(features, words):
    class Other(TrueTracker):
        def track(self, frame, search_box=None):
            return TrackerOutput(super().track(frame).box, 0.5, features)

    with pytest.raises(InputError, match=rf"Other gives no features to record: .*{words}.* \(1, C, H, W\), arrays of"):
        record(Other([clip()]), clip(), lambda frame: 47 * MS)


def test_a_process_that_waits_runs_nothing_and_reads_what_another_wrote(tmp_path):
    clips, plan = [clip(name="clip")], RecordingPlan(runs=1, longest=10)
    waiting = TrueTracker(clips)
    with ThreadPoolExecutor(1) as other:
        read = other.submit(lambda: list(record_all(waiting, clips, plan, tmp_path, wait=True)))
        (written,) = record_all(TrueTracker(clips), clips, plan, tmp_path)
        (found,) = read.result(timeout=30)
    np.testing.assert_array_equal(found.boxes, written.boxes)
    assert not waiting.tracked


def test_an_interrupted_plan_goes_on_where_it_was(tmp_path):
    clips = [clip(name="clip")]
    plan, tracker = RecordingPlan(runs=3, longest=10), TrueTracker(clips)
    begun = record_all(tracker, clips, plan, tmp_path, "one")
    first = next(begun)
    begun.close()
    tracked = tracker.tracked
    whole = list(record_all(tracker, clips, plan, tmp_path, "one"))
    assert tracker.tracked == 3 * tracked and len(whole) == 3
    np.testing.assert_array_equal(whole[0].boxes, first.boxes)
    assert list(record_all(tracker, clips, plan, tmp_path, "one"))[2].t_ns.tolist() == whole[2].t_ns.tolist()
    assert tracker.tracked == 3 * tracked
    # Recordings of another tracker and of another truth have other names.
    list(record_all(tracker, clips, plan, tmp_path, "another"))
    list(record_all(TrueTracker([clip(speed=3.0)]), [clip(speed=3.0)], plan, tmp_path, "one"))
    assert len(list(tmp_path.iterdir())) == 9


def test_runs_differ_in_start_speed_and_first_box(tmp_path):
    runs = list(record_all(TrueTracker([clip(200)]), [clip(200)], RecordingPlan(runs=4), tmp_path))
    assert len({int(r.t_ns[0]) for r in runs}) == 4 and len({len(r) for r in runs}) > 1
    for run in runs:
        off = run.boxes[0] - clip(200).box_at(run.t_ns[0])
        assert np.abs(off).max() > 0 and (np.abs(off) <= 0.031 * 40).all()


def test_search_regions_lie_on_the_last_result_and_the_tracker_is_asked_for_nothing(tmp_path):
    tracker = TrueTracker([clip()])
    (run,) = record_all(tracker, [clip()], RecordingPlan(runs=1), tmp_path)
    assert tracker.searched == [None] * (len(run) - 1)
    np.testing.assert_array_equal(run.searched[1:], run.boxes[:-1])


def test_displaced_search_regions_are_what_the_tracker_was_given_and_each_run_has_a_bound_of_its_own(tmp_path):
    tracker, plan = TrueTracker([clip()]), RecordingPlan(runs=3, displaced=0.5)
    runs = list(record_all(tracker, [clip()], plan, tmp_path))
    np.testing.assert_array_equal(np.concatenate([run.searched[1:] for run in runs]), tracker.searched)
    largest = []
    for run in runs:
        off = run.searched[1:] - run.boxes[:-1]
        assert not off[:, 2:].any() and (off[:, :2] != 0).all()
        largest.append(np.abs(off[:, :2] / run.boxes[:-1, 2:]).max())
    assert len(set(largest)) == 3 and max(largest) <= 0.5
    again = list(record_all(TrueTracker([clip()]), [clip()], plan, tmp_path / "again"))
    assert all(np.array_equal(a.searched, b.searched) for a, b in zip(runs, again))


def test_a_tracker_that_takes_no_search_box_cannot_be_displaced(tmp_path):
    tracker = TrueTracker([clip()])
    tracker.takes_search_box = False
    with pytest.raises(InputError, match="TrueTracker takes no search box.*RecordingPlan.displaced must be 0"):
        list(record_all(tracker, [clip()], RecordingPlan(displaced=0.5), tmp_path))


def test_a_start_without_a_target_is_moved_to_the_next_that_has_one(tmp_path):
    made = clip()
    made.truth[:20] = np.nan
    (run,) = record_all(TrueTracker([made]), [made], RecordingPlan(runs=1), tmp_path)
    assert run.t_ns[0] == made.frame(20).t_ns


def test_trackers_and_clips_that_will_not_do_are_refused(tmp_path):
    with pytest.raises(InputError, match="TrueTracker gives no features"):
        record(TrueTracker([clip()], features=False), clip(), lambda frame: 47 * MS)
    made = clip()
    made.truth[:] = np.nan
    with pytest.raises(InputError, match="no frame shows a target"):
        list(record_all(TrueTracker([clip()]), [made], RecordingPlan(), tmp_path))
    with pytest.raises(InputError, match="nothing to track"):
        record(TrueTracker([clip()]), clip(), lambda frame: 47 * MS, start=59)
    with pytest.raises(InputError, match="truth of shape"):
        Clip("odd", made.length, made.frame, made.truth_t_ns[:3], made.truth)
    for wrong in ({"runs": 0}, {"processing_s": (0.2, 0.1)}, {"starts": 1.0}, {"jitter": -1.0}, {"displaced": -1.0}):
        with pytest.raises(InputError, match="RecordingPlan"):
            RecordingPlan(**wrong)
