"""Occluders and distractors on a clip: reproducible, with the truth known, where and when they are asked for."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks import datasets
from pvtpp_benchmarks.datasets import VideoSequence
from pvtpp_benchmarks.synthetic import (
    AerialClip,
    DistractorConfig,
    OccluderConfig,
    distracted,
    occluded,
    render,
    whole_truth,
)

SMALL = AerialClip(name="small", width=320, height=180, seconds=10.0, target_px=40.0, occlusions=(), distractor=False)
FAST = replace(SMALL, name="fast", seed=4, agility=1.6, camera_fps=10.0)


@pytest.fixture(scope="module")
def clip():
    return render(SMALL)


@pytest.fixture(scope="module")
def slow_camera():
    return render(FAST)


@pytest.fixture(scope="module")
def drawn(clip):
    return occluded(clip, 1)


def walk(seconds, fps=30.0, camera_fps=None, seed=0):
    """Boxes of a target that wanders, without images."""
    rng, count = np.random.default_rng(seed), round(seconds * fps)
    steps = np.cumsum(rng.normal(0, 0.25 * 30 / fps, (count, 2)), axis=0)
    centres = [320, 180] + 0.6 * np.cumsum(steps - steps.mean(axis=0), axis=0).clip(-150, 150)
    size = [40, 24] * np.exp(0.02 * np.cumsum(rng.normal(0, 0.3, count)))[:, None]
    return VideoSequence(f"walk {seed}", np.hstack([centres - size / 2, size]), fps, camera_fps or fps, size=(640, 360))


WALKS = [walk(12, seed=1), walk(30, seed=2), walk(15, fps=10, seed=3), walk(20, 30, 10, seed=4), walk(3, seed=5)]
CASES = [pytest.param(sequence, seed, id=f"{sequence.name}-{seed}") for sequence in WALKS for seed in range(12)]


def spans(clip):
    """First and last time at which each occluder covers any of the target."""
    return [(occluder.start_s, occluder.end_s) for occluder in clip.occluders]


def changed(plain, drawn, index):
    """The share of the pixels in the target's box that differ."""
    left, top, width, height = np.rint(whole_truth(drawn)[index * drawn.stride]).astype(int)
    window = (slice(max(top, 0), max(top + height, 0)), slice(max(left, 0), max(left + width, 0)))
    apart = np.abs(plain.frame(index).image[window].astype(int) - drawn.frame(index).image[window]).max(axis=2)
    return np.mean(apart > 12)


@pytest.mark.parametrize("draw", [occluded, distracted])
def test_the_same_seed_gives_the_same_pixels_in_any_order(clip, draw):
    one, other = draw(clip, 1), draw(clip, 1)
    busy = int(np.argmax(one.cover))
    for index in (busy, 0, busy + 1):
        other.frame(index)
    for index in (0, busy):
        np.testing.assert_array_equal(one.frame(index).image, other.frame(index).image)
    np.testing.assert_array_equal(one.ground_truth_xywh, other.ground_truth_xywh)
    np.testing.assert_array_equal(one.cover, other.cover)
    assert one.digest() == other.digest()


@pytest.mark.parametrize("draw", [occluded, distracted])
def test_a_clip_tells_itself_from_its_base_and_from_other_seeds(clip, draw):
    digests = {clip.digest(), draw(clip, 1).digest(), draw(clip, 2).digest()}
    assert len(digests) == 3


def test_another_configuration_or_drawing_has_another_digest(clip):
    assert occluded(clip, 1).digest() != occluded(clip, 1, OccluderConfig(hidden=0.7)).digest()
    assert distracted(clip, 1).digest() != distracted(clip, 1, DistractorConfig(scale=(1, 1))).digest()
    assert distracted(clip, 1).digest() != occluded(clip, 1).digest()


def test_seeds_and_names_give_other_events(clip):
    named = VideoSequence("another", clip.ground_truth_xywh, size=clip.size)
    assert len({spans(made)[0] for made in (occluded(clip, 1), occluded(clip, 2), occluded(named, 1))}) == 3


def test_it_is_its_base_otherwise(slow_camera):
    made = occluded(slow_camera, 0)
    assert (made.world_fps, made.camera_fps, len(made), made.size) == (30.0, 10.0, len(slow_camera), (320, 180))
    assert [made.frame(7).index, made.frame(7).t_ns] == [slow_camera.frame(7).index, slow_camera.frame(7).t_ns]
    assert made.cover.shape == (len(slow_camera.ground_truth_xywh),)
    np.testing.assert_array_equal(made.whole_truth_xywh, slow_camera.ground_truth_xywh)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["clip", "slow_camera"])
def test_the_cover_is_the_share_of_the_box_that_changes(request, name, seed):
    plain = request.getfixturevalue(name)
    made = occluded(plain, seed)
    shown = made.cover[:: made.stride]
    busy = np.flatnonzero(shown > 0)
    shares = np.array([changed(plain, made, index) for index in busy])
    # The target may be cut off by the border of the image, and some pixels are of the colour that was there.
    assert np.abs(shares - shown[busy]).mean() < 0.12
    assert np.abs(shares - shown[busy]).max() < 0.4
    free = np.flatnonzero(shown == 0)[::9]
    assert max(changed(plain, made, index) for index in free) < 0.06


