"""Videos that browsers play are written wherever there is an encoder; else a video is written, and a line says so."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess

import cv2
import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.report import video_encoders
from pvtpp_benchmarks.report.video import write_video
from pvtpp_benchmarks.report.video_encoders import H264


def there(name):
    return video_encoders._IS_THERE[name]()


ENCODERS = [
    pytest.param(name, marks=pytest.mark.skipif(not there(name), reason=f"no H.264 encoder of {name} here"))
    for name in H264
]


def pictures(count, height=90, width=160):
    for index in range(count):
        image = np.full((height, width, 3), 60, dtype=np.uint8)
        image[:, 2 * index : 2 * index + 20] = 200
        yield image


@pytest.fixture
def only(monkeypatch):
    """Leaves one encoder of H.264, or none."""

    def leave(name):
        monkeypatch.setattr(video_encoders, "h264", lambda: name)

    return leave


def decoded(path):
    capture, images = cv2.VideoCapture(str(path)), []
    while True:
        found, image = capture.read()
        if not found:
            return capture.get(cv2.CAP_PROP_FPS), images
        images.append(image)


def codec_and_pixels(path):
    capture = cv2.VideoCapture(str(path))
    settings = (cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_CODEC_PIXEL_FORMAT)
    return tuple(int(capture.get(each)).to_bytes(4, "little") for each in settings)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("fps", [30.0, 119.123, 7.5])
@pytest.mark.parametrize("size", [(90, 160), (91, 161), (91, 160), (2, 2), (1, 1)])
def test_h264_in_yuv420p_of_every_size_and_rate(size, fps, name, only, tmp_path):
    only(name)
    said = []
    assert write_video(str(tmp_path / "clip.mp4"), pictures(12, *size), fps, said.append) == 12
    rate, images = decoded(tmp_path / "clip.mp4")
    assert said == [] and codec_and_pixels(tmp_path / "clip.mp4") in ((b"avc1", b"I420"), (b"h264", b"I420"))
    assert rate == pytest.approx(fps, rel=1e-4) and len(images) == 12
    height, width = size
    assert images[0].shape == (height + height % 2, width + width % 2, 3)
    if size[0] > 2:
        for image, made in zip(images, pictures(12, *size)):
            assert np.abs(image[:height, :width].astype(int) - made).mean() < 4
        # What was added is as what lies beside it.
        assert np.abs(images[0][-1].astype(int) - images[0][height - 1]).max() < 12


def test_without_an_encoder_of_h264_the_file_is_written_and_it_is_said(only, tmp_path):
    only(None)
    said = []
    assert write_video(str(tmp_path / "clip.mp4"), pictures(12, 91, 161), 30, said.append) == 12
    _, images = decoded(tmp_path / "clip.mp4")
    assert len(images) == 12 and images[0].shape == (92, 162, 3)
    assert len(said) == 1 and "clip.mp4: encoded as mp4v, which browsers do not play" in said[0]


def test_an_encoder_that_does_not_start_gives_way(only, monkeypatch, tmp_path):
    def failing(*given):
        raise OSError("no such thing")

    only("ffmpeg")
    monkeypatch.setitem(video_encoders.H264, "ffmpeg", failing)
    said = []
    assert write_video(str(tmp_path / "clip.mp4"), pictures(3), 30, said.append) == 3
    assert len(said) == 1 and os.listdir(tmp_path) == ["clip.mp4"]


def program(folder, text):
    path = folder / "ffmpeg"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("echo ' V....D libx264  H.264 (codec h264)'", True),
        ("echo ' V....D mpeg4  MPEG-4 part 2'", False),
        ("exit 1", False),
    ],
)
def test_ffmpeg_counts_where_it_has_the_encoder(text, found, tmp_path, monkeypatch):
    program(tmp_path, text)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert video_encoders._IS_THERE["ffmpeg"]() is found


def test_without_ffmpeg_on_the_path_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not video_encoders._IS_THERE["ffmpeg"]()


def test_an_ffmpeg_that_ends_early_is_an_error_with_its_words_and_leaves_nothing(only, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "videos").mkdir()
    program(tmp_path / "bin", "head -c 1000 >/dev/null; echo 'x264 is out of sorts' >&2; exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    only("ffmpeg")
    with pytest.raises(InputError, match="x264 is out of sorts"):
        write_video(str(tmp_path / "videos" / "clip.mp4"), pictures(200), 30)
    assert os.listdir(tmp_path / "videos") == []


@pytest.mark.parametrize("name", ENCODERS)
def test_frames_that_fail_on_the_way_leave_no_file_and_no_process(name, only, tmp_path):
    def failing():
        yield from pictures(3)
        raise KeyboardInterrupt

    only(name)
    with pytest.raises(KeyboardInterrupt):
        write_video(str(tmp_path / "clip.mp4"), failing(), 30)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")
def test_a_signal_for_this_process_does_not_reach_ffmpeg(only, tmp_path):
    """Ctrl-C goes to the whole group of a terminal; the video is to be finished all the same."""
    if not there("ffmpeg"):
        pytest.skip("this ffmpeg has no H.264")
    only("ffmpeg")
    group = os.getpgid(0)

    def interrupted():
        for index, image in enumerate(pictures(12)):
            if index == 6:
                listed = subprocess.run(["ps", "-eo", "pgid=,comm="], capture_output=True, text=True).stdout
                assert [line for line in listed.splitlines() if line.split() == [str(group), "ffmpeg"]] == []
            yield image

    assert write_video(str(tmp_path / "clip.mp4"), interrupted(), 30) == 12
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3))])
def test_images_that_are_no_colour_images_are_refused_before_anything_is_written(image, tmp_path):
    with pytest.raises(InputError, match=r"video frame 0 is .*, expected uint8 \(height, width, 3\)"):
        write_video(str(tmp_path / "clip.mp4"), [image], 30)
    assert os.listdir(tmp_path) == []
