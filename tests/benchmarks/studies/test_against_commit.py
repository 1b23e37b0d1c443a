"""The comparison with an earlier commit finds every difference; a generated clip stands in for the real ones."""

import copy
import json
from pathlib import Path

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.evaluate import evaluate
from pvtpp_benchmarks.grid import make_grid
from pvtpp_benchmarks.oracle import Oracle
from pvtpp_benchmarks.studies import against_commit
from pvtpp_benchmarks.studies.against_commit import Difference, counted, differences, main, report
from pvtpp_benchmarks.synthetic import AerialClip, render


@pytest.fixture(scope="module")
def rows():
    """Of the grid that the study evaluates, on a generated clip."""
    clip = render(AerialClip(width=160, height=120, seconds=0.5, target_px=24.0, occlusions=()))
    grid = make_grid(
        "generated", "oracle", processing=against_commit.PROCESSING, predictors=against_commit.PREDICTORS,
        search_region=against_commit.SEARCH_REGION, propagation=against_commit.PROPAGATION,
    )  # fmt: skip
    return evaluate([clip], grid, Oracle)


def test_equal_results_have_no_difference(rows):
    assert len(rows) == 17 and differences(rows, copy.deepcopy(rows), "off") == []
    count = counted(rows)
    assert count["runs"] == count["aucs"] == 17 and count["curve_points"] > 16
    assert report([], count).endswith("all the same to the last digit")


def test_the_last_digit_of_an_auc_or_of_a_curve_counts(rows):
    changed = copy.deepcopy(rows)
    before = changed[3]["per_sequence"]["aerial"]
    changed[3]["per_sequence"]["aerial"] += 1e-16 if before < 0.5 else 1.2e-16
    changed[5]["exact_curve"]["auc"][-1] += 1e-9
    auc, curve = differences(rows, changed, "on")
    assert (auc.what, auc.old, auc.new) == (
        "aerial",
        before,
        changed[3]["per_sequence"]["aerial"],
    ) and auc.old != auc.new
    assert curve.what == "curve" and curve.old[0] == curve.new[0] and curve.old[1] != curve.new[1]
    assert auc.run.startswith("presence on, predictor ") and "processing 20ms" in auc.run
    printed = report([auc, curve], counted(rows))
    assert "2 differ" in printed and repr(auc.new) in printed


def test_what_only_one_of_both_has_is_a_difference(rows):
    for old, new in ((rows, rows[:-1]), (rows[:-1], rows)):
        found = differences(old, new, "off")
        assert [each.what for each in found] == ["aerial", "curve"] and None in (found[0].old, found[0].new)
    shorter = copy.deepcopy(rows)
    for values in shorter[-1]["exact_curve"].values():
        values.pop()
    (found,) = differences(rows, shorter, "off")
    assert found.what == "curve" and found.old is not None and found.new is None


@pytest.fixture
def old(rows, tmp_path):
    """Result files of the earlier commit, which called presence status."""
    paths = []
    for presence in against_commit.PRESENCE:
        theirs = [{**{k: v for k, v in row.items() if k != "presence"}, "status": presence} for row in rows]
        paths.append(str(tmp_path / f"old_{presence}.json"))
        (tmp_path / f"old_{presence}.json").write_text(json.dumps({"protocol": {"commit": "before"}, "rows": theirs}))
    return paths


def test_it_ends_with_0_where_nothing_differs_and_with_1_where_something_does(rows, old, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(against_commit, "run_new", lambda *_: iter([rows, rows]))
    arguments = ["--old-json", *old, "--root", "nowhere", "--json", str(tmp_path / "out.json")]
    assert main(arguments) == 0
    assert "34 rows, 34 AUCs of clips" in capsys.readouterr().out
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["old"]["commit"] == "before" and content["differences"] == [] and len(content["rows"]) == 34
    changed = copy.deepcopy(rows)
    changed[1]["per_sequence"]["aerial"] += 0.25
    monkeypatch.setattr(against_commit, "run_new", lambda *_: iter([rows, changed]))
    assert main(arguments) == 1
    (found,) = json.loads((tmp_path / "out.json").read_text())["differences"]
    assert list(found) == list(Difference._fields) and found["run"].startswith("presence on")


def test_the_old_code_runs_in_its_own_folder_with_its_own_options(old, tmp_path, monkeypatch):
    checkout = tmp_path / "before"
    (checkout / "pvtpp" / "cli").mkdir(parents=True)
    (checkout / "pvtpp" / "__init__.py").write_text("")
    (checkout / "pvtpp" / "cli" / "__init__.py").write_text("")
    (checkout / "pvtpp" / "cli" / "main.py").write_text(
        "import json, os, sys\n"
        "assert 'pvtpp/cli/main.py' in sys.argv[0] and os.path.isdir('pvtpp')\n"
        "path = sys.argv[sys.argv.index('--json') + 1]\n"
        "json.dump({'protocol': {}, 'rows': [], 'arguments': sys.argv[1:]}, open(path, 'w'))\n"
    )
    off, on = (each["arguments"] for each in against_commit.run_old(str(checkout), "data", "csrt"))
    assert off[off.index("--status") + 1] == "off" and on[on.index("--status") + 1] == "on"
    assert off[off.index("--sequences") + 1].split(",") == list(against_commit.CLIPS) and "csrt" in off
    (checkout / "pvtpp" / "cli" / "main.py").write_text("raise SystemExit(2)\n")
    with pytest.raises(InputError, match="its `pvtpp eval` ended with status 2"):
        list(against_commit.run_old(str(checkout), "data", "csrt"))
    with pytest.raises(InputError, match="no checkout of this project"):
        list(against_commit.run_old(str(tmp_path), "data", "csrt"))


def test_a_file_that_is_no_result_is_named(tmp_path):
    (tmp_path / "old.json").write_text("{}")
    with pytest.raises(InputError, match=r"old\.json: not the JSON of a result"):
        against_commit.read(str(tmp_path / "old.json"))
    with pytest.raises(InputError, match=r"gone\.json: cannot read"):
        against_commit.read(str(tmp_path / "gone.json"))


def test_the_committed_comparison_found_no_difference():
    content = json.loads(Path(against_commit.__file__).with_suffix(".json").read_text())
    assert content["differences"] == [] and content["old"]["commit"].startswith("850e677")
    assert content["compared"]["runs"] == len(content["rows"]) == 68 and content["compared"]["aucs"] == 204
    assert content["old"]["hardware"] == content["protocol"]["hardware"]
