"""Miniature data sets: tiny images and a few boxes, laid out as published."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

BOXES = [(4.0, 3.0, 8.0, 6.0), (5.0, 3.5, 8.0, 6.0), (6.0, 4.0, 8.5, 6.5), (7.0, 4.5, 9.0, 7.0)]


class Tree:
    """Writes files below one root."""

    def __init__(self, root: Path):
        self.root = root

    def text(self, path: str, text: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
        return place

    def boxes(self, path: str, count: int = 4, separator: str = ",") -> Path:
        rows = (BOXES[i % len(BOXES)] for i in range(count))
        return self.text(path, "".join(separator.join(f"{value:g}" for value in row) + "\n" for row in rows))

    def images(self, pattern: str, first: int = 1, count: int = 4, size=(32, 24)) -> None:
        for number in range(first, first + count):
            place = self.root / (pattern % number)
            place.parent.mkdir(parents=True, exist_ok=True)
            image = np.full((size[1], size[0], 3), number % 256, np.uint8)
            assert cv2.imwrite(str(place), image)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path / "data")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PVTPP_CACHE", str(tmp_path / "cache"))
