"""The benchmark as a whole: runs, resumes, scores; the same seed gives the same result to the bit."""

import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks import evaluate as evaluation
from pvtpp_benchmarks import execution
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import Entry, evaluate, evaluate_all
from pvtpp_benchmarks.metrics import SIGMAS, Curve
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.runs import first_frame_and_box, jobs, obtain
from pvtpp_benchmarks.score import score_online
from pvtpp_benchmarks.spec import Grid, RunSpec
from pvtpp_benchmarks.workers import workers


def walk(name, seed, frames=80, camera=30.0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=[0.4, 0.4, 0.02, 0.02], size=(frames, 4)).cumsum(axis=0)
    return VideoSequence(name, steps.cumsum(axis=0) + [300, 200, 60, 50], 30.0, camera)


SEQUENCES = [walk("one", 1), walk("two", 2), walk("slow", 3, camera=10.0)]
BASE = RunSpec("walks", "oracle", "0ms", version="test")


class Counting:
    """Makes oracles, counts the frames they are shown, and stops like a user's Ctrl-C after so many."""

    def __init__(self, noise=0.02, stop_after=None):
        self.noise, self.stop_after, self.frames = noise, stop_after, 0

    def __call__(self, sequence):
        counting = self

        class Counted(Oracle):
            def track(self, frame, search_box=None):
                counting.frames += 1
                if counting.stop_after is not None and counting.frames > counting.stop_after:
                    raise KeyboardInterrupt
                return super().track(frame, search_box)

        return Counted(sequence, self.noise)


make_oracle = partial(Oracle, noise=0.02)


def cells(times, predictors, base=BASE, **options):
    """A grid of one setting for all predictors: no propagation, the search region at the last result."""
    axes = {"processing": times, "search_region": ("last",), "propagation": ("none",), "presence": ("off",)}
    return Grid(base, predictors, axes, **options)


def grid(**options):
    return cells(("0ms", "85ms"), ("hold", "constant_velocity", "kalman"), **options)


def test_two_runs_with_one_seed_are_the_same_to_the_bit(tmp_path):
    one = evaluate(SEQUENCES, grid(), make_oracle, str(tmp_path / "a"))
    assert one == evaluate(SEQUENCES, grid(), make_oracle, str(tmp_path / "b"))
    assert one == evaluate(SEQUENCES, grid(), make_oracle, None)


def test_logs_on_disk_score_as_the_runs_in_memory_did(tmp_path):
    first = evaluate(SEQUENCES, grid(), Counting(), str(tmp_path))
    again = Counting()
    assert evaluate(SEQUENCES, grid(), again, str(tmp_path)) == first
    assert again.frames == 0


def test_processes_give_what_one_process_gives(tmp_path):
    with workers(2) as pool:
        assert evaluate(SEQUENCES, grid(), make_oracle, None, pool) == evaluate(SEQUENCES, grid(), make_oracle, None)


def test_several_trackers_have_the_rows_that_each_has_alone(tmp_path):
    entries = [
        Entry(replace(grid(), base=replace(BASE, tracker=name)), partial(Oracle, noise=noise))
        for name, noise in (("exact", 0.0), ("noisy", 0.1))
    ]
    rows = evaluate_all(SEQUENCES, entries, str(tmp_path))
    alone = [evaluate(SEQUENCES, *entry) for entry in entries]
    assert rows == [*alone[0], *alone[1]] and alone[0] != alone[1]
    with workers(2) as pool:
        assert evaluate_all(SEQUENCES, entries, None, pool) == rows
    with pytest.raises(InputError, match="noisy is there twice"):
        evaluate_all(SEQUENCES, [entries[1], entries[0], entries[1]])
    with pytest.raises(InputError, match="no tracker is named"):
        evaluate_all(SEQUENCES, [])


def test_zero_latency_and_hold_at_0_ms_are_one_run():
    both, one = Counting(), Counting()
    rows = evaluate(SEQUENCES[:1], cells(("0ms",), ("hold",)), both, None)
    evaluate(SEQUENCES[:1], cells(("0ms",), ("hold",), offline=False), one, None)
    assert [row["evaluation"] for row in rows] == ["offline", "online"] and both.frames == one.frames


