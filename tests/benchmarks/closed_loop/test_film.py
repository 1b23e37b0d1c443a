"""Film and picture of closed loops: what they show is what happened."""

import cv2
import numpy as np
import pytest
from perfect import Perfect, small

from pvtpp_benchmarks.closed_loop.film import WIDTH, Filmed, frames, write_picture
from pvtpp_benchmarks.closed_loop.loop import ClosedLoop
from pvtpp_benchmarks.closed_loop.variants import VARIANTS
from pvtpp_benchmarks.processing import parse


@pytest.fixture(scope="module")
def filmed():
    world = small(seconds=1.0)
    loops = [ClosedLoop(world, VARIANTS["stale"], Perfect, parse(time)) for time in ("20ms", "200ms")]
    return [Filmed(f"loop {number}", loop, loop.run()) for number, loop in enumerate(loops)]


def test_a_film_has_a_frame_for_each_of_the_camera_with_all_loops_beside_one_another(filmed):
    shown = list(frames(filmed))
    assert len(shown) == 31 and {each.shape for each in shown} == {(270, 2 * WIDTH, 3)}
    # Both begin with the same image; later each camera looks elsewhere.
    left, right = shown[0][60:240, :WIDTH].astype(int), shown[0][60:240, WIDTH:].astype(int)
    assert np.abs(left - right).mean() < 1
    left, right = shown[30][60:240, :WIDTH].astype(int), shown[30][60:240, WIDTH:].astype(int)
    assert np.abs(left - right).mean() > 5


@pytest.mark.parametrize("name", ["picture.png", "picture.jpg"])
def test_a_picture_has_a_row_for_each_moment(filmed, name, tmp_path):
    write_picture(str(tmp_path / name), filmed, [0.0, 0.5, 9.0])
    assert cv2.imread(str(tmp_path / name)).shape == (3 * 270, 2 * WIDTH, 3)
