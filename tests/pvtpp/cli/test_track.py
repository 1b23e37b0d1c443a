"""`pvtpp track`: files in, answers and video out; one clear error for each thing that cannot be."""

import csv
import json
import os
import signal
import time

import cv2
import numpy as np
import pytest

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.cli import sources, track, window
from pvtpp.cli.frame_records import COLUMNS, FrameRecord, RecordFile
from pvtpp.cli.main import main
from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp.trajectory import Prediction
from pvtpp_benchmarks.report import video, video_encoders

FAST = ["--tracker", "kcf", "--predictors", "kalman,hold", "--fps", "60"]


@pytest.fixture(autouse=True)
def no_display(tmp_path, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images(clips):
    return clips / "left" / "img"


def truth(clips):
    return np.loadtxt(clips / "left" / "groundtruth.txt", delimiter=",")


BOX = "90,40,28,24"


def test_a_folder_of_images_is_followed_and_a_table_is_printed(images, clips, tmp_path, capsys):
    arguments = ["track", str(images), "--box", BOX, *FAST[:4], "--fps", "15"]
    assert main([*arguments, "--out", "seen.csv", "--log", "events.jsonl"]) == 0
    printed = capsys.readouterr().out
    assert "24 frames at 15 fps" in printed and "median ms" in printed and "tracked.mp4" in printed
    with open("seen.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    expected = [(str(i), name) for i in range(24) for name in ("kalman", "hold")]
    assert [(row["frame"], row["predictor"]) for row in rows] == expected
    boxes = np.array([[float(row[name]) for name in ("left", "top", "width", "height")] for row in rows[::2]])
    # On a busy machine the tracker may fall behind; then the evidence is old, and says so.
    fresh = np.array([float(row["age_ms"]) < 200 for row in rows[::2]])
    assert iou(xywh_to_box(boxes), xywh_to_box(truth(clips)))[fresh].mean() > 0.5
    assert int(rows[-1]["t_ns"]) == round(23e9 / 15)
    assert main(["replay", "events.jsonl"]) == 0


def test_a_video_gives_what_its_images_give_and_json_says_how_it_was_made(images, tmp_path):
    assert main(["track", str(images), "--box", BOX, *FAST, "--video", "first.mp4"]) == 0
    assert main(["track", "first.mp4", "--box", BOX, *FAST[:4], "--out", "seen.json", "--video", "second.mp4"]) == 0
    content = json.loads((tmp_path / "seen.json").read_text())
    assert content["fps"] == 60 and content["stages_ms"]["track"][0] > 0 and "versions" in content["protocol"]
    assert content["predictions"][-1]["frame"] == 23 and tuple(content["predictions"][0]) == COLUMNS
    capture = cv2.VideoCapture("second.mp4")
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 24


class FakeCamera:
    """Delivers so many images of the folder, each as soon as the one before was taken, then fails."""

    count, period_s = 12, 0.0

    def __init__(self, number):
        self.images = sorted(FakeCamera.folder.iterdir())[: FakeCamera.count]

    def isOpened(self):
        return True

    def set(self, *setting):
        return True

    def get(self, what):
        return 60.0

    def read(self):
        time.sleep(FakeCamera.period_s)
        return (True, cv2.imread(str(self.images.pop(0)))) if self.images else (False, None)

    def release(self):
        pass


@pytest.fixture
def camera(images, monkeypatch):
    FakeCamera.folder, FakeCamera.count, FakeCamera.period_s = images, 12, 0.02
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    return FakeCamera


def test_a_camera_is_followed_until_it_stops_and_its_video_holds_what_was_seen(camera, tmp_path, capsys):
    assert main(["track", "0", "--box", BOX, *FAST, "--out", "seen.json"]) == 0
    assert "warning: camera 0: it delivers no images any more" in capsys.readouterr().err
    content = json.loads((tmp_path / "seen.json").read_text())
    seen = content["predictions"]
    # Only a busy machine passes over frames; the last one is never one of them.
    assert seen[-1]["frame"] == 11 and (tmp_path / "tracked.mp4").stat().st_size > 1000
    times = [row["t_ns"] for row in seen[::2]]
    assert times == sorted(set(times)) and content["timing"] == "arrival"


def test_a_cameras_first_picture_is_as_old_as_it_is_and_those_that_came_while_it_was_drawn_on_are_let_go(
    camera, images, tmp_path, monkeypatch
):
    def drawn(image):
        np.testing.assert_array_equal(image, cv2.imread(str(sorted(images.iterdir())[0])))
        time.sleep(0.3)
        return xywh_to_box(np.array([90.0, 40, 28, 24]))

    camera.count, camera.period_s = 24, 0.05
    monkeypatch.setattr(window, "opens", lambda: True)
    monkeypatch.setattr(window, "drawn_box", drawn)
    monkeypatch.setattr(window, "shown", lambda records, over: records)
    assert main(["track", "0", *FAST, "--out", "seen.json", "--log", "events.jsonl"]) == 0
    seen = json.loads((tmp_path / "seen.json").read_text())["predictions"][::2]
    assert (seen[0]["frame"], seen[0]["t_ns"]) == (0, 0)
    # The newest picture is the next, whatever lay between.
    assert seen[1]["frame"] >= 2 and seen[1]["t_ns"] >= 0.1e9
    arrived = EventLog.read(str(tmp_path / "events.jsonl")).of_kind("frame")[0]
    assert arrived[1] >= 0.3e9 and arrived[3] == 0 and main(["replay", "events.jsonl"]) == 0


def test_a_cameras_first_picture_may_be_as_old_as_drawing_takes(camera, tmp_path, monkeypatch):
    real = track.open_source

    class Slow:
        """A source whose first frame is a minute old when it is handed out."""

        def __init__(self, source):
            self.source = source

        def __getattr__(self, name):
            return getattr(self.source, name)

        def frames(self, warn):
            frames = self.source.frames(warn)
            first = next(frames)
            yield Frame(first.index, first.t_ns - 60 * 10**9, first.image)
            yield from frames

    monkeypatch.setattr(track, "open_source", lambda *given: Slow(real(*given)))
    assert main(["track", "0", "--box", BOX, *FAST, "--out", "seen.json"]) == 0
    content = json.loads((tmp_path / "seen.json").read_text())
    assert content["predictions"][0]["frame"] == 0 and content["failures"] == [] == content["notices"]
    assert content["predictions"][2]["t_ns"] >= 60 * 10**9


STANDING = """
class Standing:
    def init(self, image, box):
        self.box = box
    def update(self, image):
        return self.box
"""


@pytest.mark.parametrize("asked", [[], ["--video", "mine.mp4"]])
@pytest.mark.parametrize("live", [False, True])
def test_where_the_video_fails_the_rest_is_kept_and_it_is_no_error_unless_asked_for(
    live, asked, camera, tmp_path, capsys, monkeypatch
):
    class Failing(video_encoders.OpencvEncoder):
        """Writes nine frames."""

        def write(self, image):
            super().write(image)
            self.count = getattr(self, "count", 0) + 1
            if self.count > 9:
                raise InputError(f"{(asked or ['tracked.mp4'])[-1]}: video frame 9 cannot be written")

    monkeypatch.setattr(video, "open_encoder", lambda path, part, *given: Failing(part, *given))
    for path in sorted(camera.folder.iterdir())[9:]:
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (100, 60)))
    (tmp_path / "standing.py").write_text(STANDING)
    arguments = ["track", "0" if live else str(camera.folder), "--box", BOX, "--fps", "60", *asked]
    arguments += ["--tracker", "standing:Standing", "--predictors", "hold", "--propagation", "none"]
    assert main([*arguments, "--out", "seen.json", "--log", "events.jsonl"]) == (2 if asked else 0)
    kind = "error" if asked else "warning: no video"
    said = capsys.readouterr()
    assert f"pvtpp track: {kind}: {(asked or ['tracked.mp4'])[-1]}: video frame " in said.err.splitlines()[-1]
    assert "written: events.jsonl, seen.json" in said.out and not [*tmp_path.glob("*.mp4")]
    seen = json.loads((tmp_path / "seen.json").read_text())["predictions"]
    frames = EventLog.read(str(tmp_path / "events.jsonl")).of_kind("frame")
    # A busy machine may pass over frames of a camera, never of files.
    assert len(seen) == len(frames) and (1 < len(seen) <= 12 if live else len(seen) == 24)
    # That the images have another size from then on is worth a notice, and no failure.
    content = json.loads((tmp_path / "seen.json").read_text())
    assert content["failures"] == [] and all("100 x 60 pixels" in each for each in content["notices"])


