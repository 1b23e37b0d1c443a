"""What predictors are worth by themselves: means over cells, seeds, and where one of them leads."""

import numpy as np
import pytest
from committed_results import committed, rows_of, text_of

from pvtpp_benchmarks.results_pages import predictors


def test_cells_of_the_truth_and_of_recorded_results_have_means_of_their_own():
    content = committed(predictors.REPLAY)
    truth, recorded = rows_of(predictors.means(content))
    assert (truth[0], recorded[0]) == ("32 cells, truth", "16 cells, recorded results")
    hold = np.mean([cell["auc"]["hold"] for cell in content["cells"] if cell["cell"][1] in ("truth", "noise")])
    assert float(truth[1]) == pytest.approx(hold, abs=6e-4)


def test_where_another_predictor_leads_that_is_said():
    content = committed(predictors.REPLAY)
    cell = content["cells"][3]
    cell["auc"]["hold"] = cell["auc"]["motion"] + 0.25
    assert "in 47 of 48 cells, by -.250 (least: DTB70/noise/47ms)" in text_of(predictors.worst(content))


def test_recorded_results_have_a_row_for_each_tracker_and_predictor():
    rows = rows_of(predictors.recorded(committed(predictors.REPLAY)))
    assert [row[0] for row in rows if row[0]] == ["LightTrack", "NanoTrack", "NanoTrackV3", "SiamAPN++"]
    assert len(rows) == 4 * 5


def test_both_camera_rates_stand_in_a_cell():
    content = committed(predictors.TRACKED)
    rows = {row[0]: row[1:] for row in rows_of(predictors.tracked(content))}
    slow, fast = (
        next(row["auc"]["m"] for row in content["rows"] if (row["processing"], row["camera_fps"]) == ("85ms", fps))
        for fps in (10.0, 30.0)
    )
    assert rows["M for 30 fps and this time"][2] == f"{fast:.3f} / {slow:.3f}".replace("0.", ".")


def test_seeds_are_joined_to_their_mean_and_their_ends():
    content = committed(predictors.JOINT)
    for seed, value in enumerate((0.5, 0.6, 0.7)):
        name = {"tracker": "published", "propagation": "none", "predictor": f"frozen-{seed}", "time": "85ms"}
        (row,) = [row for row in content["rows"] if name.items() <= row.items()]
        row["auc"]["all"] = value
    mean = next(row for row in rows_of(predictors.joint(content)) if "mean of its seeds" in row[1])
    assert mean[4] == ".600"
    ends = next(row for row in rows_of(predictors.seeds(content)) if row[0] == "`joint`")
    assert (ends[1], ends[4]) == ("3", ".5000 to .7000")


def test_the_lead_over_the_papers_module_is_that_of_the_file():
    content = committed(predictors.RATES)
    content["summary"]["ahead"] = 90
    lines = predictors.rates(content)
    assert "in 90 of 96 cells" in text_of(lines)
    assert [row[0] for row in rows_of(lines)] == ["all", "15 fps", "30 fps", "60 fps"]
