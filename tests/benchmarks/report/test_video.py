"""Overlays show boxes and legends; video files are written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.report import video_encoders
from pvtpp_benchmarks.report.video import PREDICTED, STALE, TRUTH, draw_boxes, write_video

GREY = np.full((180, 320, 3), 90, dtype=np.uint8)


def frames(count, shape=(180, 320, 3)):
    for index in range(count):
        yield np.full(shape, 10 * index, dtype=np.uint8)


def like(image, colour):
    return (np.abs(image.astype(int) - colour) < 40).all(axis=2)


def test_a_box_is_drawn_where_it_is_and_the_image_is_left_alone():
    image = np.full((360, 640, 3), 90, dtype=np.uint8)
    drawn = draw_boxes(image, {"stale": (np.array([400.0, 200.0, 60.0, 40.0]), STALE)})
    assert (image == 90).all()
    row, column = np.nonzero(like(drawn, STALE) & (np.arange(640) > 240))
    np.testing.assert_allclose([column.min(), column.max(), row.min(), row.max()], [370, 429, 180, 219], atol=2)
    assert (drawn[200, 380:420] == 90).all()


@pytest.mark.parametrize("absent", [None, np.full(4, np.nan)])
def test_an_absent_box_stays_in_the_legend_only(absent):
    drawn = draw_boxes(GREY, {"truth": (absent, TRUTH), "predicted": (np.array([200.0, 90.0, 30.0, 30.0]), PREDICTED)})
    assert (drawn[:40, :100] != 90).any()
    assert not (like(drawn, TRUTH) & (np.arange(320) > 120)).any()


def test_a_box_far_outside_the_image_does_no_harm():
    assert draw_boxes(GREY, {"lost": (np.array([1e9, -1e9, 10.0, 10.0]), STALE)}).shape == GREY.shape


def test_a_caption_fills_the_bottom_and_nothing_else():
    changed = (draw_boxes(GREY, {}, "85 ms behind") != 90).any(axis=(1, 2))
    assert changed[-10:].all() and not changed[:150].any()


def test_a_written_video_reads_back(tmp_path):
    path = tmp_path / "new" / "clip.mp4"
    assert write_video(str(path), frames(7), 30.0) == 7
    reader = cv2.VideoCapture(str(path))
    read = [reader.read()[1] for _ in range(7)]
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(30)
    np.testing.assert_allclose([image.mean() for image in read], 10 * np.arange(7), atol=6)
    assert not reader.read()[0]
    assert os.listdir(path.parent) == ["clip.mp4"]


@pytest.mark.parametrize(
    ("made", "fps", "message"),
    [
        ([], 30, "no frames"),
        ([GREY, GREY[:90]], 30, "video frame 1 is uint8"),
        ([GREY, GREY.astype(float)], 30, "float64"),
        ([GREY], 0, "video rate is 0"),
        ([GREY], float("nan"), "video rate is nan"),
    ],
)
def test_frames_that_make_no_video_leave_no_file(tmp_path, made, fps, message):
    with pytest.raises(InputError, match=message):
        write_video(str(tmp_path / "clip.mp4"), iter(made), fps)
    assert os.listdir(tmp_path) == []


def test_an_older_video_survives_a_failed_one(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"older")

    def failing():
        yield GREY
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(str(path), failing(), 30)
    assert path.read_bytes() == b"older" and os.listdir(tmp_path) == ["clip.mp4"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="mp4: cannot write"):
        write_video(str(tmp_path / "file" / "clip.mp4"), frames(2), 30)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match="mp4: cannot write"):
        write_video(str(tmp_path / "folder.mp4"), frames(2), 30)
    with pytest.raises(InputError, match="must end in .mp4"):
        write_video(str(tmp_path / "clip.avi"), frames(2), 30)


FULL_DISK = """
import resource, sys
import numpy as np
from pvtpp_benchmarks.report.video import write_video

resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
rng = np.random.default_rng(0)
write_video(sys.argv[1], (rng.integers(0, 255, (180, 320, 3), dtype=np.uint8) for _ in range(20)), 30)
"""


def test_a_full_disk_which_opencv_does_not_report_leaves_no_video(tmp_path):
    run = [sys.executable, "-c", FULL_DISK, str(tmp_path / "clip.mp4")]
    done = subprocess.run(run, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0 and "InputError" in done.stderr and "is the disk full?" in done.stderr
    assert os.listdir(tmp_path) == []


def test_an_opencv_without_the_codec_says_so(tmp_path, monkeypatch):
    class Closed:
        def __init__(self, *_):
            pass

        def isOpened(self):
            return False

        def release(self):
            pass

    monkeypatch.setattr(cv2, "VideoWriter", Closed)
    monkeypatch.setattr(video_encoders, "h264", lambda: None)
    with pytest.raises(InputError, match="cannot encode mp4v"):
        write_video(str(tmp_path / "clip.mp4"), frames(2), 30)
    assert os.listdir(tmp_path) == []
