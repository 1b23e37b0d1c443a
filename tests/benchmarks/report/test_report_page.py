"""The report in a real browser: readable on a wide screen, a phone and paper, with the numbers of the results."""

import base64
import json
import os
import re

import cv2
import numpy as np
import pytest
from browser import chromium
from made_rows import TRACKERS, made_rows, write_result
from screenshots import FOLDER, difference, require_font, screenshot

from pvtpp.cli.main import main
from pvtpp_benchmarks.comparison import paired
from pvtpp_benchmarks.report.bundle import write_report
from pvtpp_benchmarks.report.groups import Source, make_report
from pvtpp_benchmarks.report.video import write_video
from pvtpp_benchmarks.report.video_encoders import h264

CELLS = """
return [...document.querySelectorAll(`#${CSS.escape(arguments[0])} tr`)].map((row) =>
  [...row.cells].map((cell) => [cell.textContent, cell.dataset.v ?? null, row.hidden]));
"""
STICKS_OUT = """
const width = document.documentElement.clientWidth, found = [];
for (const each of document.querySelectorAll("h1, h2, h3, p, ul, select, figure, svg, .scroll, td, th")) {
  const box = each.getBoundingClientRect(), inside = each.closest(".scroll, nav");
  if (arguments[0] || !inside || inside === each) {
    if (box.width && box.right > width + 1) found.push(`${each.tagName} ${each.textContent.slice(0, 30)}`);
  }
}
return [document.documentElement.scrollWidth - width, found];
"""
EMPTY = """
return [...document.querySelectorAll("section, figure, .panel svg, table, nav, select")].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.width < 20 || box.height < 10;
}).map((each) => each.outerHTML.slice(0, 80));
"""
CUT = """
return [...document.querySelectorAll("td, th")].filter((each) => each.scrollWidth > each.clientWidth + 1)
  .map((each) => `${each.closest("table").id}: ${each.textContent}`);
"""
PARTS = ["summary", "elae", "success", "speed", "latency", "attributes", "sequences", "outages", "calibration"]


@pytest.fixture(scope="module")
def rows():
    return made_rows(4, 4, 12)


@pytest.fixture(scope="module")
def report(tmp_path_factory, rows):
    """The page of four trackers, four predictors and twelve clips, made by the command of four result files."""
    folder = tmp_path_factory.mktemp("report")
    files = [
        str(write_result(folder / f"{name}.json", [row for row in rows if row["tracker"] == name])) for name in TRACKERS
    ]
    assert main(["report", *files, "--out", str(folder / "out")]) == 0
    return folder / "out" / "index.html"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def show(driver, page, width, media="screen"):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
    driver.get(page.as_uri())


