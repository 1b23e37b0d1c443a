"""Charts: where values are drawn, and that every format shows the same."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.report import pdf, svg
from pvtpp_benchmarks.report.charts import (
    Range,
    Series,
    front,
    linear,
    lines,
    logarithmic,
    points,
    radar,
    ranges,
    steps,
)
from pvtpp_benchmarks.report.drawing import Drawing, Line, Text, composed, mark
from pvtpp_benchmarks.report.styles import MARKS, style

SVG = "{http://www.w3.org/2000/svg}"
AWKWARD = 'a<b>&"c" σ $x_1^2$ ½'


def long_lines(drawing, colour):
    return [
        shape for shape in drawing.shapes if isinstance(shape, Line) and shape.colour == colour and shape.width > 1.5
    ]


@pytest.mark.parametrize("values", [[0.0], [0.3, 0.31], [-2.0, 5.0], [1e-6, 2e-6], [0.0, 12345.0], [math.nan, 1.0]])
def test_a_linear_axis_holds_its_values_and_has_round_ticks(values):
    axis = linear("x", values)
    known = [value for value in values if math.isfinite(value)]
    assert axis.low <= min(known) and axis.high >= max(known) and axis.low < axis.high
    assert 2 <= len(axis.ticks) <= 12 and all(axis.low <= tick <= axis.high for tick in axis.ticks)
    steps = np.diff(axis.ticks)
    assert np.allclose(steps, steps[0])


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors():
    axis = logarithmic("x", [1.0, 10.0, 100.0])
    one, ten, hundred = (axis.share(value) for value in (1, 10, 100))
    assert ten - one == pytest.approx(hundred - ten) and 0 < one and hundred < 1
    assert logarithmic("x", [30.0]).ticks


def test_a_line_goes_through_the_places_of_its_values():
    x, y = linear("x", [0, 10], low=0.0), linear("y", [0, 1], low=0.0)
    drawing = lines("h", x, y, [Series("s", [0, 5, 10], [0, 1, 0.5], style(0))], "label")
    (line,) = long_lines(drawing, "s0")
    (left, bottom), (middle, top), (right, half) = line.points
    assert middle == pytest.approx((left + right) / 2) and half == pytest.approx((top + bottom) / 2)
    assert bottom > top


def test_steps_keep_each_value_up_to_the_next_one():
    assert steps([0, 1, 2, 3], [5, 5, 7, 7]) == ([0, 2, 2, 3], [5, 5, 7, 7])
    assert steps([], []) == ([], [])


def test_shaded_areas_lie_behind_everything_and_a_chart_may_have_any_size():
    x, y = linear("x", [0, 10], low=0.0), linear("y", [0, 1], low=0.0)
    drawing = lines("h", x, y, [Series("s", [0, 10], [0, 1], style(0))], "label", shaded=[(5, 10)], size=(700.0, 200.0))
    assert (drawing.width, drawing.height) == (700.0, 200.0)
    area, (line,) = drawing.shapes[0], long_lines(drawing, "s0")
    (left, bottom), (right, top) = line.points
    assert area.fill == "grid" and area.closed
    middle = (left + right) / 2
    assert np.allclose(area.points, [(middle, bottom), (middle, top), (right, top), (right, bottom)])


def test_the_diagonal_is_where_both_axes_have_the_same_value():
    x, y = linear("x", [0, 1], low=0.0), linear("y", [0, 2], low=0.0)
    series = [Series("s", [0.0, 1.0], [0.0, 1.0], style(0))]
    for drawing in (lines("h", x, y, series, "l", diagonal=True), points("h", x, y, series, "l", diagonal=True)):
        (diagonal,) = [each for each in drawing.shapes if isinstance(each, Line) and each.dashes == (3.0, 3.0)]
        (line,) = [each for each in drawing.shapes if isinstance(each, Line) and each.colour == "s0"]
        assert np.allclose(diagonal.points, line.points)


def test_a_curve_that_would_be_hidden_is_wider():
    x, y = linear("x", [0, 1], low=0.0), linear("y", [0, 1], low=0.0)
    same = [Series("a", [0, 1], [0.5, 0.6], style(0)), Series("b", [0, 1], [0.5, 0.6], style(1))]
    drawing = lines("h", x, y, same, "label")
    assert long_lines(drawing, "s0")[0].width > long_lines(drawing, "s1")[0].width


def test_the_front_holds_what_nothing_is_both_faster_and_better_than():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 12, 60).astype(float), rng.integers(0, 12, 60).astype(float)
    found = {(x[index], y[index]) for index in front(x, y)}
    beaten = {(a, b) for a, b in zip(x, y) if any((c <= a and d >= b) and (c, d) != (a, b) for c, d in zip(x, y))}
    assert found == set(zip(x, y)) - beaten
    assert front([], []) == [] and front([1.0, 1.0], [2.0, 2.0]) == [0]


def test_a_radar_needs_three_spokes():
    with pytest.raises(InputError, match="2 spokes, allowed is 3 or more"):
        radar("h", ["a", "b"], [], 1.0, "label")


def charts():
    x, y = linear("x", [0, 1], low=0.0), linear("y", [0, 1], low=0.0)
    series = [Series(AWKWARD, [0.0, 1.0], [0.1, 0.9], style(i), [0.0, None], [0.2, None]) for i in range(9)]
    return [
        lines(AWKWARD, x, y, series, AWKWARD, diagonal=True),
        points(AWKWARD, x, y, series, AWKWARD, front=[(0.1, 0.2), (0.5, 0.8)]),
        radar(AWKWARD, ["a", AWKWARD, "c"], [each._replace(y=[0.1, 0.5, 0.9]) for each in series], 1.0, AWKWARD),
        ranges(AWKWARD, x, [Range(AWKWARD, [0.1, None, 0.5, 0.9], style(3)), Range("none", [None], style(1))], AWKWARD),
    ]


@pytest.mark.parametrize("number", range(4))
def test_every_chart_is_well_formed_svg_that_says_what_it_shows(number):
    drawing = charts()[number]
    root = ElementTree.fromstring(svg.document(drawing))
    assert root.get("aria-label") == AWKWARD
    assert AWKWARD in [each.text for each in root.iter(f"{SVG}text")]
    rules = root.find(f"{SVG}style").text
    used = {name for each in root.iter() for name in (each.get("class") or "").split()}
    assert used and all(f".{name}{{" in rules for name in used)
    numbers = " ".join(each.get("d", "") for each in root.iter(f"{SVG}path"))
    assert "nan" not in numbers and "inf" not in numbers


@pytest.mark.parametrize("number", range(4))
def test_every_chart_is_drawn_inside_its_rectangle(number):
    drawing = charts()[number]
    for shape in drawing.shapes:
        places = shape.points if isinstance(shape, Line) else [shape.at if isinstance(shape, Text) else shape.centre]
        assert all(-1 <= x <= drawing.width + 1 and -1 <= y <= drawing.height + 1 for x, y in places)


def test_a_figure_is_one_file_of_each_format_with_all_charts_and_the_legend(tmp_path):
    pytest.importorskip("matplotlib")
    legend = [(AWKWARD, style(0)), ("b", style(1))]
    drawing = composed(charts()[:2], 3, legend, True, "all")
    texts = [shape.text for shape in drawing.shapes if isinstance(shape, Text)]
    assert texts.count(AWKWARD) == 2 + 1 and "b" in texts
    path = tmp_path / "all.pdf"
    pdf.write(str(path), drawing)
    data = path.read_bytes()
    assert data.startswith(b"%PDF") and data.rstrip().endswith(b"%%EOF")
    assert f"{drawing.width * 0.75:.0f}".encode() in data


def test_every_mark_is_another_shape():
    assert len({tuple(map(repr, mark((0.0, 0.0), style(0)._replace(mark=name)))) for name in MARKS}) == len(MARKS)


def test_two_of_the_first_42_styles_differ_in_colour_or_dashes():
    looks = {(style(index).colour, style(index).dashes) for index in range(42)}
    assert len(looks) == 42
    # Without colour too: the first seven.
    assert len({style(index).dashes for index in range(7)}) == 7


def test_a_drawing_without_label_is_hidden_from_readers_of_the_screen():
    assert 'aria-hidden="true"' in svg.inline(Drawing(1, 1, ()))
