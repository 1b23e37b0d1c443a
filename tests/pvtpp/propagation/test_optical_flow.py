"""Late results propagated to the newest frame: correct, counted, repeatable, and safe whatever the frames are."""

import numpy as np
import pytest

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.propagation.optical_flow import FlowConfig, OpticalFlow
from pvtpp.tracker import Frame

STEP_NS = 33_333_333
START = np.array([110.0, 100, 40, 30])


def box_at(i):
    """Steady motion, a slow swing and growth."""
    return START + np.array([4.0 * i, 12 * np.sin(i / 3), 0.5 * i, 0.375 * i])


def frame(scene, i, box=None, camera=True):
    shown = box_at(i) if box is None else box
    return Frame(i, i * STEP_NS, scene.image(shown, (-2.0 * i, 1.5 * i) if camera else (0.0, 0.0)))


def follow(scene, count, propagator=None):
    """Push `count` frames as the pipeline does, around the box propagated so far; return the last propagated box."""
    flow = propagator or OpticalFlow()
    propagated, region = None, box_at(0)
    for i in range(count):
        flow.push(frame(scene, i), region)
        propagated = flow.carry(box_at(0), 0, i * STEP_NS)
        region = propagated.box
    return flow, propagated


@pytest.mark.parametrize("ahead", [1, 3, 5, 10])
def test_a_late_result_is_propagated_to_the_newest_frame(scene, ahead):
    flow, propagated = follow(scene, ahead + 1)
    assert float(iou(propagated.box, box_at(ahead))) > 0.9
    assert float(iou(box_at(0), box_at(ahead))) < 0.9
    assert propagated.quality > 0.2


def test_stored_steps_are_free_and_a_long_chain_is_checked_once(scene):
    flow = OpticalFlow()
    for i in range(8):
        flow.push(frame(scene, i), box_at(i - 1) if i else None)
    costs = [flow.carry(box_at(0), 0, i * STEP_NS).steps for i in range(8)]
    assert costs[:4] == [0, 0, 0, 0]
    assert costs[4] == 1
    # Its result is stored as a step, with which the next calls start.
    assert costs[5:] == [0, 0, 1]


def test_a_result_elsewhere_is_measured_again_in_a_bounded_number_of_steps(scene):
    flow = OpticalFlow(FlowConfig(links=4))
    for i in range(13):
        flow.push(frame(scene, i), [250.0, 40, 30, 30])
    propagated = flow.carry(box_at(0), 0, 12 * STEP_NS)
    assert 4 <= propagated.steps <= 5
    assert float(iou(propagated.box, box_at(12))) > 0.85
    assert flow.carry(box_at(0), 0, 12 * STEP_NS).steps <= 1


def test_frames_pushed_without_a_region_can_be_used_later(scene):
    flow = OpticalFlow()
    for i in range(4):
        flow.push(frame(scene, i), None)
    propagated = flow.carry(box_at(1), STEP_NS, 3 * STEP_NS)
    assert propagated.steps == 2 and float(iou(propagated.box, box_at(3))) > 0.9


def test_the_same_calls_give_the_same_boxes_to_the_bit(scene):
    first, second = (follow(scene, 7)[1] for _ in range(2))
    assert first.box.tolist() == second.box.tolist()
    assert (first.quality, first.steps) == (second.quality, second.steps)


def test_a_new_target_needs_no_reset(scene):
    flow, _ = follow(scene, 6)
    other = np.array([60.0, 180, 30, 30])
    propagated = flow.carry(other, 2 * STEP_NS, 5 * STEP_NS)
    np.testing.assert_allclose(propagated.box[:2], other[:2] + [-6, 4.5], atol=0.5)


def test_to_its_own_frame_a_box_is_propagated_unchanged(scene):
    propagated = OpticalFlow().carry(START, 5, 5)
    assert propagated.box.tolist() == START.tolist() and propagated.quality == 1 and propagated.steps == 0


@pytest.mark.parametrize(("from_i", "to_i"), [(-1, 3), (0, 99), (-3, -2)])
def test_a_frame_that_is_not_in_memory_leaves_the_box_at_quality_0(scene, from_i, to_i):
    flow, _ = follow(scene, 4)
    propagated = flow.carry(START, from_i * STEP_NS, to_i * STEP_NS)
    assert propagated.box.tolist() == START.tolist() and propagated.quality == 0 and propagated.steps == 0


def test_back_in_time_is_refused(scene):
    flow, _ = follow(scene, 3)
    with pytest.raises(InputError, match="back in time"):
        flow.carry(START, 2 * STEP_NS, STEP_NS)
    with pytest.raises(InputError, match="before the newest frame"):
        flow.push(frame(scene, 0), START)


def test_a_frame_delivered_twice_changes_nothing(scene):
    once, twice = OpticalFlow(), OpticalFlow()
    for i in range(4):
        for flow, times in ((once, 1), (twice, 2)):
            for _ in range(times):
                flow.push(frame(scene, i), box_at(max(i - 1, 0)))
    assert once.carry(START, 0, 3 * STEP_NS).box.tolist() == twice.carry(START, 0, 3 * STEP_NS).box.tolist()


def test_across_a_change_of_image_size_nothing_is_propagated(scene):
    flow, _ = follow(scene, 3)
    flow.push(Frame(3, 3 * STEP_NS, np.zeros((100, 120, 3), np.uint8)), START)
    assert flow.carry(START, 2 * STEP_NS, 3 * STEP_NS).quality == 0
    flow.push(Frame(4, 4 * STEP_NS, np.zeros((100, 120, 3), np.uint8)), START)
    assert flow.carry(START, 3 * STEP_NS, 4 * STEP_NS).quality == 0


