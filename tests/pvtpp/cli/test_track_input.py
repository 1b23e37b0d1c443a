"""What `pvtpp track` is given: boxes, sources, images that change. What is wrong is one line, and so is what is odd."""

import json
import os

import cv2
import numpy as np
import pytest

from pvtpp.cli import sources, track
from pvtpp.cli.frame_records import RecordFile
from pvtpp.cli.main import _joined, main
from pvtpp.errors import InputError
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.sources.recorded import Recorded, TimedImage

LATE = "this machine does not decode"
CHEAP = ["--tracker", "kcf", "--predictors", "hold", "--propagation", "none", "--no-window", "--fps", "200"]


@pytest.fixture
def images(clips, tmp_path, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return str(clips / "left" / "img")


def tracked(capsys, *words, late=False):
    """Exit status and the lines of stderr, without those of progress and of what this machine lacks."""
    # A machine under load may be late, and not every one has an encoder of H.264.
    ignored = (": frame ", "encoded as mp4v", *(() if late else (LATE,)))
    try:
        status = main(["track", *words])
    except SystemExit as ended:
        status = ended.code
    lines = capsys.readouterr().err.splitlines()
    return status, [line for line in lines if not any(part in line for part in ignored)]


@pytest.mark.parametrize(
    "box", ["-5,40,28,24", "-5.5,-4,28,24", "-.5,40,28,24", " -5, 40, 28, 24", "-5e0,40,28,24", "+90,40,28,24"]
)
def test_a_box_partly_outside_is_taken_whatever_it_begins_with(box, images, capsys):
    status, said = tracked(capsys, images, "--box", box, *CHEAP, "--out", "seen.csv")
    assert status == 0 and said == []
    left = [float(part) for part in open("seen.csv").readlines()[1].split(",")[3:7]][0]
    assert left == float(box.split(",")[0])


BOXES = {
    "not a number": ("nan,40,28,24", "--box 'nan,40,28,24': four numbers"),
    "minus nan": ("-nan,40,28,24", "--box '-nan,40,28,24': four numbers"),
    "infinite": ("inf,40,28,24", "four numbers"),
    "minus infinite": ("-inf,40,28,24", "--box '-inf,40,28,24': four numbers"),
    "too large for a number": ("1e400,40,28,24", "four numbers"),
    "three": ("90,40,28", "four numbers left,top,width,height"),
    "three, the first negative": ("-90,40,28", "--box '-90,40,28': four numbers"),
    "five": ("90,40,28,24,1", "four numbers"),
    "semicolons": ("-5;40;28;24", "--box '-5;40;28;24': four numbers"),
    "spaces": ("90 40 28 24", "four numbers"),
    "decimal commas": ("90,0,40,0,28,0,24,0", "four numbers"),
    "empty": ("", "--box '': four numbers"),
    "no width": ("90,40,0,24", "above 0"),
    "negative height": ("90,40,28,-24", "above 0"),
    "outside": ("-500,40,28,24", "--box -500,40,28,24 in"),
}


@pytest.mark.parametrize("case", BOXES)
def test_a_box_that_cannot_be_is_one_line(case, images, capsys):
    box, words = BOXES[case]
    status, said = tracked(capsys, images, "--box", box, *CHEAP)
    assert status == 2 and len(said) == 1 and said[0].startswith("pvtpp track: error: ") and words in said[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--box", "-5", "40", "28", "24"], "unrecognized arguments: 40 28 24"),
        (["--fps", "-30"], "--fps is -30, allowed is above 0"),
        (["--fps", "nan"], "--fps is nan"),
        (["--fps", "-inf"], "--fps is -inf"),
        (["--fps", "fast"], "argument --fps: invalid float value: 'fast'"),
        (["--box"], "argument --box: expected one argument"),
    ],
)
def test_arguments_that_cannot_be_are_one_line_too(words, said, images, capsys):
    box = [] if "--box" in words else ["--box", "90,40,28,24"]
    status, lines = tracked(capsys, images, *words, *box)
    assert status == 2 and len(lines) == 1 and said in lines[0]


