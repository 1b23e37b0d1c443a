"""Services on loopback for tests: sources that wait until they are let go, and a session that is quick to make."""

import threading
import time

import numpy as np

from pvtpp import defaults
from pvtpp.live.live_tracker import LiveTracker
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.session import Session
from pvtpp.sources.recorded import Played, Recorded, TimedImage
from pvtpp.tracker import TrackerOutput

PATIENCE_S = 60


class Held(Played):
    """A file that is played as soon as `go` is set."""

    def __init__(self, recorded):
        super().__init__(recorded)
        self.go = threading.Event()

    def close(self):
        super().close()
        self.go.set()

    def frames(self, warn):
        assert self.go.wait(PATIENCE_S)
        yield from super().frames(warn)


class Steps:
    """A tracker that finds the target of `moving`, and nothing to search for."""

    def init(self, frame, box):
        self.first, self.box = frame.index, box

    def track(self, frame, search_box=None):
        return TrackerOutput(self.box + (frame.index - self.first) * np.array([2.0, 0, 0, 0]))


def moving(count=90, fps=30.0, size=(320, 180)):
    """A square that moves 2 px to the right in each frame; at first its left upper corner is at 20, 60."""
    width, height = size
    ground = np.random.default_rng(0).integers(60, 120, (height, width, 3), np.uint8)

    def read(warn):
        for index in range(count):
            image = ground.copy()
            left = (20 + 2 * index) % (width - 40)
            image[60:90, left : left + 40] = (40, 200, 240)
            yield TimedImage(round(index * 1e9 / fps), image)

    return Recorded("moving", fps, count, read)


def session(source, folder, tracker=None, log=None, config=None, **options):
    """A session whose live tracker is cheap unless a tracker is given."""
    said = []

    def make_live(on_result):
        given = dict(options)
        if tracker is not None:
            given.setdefault("propagator", defaults.propagator())
            given.setdefault("presence", defaults.presence())
            given.setdefault("search_region", defaults.SEARCH_REGION)
        names = defaults.predictors() if tracker is not None else defaults.predictors("kalman")
        return LiveTracker(tracker or Steps(), names, log=log, on_result=on_result, **given)

    made = Session(
        make_live,
        source,
        ["ensemble" if tracker is not None else "kalman"],
        config or ServeConfig(),
        str(folder),
        said.append,
    )
    made.said = said
    return made


def until(condition, what=""):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"it did not happen {what}"
        time.sleep(0.01)
