"""The study of closed loops: what is chosen where, what is compared with what, and what is refused before any run."""

import json

import numpy as np
import pytest
from perfect import Perfect

import pvtpp_benchmarks.closed_loop.__main__ as command
from pvtpp.errors import InputError
from pvtpp_benchmarks.closed_loop.measures import Figures
from pvtpp_benchmarks.closed_loop.study import (
    GAIN,
    INTEGRAL,
    TUNING,
    Runs,
    Setting,
    StudyConfig,
    choose_gains,
    content,
    held_speeds,
    summary,
    table,
)
from pvtpp_benchmarks.closed_loop.variants import MAIN
from pvtpp_benchmarks.closed_loop.world import World, WorldConfig
from pvtpp_benchmarks.studies.journal import Journal

BEST = {"stale": 3.0, "pvt": 5.0, "default": 9.0, "imu": 9.0}
FASTEST = {"stale": 40.0, "pvt": 0.0, "default": 50.0, "imu": 60.0}
SHARES = {"stale": 1.0, "pvt": 0.8, "default": 0.4, "imu": 0.1}


class Scripted(Runs):
    """Runs whose figures follow from the setting: the best gain of each variant, and the speed that it holds."""

    def __init__(self):
        self.asked = []

    def figures(self, config, settings):
        self.asked += [(config, setting) for setting in settings]
        return {setting: self.one(config, setting) for setting in settings}

    def one(self, config, setting):
        error = 100 * SHARES[setting.variant] * (1 + abs(setting.gain - BEST[setting.variant])) + config.seed % 10
        return Figures(error, None if config.speed <= FASTEST[setting.variant] else 2.0, 7.0, config.seconds)


def test_gains_are_chosen_on_worlds_that_are_not_reported():
    runs, config = Scripted(), StudyConfig(seeds=2, tuning_seeds=2)
    gains, rows = choose_gains(config, runs)
    assert gains == {(variant, time): BEST[variant] for variant in MAIN for time in ("47ms", "85ms")}
    assert {world.seed for world, _ in runs.asked} == {TUNING, TUNING + 1}
    assert len(rows) == len(MAIN) * 2 * 4 and all(row["runs"] == 4 for row in rows)
    runs.asked.clear()
    table(config, runs, gains)
    assert {world.seed for world, _ in runs.asked} == {0, 1}


def test_all_variants_share_a_gain_and_where_nothing_hides_the_target_have_their_own_too():
    config = StudyConfig()
    gains, _ = choose_gains(config, Scripted())
    rows = table(config, Scripted(), gains)
    assert {row["gain"] for row in rows if row["gain_is"] == "shared"} == {GAIN}
    assert {(row["variant"], row["gain"]) for row in rows if row["gain_is"] == "own"} == set(BEST.items())
    assert {row["occlusions"] for row in rows if row["gain_is"] == "own"} == {0}
    assert len(rows) == 4 * 2 * 4 * (2 + 1)


def test_a_row_is_compared_with_the_same_case_of_the_first_two_variants():
    best = {(variant, time): BEST[variant] for variant in MAIN for time in ("47ms", "85ms")}
    rows = table(StudyConfig(seeds=1), Scripted(), best)
    own = {row["variant"]: row for row in rows if row["gain_is"] == "own" and row["processing"] == "85ms"}
    assert own["default"]["to_stale"] == pytest.approx(0.4) and own["default"]["to_pvt"] == pytest.approx(0.5)
    assert own["pvt"]["to_stale"] == pytest.approx(0.8) and "to_pvt" not in own["pvt"]
    assert "to_stale" not in own["stale"]
    said = {(each["variant"], each["halves_stale"], each["beats_pvt"]) for each in command.bars([own["default"]])}
    assert said == set() if own["default"]["motion"] not in ("linear", "curved") else {("default", True, True)}


def test_a_speed_is_held_where_it_and_all_lower_ones_are():
    runs, config = Scripted(), StudyConfig()
    gains, _ = choose_gains(config, runs)
    runs.asked.clear()
    rows = held_speeds(config, runs, gains)
    assert {row["variant"]: row["held_m_s"] for row in rows} == FASTEST
    # Who has lost the target is not tried at a higher speed.
    tried = {(world.speed, setting.variant) for world, setting in runs.asked}
    assert (20.0, "pvt") in tried and (40.0, "pvt") not in tried


