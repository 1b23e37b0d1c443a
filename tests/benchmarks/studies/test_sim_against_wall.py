"""The study of both clocks on a quick tracker and a generated clip: what it measures, simulates and writes."""

import time

import numpy as np
import pytest

from pvtpp.core.event_log import EventLog
from pvtpp.errors import InputError
from pvtpp.tracker import TrackerOutput
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.studies import sim_against_wall as study

MS = 1_000_000
BOX = np.array([50.0, 50, 20, 20])


@pytest.fixture(autouse=True)
def own_lock(tmp_path, monkeypatch):
    """Runs on the wall clock lock the machine; the tests of other processes must not wait for this one."""
    monkeypatch.setattr("pvtpp_benchmarks.machine_lock.tempfile.gettempdir", lambda: str(tmp_path))


def walk(frames=24):
    rng = np.random.default_rng(3)
    boxes = rng.normal(scale=[6, 6, 0.2, 0.2], size=(frames, 4)).cumsum(axis=0) + [300, 200, 40, 30]
    return VideoSequence("walk", boxes)


def row_of(tmp_path, make=Oracle):
    return study.against_wall(walk(), make, "oracle", "", "hold", 20.0, str(tmp_path / "logs"))


def test_both_clocks_score_the_same_clip(tmp_path):
    row = row_of(tmp_path)
    assert (row["clip"], row["method"], row["ms"]) == ("walk", "hold", 20.0)
    assert row["difference"] == pytest.approx(row["wall"]["auc"] - row["simulated"]["auc"], abs=1e-6)
    for clock in ("wall", "simulated"):
        assert 0 < row[clock]["auc"] < 1 and 0 < row[clock]["results"] < 24
    # Nothing is quicker than the sleep; how much slower it is depends on the machine.
    assert row["measured"]["track_ms"][0] >= 20.0 and row["measured"]["propagation_ms"] == 0.0
    assert len(row["measured"]["load"]) == 2


def test_a_kept_log_is_simulated_again_and_not_run_again(tmp_path):
    row = row_of(tmp_path)

    class Broken(Oracle):
        def track(self, frame, search_box=None):
            raise AssertionError("ran again")

    made = iter((Oracle,))
    assert row_of(tmp_path, lambda clip: next(made, Broken)(clip)) == row


def test_a_slowed_tracker_takes_its_time_and_is_else_the_same():
    tracker = study.Slowed(Oracle(walk()), 0.01)
    clip = walk()
    begin = time.perf_counter()
    tracker.init(clip.frame(0), BOX)
    output = tracker.track(clip.frame(5))
    assert time.perf_counter() - begin >= 0.02
    reference = Oracle(walk())
    reference.init(clip.frame(0), BOX)
    np.testing.assert_array_equal(output.box, reference.track(clip.frame(5)).box)

    class Fixed(Oracle):
        takes_search_box = False

    assert study.Slowed(Fixed(walk()), 0.0).takes_search_box is False
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = study.Slowed(Fixed(walk()), 0.0).nothing_of_this_name


def log_of(*tracked):
    """Initialised for 12 ms, then frames tracked: number, begin and end in milliseconds."""
    log = EventLog({"wall": {"stages_ms": {"track": [3, 20.0, 25.0], "predict": [3, 0.25, 1.0]}}})
    log.init(0, 4, 0, BOX)
    log.initialised(12 * MS)
    for number, begin, end in tracked:
        log.track(begin * MS, number, begin * MS, None)
        log.result(end * MS, number, begin * MS, TrackerOutput(BOX, 1.0))
    return log


def test_the_times_of_a_run_are_read_off_its_log_and_passed_over_frames_have_the_one_before():
    found = study.measured(log_of((6, 12, 30), (8, 30, 51)), 7)
    assert (found.trace_ns // MS).tolist() == [12, 18, 18, 18, 21, 21, 21]
    assert (found.predictor_ns, found.propagation_ns) == (250_000, 0)
    with pytest.raises(InputError, match="answered for no frame"):
        study.measured(log_of(), 7)


def test_the_simulation_of_a_log_takes_what_the_log_took():
    clip = walk(12)
    trace = [(1, 33, 93), (2, 93, 153), (4, 153, 213)]
    log = EventLog({"wall": {"stages_ms": {}}})
    log.init(0, 0, 0, BOX)
    log.initialised(30 * MS)
    for number, begin, end in trace:
        log.track(begin * MS, number, 0, None)
        log.result(end * MS, number, 0, TrackerOutput(BOX, 1.0))
    again = study.simulated(clip, Oracle(clip), "hold", log, BOX)
    begun = {row[2]: row[1] for row in again.of_kind("track")}
    taken = [round((row[1] - begun[row[2]]) / MS) for row in again.of_kind("result")]
    assert taken and set(taken) == {60} and again.of_kind("initialised")[0][1] == 30 * MS


def rows(difference=0.0):
    auc = {"hold": 0.4, "ensemble": 0.6}
    return [
        {
            "clip": f"clip {i}",
            "method": method,
            "ms": ms,
            "wall": {"auc": auc[method] + i / 10 + difference},
            "simulated": {"auc": auc[method] + i / 10},
            "difference": difference,
        }
        for method in auc
        for ms in (47.0, 85.0)
        for i in range(3)
    ]


def test_means_are_over_clips_for_each_method_and_speed():
    found = study.means(rows(0.02))
    assert [(each["method"], each["ms"], each["n"]) for each in found] == [
        ("hold", 47.0, 3),
        ("hold", 85.0, 3),
        ("ensemble", 47.0, 3),
        ("ensemble", 85.0, 3),
    ]
    assert found[0]["wall"] == pytest.approx(0.52) and found[0]["simulated"] == pytest.approx(0.5)
    assert found[0]["difference"] == pytest.approx(0.02) and found[0]["ci95"] == pytest.approx([0.02, 0.02])


def test_a_folder_without_the_data_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        study.main([str(tmp_path)])
    assert stopped.value.code == 2 and "uav-mini" in capsys.readouterr().err
