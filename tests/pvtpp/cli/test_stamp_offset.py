"""`pvtpp stamp-offset`: from what a camera shows of a light or of its own rotation to the option that takes its delay.

Light and camera are simulated in a time of their own; the screen, by a stand-in for OpenCV's windows.
"""

import json
import queue
import re
import time

import cv2
import numpy as np
import pytest

from pvtpp.cli import lights, stamp_offset, window
from pvtpp.cli.main import main
from pvtpp.errors import InputError
from pvtpp.sources.source import Timing, ignore
from pvtpp.tracker import Frame
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip

BEGIN_NS = 1_700_000_000_000_000_000
END = None


class World:
    """A camera that looks at a light, in simulated time: follows the protocols of both, `Source` and `Light`."""

    live, ended, count, name = True, False, None, "camera 0"

    def __init__(self, delay_s, fps=30.0, seen=True, changes_timing=False):
        self.delay_s, self.fps, self.seen, self.changes_timing = delay_s, fps, seen, changes_timing
        self.timing = Timing.DRIVER
        self._now_s, self._on, self._edges, self._made = 0.0, False, [], 0
        self._frames, self._over, self.closed = queue.Queue(), False, []

    def switch(self, on):
        assert on != self._on
        self._on = on
        self._edges.append(self._now_s)
        return BEGIN_NS + round(self._now_s * 1e9)

    def wait(self, seconds):
        self._now_s += seconds
        while self._made / self.fps < self._now_s - 0.5 / self.fps:
            middle = self._made / self.fps
            lit = np.mean(np.searchsorted(self._edges, middle + np.linspace(-0.25, 0.25, 21) / self.fps) % 2)
            image = np.full((48, 64, 3), 30, np.uint8)
            image[10:30, 20:50] += np.uint8(round(180 * lit * self.seen))
            self._frames.put(Frame(self._made, BEGIN_NS + round((middle + self.delay_s) * 1e9), image, self.name))
            self._made += 1
        # Simulated time goes on when all of them have been looked at.
        while self._frames.unfinished_tasks and not self._over:
            time.sleep(0.0002)

    def frames(self, warn=ignore):
        try:
            while True:
                frame = self._frames.get(timeout=60)
                if frame is END:
                    return
                if self.changes_timing and frame.index > 100:
                    self.timing = Timing.ARRIVAL
                yield frame
                self._frames.task_done()
        finally:
            self._over = True

    def close(self):
        if not self.closed:
            self._frames.put(END)
        self.closed.append(self._now_s)


@pytest.fixture
def measured(monkeypatch, capsys):
    """Function that runs the command in a world; returns status, output and errors."""

    def run(world, *words, light="--screen"):
        monkeypatch.setattr(stamp_offset, "Screen", lambda: world)
        monkeypatch.setattr(stamp_offset, "Led", lambda path: world)
        monkeypatch.setattr(stamp_offset, "open_source", lambda text, fps: world)
        status = main(["stamp-offset", "0", *([light] if light == "--screen" else [light, "x"]), *words])
        return (status, *capsys.readouterr())

    return run


def option(out, name):
    return float(re.search(rf"{name} (-?[\d.]+)", out)[1])


@pytest.mark.parametrize("delay", [0.0412, 0.31])
def test_the_option_that_takes_the_delay_is_printed_with_both_signs(measured, delay):
    world = World(delay)
    status, out, err = measured(world)
    error_s = float(re.search(r"standard error ([\d.]+) ms", out)[1]) * 1e-3
    assert status == 0 and error_s < 0.003
    assert abs(option(out, "--capture-offset") - delay) < 3 * error_s + 1e-4
    assert option(out, "~capture_offset") == -option(out, "--capture-offset")
    assert "camera 0: capture times (by driver) are" in out and "--screen-delay" in out and "warning" not in err
    assert world.closed