def test_time_to_loss_counts_a_run_without_one_whole():
    made = summary([Figures(10.0, None, 1.0, 8.0), Figures(30.0, 2.0, 3.0, 8.0)])
    assert made == {
        "mse_mrad2": 20.0,
        "per_seed_mrad2": [10.0, 30.0],
        "lost": 1,
        "runs": 2,
        "time_to_loss_s": 5.0,
        "jerk": 2.0,
    }


def test_the_integral_gain_goes_with_the_proportional_one():
    runs = Runs("none", lambda name: Perfect(lambda t_ns: None), Journal(None))
    config = runs.loop(World(WorldConfig()), Setting("stale", "20ms", 10.0)).config.controller
    assert (config.proportional, config.integral) == (10.0, 10.0 * INTEGRAL)


def test_a_run_is_made_once_and_kept_in_the_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(Runs, "loop", lambda self, world, setting: Stub())
    shown, settings = [], [Setting("stale", "20ms", gain) for gain in (3.0, 5.0)]
    world = WorldConfig(seconds=3.0)
    for _ in range(2):
        runs = Runs("none", lambda name: None, Journal(str(tmp_path / "journal")), shown.append)
        found = runs.figures(world, settings)
    assert len(shown) == 2 and found[settings[0]] == Figures(0.0, None, 0.0, 2.0)


class Stub:
    """A loop that points at its target at once."""

    def run(self):
        from pvtpp_benchmarks.closed_loop.axes import AxisStates
        from pvtpp_benchmarks.closed_loop.loop import Recording

        still = np.zeros((2001, 2))
        return Recording(AxisStates(still, still, still), np.zeros(2001), np.ones(2001, dtype=bool), [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"motions": ("linear", "circling")},
            "StudyConfig.motions is ('linear', 'circling'), allowed is one or more of",
        ),
        ({"variants": ()}, "StudyConfig.variants is ()"),
        ({"gains": (5.0, 3.0)}, "StudyConfig.gains is (5.0, 3.0), allowed is one or more numbers above 0, rising"),
        ({"seeds": 0}, "StudyConfig.seeds is 0"),
        ({"processing": ("fast",)}, "fast"),
        ({"seconds": 2.0, "occlusions": (0,)}, "StudyConfig.seconds is 2.0, allowed is a number from 3"),
        ({"occlusions": (5,)}, "WorldConfig.occlusions is 5"),
        ({"speeds": (20.0, 300.0)}, "WorldConfig.speed is 300"),
    ],
)
def test_what_cannot_be_run_is_refused(change, words):
    with pytest.raises(InputError) as raised:
        StudyConfig(**change)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "missing/table.json"], "missing/table.json: cannot be written"),
        (["--film", "film.avi"], "film.avi: unknown ending, allowed is .mp4"),
        (["--picture", "still.gif"], "still.gif: unknown ending"),
        (["--gains", "9,3"], "--gains is (9.0, 3.0)"),
        (["--film-motion", "none"], "WorldConfig.motion is 'none'"),
        (["--speed", "fast"], "--speed"),
    ],
)
def test_a_command_that_cannot_end_well_is_refused_before_any_run(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "content", None)
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2 and words in capsys.readouterr().err


def test_the_command_prints_tables_and_writes_what_the_study_found(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "content", lambda config, runs: content(config, Scripted()))
    assert command.main(["--json", str(tmp_path / "table.json")]) == 0
    printed = capsys.readouterr().out
    assert "PVT's Kalman filter" in printed and "9 (own)" in printed and "-60%" in printed
    written = json.loads((tmp_path / "table.json").read_text())
    assert len(written["rows"]) == 96 and written["tracker"] == "nanotrack-v3"
    assert written["config"]["loop"]["axes"]["delay_ms"] == 40
    assert {(each["motion"], each["variant"]) for each in written["bars"]} == {
        (motion, variant) for motion in ("linear", "curved") for variant in ("default", "imu")
    }


@pytest.mark.real_data
def test_the_real_tracker_follows_its_target_in_a_loop(weights_root):
    from pvtpp_trackers.registry import create

    runs = Runs("nanotrack-v3", create, Journal(None))
    setting = Setting("imu", "47ms", GAIN)
    made = runs.figures(WorldConfig(seconds=3.0), [setting])[setting]
    assert made.lost_s is None and np.degrees(np.sqrt(made.mse_mrad2) * 1e-3) < 1.5
