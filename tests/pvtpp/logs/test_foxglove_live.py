"""The live view: a viewer on loopback gets picture, box and plots, and nobody waits for it."""

import base64
import socket
import sys
import threading
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("foxglove")

from foxglove_viewer import PATIENCE_S, Viewer

from pvtpp.errors import InputError
from pvtpp.logs.foxglove_live import FoxgloveView
from pvtpp.logs.moments import Moment
from pvtpp.logs.schemas import SCHEMAS
from pvtpp.tracker import Frame
from pvtpp.trajectory import Prediction

IMAGE = np.full((48, 64, 3), 90, np.uint8)


def seen(index, target=True):
    box = np.array([20.0 + index, 24, 10, 8])
    made = Prediction(index * 10**8, box, np.array([10.0, 0, 0, 0]), np.array([1.0, 2, 0.5, 0.5]), 0.05)
    known = ("TRACKING", 0.9, {"kalman": made}) if target else (None, None, {})
    return Moment(index, index * 10**8, index * 10**8, int(target), *known)


@pytest.fixture
def view():
    made = FoxgloveView("127.0.0.1", _free_port())
    yield made
    made.close()


@pytest.fixture
def viewer(view):
    made = Viewer(view.address[1])
    made.subscribe(3)
    yield made
    made.close()


def shown(view, viewer, moment, image=IMAGE):
    """What the viewer gets of a moment that is shown until it comes: one message of each topic."""
    over, found = threading.Event(), {}

    def show():
        while not over.wait(0.02):
            view.show(Frame(moment.frame, moment.t_ns, image), moment)

    sender = threading.Thread(target=show)
    sender.start()
    wanted = 3 if moment.predictions else 2
    for topic, content in viewer.messages():
        found[topic] = content
        if len(found) == wanted:
            break
    over.set()
    sender.join()
    return found


def test_a_viewer_gets_picture_box_and_plots_with_their_schemas(view, viewer):
    assert viewer.schemas == {
        "/camera/image": ("foxglove.CompressedImage", SCHEMAS["foxglove.CompressedImage"]),
        "/target/boxes": ("foxglove.ImageAnnotations", SCHEMAS["foxglove.ImageAnnotations"]),
        "/target": ("pvtpp.Target", SCHEMAS["pvtpp.Target"]),
    }
    found = shown(view, viewer, seen(3))
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(found["/camera/image"]["data"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == IMAGE.shape and np.abs(picture.astype(int) - IMAGE).max() < 5
    assert found["/camera/image"]["timestamp"] == {"sec": 0, "nsec": 300_000_000}
    assert found["/target"]["box"] == {"cx": 23.0, "cy": 24.0, "w": 10.0, "h": 8.0}
    assert found["/target/boxes"]["points"][0]["points"][0] == {"x": 18.0, "y": 20.0}


def test_without_a_target_the_last_box_is_taken_away(view, viewer):
    assert shown(view, viewer, seen(1, target=False))["/target/boxes"]["points"] == []


def test_a_frame_that_cannot_be_shown_is_reported_once_and_ends_nothing(view, viewer, caplog):
    asked = []

    def broken():
        asked.append(1)
        raise OSError("the image is gone")

    while len(asked) < 3:
        view.show(Frame(1, 0, broken), seen(1))
        time.sleep(0.005)
    assert shown(view, viewer, seen(5))["/camera/image"]
    assert caplog.text.count("the live view failed on a frame") == 1


def test_a_viewer_that_reads_nothing_delays_nobody(view):
    silent = Viewer(view.address[1])
    silent.subscribe(3)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    other = Viewer(view.address[1])
    other.subscribe(3)
    newest = 0
    for index in range(60):
        # Some 20 MB, which no socket keeps for a viewer: the other gets every topic all the same.
        newest = shown(view, other, seen(index), noise)["/target"]["frame"]
    assert newest >= 50
    silent.close()
    other.close()


def test_a_port_in_use_is_named_and_without_the_package_it_is_said_what_to_install(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"a live view on 127.0.0.1:\d+: cannot listen there"):
            FoxgloveView("127.0.0.1", taken.getsockname()[1])
    monkeypatch.setitem(sys.modules, "foxglove", None)
    with pytest.raises(InputError, match=r"pip install 'pvtpp\[foxglove\]'"):
        FoxgloveView("127.0.0.1", 1)


def test_it_can_be_closed_twice_and_leaves_no_thread():
    before = set(threading.enumerate())
    view = FoxgloveView("127.0.0.1", _free_port())
    view.close()
    view.close()
    assert set(threading.enumerate()) <= before
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(view.address, timeout=5).close()
        except OSError:
            return
        assert time.monotonic() < end, "it still listens"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
