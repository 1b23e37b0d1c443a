"""The generated clip: reproducible, with exact ground truth, and saved as a plain sequence folder."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.errors import InputError
from pvtpp_benchmarks import datasets
from pvtpp_benchmarks.synthetic import AerialClip, RenderedClip, render

SMALL = AerialClip(name="small", width=320, height=180, seconds=2.0, target_px=32.0, occlusions=((0.9, 1.2),))


@pytest.fixture(scope="module")
def clip():
    return render(SMALL)


@pytest.fixture(scope="module")
def default():
    return render()


def test_the_same_config_gives_the_same_clip_in_any_order(clip):
    again = render(SMALL)
    assert (again.frame(7).image == clip.frame(7).image).all()
    assert (again.frame(0).image == clip.frame(0).image).all()
    np.testing.assert_array_equal(again.ground_truth_xywh, clip.ground_truth_xywh)


def test_another_seed_gives_another_world(clip):
    other = render(replace(SMALL, seed=4))
    assert (other.ground_truth_xywh[0] != clip.ground_truth_xywh[0]).all()
    assert np.abs(other.frame(0).image.astype(int) - clip.frame(0).image).mean() > 10


def test_frames_are_like_those_of_any_sequence(clip):
    frame = clip.frame(3)
    assert (frame.index, frame.t_ns) == (3, 100_000_000)
    assert frame.image.shape == (180, 320, 3) and frame.image.dtype == np.uint8
    assert len(clip) == 60 and clip.size == (320, 180)


@pytest.mark.parametrize("index", [-1, 60])
def test_a_frame_that_does_not_exist_is_an_error(clip, index):
    with pytest.raises(InputError, match=rf"no frame {index}, allowed are 0\.\.59"):
        clip.frame(index)


def test_the_truth_is_the_box_round_the_car_in_the_picture():
    plain = render(replace(SMALL, target_px=48.0, distractor=False, occlusions=(), noise=0.0, exposure=0.0))
    for t in (0.0, 0.31, 0.77):
        left, top, w, h = plain.scene.box_xywh_at(t)
        blue, green, red = cv2.split(plain.scene.render_at(t).astype(float))
        row, column = np.nonzero((red > 60) & (red > 2 * green) & (red > 2 * blue))
        near = (column > left - 6) & (column < left + w + 6) & (row > top - 6) & (row < top + h + 6)
        seen = [column[near].min(), row[near].min(), column[near].max() + 1, row[near].max() + 1]
        np.testing.assert_allclose(seen, [left, top, left + w, top + h], atol=1.5)


def test_the_target_is_absent_while_the_overpass_hides_it_and_at_no_other_time(clip):
    absent = np.flatnonzero(np.isnan(clip.ground_truth_xywh[:, 0])) / 30
    assert 0.8 <= absent.min() <= 0.95 and 1.15 <= absent.max() <= 1.35
    assert len(absent) == round((absent.max() - absent.min()) * 30) + 1
    hidden = [clip.scene.hidden_at(t) for t in (0.0, 1.05, 1.9)]
    np.testing.assert_allclose(hidden, [0, 1, 0], atol=0.02)


def test_without_occlusions_the_target_is_always_there():
    assert np.isfinite(render(replace(SMALL, occlusions=())).ground_truth_xywh).all()


def test_the_default_clip_moves_so_fast_that_stale_boxes_miss(default):
    boxes = xywh_to_box(default.ground_truth_xywh)
    speed = np.hypot(*np.diff(boxes[:, :2], axis=0).T)
    assert 3.5 < np.nanmedian(speed) < 8 and np.nanmax(speed) < 16
    assert np.nanmean(iou(boxes[3:], boxes[:-3])) < 0.55
    assert 28 < np.nanmedian(boxes[:, 2:]) < 60
    assert 8 <= np.isnan(boxes[:, 0]).sum() <= 14


def test_the_target_stays_in_the_picture(default):
    boxes = default.ground_truth_xywh
    assert np.nanmin(boxes[:, :2]) > 0
    assert np.nanmax(boxes[:, 0] + boxes[:, 2]) < 640 and np.nanmax(boxes[:, 1] + boxes[:, 3]) < 360


def test_without_agility_the_camera_holds_the_target_in_the_middle():
    boxes = xywh_to_box(render(replace(SMALL, agility=0.0, occlusions=())).ground_truth_xywh)
    np.testing.assert_allclose(boxes[:, :2], np.broadcast_to([160, 90], (60, 2)), atol=4)


def test_a_slow_camera_sees_the_same_world(clip):
    slow = render(replace(SMALL, camera_fps=10.0))
    assert (len(slow), len(slow.ground_truth_xywh), slow.stride) == (20, 60, 3)
    assert slow.frame(2).t_ns == clip.frame(6).t_ns
    assert (slow.frame(2).image == clip.frame(6).image).all()
    np.testing.assert_array_equal(slow.ground_truth_xywh, clip.ground_truth_xywh)


def test_the_distractor_can_be_left_out_without_changing_the_rest(clip):
    alone = render(replace(SMALL, distractor=False))
    np.testing.assert_array_equal(alone.ground_truth_xywh, clip.ground_truth_xywh)
    meeting = int(SMALL.seconds / 3 * 30)
    changed = (alone.scene.render_at(meeting / 30) != clip.scene.render_at(meeting / 30)).any(axis=2).mean()
    assert 0.001 < changed < 0.05


@settings(max_examples=25)
@given(t=st.floats(0, 10), x=st.floats(-30, 30), y=st.floats(-30, 30), height=st.floats(0, 8))
def test_camera_poses_are_rigid_and_planes_agree_with_points(clip, t, x, y, height):
    camera = clip.scene.camera_at(t)
    np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(camera.rotation) == pytest.approx(1)
    at = np.array(clip.scene.target_at(t)[:2]) + (x, y)
    projected = camera.plane(height) @ [at[0], at[1], 1]
    if projected[2] > 1:
        np.testing.assert_allclose(projected[:2] / projected[2], camera.project([*at, -height]), rtol=1e-6, atol=1e-6)


def test_a_clip_survives_pickling_for_other_processes(clip):
    copy = pickle.loads(pickle.dumps(clip))
    assert isinstance(copy, RenderedClip) and copy.name == clip.name
    assert (copy.frame(1).image == clip.frame(1).image).all()


def test_a_saved_clip_reads_back_as_it_was_rendered(tmp_path):
    brief = render(replace(SMALL, seconds=0.4, camera_fps=10.0, occlusions=()))
    folder = tmp_path / "clips" / "brief"
    brief.save(str(folder))
    assert sorted(os.listdir(folder)) == ["groundtruth.txt", "groundtruth_30fps.txt", "img", "index.json"]
    assert [about["fps"] for about in json.loads((folder / "index.json").read_text())] == [10.0]
    read = datasets.load("folder", str(folder))[0]
    assert (read.name, read.camera_fps, read.world_fps, len(read)) == ("brief", 10.0, 30.0, 4)
    np.testing.assert_allclose(read.ground_truth_xywh, brief.ground_truth_xywh, atol=1e-6)
    for index in range(len(read)):
        assert (read.frame(index).image == brief.frame(index).image).all()
    assert os.listdir(tmp_path / "clips") == ["brief"]


def test_absent_frames_are_saved_as_nan(tmp_path, clip):
    clip.save(str(tmp_path / "clip"))
    written = np.loadtxt(tmp_path / "clip" / "groundtruth.txt", delimiter=",")
    np.testing.assert_allclose(written, clip.ground_truth_xywh, atol=1e-6)
    assert np.isnan(written).any()


def test_saving_never_touches_what_is_there(tmp_path, clip):
    with pytest.raises(InputError, match="exists already"):
        clip.save(str(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write the generated clip"):
        clip.save(str(tmp_path / "file" / "clip"))


def test_an_interrupted_save_leaves_nothing(tmp_path, clip, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(RenderedClip, "_save_truth", interrupt)
    with pytest.raises(KeyboardInterrupt):
        clip.save(str(tmp_path / "clip"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 1.5),
        ("width", 10),
        ("height", 359.5),
        ("seconds", 0),
        ("seconds", float("nan")),
        ("world_fps", 0.0),
        ("camera_fps", "30"),
        ("target_px", 2.0),
        ("agility", -0.1),
        ("occlusions", ((2.0, 1.0),)),
        ("occlusions", ((0.0, 0.3),)),
        ("occlusions", (3.0,)),
        ("exposure", 1.0),
        ("noise", -1.0),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(field, value):
    with pytest.raises(InputError, match=rf"{field} is .*, allowed is "):
        AerialClip(**{field: value})


def test_occlusions_may_come_from_an_iterator():
    assert AerialClip(occlusions=iter([[1, 2]])).occlusions == ((1.0, 2.0),)


def test_a_camera_rate_that_does_not_divide_the_world_is_an_error():
    with pytest.raises(InputError, match="does not divide"):
        render(replace(SMALL, camera_fps=20.0))