def test_rows_are_the_same_whatever_order_the_runs_end_in(monkeypatch):
    expected, in_order = evaluate(SEQUENCES, grid(), make_oracle), execution.run

    def backwards(tasks, executor=None, lost=None):
        return reversed(list(in_order(tasks, executor, lost)))

    monkeypatch.setattr(evaluation, "run", backwards)
    assert evaluate(SEQUENCES, grid(), make_oracle) == expected


def test_one_tracker_run_per_processing_time_serves_every_predictor():
    counting = Counting()
    evaluate(SEQUENCES[:1], grid(offline=False), counting, None)
    alone = Counting()
    evaluate(SEQUENCES[:1], cells(("0ms", "85ms"), ("hold",), offline=False), alone, None)
    assert counting.frames == alone.frames


def test_a_predictor_added_later_is_scored_on_the_old_runs_as_if_it_had_been_in_them(tmp_path):
    evaluate(SEQUENCES, cells(("85ms",), ("hold",)), Counting(), str(tmp_path))
    counting = Counting()
    later = evaluate(SEQUENCES, cells(("85ms",), ("kalman",)), counting, str(tmp_path))
    assert counting.frames == 0
    assert later == evaluate(SEQUENCES, cells(("85ms",), ("kalman",)), make_oracle, None)


def test_an_interrupted_evaluation_goes_on_and_loses_no_finished_sequence(tmp_path):
    whole = Counting()
    expected = evaluate(SEQUENCES, grid(), whole, str(tmp_path / "whole"))
    stopped = Counting(stop_after=100)
    with pytest.raises(KeyboardInterrupt):
        evaluate(SEQUENCES, grid(), stopped, str(tmp_path / "cut"))
    finished = [name for _, _, files in os.walk(tmp_path / "cut") for name in files]
    assert finished == ["one.0of1.0.jsonl"]
    rest = Counting()
    assert evaluate(SEQUENCES, grid(), rest, str(tmp_path / "cut")) == expected
    assert rest.frames == whole.frames - 79


def test_logs_of_other_code_are_not_taken_for_this_one(tmp_path):
    evaluate(SEQUENCES[:1], cells(("85ms",), ("hold",)), make_oracle, str(tmp_path))
    counting = Counting()
    newer = RunSpec("walks", "oracle", "0ms", version="newer")
    evaluate(SEQUENCES[:1], cells(("85ms",), ("hold",), newer), counting, str(tmp_path))
    assert counting.frames > 0


def other_truth():
    return VideoSequence("one", SEQUENCES[0].ground_truth_xywh + [1.0, 0, 0, 0])


def other_rate():
    return VideoSequence("one", SEQUENCES[0].ground_truth_xywh, 60.0, 60.0)


@pytest.mark.parametrize("sequence", [other_truth, other_rate])
def test_logs_of_other_data_under_the_same_names_are_not_taken_for_these(sequence, tmp_path):
    cell = cells(("85ms",), ("hold",), offline=False)
    evaluate(SEQUENCES[:1], cell, make_oracle, str(tmp_path))
    other = sequence()
    assert evaluate([other], cell, make_oracle, str(tmp_path)) == evaluate([other], cell, make_oracle, None)


def test_logs_of_recorded_times_that_have_changed_or_of_another_tracker_are_not_taken_for_these(tmp_path):
    trace, logs = tmp_path / "trace.txt", str(tmp_path / "logs")
    seen = []
    for seconds, digest in ((0.02, "a"), (0.2, "a"), (0.2, "b")):
        trace.write_text(f"{seconds}\n{seconds}\n")
        base = RunSpec("walks", "oracle", "0ms", version="test", tracker_digest=digest)
        counting = Counting()
        row = evaluate(SEQUENCES[:1], cells((f"trace:{trace}",), ("hold",), base, offline=False), counting, logs)[0]
        assert counting.frames > 0
        seen.append(row["auc"])
    assert seen[0] > seen[1] + 0.2


def test_recorded_times_are_read_once_for_all_runs_of_a_spec(tmp_path):
    trace = tmp_path / "times.txt"
    trace.write_text("0.01\n0.02\n")
    spec = RunSpec("walks", "oracle", f"trace:{trace}", starts=4)
    trace.unlink()
    assert all(job.times()(1) == 20_000_000 for job in jobs(SEQUENCES, spec, None))