def test_the_screens_own_delay_is_taken_off_and_an_led_has_none(measured):
    plain = option(measured(World(0.05))[1], "--capture-offset")
    _, out, _ = measured(World(0.05), "--screen-delay", "0.02")
    assert option(out, "--capture-offset") == pytest.approx(plain - 0.02, abs=2e-4) and "own delay" not in out
    _, out, _ = measured(World(0.05), light="--led")
    assert option(out, "--capture-offset") == plain and "own delay" not in out


def test_a_box_is_where_the_light_is_looked_for(measured):
    assert "contrast 180 of 255" in measured(World(0.05), "--box", "24,12,20,15")[1]
    status, _, err = measured(World(0.05), "--box", "0,0,8,8")
    assert status == 2 and "the frames do not show the light" in err
    status, _, err = measured(World(0.05), "--box", "90,12,20,15")
    assert status == 2 and "--box 90,12,20,15 in camera 0" in err


def test_a_light_that_is_not_seen_is_one_line(measured):
    status, out, err = measured(World(0.05, seen=0))
    assert status == 2 and out == "" and "error: the frames do not show the light" in err.splitlines()[-1]


def test_a_light_that_is_hardly_seen_is_warned_of(measured):
    assert "hardly seen" in measured(World(0.05, seen=0.05))[2]


def test_frames_that_are_captured_after_their_capture_time_are_warned_of(measured):
    status, out, err = measured(World(-0.08))
    assert status == 0 and "ms early" in out and option(out, "--capture-offset") == 0
    assert option(out, "~capture_offset") == pytest.approx(0.08, abs=0.005) and "the camera's clock behind" in err


def test_capture_times_that_are_known_in_two_ways_are_warned_of(measured):
    assert re.search(
        r"in several ways \(\d+ by arrival, \d+ by driver frames\)", measured(World(0.05, changes_timing=True))[2]
    )


def test_a_slow_camera_needs_longer(measured):
    status, _, err = measured(World(0.05, fps=5.0))
    assert status == 2 and re.search(r"--seconds 20 is too short at 5\.0 frames a second, needed are \d+$", err.strip())
    needed = err.split()[-1]
    status, out, _ = measured(World(0.05, fps=5.0), "--seconds", needed)
    assert status == 0 and abs(option(out, "--capture-offset") - 0.05) < 0.06


def test_a_camera_without_frames_is_one_line(measured):
    class Dark(World):
        def wait(self, seconds):
            self._now_s += seconds

    world = Dark(0.05)
    status, _, err = measured(world)
    assert status == 2 and "camera 0: 0 frames within 20 s, at least 15 are needed" in err and world.closed


def test_a_source_that_fails_says_why(measured):
    class Gone(World):
        def frames(self, warn=ignore):
            self._over = True
            raise InputError("camera 0: cannot be opened")

    status, _, err = measured(Gone(0.05))
    assert status == 2 and err.strip() == "pvtpp stamp-offset: error: camera 0: cannot be opened"


def test_the_light_flashes_under_three_times_a_second():
    world = World(0.0, fps=240.0)
    edges = np.array(stamp_offset.film(world, world, 20.0, 0.5, None).edges_ns)
    assert (edges[2:] - edges[:-2]).min() > 1e9 / 3


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A folder of images of a camera that is swung, with its gyro's files, late by 40 ms."""
    folder = tmp_path_factory.mktemp("turned")
    config = AerialClip(swing=60.0, agility=0.3, occlusions=(), seconds=1.6, width=320, height=180)
    clip = render(config)
    (folder / "img").mkdir()
    for index in range(len(clip)):
        cv2.imwrite(str(folder / "img" / f"{index:04d}.png"), clip.frame(index).image)
    clip.gyro.write(str(folder))
    rows = np.loadtxt(folder / "gyro.csv", delimiter=",")
    rows[:, 0] -= 40e6
    np.savetxt(folder / "gyro.csv", rows, fmt=["%d"] + ["%.9g"] * 3, delimiter=",")
    return folder, str(round(1e9 / float(np.diff(clip.camera_t_ns).mean())))


