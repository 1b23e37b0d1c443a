"""The reference page of configuration fields is that of the code."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

for package in ("torch", "lightning"):
    pytest.importorskip(package)
from pvtpp.training.reference import PAGE, page  # noqa: E402

DOCS = Path(__file__).resolve().parents[3] / "docs" / "reference" / "training-fields.md"


def test_the_page_is_up_to_date():
    command = "python -m pvtpp.training.reference > docs/reference/training-fields.md"
    assert DOCS.read_text() == page(), f"write it anew: {command}"


def test_every_field_has_its_line_and_no_line_is_too_long():
    text = page()
    for kind in PAGE:
        section = text.split(f"## {kind.__name__}\n")[1].split("\n## ")[0]
        assert all(f"`{field.name}` (" in section for field in fields(kind))
    assert max(map(len, text.splitlines())) <= 120