def test_recorded_times_are_drawn_anew_for_each_draw_and_start(tmp_path):
    (tmp_path / "times.txt").write_text("0.01\n" + "\n".join(str(0.02 + 0.002 * i) for i in range(100)))
    spec = RunSpec("walks", "oracle", f"empirical:{tmp_path}/times.txt", starts=2, draws=2)
    drawn = [tuple(map(job.times(), range(30))) for job in jobs(SEQUENCES[:1], spec, None)]
    assert len(set(drawn)) == 4
    assert drawn == [tuple(map(job.times(), range(30))) for job in jobs(SEQUENCES[:1], spec, None)]


def test_a_start_after_which_the_target_never_returns_is_left_out_and_the_row_says_how_many_ran():
    boxes = SEQUENCES[0].ground_truth_xywh.copy()
    boxes[35:] = np.nan
    base = RunSpec("walks", "oracle", "0ms", starts=4)
    row = evaluate(
        [VideoSequence("leaves", boxes)], cells(("47ms",), ("hold",), base, offline=False), make_oracle, None
    )[0]
    assert row["runs"] == 2


@pytest.mark.parametrize("mode", ["elae", "otb", "strict"])
def test_truth_that_is_withheld_is_not_scored_as_a_perfect_result(mode):
    boxes = np.full((50, 4), np.nan)
    boxes[0] = [10, 10, 20, 20]
    with pytest.raises(InputError, match="withheld"):
        evaluate([VideoSequence("secret", boxes)], cells(("47ms",), ("hold",), modes=(mode,)), make_oracle, None)


def test_a_log_of_another_sequence_of_this_name_is_not_scored(tmp_path):
    log, _ = obtain(jobs(SEQUENCES[:1], RunSpec("walks", "oracle", "47ms"), None)[0], make_oracle)
    with pytest.raises(InputError, match="another sequence of this name"):
        score_online(log, other_truth(), "hold")


def test_the_exact_curve_agrees_with_its_51_samples():
    row = evaluate(SEQUENCES[:2], cells(("47ms",), ("hold",), offline=False), make_oracle, None)[0]
    exact = Curve(np.array(row["exact_curve"]["sigma"]), np.array(row["exact_curve"]["auc"]))
    np.testing.assert_allclose(exact.at(SIGMAS), row["curve"]["auc"], atol=1e-6)
    assert exact.sigma[0] == 0 and (np.diff(exact.sigma) > 0).all()


def test_camera_rates_are_never_averaged_together_and_sequences_can_be_set_apart():
    rows = evaluate(SEQUENCES, cells(("47ms",), ("hold",), apart=frozenset({"two"})), make_oracle, None)
    online = [
        (row["camera_fps"], row["world_fps"], row["apart"], sorted(row["per_sequence"]))
        for row in rows
        if row["predictor"]
    ]
    assert online == [(30, 30, False, ["one"]), (10, 30, False, ["slow"]), (30, 30, True, ["two"])]
    offline = [row for row in rows if row["evaluation"] == "offline" and row["camera_fps"] == 10]
    assert [row["world_fps"] for row in offline] == [10]


def test_at_zero_processing_time_hold_is_the_offline_evaluation():
    rows = evaluate(SEQUENCES[:2], cells(("0ms",), ("hold",)), make_oracle, None)
    assert rows[0]["evaluation"] == "offline" and rows[1]["evaluation"] == "online"
    assert rows[0]["per_sequence"] == rows[1]["per_sequence"]


def test_hold_falls_with_the_processing_time_and_prediction_gives_back_a_part():
    times = ("0ms", "47ms", "85ms", "165ms")
    rows = evaluate(SEQUENCES[:2], cells(times, ("hold", "kalman"), offline=False), make_oracle, None)
    auc = {(row["predictor"], row["processing"]): row["auc"] for row in rows}
    hold = [auc["hold", time] for time in times]
    assert hold == sorted(hold, reverse=True)
    assert auc["kalman", "85ms"] > hold[2] + 0.05 and auc["kalman", "165ms"] > hold[3] + 0.05


def test_every_predictor_has_a_curve_and_mauc_is_its_plain_mean():
    for row in evaluate(SEQUENCES[:2], cells(("47ms",), ("hold", "kalman"), offline=False), make_oracle, None):
        assert len(row["curve"]["auc"]) == 51
        assert row["mauc"] == pytest.approx(np.mean(row["curve"]["auc"]), abs=1e-6)
        assert row["auc"] == pytest.approx(row["curve"]["auc"][0], abs=1e-6)