def by_gyro(folder, *words):
    files = ["--gyro", str(folder / "gyro.csv"), "--camera", str(folder / "camera.json")]
    return main(["stamp-offset", str(folder / "img"), *files, "--reach", "0.15", *words])


def test_a_turned_recording_gives_its_delay(turned, capsys):
    folder, fps = turned
    assert by_gyro(folder, "--fps", fps) == 0
    out = capsys.readouterr().out
    assert option(out, "--capture-offset") == pytest.approx(0.04, abs=0.005)
    assert option(out, "~capture_offset") == -option(out, "--capture-offset")
    assert "(by file)" in out and "the gyro then explains" in out and "this recording has" in out


def test_a_live_camera_is_compared_with_the_gyro_that_was_written_meanwhile(turned, capsys, monkeypatch, tmp_path):
    folder, _ = turned
    images = [cv2.imread(str(path)) for path in sorted((folder / "img").iterdir())]
    lines = (folder / "gyro.csv").read_text().splitlines()
    (tmp_path / "camera.json").write_bytes((folder / "camera.json").read_bytes())
    (tmp_path / "gyro.csv").write_text("")

    class Camera(World):
        def frames(self, warn=ignore):
            step_ns = round(1.6e9 / len(images))
            for index, image in enumerate(images):
                yield Frame(index, BEGIN_NS + index * step_ns, image, self.name)
            # As a program leaves it that is still writing.
            stamped = [f"{int(line.split(',')[0]) + BEGIN_NS}{line[line.index(',') :]}" for line in lines]
            (tmp_path / "gyro.csv").write_text("\n".join(stamped) + "\n17000")

    monkeypatch.setattr(stamp_offset, "open_source", lambda text, fps: Camera(0.0))
    assert by_gyro(tmp_path) == 0
    out, err = capsys.readouterr()
    assert option(out, "--capture-offset") == pytest.approx(0.04, abs=0.005) and "turn camera and gyro" in err


def test_a_gyro_of_another_clock_is_named(turned, capsys, tmp_path):
    folder, fps = turned
    (tmp_path / "img").symlink_to(folder / "img")
    (tmp_path / "camera.json").write_bytes((folder / "camera.json").read_bytes())
    (tmp_path / "gyro.csv").write_text(f"{BEGIN_NS},0,0,1\n{BEGIN_NS + 10**9},0,0,1\n")
    assert by_gyro(tmp_path, "--fps", fps) == 2
    assert re.search(r"samples are from 17\d+\.000 s to .* both must be of one clock", capsys.readouterr().err)


