"""Every table and picture of results in the docs is what the committed JSON files make of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.results_pages.__main__ import main, pages, stale
from pvtpp_benchmarks.results_pages.blocks import joined, names, rewritten, signed, table, three
from pvtpp_benchmarks.results_pages.registry import BLOCKS, PICTURES

ROOT = Path(__file__).resolve().parents[3]


def test_the_docs_are_what_the_committed_results_make_of_them():
    assert sorted(stale(ROOT)) == [], "write them anew: python -m pvtpp_benchmarks.results_pages"


def test_every_block_stands_on_a_page():
    used = [name for page in pages(ROOT) for name in names(page.read_text(encoding="utf-8"))]
    assert sorted(set(used)) == sorted(BLOCKS)


def checkout(folder):
    """A copy of the files that pages are made of."""
    shutil.copy(ROOT / "README.md", folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for path in results(ROOT):
        to = folder / path.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    return folder


def results(root):
    """The JSON files of a checkout that hold results."""
    return [path for package in ("benchmarks", "ros_nodes") for path in sorted((root / package).rglob("*.json"))]


def test_one_changed_figure_makes_the_docs_stale_until_they_are_written_anew(tmp_path, capsys):
    root = checkout(tmp_path)
    path = root / "benchmarks" / "studies" / "tracker_table.json"
    content = json.loads(path.read_text())
    content["trackers"]["csrt"]["times"]["85ms"]["hold"]["auc"] += 0.01
    path.write_text(json.dumps(content))
    assert main(["--root", str(root), "--check"]) == 1
    assert capsys.readouterr().out.splitlines() == ["docs/results/trackers.md: not what the results say"]
    assert main(["--root", str(root)]) == 0 and main(["--root", str(root), "--check"]) == 0


def perturbed(value):
    """Every figure a tenth larger; names, small counts and booleans as they are."""
    if isinstance(value, dict):
        return {key: perturbed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [perturbed(each) for each in value]
    if isinstance(value, float):
        return value * 1.1 + 1e-3
    return value + value // 10 if isinstance(value, int) and value > 100 else value


@pytest.fixture(scope="module")
def other_figures(tmp_path_factory):
    """A checkout in which every figure is another one."""
    root = checkout(tmp_path_factory.mktemp("other"))
    for path in results(root):
        path.write_text(json.dumps(perturbed(json.loads(path.read_text()))))
    return root


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_block_reads_its_figures_from_the_files(name, other_figures):
    if name not in UNCHANGED:
        assert BLOCKS[name](other_figures) != BLOCKS[name](ROOT)


UNCHANGED = ("trackers.machines", "trackers.bar", "closed_loop.leads")
"""Blocks of words alone, or of ratios: the same where every figure grows by the same share."""


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_every_picture_reads_its_figures_from_the_files(name, other_figures):
    assert PICTURES[name](other_figures) != PICTURES[name](ROOT)


MARKED = "a\n<!-- results: x -->\nold\n<!-- end of results -->\nb\n"


def test_what_stands_between_the_marks_is_replaced_and_nothing_else():
    made = rewritten(MARKED, {"x": lambda root: ["| 1 |"]}, ROOT, "page.md")
    assert made == "a\n<!-- results: x -->\n\n| 1 |\n\n<!-- end of results -->\nb\n"
    assert rewritten(made, {"x": lambda root: ["| 1 |"]}, ROOT, "page.md") == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MARKED.replace(": x", ": y"), "page.md asks for the block 'y', allowed: x"),
        (MARKED.replace("<!-- end of results -->", ""), "page.md: 1 marks open a block, 0 close one"),
    ],
)
def test_a_wrong_mark_is_named(text, message):
    with pytest.raises(InputError, match=message):
        rewritten(text, {"x": lambda root: []}, ROOT, "page.md")


def test_cells_and_heads_and_names_agree():
    with pytest.raises(InputError, match="a row of 1 cells under 2 heads"):
        table(["a", "b"], [["1"]])
    with pytest.raises(InputError, match="taken twice: a"):
        joined({"a": 1}, {"a": 2})


def test_numbers_have_no_leading_zero():
    assert [three(0.5), three(-0.25), three(1.5)] == [".500", "-.250", "1.500"]
    assert [signed(0.012), signed(-0.25)] == ["+.012", "-.250"]
