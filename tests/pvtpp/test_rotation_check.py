"""Comparison of images and gyro: a wrong sign, wrong axes and a wrong clock are found."""

import numpy as np
import pytest

from pvtpp.camera_motion import Gyro
from pvtpp.errors import InputError
from pvtpp.rotation_check import INTERVALS, compare, rotation_between, stamp_offset
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip

AXES = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


@pytest.fixture(scope="module")
def swung():
    """A rendered clip of a camera swung at 60 degrees per second: stamps, rotations seen, and its gyro."""
    clip = render(AerialClip(swing=60.0, agility=0.3, occlusions=(), seconds=1.4, width=320, height=180))
    focal = clip.scene.camera_at(0).focal
    matrix = np.array([[focal, 0, 160], [0, focal, 90], [0, 0, 1.0]])
    gyro = Gyro(matrix)
    for t in np.arange(-0.5, 2.0, 0.005):
        gyro.add(round(t * 1e9) + 10**9, clip.scene.rate_at(t))
    stamps = [int(t) + 10**9 for t in clip.camera_t_ns]
    images = [clip.frame(i).image for i in range(len(clip))]
    boxes = clip.ground_truth_xywh
    seen = [rotation_between(a, b, matrix, box) for a, b, box in zip(images, images[1:], boxes)]
    return stamps, np.array(seen, dtype=float), gyro, images, matrix


def measured(stamps, gyro):
    return np.array([gyro.turn(a, b) for a, b in zip(stamps, stamps[1:])])


def test_the_images_show_the_rotation_that_the_gyro_measures(swung):
    stamps, seen, gyro, _, _ = swung
    found = compare(seen, measured(stamps, gyro))
    assert found.assessment == "agrees" and found.explained > 0.8


def test_an_inverted_sign_is_named(swung):
    stamps, seen, gyro, _, _ = swung
    found = compare(seen, -measured(stamps, gyro))
    assert found.assessment == "inverted" and "negated" in str(found)


def test_exchanged_axes_are_named_with_their_correction(swung):
    stamps, seen, gyro, _, _ = swung
    found = compare(seen, measured(stamps, gyro) @ AXES.T)
    assert found.assessment == "axes" and "camera_from_imu" in str(found)
    corrected = measured(stamps, gyro) @ AXES.T @ found.correction.T
    assert compare(seen, corrected).assessment == "agrees"


def test_noise_agrees_with_nothing(swung):
    stamps, seen, gyro, _, _ = swung
    noise = np.random.default_rng(0).normal(0, 0.03, seen.shape)
    assert compare(seen, noise).assessment == "disagrees"


def test_a_camera_that_does_not_turn_gives_no_assessment():
    assert compare(np.zeros((50, 3)), np.zeros((50, 3))).assessment == "unknown"
    assert compare(np.ones((INTERVALS - 1, 3)), np.ones((INTERVALS - 1, 3))).assessment == "unknown"


@pytest.mark.parametrize("late_ms", [-35, 0, 20])
def test_stamps_that_are_late_or_early_are_found_to_5_ms(swung, late_ms):
    stamps, seen, gyro, _, _ = swung
    offset, explained = stamp_offset([t + late_ms * 1_000_000 for t in stamps], seen, gyro)
    assert abs(offset * 1e3 + late_ms) < 5 and explained > 0.8


def test_too_little_rotation_gives_no_offset(swung):
    stamps, seen, gyro, _, _ = swung
    with pytest.raises(InputError, match="too calm"):
        stamp_offset(stamps, seen * 0.01, gyro)


def test_where_gyro_and_images_never_agree_there_is_no_offset(swung):
    stamps, seen, gyro, _, _ = swung
    with pytest.raises(InputError, match="check axes and sign first"):
        stamp_offset(stamps, seen @ AXES.T, gyro)


def test_stamps_and_rotations_must_fit_each_other(swung):
    stamps, seen, gyro, _, _ = swung
    with pytest.raises(InputError, match="one more"):
        stamp_offset(stamps[1:], seen, gyro)
    with pytest.raises(InputError, match="as many"):
        compare(seen, seen[1:])


def test_images_without_texture_or_of_two_sizes_give_no_rotation(swung):
    _, _, _, images, matrix = swung
    flat = np.full_like(images[0], 90)
    assert rotation_between(flat, flat, matrix) is None
    assert rotation_between(images[0], images[0][:-1], matrix) is None