def test_a_predictor_with_a_cost_gets_runs_of_its_own_and_pays():
    costs = {"kalman": 30_000_000}
    rows = evaluate(
        SEQUENCES[:2], cells(("47ms",), ("hold", "kalman"), predictor_ns=costs, offline=False), make_oracle, None
    )
    free = evaluate(SEQUENCES[:2], cells(("47ms",), ("hold", "kalman"), offline=False), make_oracle, None)
    assert rows[0]["auc"] == free[0]["auc"]
    assert rows[1]["auc"] < free[1]["auc"] and rows[1]["predictor_ms"] == 30


def test_zero_latency_is_the_tracker_alone_whatever_else_the_grid_has():
    more = replace(grid(), base=replace(BASE, presence="on", ego_motion="gyro"))
    (ours, scored), (theirs, _) = (next(each.cells()) for each in (more, grid()))
    assert ours == theirs and scored == (None,)
    assert (ours.presence, ours.ego_motion, ours.propagation, ours.search_region) == ("off", "none", "none", "last")


def test_starts_are_spread_over_the_clip_and_skip_frames_without_target():
    boxes = SEQUENCES[0].ground_truth_xywh.copy()
    boxes[20:25] = np.nan
    sequence = VideoSequence("gap", boxes)
    made = jobs([sequence], RunSpec("walks", "oracle", "47ms", starts=4), None)
    assert [first_frame_and_box(job)[0] for job in made] == [0, 25, 40, 60]


def test_jitter_is_seeded_bounded_and_leaves_the_first_draw_alone():
    spec = RunSpec("walks", "oracle", "47ms", draws=3, jitter_px=0.5)
    boxes = [first_frame_and_box(job)[1] for job in jobs(SEQUENCES[:1], spec, None)]
    again = [first_frame_and_box(job)[1] for job in jobs(SEQUENCES[:1], spec, None)]
    np.testing.assert_array_equal(boxes, again)
    moved = np.abs(np.array(boxes) - boxes[0])
    assert (moved[0] == 0).all() and (moved[1:] > 0).all() and (moved <= 0.5).all()


def test_runs_from_several_starts_report_their_spread_and_an_interval():
    base = RunSpec("walks", "oracle", "0ms", starts=2, draws=2, jitter_px=0.5)
    row = evaluate(SEQUENCES[:2], cells(("47ms",), ("hold",), base, offline=False), make_oracle, None)[0]
    assert row["auc_std"] > 0
    low, high = row["auc_ci95"]
    assert low <= row["auc"] <= high
    assert (row["starts"], row["draws"], row["sequences"]) == (2, 2, 2)


def test_a_log_is_obtained_with_all_predictors_of_its_spec(tmp_path):
    job = jobs(SEQUENCES[:1], RunSpec("walks", "oracle", "47ms", predictors=("hold", "kalman")), str(tmp_path))[0]
    log, ran = obtain(job, make_oracle)
    assert ran and log.predictors == ["hold", "kalman"]
    assert obtain(job, make_oracle)[1] is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schedule": "never"}, "async, paper"),
        ({"search_region": "left"}, "last, predicted"),
        ({"starts": 0}, "starts is 0, allowed is a whole number from 1"),
        ({"jitter_px": float("nan")}, "jitter_px"),
        ({"predictors": ("wizard",)}, "hold, constant_velocity"),
        ({"processing": "soon"}, "47ms"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(change, words):
    with pytest.raises(InputError, match=words):
        RunSpec(**{"dataset": "d", "tracker": "t", "processing": "47ms", **change})


@pytest.mark.parametrize("first", [[np.nan] * 4, [10, 10, 0, 5]])
def test_a_first_box_that_is_nan_or_zero_is_refused_with_the_sequence(first):
    boxes = SEQUENCES[0].ground_truth_xywh.copy()
    boxes[0] = first
    with pytest.raises(InputError, match="broken: the first box"):
        evaluate([VideoSequence("broken", boxes)], cells(("47ms",), ("hold",)), make_oracle, None)


def test_unknown_modes_and_sequences_set_apart_are_refused():
    with pytest.raises(InputError, match="elae, otb, strict"):
        grid(modes=("vot",))
    with pytest.raises(InputError, match="nobody"):
        evaluate(SEQUENCES, grid(apart=frozenset({"nobody"})), make_oracle, None)
