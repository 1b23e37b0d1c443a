"""`pvtpp log`: summaries, parts that replay, and exports whose numbers are those of the log."""

import base64
import csv
import json

import cv2
import numpy as np
import pytest

from pvtpp import predictors
from pvtpp.boxes import box_to_xywh, xywh_to_box
from pvtpp.cli.frame_records import COLUMNS
from pvtpp.cli.main import main
from pvtpp.core.event_log import EventLog
from pvtpp.core.presence import PresenceConfig
from pvtpp.logs.moments import moments
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.simulation import simulate
from pvtpp_benchmarks.synthetic.clip import render
from pvtpp_benchmarks.synthetic.config import AerialClip

CLIP = AerialClip("flight", 4, seconds=1.0, width=160, height=96, target_px=20.0, occlusions=())


@pytest.fixture(scope="module")
def flight(tmp_path_factory):
    """A folder with a log of a simulated flight, ``flight.jsonl``, and its images, ``images``."""
    folder, clip = tmp_path_factory.mktemp("flight"), render(CLIP)
    (folder / "images").mkdir()
    for index in range(len(clip)):
        cv2.imwrite(str(folder / "images" / f"{index:04d}.png"), clip.frame(index).image)
    log = simulate(
        clip,
        Oracle(clip),
        {name: predictors.create(name) for name in ("kalman", "hold")},
        lambda index: 50_000_000,
        first_box=xywh_to_box(clip.ground_truth_xywh)[0],
        presence=PresenceConfig(),
        meta={"source": str(folder / "images"), "fps": 30.0, "tracker": "oracle"},
    )
    log.write(str(folder / "flight.jsonl"))
    return folder


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch, flight):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flight.jsonl").write_bytes((flight / "flight.jsonl").read_bytes())


def log_of(path="flight.jsonl"):
    return EventLog.read(str(path))


def exported(kind, *options):
    assert main(["log", "export", "flight.jsonl", "--format", kind, *options]) == 0


# MCAP


def read_back(path):
    """Channel's topic, schema's name, times and content of every message, and the metadata."""
    reader = pytest.importorskip("mcap.reader")
    with open(path, "rb") as file:
        found = reader.make_reader(file)
        messages = [
            (channel.topic, schema.name, message.log_time, json.loads(message.data))
            for schema, channel, message in found.iter_messages()
        ]
        metadata = {each.name: each.metadata for each in found.iter_metadata()}
    return messages, metadata


def of_topic(messages, topic):
    return [(t_ns, content) for name, _, t_ns, content in messages if name == topic]


