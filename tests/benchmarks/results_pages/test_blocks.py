"""Parts of blocks: paragraphs that fit a line, and numbers without an exponent."""

from __future__ import annotations

import pytest

from pvtpp_benchmarks.results_pages.blocks import paragraph, short


def test_a_paragraph_fits_the_width_of_a_page():
    lines = paragraph("word " * 60)
    assert len(lines) == 3 and max(map(len, lines)) <= 120 and " ".join(lines) == ("word " * 60).strip()


@pytest.mark.parametrize(
    ("value", "text"), [(3.153e-5, "0.000032"), (0.4757, "0.48"), (1.05, "1.1"), (9.94, "9.9"), (12.4, "12"), (0, "0")]
)
def test_a_short_number_has_two_digits_and_no_exponent(value, text):
    assert short(value) == text
