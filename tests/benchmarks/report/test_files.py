"""JSON results: complete files, written only to folders that exist."""

from __future__ import annotations

import json
import os

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.report.files import write_json


def test_values_that_json_does_not_have_leave_the_older_file_and_no_other(tmp_path):
    path = tmp_path / "out.json"
    write_json(str(path), {"auc": 0.5})
    with pytest.raises(ValueError, match="JSON"):
        write_json(str(path), {"auc": float("nan")})
    assert json.loads(path.read_text()) == {"auc": 0.5} and os.listdir(tmp_path) == ["out.json"]


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    with pytest.raises(InputError, match=r"out\.json: cannot write"):
        write_json(str(tmp_path / "typo" / "out.json"), {})
    assert os.listdir(tmp_path) == []
