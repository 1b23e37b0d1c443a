"""A folder of files for the tests of formats."""

from __future__ import annotations

import pytest


@pytest.fixture
def put(tmp_path):
    """Write a file of text or bytes under a folder; returns the folder."""

    def write(path, content):
        place = tmp_path / "set" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(tmp_path / "set")

    return write
