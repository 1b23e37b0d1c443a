"""The drawings of the concept pages: they are what the code computes, they show what the pages say, and can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pvtpp_benchmarks.concept_drawings import curves, presence, takeover, timelines, trajectories
from pvtpp_benchmarks.concept_drawings.__main__ import DRAWINGS, FOLDER, main
from pvtpp_benchmarks.report.drawing import Line, Text
from pvtpp_benchmarks.report.svg import document

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted((ROOT / "docs" / "concepts").glob("*.md"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NEAR = 1.0
"""Pixels by which a picture may differ where another OpenCV or another processor rounds otherwise."""
NARROW, SMALLEST = 420, 11
"""Width in pixels at which nothing is scaled down to less than 9 pixels on a telephone, and size of the font."""


@pytest.fixture(scope="module")
def drawings():
    return {name: draw() for name, draw in DRAWINGS.items()}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_committed_drawing_is_what_the_code_computes(name, drawings):
    committed, drawn = (ROOT / FOLDER / name).read_text(encoding="utf-8"), document(drawings[name])
    message = "draw it anew: python -m pvtpp_benchmarks.concept_drawings"
    assert NUMBER.sub("#", committed) == NUMBER.sub("#", drawn), message
    apart = [abs(float(a) - float(b)) for a, b in zip(NUMBER.findall(committed), NUMBER.findall(drawn))]
    assert max(apart) <= NEAR, message


def test_the_command_writes_them_all(tmp_path, monkeypatch, drawings):
    for name, drawing in drawings.items():
        monkeypatch.setitem(DRAWINGS, name, lambda drawing=drawing: drawing)
    assert main(["--root", str(tmp_path)]) == 0
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == sorted(DRAWINGS)


def test_every_drawing_is_on_a_page_with_words_for_those_who_do_not_see_it():
    shown = {}
    for page in PAGES:
        for words, path in re.findall(r"!\[([^]]*)\]\(drawings/([^)]+)\)", page.read_text(encoding="utf-8")):
            shown[path] = words
    assert sorted(shown) == sorted(DRAWINGS) == sorted(path.name for path in (ROOT / FOLDER).iterdir())
    assert all(len(words.split()) >= 20 for words in shown.values())


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_can_be_read_on_a_telephone_and_on_a_dark_page(name, drawings):
    drawing = drawings[name]
    assert drawing.width <= NARROW and drawing.label
    assert '<rect width="100%" height="100%" fill="#FFFFFF"/>' in document(drawing)
    for text in (shape for shape in drawing.shapes if isinstance(shape, Text)):
        wide = len(text.text) * text.size * (0.62 if text.bold else 0.56)
        left = text.at[0] - wide * {"start": 0, "middle": 0.5, "end": 1}[text.align]
        assert text.size >= SMALLEST
        assert left >= 0 and left + wide <= drawing.width and text.size <= text.at[1] <= drawing.height, text
    for line in (shape for shape in drawing.shapes if isinstance(shape, Line)):
        assert all(-1 <= x <= drawing.width + 1 and -1 <= y <= drawing.height for x, y in line.points)


def ages(predictor, time, propagation=None):
    clip = timelines._clip()
    log = timelines._run(clip, time, predictor, propagation)
    first = log.of_kind("result")[0][1] / timelines.MS
    return [age for now, age in timelines._ages(log, predictor, 450) if now > first]


def test_a_tracker_of_47_ms_is_never_younger_than_that_nor_older_than_the_page_says():
    found = ages("hold", "47ms")
    assert 47 <= min(found) < 50 and 115 < max(found) <= 127.4


def test_with_propagation_evidence_is_about_a_frame_old():
    flow = timelines.Propagation(timelines.create_propagator("optical_flow"), timelines.STEP_NS)
    assert max(ages("kalman", "85ms", flow)) < 45 < 85 <= min(ages("kalman", "85ms"))


def test_curves_show_what_the_page_says():
    fast, slow, predicted = (dict(curves.course(time, name)) for time, name, _ in curves.LINES)
    assert sorted(fast) == [0.0, 0.6, 1.0]
    assert fast[1.0] == pytest.approx(20 / 21)
    assert max(slow.values()) < min(predicted.values()) < max(predicted.values()) < fast[1.0]


def test_the_box_that_is_taken_over_ends_on_what_passed():
    _, target, other, box = takeover.course()
    passed = [abs(a - b) for a, b in zip(target, other)]
    meet = passed.index(min(passed))
    assert all(abs(a - b) < 2 for a, b in zip(target[: meet - 6], box))
    assert abs(box[-1] - other[-1]) < takeover.WIDE / 2 < takeover.SIDE < abs(box[-1] - target[-1])


def test_the_hidden_target_is_lost_and_found():
    looks, log = presence.course()
    states = [row[2] for row in log.of_kind("presence")]
    assert states == ["TRACKING", "UNCERTAIN", "LOST", "UNCERTAIN", "TRACKING"]
    begin, end = presence.HIDDEN
    elsewhere = [look.seconds for look in looks if look.elsewhere]
    assert begin < min(elsewhere) and max(elsewhere) < end + 1
    assert abs(looks[-1].x - presence.place(looks[-1].seconds)) < 1


def test_any_prediction_errs_less_than_none_and_more_with_the_horizon():
    found = {name: trajectories.errors(name) for name, _ in trajectories.PREDICTORS}
    for name, errors in found.items():
        assert errors == sorted(errors)
        assert name == "hold" or errors[-1] < 0.6 * found["hold"][-1]
