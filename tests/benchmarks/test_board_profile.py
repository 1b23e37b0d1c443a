"""Profiles of boards: what they hold is checked, draws are repeatable and have the spread and stalls that they say."""

import json
import math
from functools import partial

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.board_profile import BoardProfile, Stalls, as_json, from_json, names, profile_of, read
from pvtpp_benchmarks.processing import parse
from pvtpp_benchmarks.speed import board_profile as command

MADE = {
    "board": "a board",
    "origin": "assumed",
    "source": "for the tests",
    "scale": {"track": 2.0, "search": 3.0},
    "reference": "a machine",
    "jitter": 0.1,
    "stalls": {"every_s": 2.0, "ms": [50.0, 90.0]},
}


@pytest.fixture
def profile(tmp_path):
    """The path of a profile with these fields in place of those of `MADE`."""

    def write(name="board.json", **fields):
        path = tmp_path / name
        path.write_text(json.dumps({**MADE, **fields}))
        return path

    return write


def times(text, count=20_000, sequence="car", seed=0):
    model = parse(text).start(sequence, seed)
    return np.array([model(frame) for frame in range(count)]) / 1e6


@pytest.mark.parametrize("name", names())
def test_every_shipped_profile_is_read_and_says_that_it_was_published(name):
    shipped = read(name)
    assert shipped.origin == "published" and shipped.source and shipped.times_ms
    for tracker in shipped.times_ms:
        assert parse(f"board:{name}#{tracker}").median_ms() == pytest.approx(shipped.times_ms[tracker][0], abs=1e-5)


def test_a_published_rate_is_a_time():
    assert parse("board:agx-xavier#siamrpn-mobilenetv2").median_ms() == pytest.approx(1000 / 22.5, abs=1e-5)


def test_jitter_has_its_spread_about_the_median_and_an_end(profile):
    drawn = times(f"board:{profile(stalls=None)}#10ms")
    assert np.median(drawn) == pytest.approx(20, rel=0.01)
    assert np.log(drawn).std() == pytest.approx(0.1, rel=0.05)
    assert drawn.max() <= 20 * math.exp(0.3) + 1e-6
    assert parse(f"board:{profile(stalls=None)}#10ms").longest_ns() / 1e6 == pytest.approx(20 * math.exp(0.3))


def test_stalls_come_as_often_in_time_and_are_as_long_as_the_profile_says(profile):
    for ms in (5, 20):
        drawn = times(f"board:{profile(jitter=0.0)}#{ms}ms", 40_000)
        stalled = drawn[drawn > 2 * ms + 1]
        # One for each two seconds of tracking, whatever the tracker's speed.
        assert len(stalled) == pytest.approx(2 * ms * 40_000 / 1e3 / 2.0, rel=0.1)
        assert (stalled >= 2 * ms + 50).all() and (stalled <= 2 * ms + 90).all()


def test_draws_are_the_same_for_a_seed_and_others_for_another(profile):
    draw = partial(times, f"board:{profile()}#10ms", 50)
    assert (draw() == draw()).all()
    assert (draw() != draw(seed=1)).any() and (draw() != draw(sequence="dog")).any()


def test_a_profile_without_jitter_and_stalls_takes_a_trace_frame_by_frame(profile, tmp_path):
    (tmp_path / "car.txt").write_text("0.5\n0.01\n0.02\n")
    path = profile(jitter=0.0, stalls=None)
    assert times(f"board:{path}#trace:{tmp_path}/car.txt", 4).tolist() == [1000, 20, 40, 20]
    assert times(f"board:{path}#trace:{tmp_path}/car.txt*0.5", 2).tolist() == [500, 10]


def test_a_timing_is_scaled_stage_by_stage(profile, tmp_path):
    bench = {"frame_s": [0.1, 0.011, 0.022], "stage_s": {"crop": [0.001, 0.002], "search": [0.01, 0.02]}}
    (tmp_path / "mine.json").write_text(json.dumps(bench))
    path = profile(jitter=0.0, stalls=None)
    # Crop is a stage without a factor of its own, search has one.
    assert set(times(f"board:{path}#bench:{tmp_path}/mine.json", 50)) == {2 + 30, 4 + 60}
    del bench["stage_s"]
    (tmp_path / "old.json").write_text(json.dumps(bench))
    assert set(times(f"board:{path}#bench:{tmp_path}/old.json", 50)) == {22, 44}


