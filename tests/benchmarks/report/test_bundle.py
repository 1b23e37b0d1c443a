"""The folder of a report: complete, self-contained, with the numbers of the results, whatever fields these lack."""

import base64
import csv
import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from made_rows import PROTOCOL, made_row, made_rows

from pvtpp.errors import InputError
from pvtpp_benchmarks.report.bundle import check_folder, write_report
from pvtpp_benchmarks.report.groups import Source, make_report
from pvtpp_benchmarks.report.page import page
from pvtpp_benchmarks.report.sections import parts

LATER = (
    *("plots", "by_sequence", "coverage", "latency", "attributes", "charged", "outages", "losses"),
    *("runs", "starts", "draws", "jitter_px"),
)
VOID = ("meta", "link", "br")


def written(folder, rows, films=None):
    warnings = []
    check_folder(str(folder))
    report = make_report("A <title> & more", [Source("r.json", PROTOCOL, tuple(rows))], films)
    files = write_report(str(folder), report, warnings.append)
    return files, (folder / "index.html").read_text(encoding="utf-8"), warnings


def page_of(rows):
    """The page alone, without any other file."""
    return page("title", "", parts(make_report("title", [Source("r.json", PROTOCOL, tuple(rows))])), ((), ()))


class Page(HTMLParser):
    """Checks that elements are closed in order; collects ids, addresses, styles and scripts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.inline, self.text = [], [], [], {"style": [], "script": []}, {}
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        assert "style" not in attrs and not any(name.startswith("on") for name in attrs), attrs
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.links += [attrs[name] for name in ("href", "src") if name in attrs]
        if tag == "meta" and attrs.get("http-equiv"):
            self.policy = attrs["content"]
        if tag not in VOID:
            self.open.append((tag, attrs))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        tag, attrs = self.open[-1] if self.open else ("", {})
        if tag == "style" or (tag == "script" and "type" not in attrs):
            self.inline[tag].append(data)


def test_the_page_is_well_formed_and_asks_for_nothing_from_elsewhere(tmp_path):
    files, text, warnings = written(tmp_path, made_rows(2, 2, 3, times=(20, 85)))
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif not link.startswith("data:"):
            assert (tmp_path / link).is_file(), link
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text)
    for tag in ("style", "script"):
        digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in page.inline[tag]]
        assert len(digests) == 1 and f"'sha256-{digests[0]}'" in page.policy
    assert "unsafe" not in page.policy and page.policy.startswith("default-src 'none'")
    assert all((tmp_path / name).is_file() for name in files)
    if not warnings:
        assert {name.rpartition(".")[2] for name in files} == {"html", "json", "csv", "tex", "svg", "pdf"}


def test_every_part_is_there_and_every_table_and_figure_has_its_files(tmp_path):
    files, text, _ = written(tmp_path, made_rows(2, 4, 4))
    for part in (
        *("summary", "elae", "success", "speed", "latency", "attributes", "sequences"),
        *("outages", "calibration", "unpredictability", "protocol"),
    ):
        assert f'<section id="{part}">' in text
    stems = {name[6:].rpartition(".")[0] for name in files if name.startswith("parts/")}
    for stem in ("summary", "pairs", "elae-auc", "elae-dp", "success", "precision", "norm-precision", "speed", "front"):
        assert any(name.startswith(stem) for name in stems), stem
    assert "not recorded" not in text.split('id="protocol"')[0]


def test_the_csv_has_the_numbers_of_the_rows_and_the_rows_are_kept(tmp_path):
    rows = made_rows(2, 4, 5)
    written(tmp_path, rows)
    table = list(csv.DictReader((tmp_path / "parts" / "summary-generated-otb-30-30.csv").open(encoding="utf-8")))
    by_method = {(row["tracker"], row["predictor"] or "zero latency"): row for row in rows}
    assert len(table) == len(rows)
    for line in table:
        row = by_method[line["tracker"], line["predictor"]]
        assert (float(line["AUC"]), float(line["DP@20"]), int(line["n"])) == (row["auc"], row["dp20"], 5)
        assert [float(line["95 % low"]), float(line["95 % high"])] == row["auc_ci95"]
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept == {"protocol": PROTOCOL, "rows": rows}


@pytest.mark.parametrize("missing", [LATER, *((name,) for name in LATER)], ids=lambda names: "+".join(names)[:40])
def test_rows_of_earlier_versions_make_a_report_too(missing):
    rows = [
        {name: value for name, value in row.items() if name not in missing or name in ("starts", "draws", "jitter_px")}
        for row in made_rows(2, 2, 3)
    ]
    text = page_of(rows)
    Page(text)
    if missing == LATER:
        for part in ("Success and precision plots", "Latencies of results", "Coverage of sigma", "Unpredictability"):
            assert f"{part}: not recorded" in text
        assert 'id="attributes"' not in text


def test_zero_latency_alone_one_clip_and_one_method_make_a_report():
    for rows in (
        [made_row("north", 0, None, ["a", "b"], 0)],
        [made_row("north", 0, "kalman", ["a"], 47)],
        [made_row("north", 0, "kalman", ["a"], 0), made_row("north", 0, None, ["b"], 0)],
    ):
        text = page_of(rows)
        Page(text)
        assert "nan" not in text.lower().split("<main>")[1].split("</main>")[0].replace("nano", "")


def test_names_cannot_break_the_page(tmp_path):
    awkward = "</script><b>&\"'"
    rows = [{**row, "tracker": row["tracker"] + awkward, "dataset": awkward} for row in made_rows(1, 2, 2)]
    _, text, _ = written(tmp_path, rows)
    Page(text)
    (data, *_) = re.findall(r'<script type="application/json">(.*?)</script>', text)
    assert json.loads(data)["methods"][0].startswith("north" + awkward)
    assert unescape(re.search(r"<h1>(.*?)</h1>", text).group(1)) == "A <title> & more"


def test_a_second_report_leaves_nothing_of_the_first(tmp_path):
    written(tmp_path, made_rows(1, 2, 2))
    old = {path.name for path in (tmp_path / "parts").iterdir()}
    (tmp_path / "parts" / "notes.txt").write_text("mine")
    files, _, _ = written(tmp_path, [{**row, "dataset": "other"} for row in made_rows(1, 1, 2)])
    now = {path.name for path in (tmp_path / "parts").iterdir()}
    assert now == {name[6:] for name in files if name.startswith("parts/")} | {"notes.txt"}
    assert "summary-generated-otb-30-30.csv" in old - now


def test_without_matplotlib_there_is_no_pdf_and_one_line_says_so(tmp_path, monkeypatch):
    def missing(path):
        raise InputError(f"{path}: plots need matplotlib, which is not installed here")

    monkeypatch.setattr("pvtpp_benchmarks.report.bundle.check_plot", missing)
    files, text, warnings = written(tmp_path, made_rows(1, 2, 2))
    assert len(warnings) == 1 and "no PDF of the figures" in warnings[0] and "matplotlib" in warnings[0]
    assert not any(name.endswith(".pdf") for name in files) and ".pdf" not in text
    assert any(name.endswith(".svg") for name in files)


def test_a_page_of_others_is_not_overwritten(tmp_path):
    (tmp_path / "index.html").write_text("<title>mine</title>")
    with pytest.raises(InputError, match=r"its index.html is not of `pvtpp report`, and would be lost"):
        check_folder(str(tmp_path))
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="--out .*file: cannot make the folder"):
        check_folder(str(tmp_path / "file"))


def test_the_same_results_give_the_same_page():
    assert page_of(made_rows(2, 2, 3)) == page_of(made_rows(2, 2, 3))