def test_only_values_that_begin_with_a_minus_are_joined_to_their_option():
    assert _joined(["--box", "-5,1,2,3", "--no-window", "--fps", "-2"]) == ["--box=-5,1,2,3", "--no-window", "--fps=-2"]
    assert _joined(["-5", "--a=1", "-5", "x", "-5", "--", "-5"]) == ["-5", "--a=1", "-5", "x", "-5", "--", "-5"]
    assert _joined(["--a", "--box", "-v"]) == ["--a", "--box", "-v"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("ftp://user:secret@server/clip.mp4", "ftp://server/clip.mp4: streams by ftp are not read.*rtsp, rtsps"),
        ("concat://a|b", "streams by concat are not read"),
        ("videotestsrc ! autovideosink", "must end in appsink"),
        ("/dev/video77", "camera 77: cannot be opened.*video devices here"),
        ("/dev/null", "neither a file nor a folder"),
        ("outer", "no images in this folder.*there are some in outer/frames"),
        ("texts", "no images in this folder.*2 other files, such as a.txt"),
        ("bare", "no images in this folder.*holds no files"),
        ("outer/frames/0.png", "a single image; expected a video file, a folder"),
        ("-5", "no such file or folder"),
    ],
)
def test_a_source_that_does_not_open_says_what_is_possible(source, words, images, tmp_path, capsys):
    for name in ("outer/frames", "outer/masks", "texts", "bare"):
        os.makedirs(name)
    cv2.imwrite("outer/frames/0.png", np.zeros((40, 60, 3), np.uint8))
    for name in "ab":
        (tmp_path / "texts" / f"{name}.txt").write_text("x")
    status, said = tracked(capsys, source, "--box", "1,1,9,9", *CHEAP)
    assert status == 2 and len(said) == 1
    place = 0
    for part in words.split(".*"):
        place = said[0].index(part, place)


def test_a_device_file_is_the_camera_of_its_number(monkeypatch):
    opened = []
    monkeypatch.setattr(sources, "open_camera", lambda number, clock, patient, fps: opened.append((number, fps)))
    sources.open_source("/dev/video3", 20.0)
    sources.open_source("3")
    assert opened == [(3, 20.0), (3, None)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["0", "--capture-offset", "-0.03"], "--capture-offset is -0.03, allowed is 0 to 5.*ROS's"),
        (["0", "--capture-offset", "9"], "--capture-offset is 9, allowed is 0 to 5"),
        (["IMAGES", "--capture-offset", "0.03"], "--capture-offset 0.03 has no effect on"),
    ],
)
def test_a_capture_offset_that_cannot_be_is_one_line(words, said, images, capsys):
    words = [images if word == "IMAGES" else word for word in words]
    status, lines = tracked(capsys, *words, "--box", "90,40,28,24", *CHEAP)
    assert status == 2 and len(lines) == 1
    for part in said.split(".*"):
        assert part in lines[0]


def resized(folder, size, numbers):
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    for number in numbers:
        cv2.imwrite(paths[number], cv2.resize(cv2.imread(paths[number]), size))


def test_another_size_in_mid_stream_is_said_with_frame_and_sizes_and_the_video_has_one(images, capsys):
    resized(images, (100, 60), range(10, 24))
    status, said = tracked(capsys, images, "--box", "90,40,28,24", *CHEAP, "--video", "drawn.mp4", "--out", "seen.json")
    expected = (
        f"pvtpp track: warning: {images}: from frame 10 on the images are 100 x 60 pixels, before they were 200 x 120"
    )
    assert status == 0 and said.count(expected) == 1
    assert len(json.loads(open("seen.json").read())["predictions"]) == 24
    capture = cv2.VideoCapture("drawn.mp4")
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 24
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (200, 120)


def test_sizes_that_change_all_the_time_are_said_three_times(images):
    resized(images, (100, 60), range(1, 24, 2))
    said = []
    assert len(list(sources.open_source(images).frames(said.append))) == 24
    assert len(said) == 3 and said[-1].endswith("later changes are not reported")
    assert "from frame 1 on the images are 100 x 60 pixels, before they were 200 x 120" in said[0]