def test_an_mcap_holds_every_number_of_the_log():
    exported("mcap")
    messages, metadata = read_back("flight.mcap")
    log = log_of()
    events = sorted(of_topic(messages, "/events"), key=lambda each: each[0])
    assert [content["row"] for _, content in events] == log.rows
    assert [t_ns for t_ns, _ in events] == [row[1] for row in log.rows]
    assert json.loads(metadata["pvtpp"]["meta"]) == log.meta
    results = of_topic(messages, "/result")
    rows = log.of_kind("result")
    assert [list(content["box"].values()) for _, content in results] == [row[4] for row in rows]
    assert [content["score"] for _, content in results] == [row[5] for row in rows]
    assert [content["latency_ms"] for _, content in results] == [(row[1] - row[3]) / 1e6 for row in rows]
    seen = [(each, name) for each in moments(log) for name in each.predictions]
    targets = of_topic(messages, "/target")
    assert len(targets) == len(seen) > 50
    for (t_ns, content), (each, name) in zip(targets, seen):
        made = each.predictions[name]
        assert t_ns == each.arrived_ns and content["frame"] == each.frame and content["predictor"] == name
        for field, values in (("box", made.box), ("velocity", made.velocity), ("sigma", made.sigma)):
            assert list(content[field].values()) == values.tolist()
        assert list(content["xywh"].values()) == box_to_xywh(made.box).tolist()
        assert content["age_ms"] == made.age * 1e3 and content["presence"] == each.presence
        assert content["timestamp"] == {"sec": each.t_ns // 10**9, "nsec": each.t_ns % 10**9}


def test_an_mcap_has_video_and_boxes_as_foxglove_reads_them():
    exported("mcap", "--out", "with_video.mcap")
    messages, _ = read_back("with_video.mcap")
    schemas = {topic: schema for topic, schema, _, _ in messages}
    assert schemas["/camera/image"] == "foxglove.CompressedImage" and schemas["/log"] == "foxglove.Log"
    assert schemas["/target/boxes"] == schemas["/result/boxes"] == "foxglove.ImageAnnotations"
    seen = list(moments(log_of()))
    pictures, boxes = of_topic(messages, "/camera/image"), of_topic(messages, "/target/boxes")
    assert len(pictures) == len(boxes) == len(seen) == 30
    clip = render(CLIP)
    for (t_ns, picture), (_, drawn), each in zip(pictures, boxes, seen):
        image = cv2.imdecode(np.frombuffer(base64.b64decode(picture["data"]), np.uint8), cv2.IMREAD_COLOR)
        assert picture["format"] == "jpeg" and t_ns == each.arrived_ns
        assert np.abs(image.astype(int) - clip.frame(each.frame).image).mean() < 6
        left, top, width, height = box_to_xywh(each.predictions["kalman"].box)
        corners = [(point["x"], point["y"]) for point in drawn["points"][0]["points"]]
        assert drawn["points"][0]["type"] == 2
        np.testing.assert_allclose(corners[::2], [(left, top), (left + width, top + height)])
        assert drawn["texts"][0]["text"] == "tracking"
    said = [content["message"] for _, content in of_topic(messages, "/log")]
    assert said[0] == "a target is given on frame 0" and any("presence TRACKING" in text for text in said)


def test_every_message_has_the_fields_of_its_schema():
    reader = pytest.importorskip("mcap.reader")
    exported("mcap", "--out", "all.mcap")
    with open("all.mcap", "rb") as file:
        for schema, channel, message in reader.make_reader(file).iter_messages():
            assert (schema.encoding, channel.message_encoding) == ("jsonschema", "json")
            check(json.loads(message.data), json.loads(schema.data), channel.topic)


def check(value, schema, where):
    kind = schema["type"]
    if kind == "object":
        assert isinstance(value, dict) and set(value) <= set(schema["properties"]), where
        for name, each in value.items():
            check(each, schema["properties"][name], f"{where}.{name}")
    elif kind == "array":
        assert isinstance(value, list), where
        for each in value if "items" in schema else ():
            check(each, schema["items"], where)
    else:
        allowed = {"number": (int, float), "integer": int, "string": str}[kind]
        assert isinstance(value, allowed) and value in schema.get("enum", [value]), where


def test_without_the_package_it_is_said_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "mcap.writer", None)
    assert main(["log", "export", "flight.jsonl", "--format", "mcap", "--out", "none.mcap"]) == 2
    assert "pip install 'pvtpp[mcap]'" in capsys.readouterr().err


# Tables and videos


