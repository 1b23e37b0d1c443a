"""Video files are read to their end, with the times that they give their frames."""

import csv
import os
import shutil
import subprocess

import cv2
import numpy as np
import pytest

from pvtpp.cli.main import main
from pvtpp.cli.sources import open_source
from pvtpp.cli.video_file import VideoFile
from pvtpp.errors import InputError

WIDTH, HEIGHT = 96, 64
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg to make the streams")


def picture(index):
    """A black square that moves to the right over grey, and bars that say the number of the frame in binary."""
    image = np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)
    left = 4 + index % 60
    image[40:56, left : left + 16] = 0
    for bit in range(8):
        image[4:20, 4 + 11 * bit : 12 + 11 * bit] = 255 * (index >> bit & 1)
    return image


def number(image):
    """The number of the frame that `picture` drew."""
    image = cv2.resize(image, (WIDTH, HEIGHT)) if image.shape[:2] != (HEIGHT, WIDTH) else image
    return sum((image[6:18, 5 + 11 * bit : 11 + 11 * bit].mean() > 128) << bit for bit in range(8))


def mp4(path, count=30, fps=30.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (WIDTH, HEIGHT))
    for index in range(count):
        writer.write(picture(index))
    writer.release()
    return str(path)


def with_steps(path, steps):
    """Give the frames of an MP4 file of constant rate other durations, in units of the first one's.

    The table of durations (``stts``, ISO 14496-12) becomes longer, and with it all boxes around it. They come after the
    frames, whose places in the file stay.
    """
    data = bytearray(open(path, "rb").read())
    around = [data.index(name) - 4 for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl")]
    table = data.index(b"stts") - 4
    size = int.from_bytes(data[table : table + 4], "big")
    unit = int.from_bytes(data[table + 20 : table + 24], "big")
    entries = b"".join((1).to_bytes(4, "big") + (step * unit).to_bytes(4, "big") for step in steps)
    made = (16 + len(entries)).to_bytes(4, "big") + b"stts" + bytes(4) + len(steps).to_bytes(4, "big") + entries
    for place in around:
        inside = int.from_bytes(data[place : place + 4], "big") + len(made) - size
        data[place : place + 4] = inside.to_bytes(4, "big")
    data[table : table + size] = made
    # The list of edits would end the video after its former duration.
    data[:] = data.replace(b"edts", b"free")
    open(path, "wb").write(data)


def read(path, **given):
    """Numbers of the frames, their times in seconds, and the warnings."""
    said = []
    frames = [
        (number(timed.image), timed.t_ns * 1e-9) for timed in VideoFile.open(str(path), **given).frames(said.append)
    ]
    return [each[0] for each in frames], np.array([each[1] for each in frames]), said


@pytest.fixture
def stream(tmp_path):
    """Makes a stream of the pictures with ffmpeg: `stream(name, options, count, fps)`."""

    def make(name, *options, count=60, fps=30, before=()):
        path = tmp_path / name
        images = b"".join(picture(index).tobytes() for index in range(count))
        raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(fps), *before, "-i", "-"]
        command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *raw, *options, str(path)]
        done = subprocess.run(command, input=images, capture_output=True)
        if done.returncode:
            pytest.skip(f"this ffmpeg cannot make {name}: {done.stderr.decode(errors='replace')[-200:]}")
        return path

    return make


H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "12", "-bf", "3")
VARIABLE = ("-vf", "setpts='if(lt(N,30),N,30+(N-30)*3)/30/TB'", "-fps_mode", "vfr")
SLOW = ("-vf", "setpts='if(lt(N,20),N,if(lt(N,40),20+(N-20)*8,180+N-40))/30/TB'", "-fps_mode", "vfr")
VARIABLE_S = np.array([i / 30 if i < 30 else 1 + (i - 30) / 10 for i in range(60)])
SLOW_S = np.array([i if i < 20 else 20 + (i - 20) * 8 if i < 40 else 180 + i - 40 for i in range(60)]) / 30
EVEN_S = np.arange(60) / 30
STREAMS = {
    "variable.mp4": ((*VARIABLE, *H264), VARIABLE_S),
    "variable.mkv": ((*VARIABLE, *H264), VARIABLE_S),
    "variable.webm": ((*VARIABLE, "-c:v", "libvpx", "-b:v", "2M"), VARIABLE_S),
    "slow.mp4": ((*SLOW, *H264), SLOW_S),
    "b_frames.mp4": (H264, EVEN_S),
    "b_frames.avi": (H264, EVEN_S),
    "mpeg4_b_frames.avi": (("-c:v", "mpeg4", "-q:v", "2", "-bf", "2"), EVEN_S),
    "motion_jpeg.avi": (("-c:v", "mjpeg", "-q:v", "2"), EVEN_S),
    "late.ts": ((*H264, "-output_ts_offset", "7200"), EVEN_S),
    "mpeg2.ts": (("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2"), EVEN_S),
    "fragments.mp4": ((*H264, "-movflags", "frag_keyframe+empty_moov"), EVEN_S),
    "flash.flv": (H264, EVEN_S),
    "quick.mov": (H264, EVEN_S),
}