def test_images_of_16_bits_in_a_folder_are_stretched_by_the_first(images):
    for number, name in enumerate(sorted(os.listdir(images))):
        path = os.path.join(images, name)
        grey = cv2.imread(path, cv2.IMREAD_GRAYSCALE).astype(np.uint16)
        cv2.imwrite(path, 20000 + 8 * grey if number else 20000 + 8 * grey)
    timed = list(sources.open_source(images).frames())
    assert {each.image.dtype for each in timed} == {np.dtype(np.uint8)} and {each.image.shape for each in timed} == {
        (120, 200, 3)
    }
    assert all(int(each.image.max()) - int(each.image.min()) > 100 for each in timed)


@pytest.mark.parametrize(
    ("median", "p95", "fps", "words"),
    [
        (114.0, 379.0, 30.0, "frames were 114 ms old in the median (95th percentile 379 ms)"),
        (41.0, 45.0, 30.0, "41 ms old in the median (95th percentile 45 ms), at 30 fps"),
        (39.0, 500.0, 30.0, None),
        (90.0, 110.0, 10.0, None),
        (110.0, 120.0, 10.0, "110 ms old"),
        (0.0, 0.0, 240.0, None),
    ],
)
def test_frames_that_come_late_are_said_to(median, p95, fps, words):
    said = track.lateness({"frame_age": [100, median, p95], "track": [100, 500.0, 900.0]}, fps)
    assert (words in said) if words else said is None
    assert track.lateness({}, fps) is None


def test_a_source_that_is_read_slower_than_its_rate_is_reported_once(images, capsys, monkeypatch):
    monkeypatch.setattr(track, "_stages", lambda live: {"frame_age": [24, 114.2, 379.4]})
    status, said = tracked(capsys, images, "--box", "90,40,28,24", *CHEAP, late=True)
    late = [line for line in said if LATE in line]
    assert status == 0 and len(late) == 1
    assert "114 ms old in the median (95th percentile 379 ms)" in late[0] and "200 x 120 pixels" in late[0]


def test_a_file_that_cannot_be_written_any_more_ends_it_and_the_others_are_kept(images, capsys, monkeypatch):
    def add(records, record, add=RecordFile.add):
        if record.frame == 5:
            raise InputError("seen.csv: cannot write (No space left on device)")
        add(records, record)

    monkeypatch.setattr(RecordFile, "add", add)
    status, said = tracked(capsys, images, "--box", "90,40,28,24", *CHEAP, "--out", "seen.csv", "--log", "events.jsonl")
    assert status == 2 and said[-1] == "pvtpp track: error: seen.csv: cannot write (No space left on device)"
    assert os.path.exists("tracked.mp4") and main(["replay", "events.jsonl"]) == 0


def test_a_source_that_gives_nothing_when_it_is_read_is_one_line(images, capsys, monkeypatch):
    empty = Recorded("gone.mp4", 30.0, 12, lambda warn: iter(()))
    monkeypatch.setattr(track, "open_source", lambda *given: empty)
    status, said = tracked(capsys, images, "--box", "90,40,28,24", *CHEAP)
    assert status == 2 and said == ["pvtpp track: error: gone.mp4: no image could be read"]


def test_frames_are_handed_over_at_the_times_of_the_source(images, monkeypatch):
    clocks, submitted = [], []

    class Clock(track.SequenceClock):
        def __init__(self, t_ns):
            super().__init__(t_ns)
            clocks.append(self)

    def submit(live, frame, real=LiveTracker.submit):
        submitted.append((frame.t_ns, clocks[0]()))
        return real(live, frame)

    monkeypatch.setattr(track, "SequenceClock", Clock)
    monkeypatch.setattr(LiveTracker, "submit", submit)
    wanted = [round(t * 1e9) for t in (0, 0.01, 0.05, 0.06, 0.2)]
    image = cv2.imread(os.path.join(images, sorted(os.listdir(images))[0]))
    source = Recorded("odd", 50.0, 5, lambda warn: (TimedImage(t, image) for t in wanted))
    monkeypatch.setattr(track, "open_source", lambda *given: source)
    assert main(["track", images, "--box", "90,40,28,24", *CHEAP]) == 0
    assert [t for t, _ in submitted] == wanted and all(now >= t for t, now in submitted)