def contributed(machine, **frames):
    def entry(times):
        stage = {"samples": len(times), "median_ms": float(np.median(times)), "p95_ms": 0, "p99_ms": 0, "max_ms": 0}
        return {"providers": None, "cpu_per_wall": 1.0, "stages": {"track": stage}, "frame_ms": list(times)}

    state = {"before": {}, "after": {}}
    return {
        "schema": 1,
        "suite": "trackers",
        "protocol": {"versions": {"pvtpp": "0.1.0"}, "hardware": {"machine": machine}, "command": "pvtpp bench"},
        "power": state,
        "load": {"before": None, "after": None},
        "settings": {"backend": None, "threads": 1, "predictor": "motion", "frames": 9, "clip": "generated"},
        "trackers": {name: entry(times) for name, times in frames.items()},
        "propagation": {"step": {"samples": 1, "median_ms": 1, "p95_ms": 1, "p99_ms": 1, "max_ms": 1}},
        "left_out": {},
    }


def test_a_contributed_result_serves_as_the_profile_of_its_machine(tmp_path):
    (tmp_path / "orin.json").write_text(json.dumps(contributed("Orin", kcf=[10.0, 20.0, 30.0])))
    text = f"board:{tmp_path}/orin.json#kcf"
    # Measured times have their jitter and stalls in them.
    assert set(times(text, 100)) == {10, 20, 30}
    with pytest.raises(InputError, match=r"csrt is no tracker that the profile of Orin has times of \(kcf\)"):
        parse(f"board:{tmp_path}/orin.json#csrt")
    with pytest.raises(InputError, match="no 'scale'"):
        parse(f"board:{tmp_path}/orin.json#47ms")


def test_a_profile_is_made_of_two_machines_and_takes_the_times_of_the_one_to_the_other(tmp_path):
    rng = np.random.default_rng(0)
    board = 30 * np.exp(0.08 * rng.normal(size=2000))
    board[[100, 900]] += 200
    slow, fast = (
        contributed("Orin", kcf=board.round(3).tolist()),
        contributed("PC", kcf=[10.0] * 100, csrt=[40.0] * 100),
    )
    made = profile_of(slow, fast)
    assert made.scale["track"] == pytest.approx(3, rel=0.02) and made.reference == "PC"
    assert made.jitter == pytest.approx(0.08, rel=0.1)
    assert made.stalls.every_s == pytest.approx(board.sum() / 1e3 / 2, rel=0.01)
    assert made.stalls.ms == pytest.approx((200, 200), abs=20)
    assert from_json(json.loads(json.dumps(as_json(made))), "x") == made
    for name, content in (("orin", slow), ("pc", fast)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = [str(tmp_path / f"{name}.json") for name in ("orin", "pc")]
    assert command.main([*files, "--out", str(tmp_path / "profile.json")]) == 0
    assert read(str(tmp_path / "profile.json")) == made
    # What was timed on the PC alone.
    assert np.median(times(f"board:{tmp_path}/profile.json#40ms")) == pytest.approx(120, rel=0.03)
    with pytest.raises(InputError, match="share no tracker"):
        profile_of(slow, contributed("PC", mil=[1.0]))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"origin": "rumour"}, "profile.origin is 'rumour', allowed is one of: measured, published, assumed"),
        ({"jitter": -0.1}, "profile.jitter is -0.1"),
        ({"jitter": "much"}, "profile.jitter"),
        ({"scale": {"search": 2.0}}, "profile.scale"),
        ({"scale": {"track": 0}}, "profile.scale"),
        ({"reference": ""}, "profile.reference"),
        ({"stalls": {"every_s": 0, "ms": [1, 2]}}, "stalls.every_s is 0"),
        ({"stalls": {"every_s": 1, "ms": [2, 1]}}, "stalls.ms"),
        ({"stalls": {"often": 1}}, "no profile of a board"),
        ({"trackers": {"kcf": {"fps": 0}}}, "no profile of a board"),
        ({"trackers": {"kcf": {"hz": 3}}}, "needs the field 'fps'"),
        ({"trackers": {"kcf": {"frame_ms": []}}}, "profile.times_ms"),
        ({"trackers": {"kcf": {"frame_ms": [float("nan")]}}}, "profile.times_ms"),
        ({"speed": 3}, "unknown field 'speed', allowed are board, jitter"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_the_file(profile, fields, words):
    with pytest.raises(InputError) as raised:
        read(str(profile("own.json", **fields)))
    assert "own.json: " in str(raised.value) and words in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("board:nowhere#kcf", "no such file, and none of the shipped profiles: agx-xavier"),
        ("board:agx-xavier", "names no board or no tracker"),
        ("board:agx-xavier#", "names no board or no tracker"),
        ("board:#kcf", "names no board or no tracker"),
        ("board:", "names no file"),
        ("board:agx-xavier#wizard", "wizard is no tracker"),
    ],
)
def test_a_text_that_names_no_times_is_refused(text, words):
    with pytest.raises(InputError, match=words):
        parse(text)


def test_a_profile_can_be_made_in_code():
    assert BoardProfile("b", "assumed", "s", stalls=Stalls(1.0, (2.0, 3.0))).longest(1e6) == pytest.approx(4e6)
