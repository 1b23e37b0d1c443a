"""Tables as HTML, CSV and LaTeX: the same rows, each in what its reader needs."""

import csv
import io
from html.parser import HTMLParser

import pytest

from pvtpp_benchmarks.report.formats import latex, to_csv, to_html, to_latex
from pvtpp_benchmarks.report.parts import Heading, Table, shown

TABLE = Table(
    "t",
    "A & B_1 <caption>",
    (Heading("name"), Heading("AUC", 3), Heading("difference", 4, True), Heading("n")),
    (('a<b>&"c", d', 1 / 3, -0.00012345, 12), ("σ_1 50 %", None, 0.5, None)),
)


class Cells(HTMLParser):
    """Texts and values of the cells of the only table."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.exact, self._in = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
            self.exact.append([])
        if tag in ("td", "th"):
            self._in = True
            self.rows[-1].append("")
            self.exact[-1].append(dict(attrs).get("data-v"))

    def handle_endtag(self, tag):
        self._in = self._in and tag not in ("td", "th")

    def handle_data(self, data):
        if self._in:
            self.rows[-1][-1] += data


def test_html_shows_rounded_numbers_and_keeps_the_exact_ones():
    cells = Cells(to_html(TABLE))
    assert cells.rows == [
        ["name", "AUC", "difference", "n"],
        ['a<b>&"c", d', "0.333", "-0.0001", "12"],
        ["σ_1 50 %", "-", "+0.5000", "-"],
    ]
    assert float(cells.exact[1][1]) == 1 / 3 and cells.exact[2][1] is None


def test_csv_reads_back_to_the_bit():
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows[0] == ["name", "AUC", "difference", "n"]
    assert rows[1][0] == 'a<b>&"c", d' and float(rows[1][1]) == 1 / 3 and rows[2][1] == ""


def test_latex_escapes_what_it_would_take_for_commands():
    text = to_latex(TABLE)
    assert r"\begin{tabular}{lrrr}" in text and text.count(r"\\") == 3
    assert r"a\textless{}b\textgreater{}\&" in text and r"$\sigma$\_1 50 \%" in text
    assert "$-0.0001$" in text and " -- " in text
    assert latex("\\{}~^") == r"\textbackslash{}\{\}\textasciitilde{}\textasciicircum{}"


@pytest.mark.parametrize(
    ("value", "heading", "text"),
    [
        (None, Heading("x", 3), "-"),
        (0.12345, Heading("x", 3), "0.123"),
        (0.12345, Heading("x", 3, True), "+0.123"),
        (12, Heading("x"), "12"),
        (47.0, Heading("x"), "47"),
        ("47ms", Heading("x", 3), "47ms"),
    ],
)
def test_how_a_value_is_written(value, heading, text):
    assert shown(value, heading) == text
