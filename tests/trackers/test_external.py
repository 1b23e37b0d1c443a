"""A program in any language is a tracker: requests are in order, and every failure is reported and survived."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp.tracker import Frame
from pvtpp_trackers.registry import create, sources

DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "trackers.md"

# Answers with the box it was started on, moved by a pixel for every frame; {broken} is what a test adds to its loop.
CHILD = """
import json, sys
for line in iter(sys.stdin.buffer.readline, b""):
    request = json.loads(line)
    image = sys.stdin.buffer.read(request["bytes"])
    assert len(image) == request["bytes"] == request["height"] * request["width"] * 3
    answer = {{}}
    if request["call"] == "init":
        x, y, w, h = request["xywh"]
    else:
        answer = {{"xywh": [x + request["index"], y + image[0], w, h], "score": 0.5}}
    {broken}
    print(json.dumps(answer), flush=True)
"""
IMAGE = np.zeros((480, 640, 3), np.uint8)
BOX = np.array([50.0, 60.0, 20.0, 10.0])


def frame(index, blue=0):
    image = IMAGE.copy()
    image[0, 0, 0] = blue
    return Frame(index, index * 40_000_000, image)


@pytest.fixture
def tracker(tmp_path):
    """Makes a tracker of a child that does `broken` in its loop."""
    made = []

    def make(broken="pass", **options):
        (tmp_path / "child.py").write_text(CHILD.format(broken=broken))
        made.append(create(f"external:{sys.executable} {tmp_path / 'child.py'}", **options))
        return made[-1]

    yield make
    for each in made:
        if each._process is not None:
            each._process.end()


def test_a_program_gets_every_frame_and_its_boxes_come_back(tracker):
    mine = tracker()
    mine.init(frame(0), BOX)
    output = mine.track(frame(7, blue=3))
    assert (output.box.tolist(), output.score) == ([57.0, 63.0, 20.0, 10.0], 0.5)
    # An image that is not contiguous in memory.
    mine.init(frame(0), BOX + [5, 0, 0, 0])
    assert mine.track(Frame(2, 2, IMAGE[::2, ::-1])).box.tolist() == [57.0, 60.0, 20.0, 10.0]


def test_the_search_box_reaches_the_program(tracker):
    mine = tracker('answer["xywh"] = request.get("search_xywh") or [1, 2, 3, 4]')
    mine.init(frame(0), BOX)
    assert mine.track(frame(1), BOX + 1).box.tolist() == (BOX + 1).tolist()
    assert mine.track(frame(2)).box.tolist() == [2.5, 4.0, 3.0, 4.0]


def test_not_found_is_the_last_box_at_score_zero(tracker):
    mine = tracker('answer["xywh"] = answer.get("xywh") if request["index"] < 2 else None; answer.pop("score", 0)')
    mine.init(frame(0), BOX)
    last = mine.track(frame(1))
    lost = mine.track(frame(2))
    assert (last.score, lost.score) == (1.0, 0.0)
    assert lost.box.tolist() == last.box.tolist()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("sys.exit(3)", r"ended with exit code 3 at init of frame 0$"),
        ("raise RuntimeError('no GPU')", r"exit code 1 at init of frame 0; its last words: RuntimeError: no GPU"),
        (
            "print('Loading weights ...')",
            r"'Loading weights ...' to init of frame 0, expected one line with a JSON object",
        ),
        ("print(json.dumps(answer))", r"b'\{\}(\\n' unasked|' before it had read the image) at track of frame 1"),
        ("answer = [1, 2, 3, 4]", r"'\[1, 2, 3, 4\]' to init of frame 0, expected one line with a JSON object"),
        ("sys.stdout.write('x' * 100000)", r"said b'xxx.* and no end of line at init"),
        ("sys.stdout.close()", r"closed its standard output|ended with exit code"),
        ("answer.pop('xywh', 0)", r"answered .* to track of frame 1 \(it has no xywh\)"),
        ("answer['xywh'] = [1, 2, 3]", r"to track of frame 1 \(.*\)"),
        ("answer['xywh'] = [1, 2, 0, 4]", r"to track of frame 1 \(tracker output.*\)"),
        ("answer['score'] = 7", r"score 7.0 is outside \[0, 1\]"),
        ("answer['xywh'] = 'left'", r"answered .* to track of frame 1"),
        ("answer['xywh'] = 5", r"answered .* to track of frame 1 \("),
        ("answer['xywh'] = [10**400, 1, 1, 1]", r"answered .* to track of frame 1 \("),
        ("answer['score'] = 10**400", r"answered .* to track of frame 1 \("),
    ],
)
def test_whatever_it_does_wrong_is_said_once_and_the_next_init_starts_anew(tracker, broken, message):
    mine = tracker(broken)
    with pytest.raises(InputError, match=message):
        mine.init(frame(0), BOX)
        mine.track(frame(1))
    with pytest.raises(InputError, match="before init"):
        mine.track(frame(2))
    tracker()
    mine.init(frame(0), BOX)
    assert mine.track(frame(1)).box[0] == 51.0


def test_a_refusal_is_an_answer_and_the_program_goes_on(tracker):
    mine = tracker('answer = {"error": "too dark"} if request["index"] == 1 else answer')
    mine.init(frame(0), BOX)
    with pytest.raises(InputError, match="refuses track of frame 1: too dark"):
        mine.track(frame(1))
    assert mine.track(frame(2)).box[0] == 52.0


def test_one_that_hangs_is_ended_with_all_it_started(tracker, tmp_path):
    # Every process that is still alive holds the other end of this pipe.
    os.mkfifo(str(tmp_path / "alive"))
    alive = os.open(str(tmp_path / "alive"), os.O_RDONLY | os.O_NONBLOCK)
    mine = tracker(
        f"import subprocess; subprocess.run(['sleep', '77'], stdout=open(r'{tmp_path}/alive', 'w'))", timeout=2.0
    )
    with pytest.raises(InputError, match="gave no answer in 2 s at init of frame 0"):
        mine.init(frame(0), BOX)
    assert select.select([alive], [], [], 10)[0] and os.read(alive, 1) == b""
    os.close(alive)


def test_one_that_reads_nothing_does_not_hold_us(tracker):
    mine = tracker("pass", timeout=1.0)
    mine.init(frame(0), BOX)
    os.kill(mine._process._process.pid, signal.SIGSTOP)
    with pytest.raises(InputError, match="gave no answer in 1 s at track"):
        mine.track(frame(1))


def test_one_that_talks_without_end_and_never_answers_is_ended_too(tracker):
    mine = tracker("while True: print('busy', file=sys.stderr, flush=True)", timeout=1.0)
    with pytest.raises(InputError, match="gave no answer in 1 s.*last words: b?u?s?y?"):
        mine.init(frame(0), BOX)


def test_one_that_answers_without_reading_the_image_is_refused(tmp_path):
    (tmp_path / "deaf.py").write_text(
        "import sys, time\nsys.stdin.buffer.readline()\nprint('{}', flush=True)\ntime.sleep(5)\n"
    )
    mine = create(f"external:{sys.executable} {tmp_path / 'deaf.py'}")
    with pytest.raises(InputError, match="before it had read the image at init"):
        mine.init(frame(0), BOX)


def test_much_on_standard_error_blocks_nothing_and_is_logged(tracker, caplog):
    mine = tracker("print('noise ' * 40000, file=sys.stderr)")
    with caplog.at_level("INFO", "pvtpp_trackers.external"):
        mine.init(frame(0), BOX)
        mine.track(frame(1))
    assert "noise" in caplog.text


def test_it_ends_when_the_tracker_goes(tracker):
    mine = tracker()
    mine.init(frame(0), BOX)
    process = mine._process._process
    mine._process.end()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("external:no_such_program_here --x", {}, "'no_such_program_here --x': no such program"),
        ("external", {"command": ""}, "no such program"),
        ("external", {}, "command"),
        ("external:python3 'x", {}, r"cannot be split into words \(No closing quotation\)"),
        (f"external:{sys.executable}", {"timeout": 0.0}, "timeout is 0.0, allowed"),
    ],
)
def test_a_command_that_cannot_run_is_refused_at_once(name, options, message):
    with pytest.raises(InputError, match=message):
        create(name, **options)


def test_wrong_boxes_and_images_never_reach_it(tracker):
    mine = tracker()
    for wrong in ([np.nan] * 4, [1.0, 2.0, 0.0, 4.0]):
        with pytest.raises(InputError, match="first box"):
            mine.init(frame(0), wrong)
    with pytest.raises(InputError, match="before init"):
        mine.track(frame(1))
    mine.init(frame(0), BOX)
    with pytest.raises(InputError, match="search box"):
        mine.track(frame(1), [0, 0, -1, 4])
    with pytest.raises(InputError, match="shape"):
        mine.track(Frame(1, 1, lambda: np.zeros((0, 0, 3), np.uint8)))
    assert mine.track(frame(1)).box[0] == 51.0


def test_its_sources_are_the_program_and_the_files_of_its_command(tmp_path):
    (tmp_path / "mine.py").write_text("")
    assert sources(f"external:{sys.executable} {tmp_path / 'mine.py'} --fast") == [
        sys.executable,
        str(tmp_path / "mine.py"),
    ]
    assert sources("csrt") == []


def test_the_example_of_the_docs_keeps_the_contract(tmp_path):
    pytest.importorskip("cv2")
    from pvtpp_benchmarks.tracker_check import check_tracker

    (program,) = re.findall(r"```python\n(#!/usr/bin/env python3\n.*?)```", DOCS.read_text(), re.DOTALL)
    (tmp_path / "template.py").write_text(program)
    assert len(program.splitlines()) <= 22
    made = []

    def make():
        made.append(create(f"external:{sys.executable} {tmp_path / 'template.py'}"))
        return made[-1]

    failed = [result for result in check_tracker(make) if not result.passed]
    assert not failed, failed
