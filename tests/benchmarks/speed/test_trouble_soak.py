"""A short soak in trouble: no wrong answer looks fresh, and memory does not grow."""

import json

import numpy as np
import pytest

from pvtpp.core.presence import Presence
from pvtpp.trajectory import Prediction
from pvtpp_benchmarks.speed import trouble_soak
from pvtpp_benchmarks.speed.troubled_camera import SettableClock, World


def test_in_twenty_seconds_of_trouble_nothing_wrong_looks_fresh_and_memory_stays(tmp_path, capsys):
    path = tmp_path / "soak.json"
    arguments = ["--seconds", "20", "--period", "0.25", "--pace", "3", "--size", "320", "180", "--seed", "1"]
    trouble_soak.main([*arguments, "--json", str(path)])
    figures = json.loads(path.read_text())
    # How many answers are fresh depends on the machine.
    assert figures["wrong_and_fresh"] == [] and figures["answers"]["wrong"] == 0
    assert figures["grown_mib"] <= trouble_soak.GROWTH_MIB
    assert "s of trouble, seed 1" in capsys.readouterr().out


class Fixed:
    """A live tracker that gives one answer, TRACKING, and a camera whose newest frame is of now."""

    presence, target, recent = Presence.TRACKING, 1, ()

    def __init__(self, world, clock, off, age_s):
        self.world, self.clock, self.off, self.age_s = world, clock, off, age_s

    @property
    def newest_ns(self):
        return self.world.now()

    def scales(self, from_ns, to_ns):
        return [1.0]

    def predict(self):
        now = self.world.now()
        box = self.world.box_at(now) + [self.off, 0, 0, 0]
        return Prediction(now + self.clock.offset_ns, box, np.zeros(4), np.ones(4), self.age_s)


@pytest.mark.parametrize(
    ("off", "age_s", "outcome"),
    [(0, 0.03, "fresh"), (60, 0.03, "wrong"), (60, 0.5, "old"), (60, -0.1, "old"), (float("nan"), 0.03, "wrong")],
)
def test_the_checker_finds_what_is_wrong_and_looks_fresh(off, age_s, outcome):
    world = World((320, 180), 30)
    clock = SettableClock(world)
    clock.set(-3600 * 10**9)
    fixed = Fixed(world, clock, off, age_s)
    checker = trouble_soak.Checker(world, clock, fixed, fixed, 100)
    checker._query()
    counts = {name for name, count in checker.counts.items() if count}
    assert outcome in counts and ("wrong" in counts) == (outcome == "wrong") == bool(checker.wrong)


def test_each_failure_has_a_line():
    good = {"answers": {"wrong": 0, "fresh": 5}, "grown_mib": 1.0, "threads_left": []}
    assert trouble_soak.failures(good) == []
    for change in (
        {"answers": {"wrong": 1, "fresh": 5}},
        {"answers": {"wrong": 0, "fresh": 0}},
        {"grown_mib": 20.5},
        {"grown_mib": float("nan")},
        {"threads_left": ["pvtpp tracker"]},
    ):
        assert len(trouble_soak.failures({**good, **change})) == 1


def test_wrong_options_are_refused(tmp_path, capsys):
    for arguments in (["--seconds", "0"], ["--pace", "-1"], ["--seed", "-1"], ["--json", str(tmp_path)]):
        with pytest.raises(SystemExit):
            trouble_soak.main(arguments)
    assert "--seconds is 0.0" in capsys.readouterr().err
