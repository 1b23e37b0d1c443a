"""The service on loopback: JSON and WebSocket, and what strangers may not do."""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("aiohttp")

import aiohttp
from services import PATIENCE_S, Held, moving, session, until

from pvtpp.errors import InputError
from pvtpp.serve import recording as recording_module
from pvtpp.serve import service as service_module
from pvtpp.serve.config import ServeConfig
from pvtpp.serve.service import Service
from pvtpp.sources.recorded import Played

TOKEN = "a-token-of-20-letters"
QUICK = {"admission_s": 0.3, "stuck_s": 1.0, "connections_per_s": 500.0}


@contextlib.contextmanager
def served(tmp_path, source=None, companions=(), start=True, **options):
    source = source or Held(moving(count=3000))
    config = ServeConfig(port=0, **{**QUICK, **options})
    made = session(source, tmp_path / "recordings", config=config)
    with Service(made, config, companions) as service:
        made.url = f"http://127.0.0.1:{service.port}"
        made.port = service.port
        if start and isinstance(source, Held):
            source.go.set()
            until(lambda: made.pictures.newest is not None)
        yield made


def asked(made, method, path, **options):
    """Status, headers and body of the answer."""

    async def ask():
        timeout = aiohttp.ClientTimeout(PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as client, client.request(
            method, made.url + path, **options
        ) as answer:
            return answer.status, answer.headers, await answer.read()

    return asyncio.run(ask())


def viewed(made, conversation, **options):
    """What a conversation over a WebSocket returns."""

    async def view():
        async with aiohttp.ClientSession() as client, client.ws_connect(made.url + "/ws", **options) as opened:
            return await asyncio.wait_for(conversation(opened), PATIENCE_S)

    return asyncio.run(view())


async def picture(opened):
    """The next picture: what goes with it, and the image. States are passed over."""
    while True:
        message = await opened.receive()
        if message.type == aiohttp.WSMsgType.BINARY:
            (length,) = struct.unpack_from("<I", message.data)
            about = json.loads(message.data[4 : 4 + length])
            return about, cv2.imdecode(np.frombuffer(message.data[4 + length :], np.uint8), cv2.IMREAD_COLOR)
        assert message.type == aiohttp.WSMsgType.TEXT, message


async def answer(opened):
    """The next answer to a command."""
    while True:
        found = json.loads((await opened.receive()).data)
        if found["type"] in ("done", "error"):
            return found


def test_the_state_and_a_picture_can_be_asked_for(tmp_path):
    with served(tmp_path) as made:
        status, headers, body = asked(made, "GET", "/api/state")
        state = json.loads(body)
        assert status == 200 and state["status"] == "NO TARGET" and state["box"] is None
        assert state["source"]["condition"] == "playing" and headers["X-Frame-Options"] == "DENY"
        status, headers, body = asked(made, "GET", "/api/picture.jpg")
        image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
        assert status == 200 and image.shape == (180, 320, 3) and headers["X-Image-Size"] == "320x180"
        assert 0 <= time.time_ns() - int(headers["X-Capture-Time-Ns"]) < 30e9


def test_a_viewer_gets_pictures_with_their_capture_time_and_begins_with_one_of_them(tmp_path):
    async def follow(opened):
        await opened.send_json({"type": "next"})
        about, image = await picture(opened)
        await opened.send_json({"type": "init", "t_ns": about["t_ns"], "box": [40 + 2 * about["index"], 75, 40, 30]})
        found = await answer(opened)
        for _ in range(200):
            await opened.send_json({"type": "next"})
            later, _ = await picture(opened)
            if later["box"] is not None and later["index"] > about["index"] + 10:
                return about, found, later
        raise AssertionError("no box came")

    with served(tmp_path) as made:
        about, found, later = viewed(made, follow)
        assert found == {"type": "done", "command": "init", "target": 1, "t_ns": about["t_ns"]}
        assert later["status"] == "TRACKING" and len(later["sigma"]) == 4 and len(later["now"]) == 4
        # The box is that of the picture: the target moves by 2 pixels a frame.
        assert later["box"][0] == pytest.approx(40 + 2 * later["index"], abs=8)
        assert later["now"][0] >= later["box"][0] - 1


def test_pictures_come_only_when_asked_for_and_always_the_newest(tmp_path):
    async def slow(opened):
        numbers = []
        for _ in range(3):
            await opened.send_json({"type": "next"})
            about, _ = await picture(opened)
            numbers.append((about["index"], made.pictures.newest.index))
            await asyncio.sleep(0.4)
        return numbers

    with served(tmp_path) as made:
        numbers = viewed(made, slow)
        assert all(newest - shown <= 12 for shown, newest in numbers), numbers
        assert numbers[1][0] - numbers[0][0] >= 8
        encoded = made.pictures.count
        # Nobody looks: nothing is encoded.
        seen = made.pictures.newest.index
        until(lambda: made.pictures.newest.index > seen + 5)
        assert made.pictures.count <= encoded + 1


def test_a_viewer_that_comes_after_the_end_sees_the_last_picture(tmp_path):
    async def look(opened):
        await opened.send_json({"type": "next"})
        return await picture(opened)

    source = Held(moving(count=5))
    with served(tmp_path, source) as made:
        until(lambda: source.status.condition.value == "ended")
        for _ in range(2):
            assert viewed(made, look)[0]["index"] == 4


def test_a_viewer_that_takes_nothing_delays_nobody(tmp_path):
    async def look(opened):
        times = []
        for _ in range(20):
            await opened.send_json({"type": "next"})
            about, _ = await picture(opened)
            times.append(about["index"])
        return times

    with served(tmp_path) as made, contextlib.closing(stuck(made)) as other:
        for _ in range(2000):
            try:
                other.send(masked(b'{"type":"next"}'))
            except OSError:
                break
        times = viewed(made, look)
        assert times == sorted(times) and times[-1] - times[0] < 60


def stuck(made):
    """A WebSocket that is opened and never read."""
    opened = socket.create_connection(("127.0.0.1", made.port))
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    opened.sendall(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{made.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return opened


def masked(payload, first=0x81):
    """A frame of a WebSocket, as a client sends it."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + struct.pack("!H", len(payload))
    return bytes([first]) + length + b"\0\0\0\0" + payload


COMMANDS = {
    "reset": {},
    "pause": {},
    "resume": {},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_the_same_by_http_and_websocket(name, tmp_path):
    async def say(opened):
        await opened.send_json({"type": name})
        return await answer(opened)

    with served(tmp_path) as made:
        expected = {"type": "done", "command": name}
        status, _, body = asked(made, "POST", f"/api/{name}")
        assert (status, json.loads(body)) == (200, expected) and viewed(made, say) == expected
        assert made.live.paused == (name == "pause")


BAD = {
    "box of three": ({"type": "init", "t_ns": "1", "box": [1, 2, 3]}, "box is [1, 2, 3], allowed is [cx, cy, w, h]"),
    "box of words": ({"type": "init", "t_ns": "1", "box": ["a", 2, 3, 4]}, "allowed is [cx, cy, w, h]"),
    "box without width": ({"type": "init", "box": [10, 10, 0, 5]}, "first box"),
    "infinite box": ({"type": "init", "box": [1e400, 10, 5, 5]}, "first box"),
    "box outside": ({"type": "init", "box": [9000, 10, 20, 20]}, "first box"),
    "no time": ({"type": "init", "t_ns": None, "box": [1, 2, 3, 4]}, "t_ns is 'None', allowed is the capture time"),
    "a word for a time": ({"type": "init", "t_ns": "now", "box": [1, 2, 3, 4]}, "t_ns is 'now'"),
    "true for a time": ({"type": "init", "t_ns": True, "box": [1, 2, 3, 4]}, "t_ns is 'True'"),
    "a time too long": ({"type": "init", "t_ns": 10**30, "box": [1, 2, 3, 4]}, "t_ns is '1000"),
    "a time long ago": (
        {"type": "init", "t_ns": "17", "box": [1, 2, 3, 4]},
        "no frame captured at t_ns=17 is in",
    ),
    "no such command": ({"type": "fly"}, "no command 'fly', allowed are: init, reset"),
    "no command": ({"box": 1}, "no command None"),
    "a list for a command": ({"type": ["init"]}, "no command ['init']"),
    "record what": ({"type": "record", "on": "yes"}, "on is 'yes', allowed is true or false"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_commands_are_one_error_and_change_nothing(case, tmp_path):
    message, words = BAD[case]

    async def say(opened):
        if message.get("type") == "init" and "t_ns" not in message:
            message["t_ns"] = str(made.pictures.newest.t_ns)
        await opened.send_str(json.dumps(message))
        return await answer(opened)

    with served(tmp_path) as made:
        found = viewed(made, say)
        assert found["type"] == "error" and words in found["error"] and not made.live.active


def test_a_box_drawn_too_slowly_is_said_to_be(tmp_path):
    with served(tmp_path) as made, pytest.raises(InputError, match=r"s older than the newest one.*draw it faster"):
        made.init(made.pictures.newest.t_ns - 30 * 10**9, [10, 10, 5, 5])


def test_a_recording_holds_the_pictures_at_their_times_and_where_the_target_was(tmp_path):
    import csv

    import av

    with served(tmp_path) as made:
        newest = made.pictures.newest
        made.init(newest.t_ns, [40 + 2 * newest.index, 75, 40, 30])
        status, _, body = asked(made, "POST", "/api/record", json={"on": True})
        assert status == 200 and json.loads(body)["path"] == str(tmp_path / "recordings")
        until(lambda: (made.state()["recording"] or {}).get("frames", 0) >= 12)
        path = made.stop_recording()
        assert made.stop_recording() is None
    with av.open(path) as video:
        times = [frame.pts * frame.time_base for frame in video.decode(video=0)]
        assert (video.streams.video[0].width, video.streams.video[0].height) == (320, 180)
    with open(path.replace(".mkv", ".csv"), newline="") as table:
        rows = list(csv.DictReader(table))
    stamps = [int(row["t_ns"]) for row in rows]
    assert len(times) == len(rows) >= 12
    apart = [(stamp - stamps[0]) * 1e-9 - float(t - times[0]) for stamp, t in zip(stamps, times)]
    assert max(map(abs, apart)) < 0.002
    assert all(float(row["width"]) == pytest.approx(40, abs=8) for row in rows)


def test_a_recording_where_nothing_can_be_written_is_one_error(tmp_path):
    (tmp_path / "recordings").write_text("a file")
    with served(tmp_path) as made:
        status, _, body = asked(made, "POST", "/api/record", json={"on": True})
        assert status == 400 and "recordings: cannot write there" in json.loads(body)["error"]
        assert made.state()["recording"] is None


class Full:
    """A video on a disk that is full; `begun`: what is written once more still fits."""

    def __init__(self, begun=False):
        self._begun = begun

    def mux(self, packet):
        if not self._begun:
            self.close()

    def close(self):
        raise OSError(28, "No space left on device")


def test_on_a_full_disk_the_recording_ends_once_and_the_service_goes_on(tmp_path, monkeypatch):
    opened, real = [], recording_module.Recording._open

    def open_(self, picture):
        real(self, picture)
        opened.append(self._container)
        self._container = Full()

    monkeypatch.setattr(recording_module.Recording, "_open", open_)
    with served(tmp_path) as made:
        assert asked(made, "POST", "/api/record", json={"on": True})[0] == 200
        until(lambda: "the recording ends, it cannot be written" in made.state()["message"])
        seen = made.pictures.newest.index
        until(lambda: made.pictures.newest.index > seen + 5)
        assert made.state()["recording"] is None and len(opened) == 1
        assert len({path.stem for path in (tmp_path / "recordings").iterdir()}) == 1
    opened[0].close()


def test_a_recording_that_cannot_be_finished_is_one_error_and_ends(tmp_path):
    with served(tmp_path) as made:
        assert asked(made, "POST", "/api/record", json={"on": True})[0] == 200
        until(lambda: (made.state()["recording"] or {}).get("frames", 0) >= 2)
        container, made._recording._container = made._recording._container, Full(begun=True)
        status, _, body = asked(made, "POST", "/api/record", json={"on": False})
        container.close()
        assert status == 400 and "cannot be finished" in json.loads(body)["error"]
        assert made.state()["recording"] is None


def test_what_goes_along_is_given_the_live_tracker_and_ends_before_it(tmp_path):
    order = []

    @contextlib.contextmanager
    def companion(live):
        order.append(live.active)
        yield
        order.append("over")
        live.init(made.pictures.newest.t_ns, [40, 75, 40, 30])

    with served(tmp_path, companions=[companion]) as made:
        assert order == [False]
    assert order == [False, "over"]


# What strangers may not do

PATHS = ["/", "/page.js", "/api/state", "/api/picture.jpg", "/ws"]


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_to_be_had(path, tmp_path):
    with served(tmp_path, token=TOKEN) as made:
        for headers in ({}, {"Authorization": "Bearer wrong-wrong-wrong-wrong"}):
            status, _, body = asked(made, "GET", path, headers=headers)
            assert status == 401 and "a token is needed" in json.loads(body)["error"]
        assert asked(made, "POST", "/api/reset")[0] == 401
        assert asked(made, "GET", "/api/state", headers={"Authorization": f"Bearer {TOKEN}"})[0] == 200


def test_the_address_with_the_token_gives_the_page_a_cookie_that_no_script_and_no_other_page_gets(tmp_path):
    with served(tmp_path, token=TOKEN) as made:
        status, headers, body = asked(made, "GET", f"/?token={TOKEN}")
        cookie = headers["Set-Cookie"]
        assert status == 200 and b"<!doctype html>" in body
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and headers["Referrer-Policy"] == "no-referrer"
        held = {"Cookie": cookie.split(";")[0]}
        for path in ("/page.js", "/page.css", "/plots.js", "/api/state"):
            assert asked(made, "GET", path, headers=held)[0] == 200
        assert "Set-Cookie" not in asked(made, "GET", "/?token=wrong")[1]


@pytest.mark.parametrize("path", ["/api/state", "/ws"])
def test_requests_from_other_pages_are_refused(path, tmp_path):
    with served(tmp_path) as made:
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
            assert asked(made, "GET", path, headers=headers)[0] == 403
        status, _, _ = asked(made, "POST", "/api/pause", headers={"Origin": "http://evil.example"})
        assert status == 403 and not made.live.paused


def test_a_large_body_is_refused_before_it_comes(tmp_path):
    with served(tmp_path) as made, socket.create_connection(("127.0.0.1", made.port)) as opened:
        opened.settimeout(PATIENCE_S)
        head = f"POST /api/init HTTP/1.1\r\nHost: 127.0.0.1:{made.port}\r\nContent-Length: {1 << 30}\r\n\r\n"
        opened.sendall(head.encode() + b"x" * 1000)
        assert b"413" in opened.recv(4096)


def test_a_large_body_of_unknown_length_is_refused_too(tmp_path):
    async def chunks():
        for _ in range(100):
            yield b"x" * 1024

    with served(tmp_path) as made:
        with contextlib.suppress(aiohttp.ClientError):
            assert asked(made, "POST", "/api/init", data=chunks())[0] == 413
        assert asked(made, "GET", "/api/state")[0] == 200


def test_a_connection_that_asks_for_nothing_is_closed(tmp_path):
    with served(tmp_path) as made:
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: 127", b"\x16\x03\x01\x02\x00\x01\x00"):
            with socket.create_connection(("127.0.0.1", made.port)) as opened:
                opened.settimeout(PATIENCE_S)
                opened.sendall(sent)
                with contextlib.suppress(ConnectionResetError):
                    while opened.recv(4096):
                        pass


def test_more_connections_than_allowed_wait_and_are_served_when_there_is_a_place(tmp_path):
    with served(tmp_path, connections=4, admission_s=1.0) as made:
        idle = [socket.create_connection(("127.0.0.1", made.port)) for _ in range(30)]
        began = time.monotonic()
        for each in idle[:26]:
            each.close()
        assert asked(made, "GET", "/api/state")[0] == 200 and time.monotonic() - began < PATIENCE_S
        for each in idle:
            each.close()


MALFORMED = {
    "not masked": b"\x81\x05hello",
    "reserved bits": masked(b"hello", 0xF1),
    "unknown kind": masked(b"hello", 0x8B),
    "binary": masked(b"hello", 0x82),
    "no text": masked(b"\xff\xfe\xfd"),
    "too long": bytes([0x81, 0xFF]) + struct.pack("!Q", 1 << 40) + b"\0\0\0\0",
    "control too long": bytes([0x89, 0xFE]) + struct.pack("!H", 200) + b"\0\0\0\0" + b"x" * 200,
    "continues nothing": masked(b"hello", 0x80),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_websocket_is_closed_and_the_service_goes_on(case, tmp_path):
    with served(tmp_path) as made:
        with contextlib.closing(stuck(made)) as opened:
            opened.settimeout(PATIENCE_S)
            opened.sendall(MALFORMED[case])
            with contextlib.suppress(ConnectionResetError):
                while opened.recv(65536):
                    pass
        assert asked(made, "GET", "/api/state")[0] == 200


@pytest.mark.parametrize("text", ["{", "[]", "null", "3", '{"type": "init", "box":' + "[" * 3000])
def test_messages_that_are_no_objects_are_answered(text, tmp_path):
    async def say(opened):
        await opened.send_str(text)
        return await answer(opened)

    with served(tmp_path) as made:
        assert viewed(made, say)["error"] in ("not JSON", "not a JSON object")


def test_a_viewer_that_never_stops_talking_is_closed(tmp_path):
    async def say(opened):
        with contextlib.suppress(ConnectionError):
            for _ in range(5000):
                await opened.send_json({"type": "next"})
        while not opened.closed:
            await opened.receive()
        return opened.close_code

    with served(tmp_path, messages_per_s=50.0) as made:
        assert viewed(made, say) in (1008, 1006)


def test_an_address_that_is_taken_is_one_error(tmp_path):
    with served(tmp_path) as made:
        other = session(Played(moving()), tmp_path)
        with pytest.raises(InputError, match=r"127.0.0.1:\d+ cannot be bound \(Address already in use\)"):
            Service(other, ServeConfig(port=made.port))
        other.live.close()
        other.pictures.close()


def test_without_the_library_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "aiohttp", None)
    with pytest.raises(InputError, match=r"pip install 'pvtpp\[serve\]'"):
        service_module.library()


def test_nothing_is_left_behind(tmp_path):
    before = set(threading.enumerate())
    with served(tmp_path):
        pass
    until(lambda: {each for each in threading.enumerate() if each.name.startswith("pvtpp")} <= before)