def test_the_base_is_not_drawn_on(clip, drawn):
    busy = int(np.argmax(drawn.cover))
    before = clip.frame(busy).image.copy()
    frame = drawn.base.frame(busy)
    assert (drawn.frame(busy).image != before).any()
    np.testing.assert_array_equal(clip.frame(busy).image, before)
    np.testing.assert_array_equal(frame.image, before)


@pytest.mark.parametrize("sequence, seed", CASES)
def test_the_truth_is_missing_just_where_the_target_is_hidden(sequence, seed):
    made = occluded(sequence, seed)
    hidden = made.cover >= 0.75
    np.testing.assert_array_equal(np.isnan(made.ground_truth_xywh), np.repeat(hidden[:, None], 4, axis=1))
    np.testing.assert_array_equal(made.ground_truth_xywh[~hidden], sequence.ground_truth_xywh[~hidden])
    assert not np.isnan(made.whole_truth_xywh).any()
    assert ((0 <= made.cover) & (made.cover <= 1)).all()


@pytest.mark.parametrize("sequence, seed", CASES)
def test_peaks_and_durations_are_in_their_ranges(sequence, seed):
    made = occluded(sequence, seed)
    times = sequence.world_t_ns / 1e9
    inside = np.zeros(len(times), dtype=bool)
    for occluder in made.occluders:
        during = (times > occluder.start_s - 1e-6) & (times < occluder.end_s + 1e-6)
        inside |= during
        assert occluder.peak == made.cover[during].max()
        assert 0.3 <= occluder.peak <= 1.0
        assert occluder.covered_s == pytest.approx(np.count_nonzero(made.cover[during] > 0.1) / sequence.world_fps)
        assert 0.3 - 1e-6 <= occluder.covered_s <= 2.0 + 1e-6
    assert (made.cover[~inside] == 0).all()
    wanted = max(1, round(len(times) / sequence.world_fps / 4))
    assert max(1, wanted - 3) <= len(made.occluders) <= wanted


@pytest.mark.parametrize("sequence, seed", CASES)
def test_events_keep_away_from_each_other_and_from_where_evaluation_starts(sequence, seed):
    made = occluded(sequence, seed)
    seconds = len(sequence.ground_truth_xywh) / sequence.world_fps
    gap = 0.7 if seconds >= 11.2 else 0.01
    starts = [part * len(sequence) // 4 / sequence.camera_fps for part in range(4)]
    for start, end in spans(made):
        assert start >= min(1.0, seconds / 4) and end <= seconds - min(1.5, seconds / 4)
        for at in starts:
            assert at <= start - gap + 1e-6 or at >= end + gap - 1e-6
    for (_, end), (start, _) in zip(spans(made), spans(made)[1:]):
        assert start - end >= 2.0 - 1e-6


def test_peaks_spread_over_their_range_and_all_kinds_occur():
    occluders = [o for seed in range(30) for o in occluded(WALKS[1], seed).occluders]
    peaks, lengths = np.array([o.peak for o in occluders]), np.array([o.covered_s for o in occluders])
    assert np.histogram(peaks, [0.3, 0.5, 0.75, 1.0])[0].min() > 0.15 * len(peaks)
    assert np.histogram(lengths, [0.3, 0.7, 1.2, 2.01])[0].min() > 0.1 * len(peaks)
    assert {o.kind for o in occluders} == {"standing", "passing"}
    assert {o.outline.shape for o in occluders} == {"box", "ellipse", "pole"}


def test_what_is_configured_holds():
    config = OccluderConfig(cover=(0.9, 1.0), duration_s=(1.0, 1.5), standing=1.0, shapes=("ellipse",), hidden=0.5)
    made = occluded(WALKS[1], 0, config)
    assert all(0.9 <= o.peak and 1.0 <= o.covered_s <= 1.5 for o in made.occluders)
    assert {(o.kind, o.outline.shape) for o in made.occluders} == {("standing", "ellipse")}
    np.testing.assert_array_equal(np.isnan(made.ground_truth_xywh[:, 0]), made.cover >= 0.5)


def test_occluders_come_from_elsewhere_and_leave():
    made = occluded(WALKS[1], 2)
    target = made.whole_truth_xywh[:, :2] + made.whole_truth_xywh[:, 2:] / 2
    for occluder in made.occluders:
        apart = np.linalg.norm(occluder.centres - target, axis=1)
        assert min(apart[0], apart[-1]) > 300


def test_no_event_lies_where_the_truth_is_missing():
    boxes = WALKS[1].ground_truth_xywh.copy()
    boxes[100:400] = np.nan
    for seed in range(5):
        made = occluded(VideoSequence("gap", boxes, size=(640, 360)), seed)
        assert made.occluders and not made.cover[100:400].any()
        np.testing.assert_array_equal(np.isnan(made.whole_truth_xywh), np.isnan(boxes))


@pytest.mark.parametrize("draw", [occluded, distracted])
def test_it_can_be_sent_to_another_process(clip, draw):
    made = draw(clip, 1)
    busy = int(np.argmax(made.cover))
    image = made.frame(busy).image
    sent = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(sent.frame(busy).image, image)
    assert (sent.digest(), sent.name) == (made.digest(), made.name)
    assert len(pickle.dumps(made)) < 1_000_000


def test_a_process_of_its_own_draws_the_same(drawn):
    code = "import pickle, sys; sys.stdout.buffer.write(pickle.load(sys.stdin.buffer).frame(40).image.tobytes())"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(drawn), stdout=subprocess.PIPE, check=True)
    assert done.stdout == drawn.frame(40).image.tobytes()


