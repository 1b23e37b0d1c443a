"""Presence on and off: the tables, and the picture of single clips."""

import json

from committed_results import ROOT, committed, rows_of

from pvtpp_benchmarks.results_pages import presence


def test_shares_are_given_only_where_zero_latency_is_a_bound():
    rows = rows_of(presence.auc(committed(presence.PRESENCE)))
    assert [row[1] for row in rows] == ["hold", "presence off", "**presence on**", "on - off"] * 2
    assert all("(" in cell for row in rows[:3] for cell in row[2:])
    assert not [cell for row in rows[4:7] for cell in row[2:] if "(" in cell]


def test_returns_are_counted_over_all_camera_rates():
    content = committed(presence.PRESENCE)
    one = {"returns": 3, "found": 3, "found_in_1_s": 2 / 3}
    content["occluders"]["runs"]["47 ms on"]["outages"] = [one, {"returns": 0, "found": 0, "found_in_1_s": None}, one]
    found = {row[0]: row for row in rows_of(presence.returns(content))}
    assert found["**presence on**"][2] == "4 / 6 / 6"


def test_lost_has_a_row_for_each_set_and_time():
    content = committed(presence.PRESENCE)
    rows = rows_of(presence.lost(content))
    assert len(rows) == 2 * len(content["settings"]["times"])
    losses = content["occluders"]["runs"]["85 ms on"]["losses"]
    (row,) = [row for row in rows if row[:2] == ["with occluders", "85 ms"]]
    assert row[2:4] == [f"{losses[name]:.2f}".replace("0.", ".") for name in ("precision", "recall")]


def test_the_picture_is_grey_where_the_target_is_hidden_and_draws_no_line_there(tmp_path):
    content = committed(presence.COURSES)
    values = [0.5] * 10 + [None] * 5 + [0.5] * 10
    one = {"world_fps": 10.0, "overlap": {"off": values, "on": values}, "presence": [[0.0, 0.9], [1.0, 0.2]]}
    (tmp_path / presence.COURSES).parent.mkdir(parents=True)
    (tmp_path / presence.COURSES).write_text(json.dumps({**content, "clips": {"one": one}}))
    text = presence.drawn(tmp_path)
    assert text.count('class="f-grid"') == 1
    assert text.count("<title>presence on</title>") == text.count("<title>presence off</title>") == 2
    assert all(name in presence.drawn(ROOT) for name in content["clips"])