def errors(driver):
    return [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def table(driver, name):
    """Heads, then for each row texts, exact values and whether it is hidden."""
    head, *body = driver.execute_script(CELLS, name)
    return [cell[0] for cell in head], body


def choose(driver, select, text):
    driver.execute_script(
        "const [select, text] = arguments, option = [...select.options].find((each) => each.textContent === text);"
        "select.value = option.value; select.dispatchEvent(new Event('change'));",
        select,
        text,
    )


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_missing_or_sticks_out_and_the_console_is_silent(driver, report, width):
    show(driver, report, width)
    assert errors(driver) == []
    assert driver.execute_script(STICKS_OUT, False) == [0, []]
    assert driver.execute_script(EMPTY) == []
    shown = driver.execute_script("return [...document.querySelectorAll('main > section')].map((each) => each.id)")
    assert shown == [*PARTS, "unpredictability", "protocol"]
    assert os.path.getsize(report) < 15e6


def test_the_numbers_in_the_page_are_those_of_the_results(driver, report, rows):
    show(driver, report, 1440)
    by_method = {(row["tracker"], row["predictor"] or "zero latency"): row for row in rows}
    heads, body = table(driver, "summary-generated-otb-30-30")
    assert len(body) == len(rows)
    fields = {"AUC": "auc", "DP@20": "dp20", "NormP": "norm_precision", "mAUC": "mauc", "mDP": "mdp"}
    for line in body:
        texts, exact = ({head: cell[place] for head, cell in zip(heads, line)} for place in (0, 1))
        row = by_method.pop((texts["tracker"], texts["predictor"]))
        for head, field in fields.items():
            assert texts[head] == ("-" if row[field] is None else f"{row[field]:.3f}")
            assert exact[head] is None if row[field] is None else float(exact[head]) == row[field]
        assert [float(exact[head]) for head in ("95 % low", "95 % high")] == row["auc_ci95"]
        assert texts["n"] == str(row["sequences"]) and texts["runs"] == str(row["runs"])
        if row["predictor"] not in (None, "hold"):
            hold = next(each for each in rows if each["tracker"] == row["tracker"] and each["predictor"] == "hold")
            found = paired(hold, row)
            assert [float(exact[head]) for head in ("to hold", "low", "high")] == pytest.approx(
                [found.mean, found.low, found.high], abs=1e-12
            )
            assert [int(texts[head]) for head in "WLT"] == [found.wins, found.losses, found.ties]
        else:
            assert texts["to hold"] == texts["W"] == "-"
    assert not by_method


def test_the_numbers_by_sequence_latency_attribute_and_outage_are_those_of_the_results(driver, report, rows):
    show(driver, report, 1440)
    by_method = {(row["tracker"], row["predictor"] or "zero latency"): row for row in rows}
    heads, body = table(driver, "sequences-generated-otb-30-30")
    assert len(body) == 12 * len(rows)
    for line in body:
        cells = dict(zip(heads, line))
        row = by_method[cells["tracker"][0], cells["predictor"][0]]
        figures = row["by_sequence"][cells["sequence"][0]]
        for head, field in (("AUC", "auc"), ("DP@20", "dp20"), ("NT2F", "nt2f"), ("outage s", "outage_s")):
            assert float(cells[head][1]) == figures[field]
        assert cells["noticed"][0] == ("3" if row["predictor"] == "ensemble" else "-")
    for name, part, fields in (
        ("latency", "latency", {"median ms": "median_ms", "p99 ms": "p99_ms", "stall ms": "worst_stall_ms"}),
        ("coverage", "coverage", {"frames": "frames"}),
        ("outages", "outages", {"NT2F": "nt2f", "found": "found"}),
        ("losses", "losses", {"precision": "precision", "noticed": "noticed"}),
    ):
        heads, body = table(driver, f"{name}-generated-otb-30-30")
        assert body
        for line in body:
            cells = dict(zip(heads, line))
            figures = by_method[cells["tracker"][0], cells["predictor"][0]][part]
            for head, field in fields.items():
                assert float(cells[head][1] or cells[head][0]) == figures[field]
    heads, body = table(driver, "attributes-auc-generated-otb-30-30")
    assert len(body) == len(rows)
    for line in body:
        figures = by_method[line[0][0], line[1][0]]["attributes"]
        shown = {head.rpartition(" (")[0]: cell[1] for head, cell in zip(heads, line) if head.endswith(")")}
        assert {name: float(exact) for name, exact in shown.items()} == {
            name: each["auc"] for name, each in figures.items()
        }


def test_a_heading_sorts_and_missing_values_come_last(driver, report, rows):
    show(driver, report, 1440)
    name = "summary-generated-otb-30-30"
    for head, sign in (("mAUC", -1), ("mAUC", 1), ("tracker", 1)):
        heads, _ = table(driver, name)
        column = heads.index(head)
        driver.find_elements("css selector", f"#{name} th button")[column].click()
        _, body = table(driver, name)
        if head == "tracker":
            assert [line[0][0] for line in body] == sorted(line[0][0] for line in body)
            continue
        values = [line[column][1] for line in body]
        known = [float(value) for value in values if value is not None]
        assert known == sorted(known, key=lambda value: sign * value) and len(known) == 16
        assert values[16:] == [None] * 4
    assert errors(driver) == []


def test_the_table_by_sequence_shows_one_method_first_and_any_that_is_chosen(driver, report):
    show(driver, report, 1440)
    name = "sequences-generated-otb-30-30"

    def visible():
        heads, body = table(driver, name)
        return [line for line in body if not line[0][2]], heads

    lines, heads = visible()
    assert len(lines) == 12 and {(line[1][0], line[2][0]) for line in lines} == {("north", "ensemble")}
    tracker, predictor, _ = driver.find_elements("css selector", f".table:has(#{name}) select")
    choose(driver, tracker, "south")
    choose(driver, predictor, "all")
    assert {line[1][0] for line in visible()[0]} == {"south"} and len(visible()[0]) == 48
    assert driver.find_element("css selector", f".table:has(#{name}) output").text.startswith("48 of 240 rows")


def test_any_two_methods_are_compared(driver, report, rows):
    show(driver, report, 1440)
    box = driver.find_element("id", "pairs-generated-otb-30-30")
    of, to = box.find_elements("css selector", "select")
    by_label = {f"{row['tracker']}, {row['predictor'] or 'zero latency'}": row for row in rows}
    for second, first in (("south, hold", "north, ensemble"), ("north, ensemble", "south, hold")):
        choose(driver, of, second)
        choose(driver, to, first)
        found = paired(by_label[first], by_label[second])
        (line, *others) = table(driver, "pairs-generated-otb-30-30-shown")[1]
        texts = [cell[0] for cell in line]
        assert texts[:1] == ["AUC"] and [int(text) for text in texts[4:]] == [found.wins, found.losses, found.ties]
        assert [float(text) for text in texts[1:4]] == pytest.approx([found.mean, found.low, found.high], abs=6e-5)
        assert [other[0][0] for other in others] == ["DP@20", "NormP"]
        assert box.find_element("css selector", ".caption").text == f"{second} minus {first}"
    choose(driver, of, first)
    choose(driver, to, first)
    assert table(driver, "pairs-generated-otb-30-30-shown")[1] == []
    data = json.loads(box.find_element("css selector", "script").get_attribute("textContent"))
    assert len(data["measures"]["AUC"]) == 20 * 19 // 2


def test_on_paper_no_table_is_cut_and_heads_are_repeated(driver, report):
    show(driver, report, 1032, "print")  # A4 landscape, without its margins
    assert driver.execute_script(STICKS_OUT, True) == [0, []]
    assert driver.execute_script(CUT) == []
    style = "const of = (name, of) => getComputedStyle(document.querySelector(name))[of];"
    assert driver.execute_script(f"{style} return of('thead', 'display')") == "table-header-group"
    assert driver.execute_script(f"{style} return of('tbody tr', 'breakInside')") == "avoid"
    assert driver.execute_script(f"{style} return of('nav', 'display')") == "none"
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    data = base64.b64decode(printed["data"])
    boxes = {tuple(map(float, each.split())) for each in re.findall(rb"/MediaBox\s*\[([^]]*)\]", data)}
    assert all(right - left > 800 and top - bottom < 600 for left, bottom, right, top in boxes) and boxes
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", data)) >= 5


def test_a_sequence_opens_to_its_video(driver, tmp_path):
    if h264() is None:
        pytest.skip("no H.264 encoder here, and browsers play nothing else of ours")
    films = {("generated", "north", "47ms", "clip000"): "videos/a.mp4"}
    frames = [np.full((48, 64, 3), 10 * i, np.uint8) for i in range(10)]
    write_video(str(tmp_path / "videos" / "a.mp4"), frames, 30.0)
    made = make_report("title", [Source("r.json", {}, tuple(made_rows(1, 1, 2)))], films)
    write_report(str(tmp_path), made, print)
    show(driver, tmp_path / "index.html", 1440)
    link = driver.find_element("css selector", "a.film")
    driver.execute_script("arguments[0].click()", link)
    loaded = driver.execute_async_script(
        "const film = document.querySelector('video'), done = arguments[0];"
        "film.readyState ? done(film.videoWidth) : (film.onloadedmetadata = () => done(film.videoWidth),"
        " film.onerror = () => done(film.error.message));"
    )
    assert loaded == 64 and errors(driver) == []
    driver.execute_script("arguments[0].click()", link)
    assert driver.find_elements("css selector", "video") == []


@pytest.mark.parametrize("width", [390, 1440])
def test_it_looks_as_it_did(driver, tmp_path, width):
    """As in the committed pictures; PVTPP_UPDATE_SCREENSHOTS=1 makes them anew: look at them before you commit them."""
    rows = [
        row for row in made_rows(2, 4, 4, times=(47,), rates=((30.0, 30.0),)) if row["predictor"] != "constant_velocity"
    ]
    report = make_report("A generated report", [Source("generated.json", {"seed": 0}, tuple(rows))])
    write_report(str(tmp_path), report, print)
    require_font()
    show(driver, tmp_path / "index.html", width)
    image = screenshot(driver, width)
    path = FOLDER / f"{width}.png"
    if os.environ.get("PVTPP_UPDATE_SCREENSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    expected = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert expected is not None, f"{path} is missing"
    assert difference(image, expected) == ""
    # A chart without its lines, and a part that is missing, are seen.
    driver.execute_script("document.querySelectorAll('#elae svg path').forEach((each) => each.remove())")
    assert difference(screenshot(driver, width), expected)
    driver.execute_script("document.getElementById('success').remove()")
    assert "high, expected" in difference(screenshot(driver, width), expected)