def test_without_a_place_for_the_video_that_nobody_asked_for_there_is_none(images, tmp_path, capsys):
    (tmp_path / "tracked.mp4").mkdir()
    assert main(["track", str(images), "--box", BOX, *FAST, "--out", "seen.json"]) == 0
    said = capsys.readouterr().err
    assert "warning: no video: tracked.mp4: cannot be written" in said.splitlines()[0]
    assert said.count("warning: no video") == 1
    assert (tmp_path / "seen.json").exists()


@pytest.mark.parametrize("option", ["--video", "--out", "--log", None])
def test_the_source_is_never_written_over(option, tmp_path, capsys):
    name = {"--video": "mine.mp4", "--out": "mine.csv", "--log": "mine.jsonl", None: "tracked.mp4"}[option]
    (tmp_path / name).write_bytes(b"kept")
    os.symlink(name, "other")
    for source in (name, "other"):
        assert main(["track", source, "--box", BOX, *([option, f"./{name}"] if option else [])]) == 2
        error = capsys.readouterr().err.strip()
        assert name in error and "this is the source, which would be lost" in error and "\n" not in error
    assert (tmp_path / name).read_bytes() == b"kept"


def test_a_video_that_is_cut_off_is_an_error_and_what_was_seen_is_kept(images, tmp_path, capsys):
    writer = cv2.VideoWriter("cut.avi", cv2.VideoWriter_fourcc(*"MJPG"), 60, (200, 120))
    for path in sorted(images.iterdir()):
        writer.write(cv2.imread(str(path)))
    writer.release()
    os.truncate("cut.avi", os.path.getsize("cut.avi") // 2)
    assert main(["track", "cut.avi", "--box", BOX, *FAST[:4], "--out", "seen.json"]) == 2
    last = json.loads((tmp_path / "seen.json").read_text())["predictions"][-1]["frame"]
    assert 5 < last < 20 and (tmp_path / "tracked.mp4").exists()
    assert (
        capsys.readouterr().err.splitlines()[-1] == f"pvtpp track: error: cut.avi: ends after {last + 1} of 24 frames"
    )


def test_a_dead_camera_is_one_clear_error(camera, capsys):
    camera.count = 0
    assert main(["track", "0", "--box", BOX]) == 2
    assert capsys.readouterr().err.strip() == "pvtpp track: error: camera 0: opened, but it delivers no image"


def test_ctrl_c_ends_it_and_what_was_seen_is_written(images, tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGINT)

    def add(records, record, add=RecordFile.add):
        add(records, record)
        if record.frame == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(RecordFile, "add", add)
    assert main(["track", str(images), "--box", BOX, *FAST, "--out", "seen.json"]) == 0
    seen = json.loads((tmp_path / "seen.json").read_text())["predictions"]
    assert seen[-1]["frame"] == 3 and (tmp_path / "tracked.mp4").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_where_an_image_is_damaged_what_was_seen_before_it_is_written(images, tmp_path, capsys):
    damaged = sorted(images.iterdir())[9]
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert main(["track", str(images), "--box", BOX, *FAST, "--out", "seen.json", "--log", "seen.jsonl"]) == 2
    assert damaged.name in capsys.readouterr().err
    predictions = json.loads((tmp_path / "seen.json").read_text())["predictions"]
    assert [each["frame"] for each in predictions if each["predictor"] == "hold"] == [*range(9)]
    assert (tmp_path / "tracked.mp4").exists() and len(
        EventLog.read(str(tmp_path / "seen.jsonl")).of_kind("frame")
    ) == 9


def test_with_a_window_the_target_is_drawn_there_and_q_ends_it(images, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(window, "opens", lambda: True)
    monkeypatch.setattr(cv2, "selectROI", lambda title, image, showCrosshair: tuple(map(int, BOX.split(","))))
    monkeypatch.setattr(cv2, "imshow", lambda title, image: shown.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda ms: ord("q") if len(shown) == 5 else -1)
    assert main(["track", str(images), *FAST]) == 0
    assert len(shown) == 5 and not (tmp_path / "tracked.mp4").exists()
    monkeypatch.setattr(cv2, "selectROI", lambda *_, **__: (0, 0, 0, 0))
    assert main(["track", str(images), *FAST]) == 2


FAILING = """
class Failing:
    def init(self, image, box):
        self.box, self.count = box, 0
    def update(self, image):
        self.count += 1
        if self.count > 1:
            raise RuntimeError("out of memory")
        return self.box
"""


def test_a_tracker_that_fails_is_reported_and_what_was_seen_is_kept(images, tmp_path, capsys):
    (tmp_path / "failing.py").write_text(FAILING)
    arguments = ["track", str(images), "--box", BOX, "--fps", "20", "--predictors", "hold", "--out", "seen.json"]
    assert main([*arguments, "--tracker", "failing:Failing"]) == 1
    assert "out of memory" in capsys.readouterr().err
    assert len(json.loads((tmp_path / "seen.json").read_text())["predictions"]) == 24


BAD = {
    "no such file": (["nowhere.mp4", "--box", BOX], "nowhere.mp4"),
    "not a video": (["mine.csv", "--box", BOX], "mine.csv.*OpenCV"),
    "empty folder": (["empty", "--box", BOX], "empty: no images"),
    "no box and no display": (["IMAGES"], "--box X,Y,W,H"),
    "box outside": (["IMAGES", "--box", "900,10,20,20"], "900,10,20,20.*200 x 120"),
    "camera that no machine has": (["99999999999", "--box", BOX], "camera 99999999999: no such number"),
    "box of three": (["IMAGES", "--box", "1,2,3"], "1,2,3.*left,top,width,height"),
    "box without width": (["IMAGES", "--box", "1,2,0,3"], "1,2,0,3.*above 0"),
    "bad rate": (["IMAGES", "--box", BOX, "--fps", "0"], "--fps is 0"),
    "unknown predictor": (["IMAGES", "--box", BOX, "--predictors", "wizard"], "wizard.*hold"),
    "unknown tracker": (["IMAGES", "--box", BOX, "--tracker", "wizard"], "wizard.*csrt"),
    "unknown ending": (["IMAGES", "--box", BOX, "--out", "seen.txt"], "seen.txt.*.csv or .json"),
    "nowhere to write": (["IMAGES", "--box", BOX, "--log", "/nowhere/at/all/events.jsonl"], "/nowhere/at/all"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_line(case, images, tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("1,2\n")
    (tmp_path / "empty").mkdir()
    arguments, words = BAD[case]
    assert main(["track", *(str(images) if each == "IMAGES" else each for each in arguments)]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("pvtpp track: error: ") and "\n" not in error
    assert all(word in error for word in words.split(".*")), error
    assert not (tmp_path / "tracked.mp4").exists()


def test_the_event_log_says_what_made_it_and_how_results_were_assessed(images, tmp_path):
    files = ["--log", "events.jsonl", "--out", "seen.json"]
    assert main(["track", str(images), "--box", BOX, *FAST, *files, "--presence", "on"]) == 0
    assert main(["replay", "events.jsonl"]) == 0
    meta = EventLog.read(str(tmp_path / "events.jsonl")).meta
    assert meta["core"]["presence"]["share"] > 0
    seen = json.loads((tmp_path / "seen.json").read_text())["predictions"]
    assert {row["presence"] for row in seen} <= {"TRACKING", "UNCERTAIN", "LOST"}
    assert (meta["clock"], meta["tracker"], meta["predictors"]) == ("wall", "kcf", ["kalman", "hold"])


def test_a_folder_is_read_by_number_at_the_rate_asked_for(images):
    source = sources.open_source(str(images), 12.5)
    assert (source.count, source.fps, source.live) == (24, 12.5, False)
    assert sources.open_source(str(images)).fps == sources.DEFAULT_FPS


def lines_once(path, enough):
    """The whole lines of a file as soon as `enough` holds of them; another thread writes it."""
    until = time.monotonic() + 60
    while True:
        lines = path.read_text().splitlines() if path.exists() else []
        if enough(lines):
            return lines
        assert time.monotonic() < until, f"{path} holds {len(lines)} lines, and not what was waited for"
        time.sleep(0.01)


def test_rows_and_events_are_on_disk_while_it_runs(images, tmp_path, monkeypatch):
    found = {}

    def add(records, record, add=RecordFile.add):
        add(records, record)
        if record.frame == 12:
            found["rows"] = (tmp_path / "seen.csv").read_text().splitlines()
            found["events"] = lines_once(
                tmp_path / "events.jsonl", lambda lines: sum('["frame"' in x for x in lines) == 13
            )

    monkeypatch.setattr(RecordFile, "add", add)
    assert main(["track", str(images), "--box", BOX, *FAST, "--out", "seen.csv", "--log", "events.jsonl"]) == 0
    assert [line.split(",")[0] for line in found["rows"]] == ["frame", *(str(i) for i in range(13) for _ in range(2))]
    assert '"format"' in found["events"][0] and not any('["end"' in line for line in found["events"])
    assert len(EventLog.read(str(tmp_path / "events.jsonl")).of_kind("frame")) == 24


def test_a_record_is_kept_on_disk_to_the_last_digit(tmp_path):
    made = Prediction(5, np.array([0.1, 2, 3, 4]), np.array([1 / 3, 0, 0, 0]), np.full(4, 0.7), 0.05)
    records = [FrameRecord(0, 5, "LOST", {"hold": made, "kalman": None}), FrameRecord(1, 9, None, {"hold": None})]
    with RecordFile(None) as kept:
        for record in records:
            kept.add(record)
        assert kept.count == 2
        for again, record in zip(kept, records):
            assert again[:3] == record[:3] and again.caption() == record.caption() and again.rows() == record.rows()
    assert records[0].caption() == "lost, evidence 50 ms old" and records[1].caption() == "no target"
