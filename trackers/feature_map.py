"""What a network sees in a box: its features on a grid, as one vector; and where in a crop something looks like it."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import numpy as np

SAMPLES = 4
"""Samples a side that cover a box."""
_GRID = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5


class FeatureMap(NamedTuple):
    """A network's features of a crop.

    Attributes
    ----------
    features
        ``(C, H, W)``.
    x, y
        Where the middle of the crop lies in the image, pixels.
    zoom
        Image pixels per pixel of the crop.
    """

    features: np.ndarray
    x: float
    y: float
    zoom: float

    def describe(self, box: np.ndarray, stride: int) -> np.ndarray:
        """Describe what is in a box.

        Parameters
        ----------
        box
            ``[cx, cy, w, h]``, pixels of the image.
        stride
            Pixels of the crop per cell of the map.

        Returns
        -------
        ndarray
            Shape ``(C * SAMPLES * SAMPLES,)``, of unit length: the features on a grid over the box, bilinear between
            cells.
        """
        height, width = self.features.shape[1:]
        across, left = _between((box[0] + _GRID * box[2] - self.x) / (self.zoom * stride), width)
        down, top = _between((box[1] + _GRID * box[3] - self.y) / (self.zoom * stride), height)
        rows = self.features[:, top] * (1 - down[:, None]) + self.features[:, top + 1] * down[:, None]
        found = (rows[:, :, left] * (1 - across) + rows[:, :, left + 1] * across).ravel()
        return found / max(float(np.linalg.norm(found)), 1e-6)

    def find(self, vector: np.ndarray, box: np.ndarray, stride: int) -> Tuple[np.ndarray, float]:
        """Find where a box of this size, centred on any cell, looks most like a description.

        Parameters
        ----------
        vector
            What `describe` gave.
        box
            ``[cx, cy, w, h]``, pixels of the image; its size counts.
        stride
            Pixels of the crop per cell of the map.

        Returns
        -------
        ndarray, float
            The box there, and the correlation of its description with `vector`.
        """
        channels, height, width = self.features.shape
        flat, cell = self.features.reshape(channels, -1), self.zoom * stride
        parts = vector.reshape(channels, SAMPLES * SAMPLES).T @ flat
        across, down = _shifts(_GRID * box[2] / cell, width), _shifts(_GRID * box[3] / cell, height)
        # Each sample's map as seen from its place in the box, and all of them together.
        shifted = (parts.reshape(SAMPLES, SAMPLES, height, width) @ across.transpose(0, 2, 1)).sum(axis=1)
        dot = (down @ shifted).sum(axis=0)
        power = (flat * flat).sum(axis=0).reshape(height, width)
        norm = down.sum(axis=0) @ power @ across.sum(axis=0).T
        similarity = dot / np.sqrt(np.maximum(norm, 1e-12))
        row, column = divmod(int(similarity.argmax()), width)
        middle = self.x + (column - (width - 1) / 2) * cell, self.y + (row - (height - 1) / 2) * cell
        place = np.array([*middle, *box[2:]])
        # Between cells the map's own length is interpolated: only the place is taken from it.
        return place, float(self.describe(place, stride) @ vector)


def _shifts(offsets: np.ndarray, count: int) -> np.ndarray:
    """Matrices ``(n, count, count)`` that shift a line of cells by each offset; beyond its ends they repeat."""
    share, first = _between(np.arange(count) - (count - 1) / 2 + offsets[:, None], count)
    made = np.zeros((len(offsets), count, count), np.float32)
    number, cell = np.arange(len(offsets))[:, None], np.arange(count)
    made[number, cell, first] = 1 - share
    made[number, cell, first + 1] = share
    return made


def _between(offset: np.ndarray, count: int) -> Tuple[np.ndarray, np.ndarray]:
    """Shares and first cells for bilinear sampling at these offsets from the middle, cells; beyond the border: it."""
    place = np.clip(offset + (count - 1) / 2, 0, count - 1)
    first = np.minimum(place.astype(int), count - 2)
    return (place - first).astype(np.float32), first