@needs_ffmpeg
@pytest.mark.parametrize("name", STREAMS)
def test_frames_of_every_container_come_whole_and_at_their_times(name, stream):
    options, wanted = STREAMS[name]
    numbers, times, said = read(stream(name, *options))
    assert numbers == list(range(60)) and said == []
    # Matroska and Flash round to a millisecond.
    np.testing.assert_allclose(times, wanted, atol=0.0011)


@needs_ffmpeg
def test_a_rate_of_119_123_is_kept_over_two_seconds(stream):
    options = ("-vf", "settb=1/119123,setpts=N*1000", "-fps_mode", "passthrough", "-enc_time_base", "1/119123")
    path = stream("fast.mp4", *options, *H264, "-video_track_timescale", "119123", count=240, fps="119.123")
    numbers, times, said = read(path)
    assert numbers == list(range(240)) and said == []
    np.testing.assert_allclose(times, np.arange(240) / 119.123, atol=2e-5)


@needs_ffmpeg
def test_a_header_that_claims_twice_the_rate_and_the_count_is_not_believed(stream, tmp_path):
    """AVI counts fields where H.264 was copied into it."""
    whole, path = stream("whole.mp4", *H264), tmp_path / "claims.avi"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-i", str(whole), "-c", "copy", str(path)], check=True)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == 60 and capture.get(cv2.CAP_PROP_FRAME_COUNT) == 120
    numbers, times, said = read(path)
    assert numbers == list(range(60)) and said == [] and VideoFile.open(str(path)).fps == pytest.approx(30)
    np.testing.assert_allclose(times, EVEN_S, atol=1e-4)


@needs_ffmpeg
def test_a_stream_without_times_goes_by_its_rate_and_says_so(stream):
    path = stream("bare.h264", *H264)
    numbers, times, said = read(path)
    rate = VideoFile.open(str(path)).fps
    assert numbers == list(range(60)) and len(said) == 1 and "are missing" in said[0]
    np.testing.assert_allclose(times, np.arange(60) / rate, atol=1e-6)
    np.testing.assert_allclose(read(path, fps=30.0)[1], EVEN_S, atol=1e-6)
    assert read(path, fps=30.0)[2] == []


@needs_ffmpeg
def test_joined_streams_whose_times_begin_anew_go_on(stream, tmp_path):
    path = tmp_path / "joined.ts"
    one, other = (stream(f"{name}.ts", *H264, "-bf", "0") for name in ("one", "other"))
    path.write_bytes(one.read_bytes() + other.read_bytes())
    numbers, times, said = read(path)
    assert numbers == [*range(60), *range(60)] and len(said) == 1 and "go back" in said[0]
    np.testing.assert_allclose(np.delete(np.diff(times), 59), 1 / 30, atol=1e-4)


@needs_ffmpeg
@pytest.mark.parametrize("degrees", [90, 180])
def test_a_rotation_in_the_file_is_applied(degrees, stream, tmp_path):
    whole, path = stream("whole.mp4", *H264), tmp_path / "turned.mp4"
    command = ["ffmpeg", "-loglevel", "error", "-y", "-i"]
    subprocess.run([*command, str(whole), "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", str(path)], check=True)
    image, upright = (next(VideoFile.open(str(each)).frames(print)).image for each in (path, whole))
    subprocess.run([*command, str(path), "-frames:v", "1", str(tmp_path / "turned.png")], check=True)
    expected = cv2.imread(str(tmp_path / "turned.png"))
    if degrees == 90 and expected.shape == upright.shape:
        pytest.skip("this ffmpeg writes no rotation")
    assert np.abs(image.astype(int) - expected).mean() < 2 < np.abs(np.resize(upright, image.shape) - expected).mean()


@needs_ffmpeg
def test_grey_of_16_bits_is_stretched_as_images_are(stream):
    narrow = ("-vf", "format=gray16le,lutyuv=y='20000+val/64'", "-c:v", "ffv1", "-pix_fmt", "gray16le")
    path = stream("thermal.mkv", *narrow)
    try:
        timed = list(VideoFile.open(str(path)).frames(print))
    except InputError as error:
        # An OpenCV that gives the upper 8 bits only.
        assert "16 bits" in str(error) and "folder" in str(error)
        return
    assert [number(each.image) for each in timed] == list(range(60))
    image = timed[1].image
    assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8 and int(image.max()) - int(image.min()) > 150


@needs_ffmpeg
def test_grey_that_opencv_gives_with_its_upper_bits_only_is_refused(stream):
    path = stream("deep.mkv", "-c:v", "ffv1", "-pix_fmt", "gray12le")
    with pytest.raises(InputError, match=r"deep.mkv: a grey video of 12 bits .* folder of its images"):
        VideoFile.open(str(path))


