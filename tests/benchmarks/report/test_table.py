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


OUTAGES = {
    "nt2f": 0.75, "outage_s": [0.2, 1.5], "returns": 4, "found": 3, "found_in_1_s": 0.5, "seconds_to_find": [0.4, 2.0]
}  # fmt: skip
LOSSES = {
    "frames": 100, "lost": 20, "said": 10, "precision": 0.9, "recall": 0.45, "precision_in_time": 1.0,
    "recall_in_time": None, "losses": 5, "noticed": 2, "seconds_to_notice": [0.3, 0.6],
}  # fmt: skip


def test_without_presence_there_is_no_table_of_it():
    assert result_table([{**ROW, "outages": OUTAGES, "losses": None}]) == result_table([ROW])


def test_a_table_of_presence_follows_the_scores_once_for_all_modes():
    assessed = {**ROW, "presence": "on", "outages": OUTAGES, "losses": LOSSES}
    rows = [{**assessed, "mode": mode} for mode in ("otb", "strict")]
    scores, presence, others = result_table([*rows, {**ROW, "outages": OUTAGES, "losses": None}, ROW]).split("\n\n")
    assert "mode otb" in scores and "mode strict" in others and "mode" not in presence
    titles, _, *lines = presence.splitlines()[1:]
    assert titles.split("  ")[0] == "evaluation" and "presence" in titles and "AUC" not in titles
    assert lines[0].split()[-12:] == [
        "0.900", "0.450", "1.000", "-", "2/5", "0.30", "3/4", "0.40", "0.500", "0.20", "1.50", "0.750"
    ]  # fmt: skip
    assert lines[1].split()[-12:] == ["-"] * 6 + ["3/4", "0.40", "0.500", "0.20", "1.50", "0.750"]
    assert lines[2].split()[-12:] == ["-"] * 12


def test_camera_rates_have_tables_of_presence_of_their_own():
    assessed = {**ROW, "presence": "on", "outages": OUTAGES, "losses": LOSSES}
    blocks = result_table([assessed, {**assessed, "camera_fps": 10.0}]).split("\n\n")
    assert [block.startswith("Presence, clips, clips 2, sigma 0") for block in blocks] == [False, True] * 2
    assert "cam/world fps 30/30" in blocks[1] and "cam/world fps 10/30" in blocks[3]


def test_numbers_stand_to_the_right_and_words_to_the_left():
    text = table([("name", lambda r: r[0]), ("n", lambda r: r[1])], [("a", "1"), ("long", "100")])
    assert text.splitlines() == ["name    n", "---------", "a       1", "long  100"]
