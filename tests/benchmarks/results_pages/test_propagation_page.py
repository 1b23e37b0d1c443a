"""What propagation keeps: every row without presence, other clips, the gyro."""

import pytest
from committed_results import committed, rows_of, text_of

from pvtpp_benchmarks.results_pages import propagation


def test_rows_with_presence_are_left_out_and_the_default_is_in_bold():
    content = committed(propagation.TABLE)
    names = [row[0] for row in rows_of(propagation.shares(content))]
    (cell, *_) = content["cells"]
    assert set(cell["rows"]) - {name.strip("*") for name in names} == {"propagation+ensemble@predicted/presence"}
    assert [name for name in names if name.startswith("**")] == [f"**{propagation.DEFAULT}**"]


def test_the_best_other_row_and_the_worst_clip_are_found():
    content = committed(propagation.TABLE)
    cell = next(cell for cell in content["cells"] if cell["processing"] == "47ms")
    cell["rows"]["kalman"]["auc"] = cell["rows"][propagation.DEFAULT]["auc"] + 0.1
    cell["rows"]["hold"]["per_clip"]["Biker"] = cell["rows"][propagation.DEFAULT]["per_clip"]["Biker"] + 0.2
    (row,) = [row for row in rows_of(propagation.intervals(content)) if row[0] == "47 ms"]
    assert row[2:] == ["kalman -.100", "Biker -.200"]


def test_a_share_is_given_of_groups_of_clips_alone():
    rows = rows_of(propagation.apart(committed(propagation.APART)))
    assert [row[0].split(",")[0] for row in rows if row[0]] == ["10 fps", "S0601", "truck2"]
    with_share = [all("(" in cell for cell in row[2:]) for row in rows]
    assert with_share == [True] * 5 + [False] * 10


def test_the_trackers_own_time_is_that_of_the_file():
    content = committed(propagation.TABLE)
    next(cell for cell in content["cells"] if cell["tracker"] == "csrt")["processing"] = "52ms"
    assert "took the 52 ms" in text_of(propagation.csrt(content))


@pytest.mark.parametrize(("propagated", "label"), [(False, "no propagation"), (True, "propagation")])
def test_the_gyro_has_both_errors_of_each_predictor(propagated, label):
    content = committed(propagation.ROTATION)
    rows = {row[0]: row[1:] for row in rows_of(propagation.rotation(content))}
    each = [row for row in content["rows"] if row["propagation"] == propagated]
    assert rows[label] == [f"{row['without_px']:.1f} / {row['gyro_px']:.1f}" for row in each]