@needs_ffmpeg
def test_grey_of_8_and_colour_of_10_bits_are_read_as_colour(stream):
    for name, options in (
        ("grey.mkv", ("-c:v", "ffv1", "-pix_fmt", "gray")),
        ("ten.mp4", (*H264, "-pix_fmt", "yuv420p10le")),
    ):
        path = stream(name, *options)
        assert read(path)[0] == list(range(60))
        image = next(VideoFile.open(str(path)).frames(print)).image
        assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8


@needs_ffmpeg
def test_what_comes_after_a_damaged_part_is_read_at_its_times(stream):
    path = stream("damaged.mp4", *H264, "-g", "10")
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + len(data) // 4
    data[begin : begin + len(data) // 6] = (
        np.random.default_rng(1).integers(0, 256, len(data) // 6, dtype=np.uint8).tobytes()
    )
    path.write_bytes(data)
    numbers, times, said = read(path)
    assert 20 < len(times) <= 60 and (np.diff(times) > 0).all()
    # Times stay those of the frames: the last one is where it was.
    assert times[-1] == pytest.approx(59 / 30, abs=1e-3) and numbers[-1] == 59
    assert all("damaged.mp4" in line for line in said)


def test_a_variable_rate_is_read_without_ffmpeg_too(tmp_path):
    path, steps = mp4(tmp_path / "clip.mp4"), [1] * 10 + [3] * 10 + [7] * 10
    with_steps(path, steps)
    numbers, times, said = read(path)
    assert numbers == list(range(30)) and said == []
    np.testing.assert_allclose(times, np.concatenate([[0], np.cumsum(steps)[:-1]]) / 30, atol=1e-4)
    assert VideoFile.open(path).fps == pytest.approx(30)


def test_a_given_rate_overrules_the_times_of_the_file(tmp_path):
    path = mp4(tmp_path / "clip.mp4")
    with_steps(path, [1] * 10 + [5] * 20)
    np.testing.assert_allclose(read(path, fps=240.0)[1], np.arange(30) / 240, atol=1e-9)


@pytest.mark.parametrize("claimed", [12, 300])
def test_a_count_in_the_header_ends_nothing(claimed, tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30, (WIDTH, HEIGHT))
    for index in range(30):
        writer.write(picture(index))
    writer.release()
    data = bytearray(path.read_bytes())
    # The number of frames, in the main header and in that of the stream.
    main_header, stream_header = data.index(b"avih") + 8, data.index(b"strh") + 8
    for place in (main_header + 16, stream_header + 32):
        assert int.from_bytes(data[place : place + 4], "little") == 30
        data[place : place + 4] = claimed.to_bytes(4, "little")
    path.write_bytes(data)
    numbers, times, said = read(path)
    assert numbers == list(range(30))
    np.testing.assert_allclose(times, np.arange(30) / 30, atol=1e-4)
    assert [line for line in said if "its header claims" not in line] == [] and len(said) == (claimed > 30)


def test_a_file_that_was_cut_off_is_an_error_after_its_last_frame(tmp_path):
    path, seen = tmp_path / "cut.avi", []
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30, (WIDTH, HEIGHT))
    for index in range(30):
        writer.write(picture(index))
    writer.release()
    os.truncate(path, os.path.getsize(path) * 2 // 3)
    with pytest.raises(InputError, match=r"cut.avi: ends after \d+ of 30 frames"):
        for timed in VideoFile.open(str(path)).frames(print):
            seen.append(number(timed.image))
    assert seen == list(range(len(seen))) and 10 < len(seen) < 25


def test_track_gives_the_times_of_a_variable_rate_and_the_speed_in_real_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    steps = [1] * 20 + [4] * 10
    with_steps(mp4("clip.mp4"), steps)
    given = ["--box", "4,40,16,16", "--tracker", "kcf", "--predictors", "hold", "--propagation", "none"]
    assert main(["track", "clip.mp4", *given, "--out", "seen.csv", "--video", "drawn.mp4"]) == 0
    with open("seen.csv", newline="") as file:
        times = [int(row["t_ns"]) * 1e-9 for row in csv.DictReader(file)]
    np.testing.assert_allclose(times, np.concatenate([[0], np.cumsum(steps)[:-1]]) / 30, atol=1e-4)
    # The video shows each frame for as long: the slow ones four times.
    capture = cv2.VideoCapture("drawn.mp4")
    shown = []
    while True:
        found, image = capture.read()
        if not found:
            break
        shown.append(image)
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(30, rel=0.01) and len(shown) == 20 + 4 * 9 + 1


def test_a_file_that_is_no_video_is_refused(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    with pytest.raises(InputError, match=r"clip.mp4: not a video that OpenCV can read"):
        open_source(str(tmp_path / "clip.mp4"))
