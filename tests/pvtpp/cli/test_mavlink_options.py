"""`pvtpp track --mavlink`: a ground station gives the target, and is sent its box."""

import argparse
import csv
import socket
import threading

import pytest

pytest.importorskip("pymavlink")

from pvtpp.cli import mavlink_options
from pvtpp.cli.main import main
from pvtpp.errors import InputError
from pvtpp.mavlink.dialect import Wire, messages

FAST = ["--tracker", "kcf", "--predictors", "kalman", "--no-window"]


class Operator(threading.Thread):
    """Draws a rectangle as soon as the camera is heard, and again until it is accepted; collects what comes."""

    def __init__(self, rectangle):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(60)
        self.port = self.socket.getsockname()[1]
        self.rectangle, self.accepted, self.active = rectangle, False, 0

    def run(self):
        wire, common = Wire(255, 190), messages()
        while True:
            data, camera = self.socket.recvfrom(65535)
            if data == b"over":
                return
            for message in wire.read(data):
                kind = message.get_type()
                self.accepted |= kind == "COMMAND_ACK" and message.result == 0
                self.active += kind == "CAMERA_TRACKING_IMAGE_STATUS" and message.tracking_status == 1
                if kind == "CAMERA_TRACKING_IMAGE_STATUS" and not self.accepted:
                    self.socket.sendto(
                        wire.write(common.MAVLink_command_long_message(1, 100, 2005, 0, *self.rectangle, 0, 0, 0)),
                        camera,
                    )

    def end(self):
        self.socket.sendto(b"over", self.socket.getsockname())
        self.join(60)
        self.socket.close()


def test_a_ground_station_gives_the_target_of_a_folder_of_images(clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    operator = Operator((90 / 200, 40 / 120, 118 / 200, 64 / 120))
    operator.start()
    arguments = ["--fps", "8", "--out", "seen.csv", "--mavlink", f"udpout:127.0.0.1:{operator.port}"]
    assert main(["track", str(clips / "left" / "img"), *FAST, *arguments, "--mavlink-lead", "auto"]) == 0
    operator.end()
    assert operator.accepted and operator.active
    with open("seen.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    # There was no target until the operator had drawn it.
    assert 0 < len(rows) <= 24


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mavlink", "tcp:1.2.3.4:5"], "expected udpout:HOST:PORT"),
        (["--mavlink", "udpout:nowhere.invalid:14550"], "udpout:nowhere.invalid:14550: no such host"),
        (["--mavlink-lead", "0.1"], "--mavlink-lead needs --mavlink"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-lead", "soon"], "--mavlink-lead 'soon': expected seconds, or"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-lead", "nan"], "MavlinkConfig.lead_s is nan"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-lead", ""], "--mavlink-lead '': expected seconds, or"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-id", "1:3"], "MAVLink ids '1:3'"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-id", ""], "MAVLink ids ''"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-video-delay", "3"], "frames are in memory for 2 s"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-gimbal", "0"], "GimbalConfig.horizontal_deg is 0"),
        (["--mavlink", "udpout:127.0.0.1:9", "--mavlink-video-delay", "-1"], "MavlinkConfig.video_delay_s is -1"),
    ],
)
def test_bad_options_are_one_clear_line_before_the_work(arguments, words, clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    written = ["--log", "flight.jsonl", "--out", "seen.csv"]
    assert main(["track", str(clips / "left" / "img"), *FAST, *written, *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert words in error and "\n" not in error and [each.name for each in tmp_path.iterdir()] == ["clips"]


def test_a_port_in_use_is_said_before_anything_is_written(clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"udpin:127.0.0.1:{taken.getsockname()[1]}"
        assert main(["track", str(clips / "left" / "img"), *FAST, "--log", "flight.jsonl", "--mavlink", endpoint]) == 2
    assert f"{endpoint}: cannot listen there" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["clips"]


def test_where_nobody_answers_that_is_said_at_the_end(clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        endpoint = f"udpout:127.0.0.1:{silent.getsockname()[1]}"
        assert main(["track", str(clips / "left" / "img"), *FAST, "--fps", "200", "--mavlink", endpoint]) == 0
    assert f"warning: MAVLink {endpoint}: nothing was heard from there" in capsys.readouterr().err


def test_the_options_become_the_configuration():
    parser = argparse.ArgumentParser()
    mavlink_options.add_mavlink(parser)
    assert mavlink_options.checked(parser.parse_args([])) is None
    given = ["--mavlink", "udpin:0.0.0.0:14550", "--mavlink-id", "7:101", "--mavlink-lead", "auto"]
    config = mavlink_options.checked(parser.parse_args([*given, "--mavlink-gimbal", "62"]))
    assert (config.system_id, config.component_id, config.lead_s) == (7, 101, None)
    assert config.gimbal.horizontal_deg == 62


def test_frames_are_in_memory_for_as_long_as_the_command_keeps_them():
    options = argparse.Namespace(
        mavlink="udpout:127.0.0.1:9", mavlink_lead=None, mavlink_id=None, mavlink_video_delay=5.0, mavlink_gimbal=None
    )
    assert mavlink_options.checked(options, memory_s=6.0).video_delay_s == 5.0
    with pytest.raises(InputError, match="frames are in memory for 4 s, allowed is 0 to 4"):
        mavlink_options.checked(options, memory_s=4.0)
