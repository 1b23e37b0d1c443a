"""Objects of a generated clip: fields, roads, trees, houses, vehicles and overpasses.

Ground coordinates are in metres, x to the right and y down on the map, z down into the ground (heights are negative z):
a right-handed frame in which a camera that looks straight down has the identity rotation. Colours are BGR, 0 to 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, List, Sequence, Tuple, Union

import cv2
import numpy as np

SUN = np.array([0.55, 0.35])
"""Metres of shadow on the ground per metre of height."""
ROAD_WIDTH = 8.6
"""In metres."""
DECK_HEIGHT = 6.0
"""Height of overpasses above the ground in metres."""
_TO_SUN = np.array([-0.55, -0.35, -1.0]) / np.linalg.norm([0.55, 0.35, 1.0])
_FIELDS = [(58, 104, 92), (74, 122, 108), (92, 138, 148), (66, 92, 112), (52, 112, 84), (88, 128, 118), (104, 150, 164)]
_WALLS = [(190, 200, 208), (170, 182, 196), (205, 208, 205), (150, 168, 188)]
_TILES = [(74, 84, 140), (84, 88, 104), (62, 70, 118), (98, 96, 96)]
_PAINTS = [(205, 205, 200), (70, 66, 62), (120, 100, 70), (160, 160, 158), (90, 120, 120), (140, 92, 60)]
Colour = Sequence[float]
Quad = List[Tuple[float, float, float]]


@dataclass(frozen=True)
class Mesh:
    """A solid of flat quadrilaterals.

    Attributes
    ----------
    faces
        Corners in metres, clockwise as seen from outside, shape ``(n, 4, 3)``.
    colours
        One colour for each face, shape ``(n, 3)``.
    """

    faces: np.ndarray
    colours: np.ndarray

    def placed(self, x: float, y: float, heading: float) -> Mesh:
        """The mesh turned by `heading` radians (clockwise on the map), moved to (x, y) in metres and lit by the sun."""
        c, s = np.cos(heading), np.sin(heading)
        faces = self.faces @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) + np.array([x, y, 0.0])
        outward = np.cross(faces[:, 3] - faces[:, 1], faces[:, 2] - faces[:, 0])
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
        light = 0.5 + 0.55 * np.clip(outward @ _TO_SUN, 0.0, 1.0)
        return Mesh(faces, np.minimum(self.colours * light[:, None], 250.0))


def vehicle(paint: Colour, roof: Colour, length: float = 4.7, width: float = 2.1) -> Mesh:
    """A car that heads along +x, with body, windows, roof, lamps and a stripe on the bonnet; sizes in metres."""
    x, y = length / 2, width / 2
    body, glass = np.array(paint, dtype=float), (62.0, 52.0, 46.0)
    faces = _frustum((-x, x, y), (-x, x, y * 0.94), 0.2, 0.95)
    colours = [body, body * 0.85, body * 0.85, body * 0.85, body * 0.8]
    faces += _frustum((-0.42 * length, 0.22 * length, y * 0.9), (-0.33 * length, 0.07 * length, y * 0.76), 0.95, 1.55)
    colours += [np.array(roof, dtype=float)] + [np.array(glass)] * 4
    details = [((0.25, 0.28), (-0.8, 0.8), tuple(body * 0.5))]
    for side in (-1, 1):
        details.append(((0.43, 0.49), (side * 0.62 - 0.2, side * 0.62 + 0.2), (235, 245, 250)))
        details.append(((-0.49, -0.45), (side * 0.62 - 0.2, side * 0.62 + 0.2), (40, 40, 190)))
    for (x0, x1), (y0, y1), colour in details:
        faces.append(_level(x0 * length, x1 * length, y0 * y, y1 * y, 0.96))
        colours.append(np.array(colour, dtype=float))
    return Mesh(np.array(faces), np.array(colours))


def house(width: float, depth: float, eaves: float, wall: Colour, tiles: Colour) -> Mesh:
    """A house of four walls under a pitched roof whose ridge runs along x; sizes in metres."""
    x, y, ridge, over = width / 2, depth / 2, eaves + depth * 0.28, 0.4
    faces: List[Quad] = _frustum((-x, x, y), (-x, x, y), 0.0, eaves)[1:]
    faces.append([(-x, y, -eaves), (-x, -y, -eaves), (-x, 0, -ridge), (-x, 0, -ridge)])
    faces.append([(x, -y, -eaves), (x, y, -eaves), (x, 0, -ridge), (x, 0, -ridge)])
    colours = [np.array(wall, dtype=float)] * len(faces)
    courses = np.linspace(0.0, 1.0, 8)
    for side in (-1, 1):
        for a, b in zip(courses[:-1], courses[1:]):
            rows = [((y + over) * (1 - c), eaves + (ridge - eaves) * c) for c in (a, b)]
            (outer, low), (inner, high) = rows
            course = [(-x - over, side * outer, -low), (x + over, side * outer, -low)]
            course += [(x + over, side * inner, -high), (-x - over, side * inner, -high)]
            faces.append(course if side < 0 else course[::-1])
            colours.append(np.array(tiles, dtype=float) * (0.92 + 0.16 * (len(faces) % 2)))
    return Mesh(np.array(faces, dtype=float), np.array(colours))


def overpass_deck(length: float, width: float, rng: np.random.Generator, px_per_m: float = 8.0) -> np.ndarray:
    """Picture of the deck of an overpass from above.

    `length` and `width` are in metres. The picture is uint8 with `px_per_m` texels per metre, its long side along the
    rows, shape ``(width, length, 3)`` in texels.
    """
    rows, columns = max(int(width * px_per_m), 8), int(length * px_per_m)
    deck = 122 + 9 * noise(rng, max(rows, columns), 5)[:rows, :columns] + 5 * rng.standard_normal((rows, columns))
    deck = np.repeat(deck[:, :, None], 3, axis=2)
    edge = max(rows // 14, 2)
    deck[:edge] = deck[-edge:] = (168, 174, 178)
    deck[edge : edge + 1] = deck[-edge - 1 : -edge] = 60
    deck[rows // 2 - 1 : rows // 2 + 1, np.arange(columns) % 40 < 20] = 170
    deck[:, :: int(6 * px_per_m)] *= 0.75
    return np.clip(deck, 0, 255).astype(np.uint8)


def noise(rng: np.random.Generator, size: int, octaves: int, coarsest: int = 4) -> np.ndarray:
    """Smooth noise of mean 0 and a standard deviation of about 1, shape ``(size, size)``, float32.

    It is a sum of `octaves` grids of random numbers. The coarsest has `coarsest` cells per side, each other one twice
    as many as the one before.
    """
    total = np.zeros((size, size), dtype=np.float32)
    for octave in range(octaves):
        cells = rng.standard_normal((coarsest << octave, coarsest << octave), dtype=np.float32)
        total += cv2.resize(cells, (size, size), interpolation=cv2.INTER_CUBIC) * 0.62**octave
    return total / np.float32(np.sqrt(sum(0.62 ** (2 * o) for o in range(octaves))) * 0.75)


def paint_ground(
    road: np.ndarray, decks: Sequence[np.ndarray], half_m: float, px_per_m: float, rng: np.random.Generator
) -> Tuple[np.ndarray, List[Mesh]]:
    """Paint the ground from above and place objects on it.

    Parameters
    ----------
    road
        Closed centre line of the road in metres, shape ``(n, 2)``.
    decks
        Corners of each overpass in metres, shape ``(4, 2)``.
    half_m
        Half the side of the ground in metres; its origin is in the middle.
    px_per_m
        Texels per metre.
    rng
        Random numbers of the world.

    Returns
    -------
    ground : ndarray
        Image of the ground, uint8 BGR.
    things : list of Mesh
        Houses and parked cars.
    """
    size = int(2 * half_m * px_per_m)

    def texel(points: Union[np.ndarray, Sequence[np.ndarray]]) -> np.ndarray:
        return np.round((np.asarray(points) + half_m) * px_per_m * 16 - 8).astype(np.int32)

    ground, hedges = _fields(size, px_per_m, rng)
    for _ in range(5):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5) * half_m
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        ends = texel([across * offset - along * 3 * half_m, across * offset + along * 3 * half_m])
        for width, colour in ((3.2, (98, 138, 152)), (0.7, (76, 118, 118))):
            cv2.line(
                ground,
                tuple(map(int, ends[0])),
                tuple(map(int, ends[1])),
                colour,
                int(width * px_per_m),
                cv2.LINE_AA,
                4,
            )
    line = [texel(road).reshape(-1, 1, 2)]
    for width, colour in ((ROAD_WIDTH + 2.4, (92, 128, 134)), (ROAD_WIDTH, (104, 102, 100))):
        cv2.polylines(ground, line, True, colour, int(width * px_per_m), cv2.LINE_AA, 4)
    _road_marks(ground, road, texel)
    ground = np.clip(ground + (7 * noise(rng, size, 7, 8))[:, :, None], 0, 255).astype(np.uint8)

    away = np.zeros((size // 4, size // 4), dtype=np.uint8)
    cv2.polylines(away, [(texel(road) // 64).reshape(-1, 1, 2)], True, 1, 1)
    clearance = cv2.distanceTransform(1 - away, cv2.DIST_L2, 5) * 4 / px_per_m
    for deck in decks:
        cv2.fillConvexPoly(away, texel(deck) // 64, 1)
    clearance[cv2.distanceTransform(1 - away, cv2.DIST_L2, 5) * 4 / px_per_m < 11] = 0
    things = _settle(ground, clearance, road, half_m, texel, rng)
    _plant(ground, clearance, hedges, half_m, px_per_m, rng)
    for deck in decks:
        darken(ground, texel(deck + SUN * DECK_HEIGHT) / 16.0, 0.5)
    return cv2.GaussianBlur(ground, (3, 3), 0.6), things


def darken(image: np.ndarray, polygon: np.ndarray, amount: float) -> None:
    """Multiply the image, in place, by ``1 - amount`` inside a convex polygon in pixels, shape ``(n, 2)``."""
    low = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + 2, [image.shape[1], image.shape[0]])
    if (high <= low).any():
        return
    window = image[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(window.shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round((polygon - low) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    window[:] = cv2.multiply(window, cv2.merge([255 - cv2.convertScaleAbs(mask, alpha=amount)] * 3), scale=1 / 255)


def shadow(mesh: Mesh) -> np.ndarray:
    """Convex outline of the shadow of a mesh on the ground in metres, shape ``(n, 2)``."""
    corners = mesh.faces.reshape(-1, 3)
    points = np.concatenate([corners[:, :2], corners[:, :2] - corners[:, 2:] * SUN]).astype(np.float32)
    return cv2.convexHull(points)[:, 0].astype(float)


def _fields(size: int, px_per_m: float, rng: np.random.Generator) -> Tuple[np.ndarray, np.ndarray]:
    """Patches of meadow, crop rows and bare soil, and the texels of their borders, shape ``(n, 2)``."""
    small, count = size // 4, 34
    seeds = np.ones((small, small), dtype=np.uint8)
    seeds[tuple(rng.integers(0, small, (2, count)))] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    grid = np.mgrid[0:size, 0:size].astype(np.float32)
    warp = [noise(rng, size, 4) * 2.0 * px_per_m for _ in range(2)]
    x, y = (grid[1] + warp[0]) / 4, (grid[0] + warp[1]) / 4
    label = cv2.remap(labels.astype(np.float32), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE).astype(
        np.int32
    )
    kinds = labels.max() + 1
    palette = np.array(_FIELDS)[rng.integers(0, len(_FIELDS), kinds)] * rng.uniform(0.9, 1.1, (kinds, 1))
    angle, pitch = rng.uniform(0, np.pi, kinds), rng.uniform(0.9, 1.8, kinds) * px_per_m
    strength = np.where(rng.random(kinds) < 0.6, rng.uniform(0.05, 0.12, kinds), 0.0)
    kx, ky = (
        (2 * np.pi / pitch * np.cos(angle)).astype(np.float32),
        (2 * np.pi / pitch * np.sin(angle)).astype(np.float32),
    )
    rows = np.sin(grid[1] * kx[label] + grid[0] * ky[label] + warp[0] * 0.15) * strength.astype(np.float32)[label]
    shade = 1 + 0.10 * noise(rng, size, 6) + 0.05 * noise(rng, size, 3, 128) + rows
    ground = palette.astype(np.float32)[label] * shade[:, :, None]
    border = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    return np.ascontiguousarray(np.clip(ground, 0, 255).astype(np.uint8)), np.argwhere(border)[:, ::-1] * 4


def _road_marks(ground: np.ndarray, road: np.ndarray, texel: Callable[[np.ndarray], np.ndarray]) -> None:
    """Paint the edges and the dashed centre line of the road."""
    tangent = np.roll(road, -1, axis=0) - np.roll(road, 1, axis=0)
    across = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / np.linalg.norm(tangent, axis=1, keepdims=True)
    for side in (-1, 1):
        edge = texel(road + across * side * (ROAD_WIDTH / 2 - 0.4)).reshape(-1, 1, 2)
        cv2.polylines(ground, [edge], True, (176, 180, 182), 1, cv2.LINE_AA, 4)
    length = np.linalg.norm(np.diff(road, axis=0, append=road[:1]), axis=1).cumsum()
    painted = (length % 6.0) < 3.0
    for start, stop in zip(texel(road)[:-1][painted[:-1]], texel(road)[1:][painted[:-1]]):
        cv2.line(ground, tuple(map(int, start)), tuple(map(int, stop)), (205, 208, 208), 2, cv2.LINE_AA, 4)


def _settle(
    ground: np.ndarray,
    clearance: np.ndarray,
    road: np.ndarray,
    half_m: float,
    texel: Callable[[np.ndarray], np.ndarray],
    rng: np.random.Generator,
) -> List[Mesh]:
    """Place houses along the road and cars beside them, and paint their shadows on the ground.

    `clearance` is the distance from the road in metres, on a coarser grid than the ground.
    """
    things: List[Mesh] = []
    taken = np.empty((0, 2))
    for x, y in rng.uniform(-0.85 * half_m, 0.85 * half_m, (420, 2)):
        row, column = ((np.array([y, x]) + half_m) / (2 * half_m) * len(clearance)).astype(int)
        near = np.linalg.norm(taken - (x, y), axis=1).min() if len(taken) else np.inf
        if not 15 < clearance[row, column] < 34 or near < 17 or len(taken) > 46:
            continue
        taken = np.concatenate([taken, [[x, y]]])
        closest = np.argmin(np.linalg.norm(road - (x, y), axis=1))
        ahead = road[(closest + 1) % len(road)] - road[closest]
        heading = float(np.arctan2(ahead[1], ahead[0]) + rng.normal(0, 0.08) + rng.integers(0, 2) * np.pi / 2)
        wall, tiles = _WALLS[rng.integers(len(_WALLS))], _TILES[rng.integers(len(_TILES))]
        size = rng.uniform([9, 6.5, 2.8], [14, 8.5, 4.6])
        yard = np.array([[-10, -7], [10, -7], [10, 7], [-10, 7]]) @ turn(heading).T + (x, y)
        cv2.fillConvexPoly(ground, texel(yard), (118, 136, 142), cv2.LINE_AA, 4)
        things.append(house(size[0], size[1], size[2], wall, tiles).placed(x, y, heading))
        if rng.random() < 0.6:
            spot = turn(heading) @ [rng.uniform(-6, 6), size[1] / 2 + 1.9] + (x, y)
            paint = _PAINTS[rng.integers(len(_PAINTS))]
            things.append(vehicle(paint, paint).placed(spot[0], spot[1], heading))
    for thing in things:
        darken(ground, texel(shadow(thing)) / 16.0, 0.5)
    return things


def _plant(
    ground: np.ndarray,
    clearance: np.ndarray,
    hedges: np.ndarray,
    half_m: float,
    px_per_m: float,
    rng: np.random.Generator,
) -> None:
    """Paint trees along hedges and in groups: a shadow, then leaves that are brighter towards the sun."""
    size = len(ground)
    clumps = rng.uniform(0, size, (26, 1, 2)) + rng.normal(0, 5 * px_per_m, (26, 7, 2))
    rows = hedges[rng.permutation(len(hedges))[:240]] + rng.normal(0, 0.8 * px_per_m, (min(240, len(hedges)), 2))
    for x, y in np.concatenate([clumps.reshape(-1, 2), rows]):
        if not (0 <= x < size and 0 <= y < size) or clearance[int(y) // 4 - 1, int(x) // 4 - 1] < 8:
            continue
        radius = rng.uniform(1.4, 3.4) * px_per_m
        angle = np.linspace(0, 2 * np.pi, 14)
        round_about = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius + (x, y)
        darken(ground, round_about + SUN * radius * 1.2, 0.5)
        tone = np.array([44, 84, 66]) * rng.uniform(0.75, 1.15) + rng.uniform(-8, 8, 3)
        for r, theta, grain in zip(
            np.sqrt(np.linspace(1, 0.02, 30)), rng.uniform(0, 6.28, 30), rng.uniform(0.85, 1.15, 30)
        ):
            at = np.array([np.cos(theta), np.sin(theta)]) * r * 0.85
            light = (0.95 - 0.35 * float(at @ SUN) / 0.65 + 0.25 * (1 - r)) * grain
            spot = tuple(int(v * 16) for v in at * radius + (x, y))
            cv2.circle(ground, spot, int(radius * 0.34 * 16), tuple(float(v) for v in tone * light), -1, cv2.LINE_AA, 4)


def turn(angle: float) -> np.ndarray:
    """Rotation by `angle` radians, clockwise on the map, shape ``(2, 2)``."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _level(x0: float, x1: float, y0: float, y1: float, height: float) -> Quad:
    return [(x0, y0, -height), (x1, y0, -height), (x1, y1, -height), (x0, y1, -height)]


def _frustum(base: Tuple[float, float, float], top: Tuple[float, float, float], low: float, high: float) -> List[Quad]:
    """The top and the four sides of a frustum; `base` and `top` are ``(x0, x1, half width)``."""
    b, t = _level(base[0], base[1], -base[2], base[2], low), _level(top[0], top[1], -top[2], top[2], high)
    return [t] + [[b[i], b[(i + 1) % 4], t[(i + 1) % 4], t[i]] for i in range(4)]