@pytest.mark.parametrize(("gap_s", "is_tried"), [(0.45, True), (60.0, False)])
def test_after_a_gap_in_the_camera_the_next_frame_is_tried_unless_the_gap_is_longer_than_the_memory(
    scene, gap_s, is_tried
):
    flow = OpticalFlow(FlowConfig(seconds=0.5))
    flow.push(frame(scene, 0), None)
    late = Frame(1, round(gap_s * 1e9), scene.image(START + [10, 5, 0, 0], (10, 5)))
    flow.push(late, START)
    propagated = flow.carry(START, 0, late.t_ns)
    np.testing.assert_allclose(propagated.box, START + [10, 5, 0, 0] if is_tried else START, atol=0.5)
    assert (propagated.quality > 0) == is_tried


@pytest.mark.parametrize(("gap", "leaves"), [(2, True), (6, False), (20, False)])
@pytest.mark.parametrize("before", [1, 6])
def test_a_step_that_saw_nothing_across_a_long_gap_leaves_no_evidence_also_not_for_the_frames_after(
    scene, make_scene, gap, leaves, before
):
    # After the gap the target is gone, and the background that is there instead is followed well.
    elsewhere = make_scene(seed=40)
    flow, region = OpticalFlow(), box_at(0)
    for i in (*range(before), *range(before - 1 + gap, before + 4 + gap)):
        shown = scene.image(box_at(0)) if i < before else elsewhere.image(None)
        flow.push(Frame(i, i * STEP_NS, shown), region)
        propagated = flow.carry(box_at(0), 0, i * STEP_NS)
    assert (propagated.quality > 0) == leaves


def test_a_lens_that_stays_covered_leaves_no_evidence(scene):
    flow, _ = follow(scene, 3)
    covered = np.full((240, 320, 3), 90, np.uint8)
    qualities = []
    for i in range(3, 20):
        flow.push(Frame(i, i * STEP_NS, covered), box_at(2))
        qualities.append(flow.carry(box_at(0), 0, i * STEP_NS).quality)
    assert qualities[0] > 0 and qualities[-1] == 0


def test_one_blind_frame_does_not_lose_the_target(scene):
    flow, region = OpticalFlow(), box_at(0)
    for i in range(6):
        shown = frame(scene, i) if i != 3 else Frame(3, 3 * STEP_NS, np.full((240, 320, 3), 90, np.uint8))
        flow.push(shown, region)
        propagated = flow.carry(box_at(0), 0, i * STEP_NS)
        region = propagated.box
        if i == 3:
            assert propagated.quality < 0.1
    assert float(iou(propagated.box, box_at(5))) > 0.85 and propagated.quality > 0.2


def test_quality_falls_when_something_covers_the_target(make_scene):
    scene, cover = make_scene(seed=5, background_grain=12), make_scene(seed=90).grey(None)
    flow, region, seen = OpticalFlow(), START, []
    for i in range(12):
        image = scene.grey(START)
        image[:, : max(0, 20 * (i - 1))] = cover[:, : max(0, 20 * (i - 1))]
        flow.push(Frame(i, i * STEP_NS, np.repeat(image[:, :, None], 3, axis=2)), region)
        propagated = flow.carry(START, 0, i * STEP_NS)
        region = propagated.box
        seen.append(propagated.quality)
    assert min(seen[1:4]) > 0.5 and max(seen[9:]) < 0.2


def test_a_very_large_image_is_followed_in_its_own_pixels(make_scene):
    scene = make_scene()
    flow = OpticalFlow()
    for i in range(2):
        small = scene.grey(START + [6.0 * i, 3.0 * i, 0, 0], (6.0 * i, 3.0 * i))
        flow.push(
            Frame(i, i, np.repeat(np.kron(small, np.ones((10, 10), np.uint8))[:, :, None], 3, axis=2)), START * 10
        )
    np.testing.assert_allclose(flow.carry(START * 10, 0, 1).box, (START + [6, 3, 0, 0]) * 10, atol=4)


def test_extreme_regions_and_boxes_raise_no_error(scene):
    flow = OpticalFlow()
    wild = [[-5000, 80, 40, 30], [100, 100, 1e6, 1e6], [100, 100, 1e-3, 1e-3], [1e12, -1e12, 5, 900], [0, 0, 320, 240]]
    for i, region in enumerate(wild * 2):
        flow.push(frame(scene, i), region)
    for box in wild:
        propagated = flow.carry(box, 0, 9 * STEP_NS)
        assert np.isfinite(propagated.box).all() and (propagated.box[2:] > 0).all() and 0 <= propagated.quality <= 1
    for bad in ([1, 2, 3], [1, 2, 3, -1], [np.nan, 0, 1, 1]):
        with pytest.raises(InputError):
            flow.push(frame(scene, 50), bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [("seconds", 0), ("memory", 0), ("refine_after", 1), ("doubtful", 2), ("trust", -1), ("links", 0)],
)
def test_a_setting_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"FlowConfig.{name} is {value}, allowed is"):
        FlowConfig(**{name: value})


@pytest.mark.real_data
@pytest.mark.parametrize("clip", ["wakeboard3", "person12_1", "Crossing"])
def test_on_real_video_it_is_better_than_hold_and_constant_velocity(data_root, clip):
    from pvtpp_benchmarks.datasets import load
    from pvtpp_benchmarks.studies.propagation_carry import by_clip, carry_clip

    sequence = load("uav-mini", data_root / "uav-mini", "train", world=False)[clip]
    rows = by_clip(carry_clip(sequence, xywh_to_box(sequence.ground_truth_xywh), frames=4, starts=8))
    for row in rows:
        assert row["propagated"] > max(row["hold"], row["constant velocity"])
    assert next(row for row in rows if row["frames"] == 4)["propagated"] > 0.7
