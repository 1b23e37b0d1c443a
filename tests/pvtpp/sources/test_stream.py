"""Streams, served on loopback: capture times, the newest frame only, and every way of failing by its own name."""

import contextlib
import os
import socket
import threading
import time

import numpy as np
import pytest

pytest.importorskip("av")

from cameras import PATIENCE_S, Images, camera, number_of

from pvtpp.errors import InputError
from pvtpp.sources import live_source, stream
from pvtpp.sources.capture_clock import CaptureClock
from pvtpp.sources.source import Condition, Timing
from pvtpp_benchmarks.network_cameras import NetworkCamera, made_ns, mark_of, marked, transport_stream

MS = 10**6
KINDS = ("rtsp", "http", "udp")
# PyAV before 14 does not hand out what RTCP says.
KNOWS_RTCP = hasattr(stream.library().Packet, "has_sidedata")


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(stream, "SILENCE_S", 0.5)
    monkeypatch.setattr(live_source, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(live_source, "LONGEST_PAUSE_S", 0.2)
    # As long as FFmpeg examines a stream before it shows the first image.
    monkeypatch.setitem(stream.OPTIONS, "analyzeduration", "100000")
    monkeypatch.setattr(stream, "BROKEN", 10)


class Viewer:
    """Takes frames in a thread, and notes them with what was said."""

    def __init__(self, camera, patient=True, url=None, **options):
        self.camera, self.said, self.seen, self.error = camera, [], [], None
        self.source = stream.open_stream(url or camera.url, CaptureClock(**options), patient)
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self):
        try:
            for frame in self.source.frames(self.said.append):
                number = number_of(frame.image, self.camera.newest)
                self.seen.append((number, frame.t_ns, time.time_ns(), self.source.timing, frame.image.shape))
        except InputError as error:
            self.error = error

    def until(self, condition):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, (self.source.status, self.said, len(self.seen))
            time.sleep(0.01)

    def more(self, count=5):
        """Wait for so many more frames."""
        wanted = len(self.seen) + count
        self.until(lambda: len(self.seen) >= wanted)

    def came(self, condition):
        self.until(lambda: self.source.status.condition is condition)

    def errors_ms(self, skip=0):
        """Capture time as found minus the true one, by frame."""
        return np.array([(t_ns - self.camera.sent[number]) / MS for number, t_ns, *_ in self.seen[skip:]])

    def close(self):
        self.source.close()
        self.thread.join(PATIENCE_S)
        assert self.source.join(PATIENCE_S)


@contextlib.contextmanager
def seen(playing, **options):
    viewer = Viewer(playing, **options)
    try:
        yield viewer
    finally:
        viewer.close()
        playing.close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_stream_is_played_with_the_times_that_it_has(kind):
    with seen(camera(kind)) as viewer:
        viewer.more(15)
        expected = {"rtsp": Timing.RTCP if KNOWS_RTCP else Timing.STREAM, "http": Timing.ARRIVAL, "udp": Timing.STREAM}
        assert viewer.seen[-1][3] is expected[kind]
        errors = viewer.errors_ms(5)
        # Load delays arrivals, never the sender's clock. Nothing is captured before it was.
        assert errors.min() > -5 and np.median(errors) < (1 if expected[kind] is Timing.RTCP else 25)
        assert viewer.said == [] and viewer.source.connections == 1
        times = [t_ns for _, t_ns, *_ in viewer.seen]
        assert times == sorted(set(times)) and all(t_ns <= taken for _, t_ns, taken, *_ in viewer.seen)


def test_without_sender_reports_the_streams_own_times_count():
    with seen(camera("rtsp", reports=False)) as viewer:
        viewer.more(15)
        assert {timing for *_, timing, _ in viewer.seen} == {Timing.STREAM}
        assert -5 < np.median(viewer.errors_ms(5)) < 25


@pytest.mark.skipif(not KNOWS_RTCP, reason="this PyAV does not hand out what RTCP says")
@pytest.mark.parametrize("off_s", [-3600.5, 12.25])
def test_a_cameras_clock_that_is_wrong_is_not_believed_and_said_once(off_s):
    with seen(camera("rtsp", clock_off_s=off_s)) as viewer:
        viewer.more(15)
        assert len(viewer.said) == 1 and "the clocks of the two machines differ" in viewer.said[0]
        assert viewer.seen[-1][3] is Timing.STREAM and -5 < np.median(viewer.errors_ms(5)) < 25


def test_who_is_slow_gets_the_newest_frame_and_never_one_of_a_queue():
    with contextlib.closing(camera("http")) as playing:
        source = stream.open_stream(playing.url, CaptureClock(), True)
        frames = source.frames()
        for _ in range(3):
            frame = next(frames)
            behind = playing.newest - number_of(frame.image, playing.newest)
            # It may have been put the moment before the next one was sent.
            assert behind <= 3
            time.sleep(0.4)
        assert source.dropped >= 12
        source.close()
        assert source.join(PATIENCE_S)


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


