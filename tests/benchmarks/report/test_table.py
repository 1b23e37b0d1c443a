"""Tables: missing values, alignment, and separate blocks for rows that must not be averaged."""

from pvtpp_benchmarks.report.table import result_table, table

ROW = {
    "dataset": "clips", "tracker": "t", "predictor": "hold", "schedule": "async", "search_region": "last",
    "propagation": "none", "presence": "off", "ego_motion": "none", "mode": "otb", "clock": "simulated",
    "evaluation": "online", "processing_ms": 47.0, "camera_fps": 30.0, "world_fps": 30.0, "auc": 0.5, "auc_std": None,
    "auc_ci95": [0.4, 0.6], "dp20": 0.7, "norm_precision": 0.4, "mauc": 0.55, "mdp": 0.75, "apart": False,
    "version": "1", "per_sequence": {"one": 0.5, "two": 0.5}, "sequences": 2,
}  # fmt: skip


def test_camera_rates_modes_and_clips_set_apart_get_blocks_of_their_own():
    rows = [
        ROW,
        {**ROW, "camera_fps": 10.0},
        {**ROW, "mode": "strict"},
        {**ROW, "apart": True, "per_sequence": {"odd": 0.1}},
    ]
    blocks = result_table(rows).split("\n\n")
    assert len(blocks) == 4
    assert "clips odd" in blocks[-1]


def test_values_that_vary_are_columns_and_common_values_are_in_the_heading():
    block = result_table([ROW, {**ROW, "search_region": "predicted"}])
    heading, titles = block.splitlines()[:2]
    assert "tracker t" in heading and "tracker" not in titles
    assert "search" in titles
    assert "ego motion none" in heading
    assert "ego motion" in result_table([ROW, {**ROW, "ego_motion": "gyro"}]).splitlines()[1]


def test_missing_values_are_dashes():
    offline = {**ROW, "predictor": None, "mauc": None, "mdp": None, "auc_ci95": None, "schedule": None}
    assert result_table([ROW, offline]).splitlines()[-1].split() == [
        "online",
        "-",
        "47",
        "0.500",
        "-",
        "0.700",
        "0.400",
        "-",
        "-",
    ]


def test_numbers_stand_to_the_right_and_words_to_the_left():
    text = table([("name", lambda r: r[0]), ("n", lambda r: r[1])], [("a", "1"), ("long", "100")])
    assert text.splitlines() == ["name    n", "---------", "a       1", "long  100"]
