"""The page in a real browser: the target is drawn with the mouse on a picture that is late, and followed from there."""

import os
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

pytest.importorskip("aiohttp")

from browser import SlowNetwork, chromium
from services import Held, moving, session, until

from pvtpp.boxes import iou, xywh_to_box
from pvtpp.cli.sources import open_source
from pvtpp.core.event_log import EventLog
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.service import Service
from pvtpp_trackers.factory import create_tracker

LATE_S = 0.3
PART, PART_FPS = 60, 15.0
"""Of Surfing06, so that a machine under load keeps up: PVTPP_WHOLE_CLIP=1 plays all of it at its own 30 fps."""
OBSERVE = """
window.seen = {};
document.getElementById("picture").addEventListener("pointerdown", () => {
  window.seen.down = {index: Number(document.body.dataset.index), t_ns: document.body.dataset.shown};
}, true);
"""
SHOWN = "const done = arguments[1], look = () => Number(document.body.dataset.index) >= arguments[0] ? " \
    "done(Number(document.body.dataset.index)) : requestAnimationFrame(look); look();"  # fmt: skip


@pytest.fixture
def page(tmp_path):
    """Function of a source and a tracker: the session, served with a delay, open in a browser."""
    opened = []

    def open_page(source, tracker=None, **options):
        made = session(source, tmp_path / "recordings", tracker, **options)
        service = Service(made, ServeConfig(port=0))
        slow = SlowNetwork(service.port, LATE_S)
        browser = chromium(tmp_path / "profile")
        opened.extend([service.close, slow.close, lambda: browser.__exit__(None, None, None)])
        driver = browser.__enter__()
        driver.get(f"http://127.0.0.1:{slow.port}/")
        until(lambda: driver.find_element("id", "status").text == "NO TARGET", "the page connects")
        driver.execute_script(OBSERVE)
        return made, driver

    yield open_page
    for close in reversed(opened):
        close()


def draw(driver, truth, image_size):
    """Draw the target with the mouse, as it is on the picture that stands still from the press of the button on.

    The corner where the button goes down was right some frames before: where the target has moved on since, the button
    is let go and the next one tried, as a person would do.
    """
    from selenium.webdriver import ActionChains, Keys

    canvas = driver.find_element("id", "picture")
    scale = canvas.rect["width"] / image_size[0]

    def from_middle(x, y):
        return [int(round((value - side / 2) * scale)) for value, side in zip((x, y), image_size)]

    index = driver.execute_async_script(SHOWN, 3)
    while True:
        left, top = truth[min(index + 1, len(truth) - 1), :2]
        ActionChains(driver, 0).move_to_element_with_offset(canvas, *from_middle(left, top)).click_and_hold().perform()
        down = driver.execute_script("return window.seen.down")
        index = down["index"]
        x, y, width, height = truth[index]
        if abs(x - left) <= width / 8 and abs(y - top) <= height / 8:
            to = from_middle(x + width, y + height)
            ActionChains(driver, 20).move_to_element_with_offset(canvas, *to).release().perform()
            return down
        ActionChains(driver, 0).send_keys(Keys.ESCAPE).release().perform()
        assert index < len(truth) - 1, "the target was always elsewhere"


def console_errors(driver):
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.mark.real_data
def test_a_box_drawn_on_a_late_picture_starts_tracking_on_the_frame_that_was_shown(page, data_root, weights_root):
    folder = data_root / "uav-mini" / "test" / "Surfing06"
    truth = np.loadtxt(folder / "groundtruth.txt", delimiter=",")
    whole = os.environ.get("PVTPP_WHOLE_CLIP")
    images = open_source(str(folder / "img"), None if whole else PART_FPS)
    if not whole:
        images = replace(images, read=lambda warn, read=images.read: islice(read(warn), PART))
        truth = truth[:PART]
    source, log = Held(images), EventLog()
    made, driver = page(source, create_tracker("nanotrack-v3"), log=log)
    source.go.set()
    down = draw(driver, truth, (640, 360))
    until(lambda: log.of_kind("init"), "the box arrives")
    (init,) = log.of_kind("init")
    frames = {row[2]: row[3] for row in log.of_kind("frame")}
    assert str(init[3]) == down["t_ns"] and frames.get(down["index"], init[3]) == init[3]
    newest = max(number for number, t_ns in frames.items() if t_ns <= init[1])
    assert (newest - down["index"]) / source.fps >= LATE_S * 0.9, "the picture was not late"
    until(lambda: source.status.condition.value == "ended")
    assert made.live.presence.value == "TRACKING"
    last_ns = made.pictures.newest.t_ns
    overlap = iou(made.live.predict(last_ns).box[None], xywh_to_box(truth[-1:]))[0]
    assert overlap > 0.6
    assert console_errors(driver) == []
    if whole:
        print(f"drawn on frame {down['index']}, arrived at {newest}, IoU at the end {overlap:.3f}")


def test_the_buttons_do_what_they_say(page, tmp_path):
    source = Held(moving(count=900))
    made, driver = page(source)
    source.go.set()
    driver.execute_async_script(SHOWN, 3)
    text = lambda name: driver.find_element("id", name).text  # noqa: E731
    driver.find_element("id", "pause").click()
    until(lambda: text("status") == "PAUSED" and text("pause") == "Resume")
    assert made.live.paused
    driver.find_element("id", "pause").click()
    until(lambda: text("status") == "NO TARGET" and not made.live.paused)
    newest = made.pictures.newest
    made.init(newest.t_ns, [40.0, 75, 40, 30])
    until(lambda: text("status") == "TRACKING" and text("age").endswith(" ms") and text("latency").endswith(" ms"))
    driver.find_element("id", "record").click()
    until(lambda: text("record").startswith("Stop") and made.state()["recording"]["frames"] > 3)
    driver.find_element("id", "record").click()
    until(lambda: text("record") == "Record" and "recording:" in text("message"))
    assert [path.suffix for path in sorted((tmp_path / "recordings").iterdir())] == [".csv", ".mkv"]
    driver.find_element("id", "reset").click()
    until(lambda: text("status") == "NO TARGET" and not made.live.active)
    # A slip of the mouse is no target.
    canvas = driver.find_element("id", "picture")
    canvas.click()
    assert not made.live.active and console_errors(driver) == []


def test_several_viewers_see_the_same_and_none_of_them_waits_for_another(page):
    source = Held(moving(count=600))
    made, driver = page(source)
    address = driver.current_url
    driver.switch_to.new_window("tab")
    driver.get(address)
    source.go.set()
    shown = driver.execute_async_script(SHOWN, 5)
    until(lambda: "2 viewers" in driver.find_element("id", "facts").text)
    assert made.pictures.count < 600 and shown >= 5
    assert console_errors(driver) == []