def test_a_csv_has_a_row_for_each_frame_and_predictor():
    exported("csv")
    with open("flight.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and len(rows) == 60
    seen = list(moments(log_of()))
    for row in rows:
        each = seen[int(row["frame"])]
        made = each.predictions[row["predictor"]]
        left, top, width, height = box_to_xywh(made.box)
        found = [float(row[name]) for name in ("left", "top", "width", "height", "age_ms")]
        np.testing.assert_allclose(found, [left, top, width, height, made.age * 1e3], atol=6e-4)
        assert row["presence"] == each.presence


def test_mot_counts_from_one_and_leaves_lost_targets_out():
    exported("mot", "--predictor", "hold")
    lines = np.loadtxt("flight.txt", delimiter=",")
    assert lines[:, 0].tolist() == list(range(1, 31)) and set(lines[:, 1]) == {1} and (lines[:, 7:] == -1).all()
    first = box_to_xywh(log_of().rows[1][4])
    np.testing.assert_allclose(lines[0, 2:6], np.add(first, [1, 1, 0, 0]), atol=6e-4)
    log = log_of()
    at = len(log.rows) // 2
    log.rows.insert(at, ["presence", log.rows[at][1], "LOST", 0.1])
    log.write("flight.jsonl")
    exported("mot")
    assert 5 < len(np.loadtxt("flight.txt", delimiter=",")) < 30


def test_a_video_has_a_frame_for_each_of_the_log():
    exported("mp4", "--out", "seen.mp4")
    assert frames_of("seen.mp4") == 30


def test_a_video_shows_each_frame_for_as_long_as_it_was_the_newest():
    log = log_of()
    # The second half at half the rate, and a clock that does not begin at 0.
    slower = [row[1] + max(row[1] - 500_000_000, 0) + 10**18 if row[0] == "frame" else 0 for row in log.rows]
    rows = [["frame", at, row[2], at] for at, row in zip(slower, log.rows) if at]
    EventLog({**log.meta, "fps": None}, [*rows, *later(log, rows[-1][1])]).write("flight.jsonl")
    exported("mp4", "--out", "seen.mp4")
    assert frames_of("seen.mp4") == pytest.approx(15 + 2 * 15, abs=2)


def test_a_video_of_images_of_several_sizes_is_written_too(flight, tmp_path):
    (tmp_path / "images").mkdir()
    for index in range(30):
        image = cv2.imread(str(flight / "images" / f"{index:04d}.png"))
        size = (160, 96) if index < 15 else (80, 48)
        cv2.imwrite(str(tmp_path / "images" / f"{index:04d}.png"), cv2.resize(image, size))
    exported("mp4", "--out", "seen.mp4", "--source", "images")
    assert frames_of("seen.mp4") == 30


def later(log, t_ns):
    """A trajectory of the log, known at this time."""
    row = log.of_kind("trajectory")[0]
    return [[row[0], t_ns, *row[2:]]]


def frames_of(video):
    capture, count = cv2.VideoCapture(video), 0
    while capture.read()[0]:
        count += 1
    return count


# Summaries and parts


def test_info_says_what_the_log_holds(capsys):
    assert main(["log", "info", "flight.jsonl", "--json", "info.json"]) == 0
    said = capsys.readouterr().out
    assert "tracker: oracle" in said and "30 frames, 30.0 a second" in said and "1 targets, 0 failures" in said
    assert "latency of results: median 66.7 ms" in said or "latency of results: median 50.0 ms" in said
    found = json.loads(open("info.json").read())
    assert found["complete"] and found["frames"] == 30 and found["presence"] == {"TRACKING": 1.0}


def test_a_log_that_was_cut_off_is_summed_up_and_exported_all_the_same(capsys):
    with open("flight.jsonl") as file:
        lines = file.readlines()
    with open("flight.jsonl", "w") as file:
        file.writelines(lines[:-40])
    assert main(["log", "info", "flight.jsonl"]) == 0
    assert "cut off" in capsys.readouterr().out
    exported("csv")


def test_a_target_that_is_cut_out_replays_to_the_bit(capsys):
    log, again = log_of(), log_of()
    shift = log.rows[-1][1] + 10**9
    for row in again.rows:
        row[1] += shift
        for column in {"frame": (3,), "init": (3,), "track": (3,), "result": (3,)}.get(row[0], ()):
            row[column] += shift
        if row[0] == "trajectory":
            row[3] += shift
            row[4] = None if row[4] is None else row[4] + shift
            row[6] = [t_ns + shift for t_ns in row[6]]
    EventLog(log.meta, [*log.rows, ["reset", shift - 1], *again.rows]).write("two.jsonl")
    for number in ("1", "2"):
        assert main(["log", "cut", "two.jsonl", f"part{number}.jsonl", "--target", number]) == 0
        assert main(["replay", f"part{number}.jsonl"]) == 0
        assert len(log_of(f"part{number}.jsonl").of_kind("init")) == 1
    assert main(["log", "cut", "two.jsonl", "none.jsonl", "--target", "3"]) == 2
    assert "target 3 is not in the log, it has 2" in capsys.readouterr().err


def test_a_time_that_is_cut_out_has_its_events(capsys):
    assert main(["log", "cut", "flight.jsonl", "part.jsonl", "--from", "0.4", "--to", "0.6"]) == 0
    part, log = log_of("part.jsonl"), log_of()
    events = [row for row in log.rows if 0.4 <= (row[1] - log.rows[0][1]) * 1e-9 < 0.6]
    known = len(part.rows) - len(events)
    assert part.rows[known:] == events != []
    assert [row[0] for row in part.rows[:known]] == ["init", "trajectory", "trajectory", "presence"]
    capsys.readouterr()
    assert main(["log", "info", "part.jsonl"]) == 0
    said = capsys.readouterr().out
    assert "part: 0.4 s to 0.6 s of another" in said and "6 frames" in said and "1 targets" in said
    assert main(["log", "cut", "flight.jsonl", "rest.jsonl", "--from", "0.6"]) == 0
    assert main(["replay", "rest.jsonl"]) == 2
    assert "rest.jsonl: a part from 0.6 s on" in capsys.readouterr().err
    assert main(["log", "cut", "flight.jsonl", "first.jsonl", "--to", "0.6"]) == 0
    assert main(["replay", "first.jsonl"]) == 0


def test_a_part_is_exported_as_the_whole_log_would_be_then():
    exported("csv", "--out", "whole.csv")
    assert main(["log", "cut", "flight.jsonl", "part.jsonl", "--from", "0.4", "--to", "0.6"]) == 0
    assert main(["log", "export", "part.jsonl", "--format", "csv"]) == 0
    with open("whole.csv") as whole, open("part.csv") as part:
        rows = part.readlines()
        assert rows[1:] == [line for line in whole if line.split(",")[0] in map(str, range(12, 18))] and len(rows) == 13


def test_a_part_in_which_the_camera_delivered_nothing_is_exported_too():
    pytest.importorskip("mcap")
    log = log_of()
    EventLog(log.meta, [row for row in log.rows if row[0] != "frame"][:20]).write("flight.jsonl")
    exported("mcap")
    assert len(of_topic(read_back("flight.mcap")[0], "/events")) == 20


BAD = {
    "no such log": (["info", "none.jsonl"], "none.jsonl: cannot read"),
    "another format": (["export", "flight.jsonl", "--format", "mcap", "--out", "x.bag"], "must end in .mcap"),
    "both cuts": (["cut", "flight.jsonl", "x.jsonl", "--target", "1", "--to", "2"], "either --target N, or"),
    "neither": (["cut", "flight.jsonl", "x.jsonl"], "either --target N, or"),
    "onto itself": (["cut", "flight.jsonl", "flight.jsonl", "--target", "1"], "which would be lost"),
    "the log": (["export", "flight.csv", "--format", "csv"], "this is the log itself, which would be lost"),
    "the video": (["export", "seen.jsonl", "--format", "mp4"], "this is what was tracked, which would be lost"),
    "what says": (["info", "flight.jsonl", "--json", "flight.jsonl"], "this is the log itself, which would be lost"),
    "onto what is there": (["cut", "none.jsonl", "seen.mp4.jsonl", "--target", "1"], "none.jsonl: cannot read"),
    "an ending": (["cut", "flight.jsonl", "x.csv", "--target", "1"], "must end in .jsonl"),
    "empty time": (["cut", "flight.jsonl", "x.jsonl", "--from", "5"], "no event from 5 s"),
    "times turned round": (["cut", "flight.jsonl", "x.jsonl", "--from", "5", "--to", "2"], "a number below the second"),
    "a predictor": (["export", "flight.jsonl", "--format", "mot", "--predictor", "x"], "the log has kalman, hold"),
    "no images": (["export", "moved.jsonl", "--format", "mp4"], "mp4 needs the images: give --source"),
    "nowhere": (["export", "flight.jsonl", "--format", "csv", "--out", "/nowhere/x.csv"], "/nowhere/x.csv"),
    "no target": (["export", "empty.jsonl", "--format", "csv"], "no target was ever given"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_line_and_writes_nothing(case, tmp_path, capsys):
    log = log_of()
    EventLog({**log.meta, "source": "gone"}, log.rows).write("moved.jsonl")
    EventLog({}, [["frame", 1, 0, 1]]).write("empty.jsonl")
    (tmp_path / "seen.mp4").write_bytes(b"the recording")
    EventLog({**log.meta, "source": "seen.mp4"}, log.rows).write("seen.jsonl")
    EventLog(log.meta, log.rows).write("flight.csv")
    (tmp_path / "seen.mp4.jsonl").write_text("")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    arguments, words = BAD[case]
    assert main(["log", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("pvtpp log: error: ") and "\n" not in error and words in error
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