REFUSED = {
    "nobody listens": (lambda: f"rtsp://127.0.0.1:{free_port()}/live", "refused (Connection refused)"),
    "no such host": (lambda: "http://nobody.invalid/video", "cannot be reached"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_address_where_nobody_is_is_one_clear_error(case):
    url, words = REFUSED[case]
    with pytest.raises(InputError) as raised:
        next(stream.open_stream(url(), CaptureClock()).frames())
    assert words in str(raised.value) and "\n" not in str(raised.value)


def test_who_is_not_let_in_is_refused_and_no_password_is_shown():
    with contextlib.closing(camera("rtsp", login="user:right")) as playing:
        wrong, right = (playing.url.replace("://", f"://user:{word}@") for word in ("secret", "right"))
        with pytest.raises(InputError, match=r"^rtsp://127.0.0.1:\d+/live: refused \(.*401") as raised:
            next(stream.open_stream(wrong, CaptureClock()).frames())
        assert "secret" not in str(raised.value)
        source = stream.open_stream(right, CaptureClock())
        assert next(source.frames()).image.shape == (180, 320, 3) and "right" not in source.name
        source.close()


def test_a_page_that_is_not_there_is_refused():
    with contextlib.closing(camera("http", status=404)) as playing, pytest.raises(InputError, match=r"refused \(.*404"):
        next(stream.open_stream(playing.url, CaptureClock()).frames())


def test_a_page_that_is_no_video_is_undecodable():
    with contextlib.closing(camera("http")) as playing:
        playing.damaged.set()
        viewer = Viewer(playing)
        viewer.came(Condition.UNDECODABLE)
        assert "no image can be decoded" in viewer.said[0]
        viewer.close()


def test_a_camera_that_comes_later_is_waited_for():
    port = free_port()
    gone = camera("rtsp", port=port)
    gone.close()
    viewer = Viewer(gone)
    viewer.came(Condition.REFUSED)
    with contextlib.closing(camera("rtsp", port=port)) as playing:
        viewer.camera = playing
        viewer.more()
        assert viewer.source.status.condition is Condition.PLAYING
        assert [line.split(": ", 1)[1] for line in viewer.said] == ["refused (Connection refused)", "playing"]
        viewer.close()


@pytest.mark.parametrize("kind", ["rtsp", "http"])
def test_a_connection_that_is_cut_is_gone_and_made_anew(kind):
    with seen(camera(kind)) as viewer:
        viewer.more()
        viewer.camera.cut()
        viewer.until(lambda: viewer.source.connections == 2)
        viewer.more()
        assert viewer.source.status.condition is Condition.PLAYING
        words = [line.split(": ", 1)[1] for line in viewer.said]
        assert len(words) == 2 and words[1] == "playing again"
        assert words[0].startswith(("the other side ended the stream", "it broke off"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_falls_silent_is_said_to_and_goes_on(kind):
    with seen(camera(kind)) as viewer:
        viewer.more()
        viewer.camera.silent.set()
        viewer.came(Condition.SILENT)
        assert "nothing came within 0.5 s" in viewer.said[0]
        viewer.camera.silent.clear()
        viewer.more()
        assert viewer.source.status.condition is Condition.PLAYING
        times = [t_ns for _, t_ns, *_ in viewer.seen]
        assert times == sorted(set(times)) and -5 < viewer.errors_ms()[-3:].max() < 100


@pytest.mark.parametrize("kind", ["rtsp", "http"])
def test_damaged_data_is_undecodable_and_the_next_whole_image_is_shown(kind):
    with seen(camera(kind)) as viewer:
        viewer.more()
        viewer.camera.damaged.set()
        viewer.came(Condition.UNDECODABLE)
        viewer.camera.damaged.clear()
        viewer.more()
        assert viewer.source.status.condition is Condition.PLAYING


@pytest.mark.parametrize("kind", ["http", "udp"])
def test_images_of_another_size_are_shown_and_said(kind):
    with seen(camera(kind)) as viewer:
        viewer.more()
        viewer.camera.image.size = (160, 120)
        viewer.until(lambda: viewer.seen[-1][-1] == (120, 160, 3))
        viewer.more()
        assert viewer.source.connections == 1
        assert any("the images are 160 x 120 pixels, before they were 320 x 180" in line for line in viewer.said)


def test_a_pipe_is_read_until_its_writer_ends(tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    playing, over = NetworkCamera(Images()), threading.Event()

    def write():
        with open(path, "wb", buffering=0) as pipe:
            for data in transport_stream(playing, over):
                pipe.write(data)
                if playing.newest > 30:
                    break

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    source = stream.open_pipe(path, CaptureClock())
    said = []
    frames = list(source.frames(said.append))
    writer.join(PATIENCE_S)
    assert 5 < len(frames) <= 32 and source.timing is Timing.STREAM
    assert source.status.condition is Condition.ENDED and "ended the stream" in said[-1]


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(InputError, match=r"streams need PyAV: pip install 'pvtpp\[streams\]'"):
        stream.open_stream("rtsp://127.0.0.1/", CaptureClock())


@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_an_image_says_its_number_and_its_time(size):
    t_ns = time.time_ns()
    found = mark_of(marked(Images(size)(0), 77, t_ns))
    assert found.number == 77 and 0 <= t_ns - made_ns(found, t_ns + 3600 * 10**9) < MS
