"""The simulated clock against the wall clock, and what neither charges."""

from committed_results import ROOT, committed, rows_of, text_of

from pvtpp_benchmarks.results_pages import clocks


def test_means_are_by_time_and_then_by_method():
    rows = rows_of(clocks.means(committed(clocks.CLOCKS)))
    assert [row[:2] for row in rows] == [[ms, name] for ms in ("47", "85", "165") for name in ("hold", "the default")]


def test_clips_that_differ_by_much_are_named():
    content = committed(clocks.CLOCKS)
    for row in content["rows"]:
        row["difference"] = 0.0
    content["rows"][0].update(clip="Biker", difference=-0.2)
    said = text_of(clocks.runs(content))
    assert "59 differ by less than .001; the largest difference is .200" in said and "of these clips: Biker." in said


def test_conditions_are_those_of_the_runs():
    content = committed(clocks.CLOCKS)
    content["rows"][5]["measured"].update(load=[1.0, 40.0], frames_late_ms=[0.1, 7.5, 9.0])
    said = text_of(clocks.conditions(content))
    assert "load average 1 to 40" in said and "in the worst within 7.5 ms" in said


def test_each_predictor_has_both_clocks_in_one_row():
    content = committed(clocks.HARNESS)
    rows = rows_of(clocks.harness(content))
    assert [row[0] for row in rows] == ["hold", "kalman", "ensemble"]
    simulated, live = (next(row for row in content["rows"] if row["clock"] == clock) for clock in ("simulated", "wall"))
    assert rows[0][1] == f"{simulated['run_us']:.0f}" and rows[0][4] == f"{live['run_us']:.0f}"


def test_scoring_has_a_row_for_each_way_and_the_published_one_last():
    content = committed(clocks.SCORING)
    rows = rows_of(clocks.scoring(content))
    assert len(rows) == len(content["rows"]) and rows[-1][0] == "the published procedure"
    assert rows[0][1] == f"{content['rows']['boxes_s']:.3f}"


def test_the_picture_has_a_mark_for_each_run_and_a_panel_for_each_method():
    text, rows = clocks.drawn(ROOT), committed(clocks.CLOCKS)["rows"]
    assert all(text.count(f"<title>{row['clip']}, {row['ms']:g} ms</title>") == 2 for row in rows)
    assert all(f">{name}</text>" in text for name in clocks.NAMES.values())
