"""Roads from town to town, for every (seed, level, X, Y): light lines among the parcels, the same in every window.

Towns of squares that touch are joined, most of them, by a bend that leaves the straight line by a fifth of it at most.
At the next level a road has 1.4 times as many pixels across; those between districts (`parcels`), twice as many.

Numbers are hashed, and all else is sums, products, quotients and square roots, so that no platform's libm decides a
last digit. What changes here changes pixels: `generator.REVISION`.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model import arrays, towns
from model.arrays import hashed, library, root, single, uniform
from model.grid import width
from model.parcels import FIRST, fainter
from model.towns import KINDS, SCALED, Town

JOINED = {(1, 0): 0.85, (0, 1): 0.85, (1, 1): 0.3, (1, -1): 0.3}  # how often towns of two squares are
LIGHT = 2.0, 2.6       # of roads
BENT, SKEWED = 0.12, 0.1  # how far they leave the straight line at most, of its length, on one side and on both
REACH = np.float32(8)  # pixels of `SCALED` beyond which there is nothing of one


class Road(NamedTuple):
    """One, in pixels of `SCALED`."""

    begin: Town
    end: Town
    bent: float
    skewed: float
    light: float

    @property
    def around(self) -> float:
        """How far it may leave the box that its ends span."""
        return float(REACH) + abs(self.bent) + abs(self.skewed)


@lru_cache(maxsize=8192)  # neighbours ask for the same
def _road(seed: int, column: int, row: int, right: int, down: int) -> Road | None:
    """That from the town of a square to the one so far on, if there is one; columns wrap."""
    begin, end = (towns.town(seed, 0, column + i, row + j) for i, j in ((0, 0), (right, down)))
    key = hashed(np.uint64(0), seed, 0x70378, 3 * right + down, column % (width(SCALED) // KINDS[0].size), row)
    if not (begin and end) or uniform(key, 0) >= JOINED[right, down]:
        return None
    far = ((end.x - begin.x) ** 2 + (end.y - begin.y) ** 2) ** 0.5
    bent, skewed = (far * float(uniform(key, which, -most, most)) for which, most in ((1, BENT), (2, SKEWED)))
    return Road(begin, end, bent, skewed, float(uniform(key, 3, *LIGHT)))


def near(seed: int, x0: float, y0: float, x1: float, y1: float) -> list[Road]:
    """Those that may be seen in a box of pixels of `SCALED`."""
    size = KINDS[0].size
    found = []
    for row in range(int(y0 // size) - 2, int(y1 // size) + 3):
        for column in range(int(x0 // size) - 2, int(x1 // size) + 2):
            for joined in JOINED:
                road = _road(seed, column, row, *joined)
                if road and all(
                        min(a, b) - road.around < high and max(a, b) + road.around > low for a, b, low, high in
                        ((road.begin.x, road.end.x, x0, x1), (road.begin.y, road.end.y, y0, y1))):
                    found.append(road)
    return found


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light roads are at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``; 0 above `FIRST`. x wraps
    at the level's width. `device`: None for an array."""
    out = arrays.zeros((y1 - y0, x1 - x0), device)
    if level < FIRST:
        return out
    scale = 1 << (level - SCALED)
    for road in near(seed, x0 / scale, y0 / scale, x1 / scale, y1 / scale):
        across, along = road.end.x - road.begin.x, road.end.y - road.begin.y
        far = (across * across + along * along) ** 0.5
        parts = []
        for begin, end, start, stop in ((road.begin.x, road.end.x, x0, x1), (road.begin.y, road.end.y, y0, y1)):
            least, most = min(begin, end) - road.around, max(begin, end) + road.around
            a, b = max(start, int(least * scale)), min(stop, int(most * scale) + 2)
            parts.append((a, max(a, b), ((np.arange(a, max(a, b)) + 0.5) / scale - begin).astype(np.float32)))
        (left, right, xs), (top, bottom, ys) = parts
        if left == right or top == bottom:
            continue
        xs, ys = (arrays.put(of, device) for of in (xs[None], ys[:, None]))
        lib = library(xs)
        at = (xs * np.float32(across / far) + ys * np.float32(along / far)) * np.float32(1 / far)
        aside = ys * np.float32(across / far) - xs * np.float32(along / far)
        on = at.clip(0, 1)
        bend = (2 * on - 1) * np.float32(4 * road.skewed) + np.float32(4 * road.bent)
        curve = on * (1 - on)
        steep = ((1 - 2 * on) * bend + curve * np.float32(8 * road.skewed)) * np.float32(1 / far)
        aside = aside - curve * bend
        beyond = (at - on) * np.float32(far)  # either end
        away = root(aside * aside / (1 + steep * steep) + beyond * beyond)
        light = 1 / fainter(away * np.float32(scale**0.25), scale) * np.float32(road.light) * single(away < REACH)
        view = out[top - y0:bottom - y0, left - x0:right - x0]
        view[...] = lib.maximum(view, light)
    return out
