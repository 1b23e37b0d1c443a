"""`Result`: table, picture, paired comparison and file, against an independent computation."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.comparison import Comparison
from pvtpp_benchmarks.datasets.sequence import VideoSequence
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.result import Result


def walk(name, seed, frames=60):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=[0.4, 0.4, 0.02, 0.02], size=(frames, 4)).cumsum(axis=0)
    return VideoSequence(name, steps.cumsum(axis=0) + [300, 200, 60, 50])


CLIPS = [walk(f"walk {seed}", seed) for seed in range(6)]


def made(clips=CLIPS, **settings):
    settings = {"processing": ["47ms", "165ms"], "predictors": ["hold", "kalman"], "propagation": "none", **settings}
    return Result(tuple(evaluate(clips, make_grid("walks", "oracle", **{"presence": "off", **settings}), Oracle)))


@pytest.fixture(scope="module")
def result():
    return made()


def aucs(result, predictor, processing):
    (row,) = (row for row in result.rows if (row["predictor"], row["processing"]) == (predictor, processing))
    return row["per_sequence"]


def test_the_table_has_a_line_for_every_row_and_is_what_is_printed(result):
    lines = result.table().splitlines()
    assert len(lines) == len(result.rows) + 3 and "clips 6" in lines[0] and str(result) == result.table()
    assert sum("kalman" in line for line in lines) == 2


def test_the_difference_is_that_of_the_clips_paired(result):
    comparison = result.compare("hold", "kalman")
    assert (comparison.first, comparison.second) == ("hold", "kalman")
    assert [each.cell["processing"] for each in comparison.differences] == ["47ms", "165ms"]
    for each in comparison.differences:
        before, after = (aucs(result, name, each.cell["processing"]) for name in ("hold", "kalman"))
        deltas = [after[clip] - before[clip] for clip in before]
        assert each.mean == pytest.approx(sum(deltas) / len(deltas), abs=1e-15)
        assert each.wins == sum(delta > 1e-12 for delta in deltas)
        assert each.losses == sum(delta < -1e-12 for delta in deltas)
        assert each.wins + each.losses + each.ties == len(CLIPS)
    assert result.compare("kalman", "hold").differences[0].mean == -comparison.differences[0].mean


def test_the_interval_agrees_with_a_bootstrap_of_its_own(result):
    rng = np.random.default_rng(3)
    drawn = {"hold": rng.uniform(0.2, 0.8, 25).tolist(), "kalman": rng.uniform(0.3, 0.9, 25).tolist()}
    rows = [
        {**row, "per_sequence": {f"clip {i}": value for i, value in enumerate(drawn[row["predictor"]])}}
        for row in result.rows
        if row["processing"] == "47ms"
    ]
    many = Result(tuple(rows))
    (each,) = many.compare("hold", "kalman").differences
    deltas, chance = [b - a for a, b in zip(drawn["hold"], drawn["kalman"])], random.Random(7)
    means = sorted(sum(chance.choices(deltas, k=len(deltas))) / len(deltas) for _ in range(40_000))
    width = each.high - each.low
    assert each.low == pytest.approx(means[1000], abs=0.03 * width)
    assert each.high == pytest.approx(means[39_000], abs=0.03 * width)
    assert each.low < each.mean < each.high
    assert many.compare("hold", "kalman") == many.compare("hold", "kalman")
    (other,) = many.compare("hold", "kalman", seed=1).differences
    assert (other.low, other.high) != (each.low, each.high) and other.mean == each.mean


def test_ties_and_a_single_clip_have_no_winner_and_no_interval():
    rows = made(CLIPS[:1], predictors=["hold", "kalman"], processing="47ms").rows
    same = [{**row, "per_sequence": {"walk 0": 0.5}} for row in rows]
    (each,) = Result(tuple(same)).compare("hold", "kalman").differences
    assert (each.mean, each.low, each.high, each.wins, each.losses, each.ties) == (0, None, None, 0, 0, 1)
    assert str(Result(tuple(same)).compare("hold", "kalman")).splitlines()[2].split()[-5:] == ["-", "0", "0", "1", "1"]


def test_printed_it_is_a_table_with_what_differs(result):
    lines = str(result.compare("hold", "kalman")).splitlines()
    assert lines[0].split() == [
        "processing",
        "fps",
        "mode",
        "kalman",
        "-",
        "hold",
        "95",
        "%",
        "wins",
        "losses",
        "ties",
        "n",
    ]
    assert len(lines) == 4 and lines[2].split()[:3] == ["47ms", "30/30", "otb"] and lines[3].split()[-1] == "6"


def test_default_settings_are_compared_though_they_differ_and_equal_ones_go_together():
    differing = made(predictors=["hold", "kalman"], processing="47ms", search_region=())
    (each,) = differing.compare("hold", "kalman").differences
    assert [setting["search_region"] for setting in each.settings] == ["last", "predicted"]
    both = made(processing="47ms", search_region=["last", "predicted"]).compare("hold", "kalman")
    regions = [[setting["search_region"] for setting in each.settings] for each in both.differences]
    assert regions == [["last", "last"], ["predicted", "predicted"]]
    assert "search_region of kalman" in str(both) and "search_region" not in str(differing.compare("hold", "kalman"))


def test_modes_and_rates_are_never_compared_with_one_another():
    slow = replace(walk("slow", 9), camera_fps=10.0)
    comparison = made([*CLIPS[:2], slow], processing="47ms", mode=["otb", "strict"]).compare("hold", "kalman")
    cells = [(each.cell["mode"], each.cell["camera_fps"]) for each in comparison.differences]
    assert sorted(cells) == [("otb", 10), ("otb", 30), ("strict", 10), ("strict", 30)]


def test_other_predictors_and_other_clips_cannot_be_compared(result):
    with pytest.raises(InputError, match="no method 'wizard' in this result, it has: oracle, hold, kalman, "):
        result.compare("hold", "wizard")
    rows = [row for row in result.rows if (row["predictor"], row["processing"]) != ("kalman", "47ms")]
    rows = [row for row in rows if (row["predictor"], row["processing"]) != ("hold", "165ms")]
    with pytest.raises(InputError, match="share no cell"):
        Result(tuple(rows)).compare("hold", "kalman")
    fewer = [
        {**row, "per_sequence": dict(list(row["per_sequence"].items())[:4])}
        for row in result.rows
        if row["predictor"] == "hold"
    ]
    rest = [row for row in result.rows if row["predictor"] == "kalman"]
    with pytest.raises(InputError, match="hold and kalman were not scored on the same sequences"):
        Result((*fewer, *rest)).compare("hold", "kalman")


@pytest.mark.parametrize(("ending", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_picture_is_of_the_kind_that_its_name_says(result, tmp_path, ending, begin):
    pytest.importorskip("matplotlib")
    result.plot(str(tmp_path / f"curves.{ending}"))
    assert (tmp_path / f"curves.{ending}").read_bytes().startswith(begin)


def test_a_picture_that_cannot_be_is_refused(result, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        result.plot(str(tmp_path / "nowhere" / "curves.png"))
    offline = Result(tuple(row for row in result.rows if row["predictor"] is None))
    with pytest.raises(InputError, match="there is no online row to draw"):
        offline.plot(str(tmp_path / "curves.png"))


def test_written_and_read_it_is_the_same(result, tmp_path):
    path = str(tmp_path / "result.json")
    result.write(path)
    again = Result.read(path)
    assert again == Result(tuple(json.loads(json.dumps(result.rows))), result.protocol)
    assert {"versions", "hardware", "seed", "command"} <= set(again.protocol)
    assert again.table() == result.table() and again.compare("hold", "kalman") == result.compare("hold", "kalman")


def test_a_file_from_before_outages_is_read_and_a_damaged_one_named(result, tmp_path):
    path = str(tmp_path / "result.json")
    old = tuple({k: v for k, v in row.items() if k not in ("outages", "losses")} for row in result.rows)
    Result(old, result.protocol).write(path)
    again = Result.read(path)
    assert len(again.rows) == len(result.rows) and again.table() == result.table()
    for bad in ({"outages": None}, {"outages": {**result.rows[0]["outages"], "nt2f": "1"}}, {"losses": {}}):
        Result(({**old[0], **bad},), result.protocol).write(path)
        with pytest.raises(InputError, match=f"{next(iter(bad))} of row 0 is .*allowed is an object with"):
            Result.read(path)


@pytest.mark.parametrize("text", ["no json", "[1]", '{"rows": []}'])
def test_a_file_that_is_no_result_is_named(tmp_path, text):
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"result\.json: not the JSON of a result"):
        Result.read(str(path))
    with pytest.raises(InputError, match="nowhere.*cannot read"):
        Result.read(str(tmp_path / "nowhere.json"))


def test_a_comparison_holds_what_it_prints(result):
    comparison = result.compare("hold", "kalman")
    assert comparison == Comparison("hold", "kalman", comparison.differences)