def test_image_files_stay_where_they_are(tmp_path, clip):
    clip.save(str(tmp_path / "saved"))
    (saved,) = datasets.load("folder", str(tmp_path))
    made = occluded(saved, 3)
    busy = int(np.argmax(made.cover))
    before = cv2.imread(saved.image_paths[busy])
    assert made.image_paths == saved.image_paths
    assert changed(saved, made, busy) > 0.2
    np.testing.assert_array_equal(cv2.imread(saved.image_paths[busy]), before)


def test_a_clip_without_images_has_none_with_occluders():
    frame = occluded(WALKS[0], 0).frame(3)
    with pytest.raises(InputError, match="no image"):
        _ = frame.image


@pytest.mark.parametrize("sequence, seed", CASES)
def test_look_alikes_hardly_cover_the_target(sequence, seed):
    made = distracted(sequence, seed)
    assert made.cover.max() <= 0.1
    np.testing.assert_array_equal(made.ground_truth_xywh, sequence.ground_truth_xywh)
    times = sequence.world_t_ns / 1e9
    target = sequence.ground_truth_xywh
    for other in made.distractors:
        beside = (times >= other.start_s) & (times <= other.end_s)
        apart = (other.centres - target[:, :2] - target[:, 2:] / 2) / target[:, 2:]
        distance = np.hypot(*apart.T)[beside]
        assert distance.min() > 0.7 and distance.max() < 3.2
        assert np.abs(other.sizes[beside] / target[beside, 2:] - 1).max() < 0.3


def test_a_distractor_looks_like_the_target(clip):
    made = distracted(clip, 0)
    other = made.distractors[0]
    index = int((other.start_s + other.end_s) / 2 * clip.camera_fps)

    def piece(image, centre, size):
        piece = cv2.getRectSubPix(image, tuple(int(v) for v in np.maximum(size, 2)), tuple(map(float, centre)))
        return cv2.resize(piece, (24, 24)).astype(float)[4:20, 4:20]

    box = clip.ground_truth_xywh[0]
    target = piece(clip.frame(0).image, box[:2] + box[2:] / 2, box[2:])
    there = [piece(c.frame(index).image, other.centres[index], other.sizes[index]) for c in (made, clip)]
    assert np.abs(there[0] - target).mean() < 0.5 * np.abs(there[1] - target).mean()


def test_both_can_be_drawn_on_one_clip(clip):
    made = distracted(occluded(clip, 1), 2)
    hidden = occluded(clip, 1)
    assert made.name == "small+occluders1+distractors2"
    np.testing.assert_array_equal(made.ground_truth_xywh, hidden.ground_truth_xywh)
    np.testing.assert_array_equal(made.whole_truth_xywh, clip.ground_truth_xywh)
    assert (made.cover >= hidden.cover).all()
    busy = int(np.argmax(hidden.cover))
    assert changed(clip, made, busy) > 0.2


def test_a_clip_too_short_for_an_event_is_an_error():
    with pytest.raises(InputError, match="no time for an occluder in 0.50 s"):
        occluded(walk(0.5), 0)


def test_a_clip_that_does_not_show_its_target_first_is_an_error():
    boxes = WALKS[0].ground_truth_xywh.copy()
    boxes[0] = np.nan
    with pytest.raises(InputError, match="does not show in the first frame"):
        occluded(VideoSequence("late", boxes), 0)


@pytest.mark.parametrize("seed", [-1, 1.5, None, True])
def test_a_bad_seed_is_an_error(seed):
    with pytest.raises(InputError, match="seed is .*allowed is a whole number from 0"):
        occluded(WALKS[0], seed)


@pytest.mark.parametrize(
    "make, field, value",
    [
        (OccluderConfig, "every_s", 0),
        (OccluderConfig, "cover", (0.9, 0.3)),
        (OccluderConfig, "cover", 0.5),
        (OccluderConfig, "duration_s", (0.0, 1.0)),
        (OccluderConfig, "standing", 1.5),
        (OccluderConfig, "shapes", ()),
        (OccluderConfig, "shapes", ("star",)),
        (OccluderConfig, "hidden", 0.0),
        (DistractorConfig, "distance", (0.5, 2.0)),
        (DistractorConfig, "scale", (0.1, 1.0)),
    ],
)
def test_a_bad_configuration_is_an_error(make, field, value):
    with pytest.raises(InputError, match=rf"{make.__name__}\.{field} is "):
        make(**{field: value})
