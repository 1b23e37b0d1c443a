"""Which tracker on this board: interpolation, the rate that holds a target, and nothing beyond what was evaluated."""

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.board_choice import accuracies, choice_table, choose
from pvtpp_benchmarks.processing import parse

TIMES = (0.0, 20.0, 40.0, 80.0)


def rows(tracker, *clips, predictor="hold", fps=30.0, predictor_ms=0.0, times=TIMES, **more):
    """Rows with the AUC of each clip at each time."""
    return [
        {
            "dataset": "d",
            "mode": "otb",
            "apart": False,
            "clock": "simulated",
            "tracker": tracker,
            "predictor": predictor,
            "predictor_ms": predictor_ms,
            "camera_fps": fps,
            "world_fps": 30.0,
            "search_region": "last",
            "propagation": "none",
            "presence": "off",
            "ego_motion": "none",
            "schedule": "async",
            "version": "v",
            "processing_ms": ms,
            "per_sequence": {str(number): clip[at] for number, clip in enumerate(clips)},
            "auc": sum(clip[at] for clip in clips) / len(clips),
            **more,
        }
        for at, ms in enumerate(times)
    ]


FALLING = (0.8, 0.7, 0.5, 0.1)
STEADY = (0.6, 0.6, 0.58, 0.5)


def of(choices, tracker, predictor="hold"):
    return next(
        each for each in choices if (each.setting["tracker"], each.setting["predictor"]) == (tracker, predictor)
    )


def test_accuracy_is_read_between_the_evaluated_times():
    (accuracy,) = accuracies(rows("a", FALLING, STEADY))
    assert accuracy.at(30) == pytest.approx(((0.7 + 0.5) / 2 + (0.6 + 0.58) / 2) / 2)
    assert [accuracy.at(ms) for ms in (0, 80)] == pytest.approx([0.7, 0.3])
    # At 60 ms the one clip has .3, the other .54.
    assert accuracy.share(60, 0.5) == 0.5 and accuracy.share(60, 0.2) == 1.0


def test_nothing_is_said_beyond_the_evaluated_times():
    (accuracy,) = accuracies(rows("a", STEADY, times=(10.0, 20.0, 40.0, 80.0)))
    assert [accuracy.at(ms) for ms in (9.9, 80.1)] == [None, None] and accuracy.share(81, 0.1) is None
    choices = choose([accuracy], {"a": parse("81ms")}, 0.1)
    assert (choices[0].auc, choices[0].goodput, choices[0].holds) == (None, None, False)
    assert "1 not known, the board's time is beyond those evaluated" in choice_table(choices, 0.1)


def test_the_slowest_time_that_holds_the_target_is_where_the_line_crosses_it():
    (accuracy,) = accuracies(rows("a", FALLING))
    assert accuracy.slowest(0.6) == pytest.approx(30) and accuracy.slowest(0.9) is None
    # The last evaluated time holds it still: how much slower it may be is not known.
    assert accuracy.slowest(0.05) == 80
    # A time beyond a dip below the target does not count.
    (dip,) = accuracies(rows("b", (0.8, 0.4, 0.8, 0.8)))
    assert dip.slowest(0.6) == pytest.approx(10)


def test_goodput_is_the_rate_of_clips_that_hold_the_target_and_the_best_comes_first():
    found = accuracies(
        [
            *rows("fast", (0.5, 0.5, 0.5, 0.5), (0.3, 0.3, 0.3, 0.3)),
            *rows("good", STEADY, FALLING),
            *rows("good", STEADY, STEADY, predictor="kalman", predictor_ms=10.0),
            *rows("unknown", STEADY),
        ]
    )
    times = {"fast": parse("10ms"), "good": parse("40ms")}
    choices = choose(found, times, 0.5)
    assert len(choices) == 3
    best, plain, fast = (of(choices, *which) for which in (("good", "kalman"), ("good",), ("fast",)))
    # Tracker and predictor take 50 ms together.
    assert best.rate == pytest.approx(20) and best.goodput == pytest.approx(20) and best.auc == pytest.approx(0.58)
    assert plain.rate == pytest.approx(25) and plain.share == 1.0 and plain.goodput == pytest.approx(25)
    # A mean of .4 is below the target, however fast and although half of the clips hold it.
    assert fast.rate == 30 and fast.share == 0.5 and fast.goodput == 0
    assert choices == [plain, best, fast]
    text = choice_table(choices, 0.5)
    assert "best: good with hold: 25.0 results/s, AUC 0.540" in text
    assert "none of them is known to hold 0.7" in choice_table(choose(found, times, 0.7), 0.7)


def test_the_slow_frames_of_a_board_are_read_too(tmp_path):
    (tmp_path / "times.txt").write_text("0.02\n" + "0.02\n" * 90 + "0.04\n" * 10)
    (choice,) = choose(accuracies(rows("a", FALLING)), {"a": parse(f"empirical:{tmp_path}/times.txt")}, 0.6)
    assert (choice.median_ms, choice.p95_ms) == pytest.approx((20, 40))
    assert (choice.auc, choice.auc_p95) == pytest.approx((0.7, 0.5))


def test_camera_rates_and_data_sets_have_tables_and_answers_of_their_own():
    found = accuracies([*rows("a", STEADY), *rows("a", STEADY, fps=10.0), *rows("a", STEADY, dataset="e")])
    choices = choose(found, {"a": parse("20ms")}, 0.5)
    assert sorted(each.rate for each in choices) == [10, 30, 30]
    text = choice_table(choices, 0.5)
    assert text.count("best: ") == 3 and text.count("d, clips 1, cam/world fps 10/30, mode otb") == 1


def test_zero_latency_and_the_wall_clock_are_left_out_and_contradictions_refused():
    with pytest.raises(InputError, match="no online row of the simulated clock"):
        accuracies([*rows("a", STEADY, predictor=None), *rows("a", STEADY, clock="wall")])
    assert len(accuracies([*rows("a", STEADY), *rows("a", STEADY)])) == 1
    with pytest.raises(InputError, match="two rows of a with hold at 0 ms on d differ"):
        accuracies([*rows("a", STEADY), *rows("a", FALLING)])
    with pytest.raises(InputError, match="other sequences were evaluated at 0 than at 90 ms"):
        accuracies([*rows("a", STEADY), *rows("a", STEADY, STEADY, times=(90.0,))])