def test_a_calm_camera_says_so(turned, capsys, tmp_path):
    folder, _ = turned
    (tmp_path / "img").mkdir()
    for index in range(40):
        cv2.imwrite(str(tmp_path / "img" / f"{index:04d}.png"), cv2.imread(str(folder / "img" / "0000.png")))
    for name in ("camera.json", "gyro.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert by_gyro(tmp_path) == 2
    assert "too few or too calm" in capsys.readouterr().err


WRONG = {
    "no way to measure": ([], r"one of the arguments --screen --led --gyro is required"),
    "two ways": (["--screen", "--gyro", "g.csv"], "not allowed with argument --screen"),
    "no time": (["--screen", "--seconds", "0"], r"--seconds is 0, allowed is 1 to 3600 seconds"),
    "no number": (["--screen", "--reach", "nan"], r"--reach is nan, allowed is 0\.01 to 5 seconds"),
    "a screen's delay without one": (["--led", "x", "--screen-delay", "0.02"], "--screen-delay is of --screen alone"),
    "a gyro without a camera": (["--gyro", "g.csv"], "--gyro FILE and --camera FILE belong together"),
    "a camera without a gyro": (["--screen", "--camera", "c.json"], "--gyro FILE and --camera FILE belong together"),
    "a box for a gyro": (["--gyro", "g", "--camera", "c", "--box", "1,2,3,4"], "--box is where a light is seen"),
    "a calibration that is not there": (["--gyro", "g.csv", "--camera", "/no/c.json"], r"/no/c\.json"),
    "a light for a recording": (["--screen"], r"img: a recording cannot see the light"),
    "an offset": (["--screen", "--capture-offset", "0.1"], "unrecognized arguments: --capture-offset"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_one_line_before_the_work(case, turned, capsys):
    words, said = WRONG[case]
    try:
        status = main(["stamp-offset", str(turned[0] / "img"), *words])
    except SystemExit as ended:
        status = ended.code
    out, err = capsys.readouterr()
    assert status == 2 and out == "" and err.count("\n") == 1 and re.search(said, err), err


def test_a_gyro_that_nobody_writes_is_named_before_the_work(turned, capsys):
    words = ["--gyro", "/no/gyro.csv", "--camera", str(turned[0] / "camera.json")]
    assert main(["stamp-offset", "999", *words]) == 2
    assert "/no/gyro.csv: cannot be read; another program must write" in capsys.readouterr().err


def test_an_led_is_switched_by_its_file_and_left_as_it_was(tmp_path):
    file = tmp_path / "brightness"
    file.write_text("7\n")
    led = lights.Led(str(file))
    assert file.read_text() == "0"
    first = led.switch(True)
    assert file.read_text() == "1" and led.switch(False) > first and file.read_text() == "0"
    led.close()
    assert file.read_text() == "7\n"
    (tmp_path / "max_brightness").write_text("255\n")
    led = lights.Led(str(file))
    led.switch(True)
    assert file.read_text() == "255\n"


def test_an_led_that_is_not_there_is_named_and_no_file_made(tmp_path, capsys):
    assert main(["stamp-offset", "999", "--led", str(tmp_path / "brightness")]) == 2
    said = capsys.readouterr().err
    assert "brightness: cannot be switched (No such file" in said and not list(tmp_path.iterdir())


def test_the_screen_fills_the_display_and_ends_by_a_key(monkeypatch):
    shown, keys, properties = [], [], {}
    monkeypatch.setattr(window, "opens", lambda title, warn: title == lights.TITLE)
    monkeypatch.setattr(cv2, "setWindowProperty", lambda title, name, value: properties.update({name: value}))
    monkeypatch.setattr(cv2, "imshow", lambda title, image: shown.append(int(image.mean())))
    monkeypatch.setattr(cv2, "waitKey", lambda milliseconds: keys.pop() if keys else -1)
    monkeypatch.setattr(cv2, "destroyWindow", lambda title: shown.append(title))
    screen = lights.Screen()
    assert properties[cv2.WND_PROP_FULLSCREEN] == cv2.WINDOW_FULLSCREEN
    assert screen.switch(True) < screen.switch(False) and shown == [0, 255, 0]
    screen.wait(0.01)
    assert not screen.ended
    keys.append(ord("q"))
    screen.wait(3600)
    screen.close()
    assert screen.ended and shown[-1] == lights.TITLE


def test_without_a_display_an_led_is_proposed(monkeypatch, capsys):
    monkeypatch.setattr(window, "opens", lambda title, warn: False)
    assert main(["stamp-offset", "999", "--screen"]) == 2
    assert "--screen: no window opens here" in capsys.readouterr().err


def test_the_calibration_is_checked_before_the_camera_is_opened(tmp_path, capsys):
    (tmp_path / "camera.json").write_text(json.dumps({"camera_matrix": [[1, 2], [3, 4]]}))
    assert main(["stamp-offset", "999", "--gyro", "x", "--camera", str(tmp_path / "camera.json")]) == 2
    assert "camera.json: camera_matrix" in capsys.readouterr().err
