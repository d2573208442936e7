"""Roads from town to town, and lanes between villages, for every (seed, level, X, Y), the same in every window.

Roads are light lines among the parcels that a network is shown; lanes it knows nothing of. Towns of squares that touch
are joined, most of them, by a bend that leaves the straight line by a fifth of it at most, and so are villages, one
another and to the town of their square. At the next level a road has 1.4 times as many pixels across; those between
districts (`parcels`), and lanes, twice as many.

Numbers are hashed, and all else is sums, products, quotients and square roots, so that no platform's libm decides a
last digit. What changes here changes pixels: `generator.REVISION`.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model import arrays, towns
from model.arrays import hashed, library, root, single, uniform
from model.grid import width
from model.parcels import FIRST, fainter, line
from model.towns import KINDS, SCALED, Town

JOINED = {(1, 0): 0.85, (0, 1): 0.85, (1, 1): 0.3, (1, -1): 0.3}  # how often towns of two squares are
LANES = {(1, 0): 0.8, (0, 1): 0.8, (1, 1): 0.5, (1, -1): 0.5}     # ... and villages
LIGHT = 2.0, 2.6       # of roads
BENT, SKEWED = 0.12, 0.1  # how far they leave the straight line at most, of its length, on one side and on both
REACH = np.float32(8)  # pixels of `SCALED` beyond which there is nothing of one
WIDE = {11: 0.25, 13: 0.5, 15: 1.0}  # pixels of a level: half of how wide a lane is
HAZE = 12.0, 6.0       # pixels of any level beside a road, and a lane, that are a haze in what the level above shows
RIBBON = 1.7, 1.1      # pixels of `SCALED` beside a road, and a lane, within which there are houses, ...
OUT = 1.6, 5.0         # ... as far from its end as so many radii of a town, and pixels
HOUSES = np.float32(0.6)  # how much of a town that is
NEAR = 110.0           # pixels of `SCALED` from the town of its square within which a village has a lane to it


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
def _road(seed: int, kind: int, column: int, row: int, right: int, down: int) -> Road | None:
    """That from the town, or village, of a square to the one so far on, if there is one; columns wrap."""
    begin, end = (towns.town(seed, kind, column + i, row + j) for i, j in ((0, 0), (right, down)))
    return _joined(seed, kind, begin, end, column, row, 3 * right + down, (JOINED, LANES)[kind][right, down])


@lru_cache(maxsize=8192)
def _to_town(seed: int, column: int, row: int) -> Road | None:
    """That from the village of a square to the town of the larger square which it lies in."""
    village = towns.town(seed, 1, column, row)
    town = towns.town(seed, 0, *(at * KINDS[1].size // KINDS[0].size for at in (column, row))) if village else None
    if not town or (town.x - village.x) ** 2 + (town.y - village.y) ** 2 > NEAR**2:
        return None
    return _joined(seed, 1, village, town, column, row, 0, 1.0)


def _joined(seed: int, kind: int, begin: Town | None, end: Town | None, column: int, row: int, which: int,
            chance: float) -> Road | None:
    key = hashed(np.uint64(0), seed, 0x70378 + kind * 0x100, which, column % (width(SCALED) // KINDS[kind].size), row)
    if not (begin and end) or uniform(key, 0) >= chance:
        return None
    far = ((end.x - begin.x) ** 2 + (end.y - begin.y) ** 2) ** 0.5
    bent, skewed = (far * float(uniform(key, which, -most, most)) for which, most in ((1, BENT), (2, SKEWED)))
    return Road(begin, end, bent, skewed, float(uniform(key, 3, *LIGHT)))


def near(seed: int, x0: float, y0: float, x1: float, y1: float, kind: int = 0) -> list[Road]:
    """Those that may be seen in a box of pixels of `SCALED`: from town to town or, of that `kind`, of villages."""
    size, farther = KINDS[kind].size, 2 + kind  # squares away: that of a village may be farther from its town
    found = []
    for row in range(int(y0 // size) - farther, int(y1 // size) + farther + 1):
        for column in range(int(x0 // size) - farther, int(x1 // size) + farther + 1):
            ways = [_road(seed, kind, column, row, *joined) for joined in JOINED]
            if kind:
                ways.append(_to_town(seed, column, row))
            for road in ways:
                if road and all(
                        min(a, b) - road.around < high and max(a, b) + road.around > low for a, b, low, high in
                        ((road.begin.x, road.end.x, x0, x1), (road.begin.y, road.end.y, y0, y1))):
                    found.append(road)
    return found


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light roads are at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``; 0 above `FIRST`. x wraps
    at the level's width. `device`: None for an array."""
    out = arrays.zeros((y1 - y0, x1 - x0), device)
    scale = _scale(level)
    for road, box, away in _passing(seed, 0, level, x0, y0, x1, y1, device):
        light = 1 / fainter(away.far * np.float32(scale**0.25), scale) * np.float32(road.light)
        light = light * single(away.far < REACH)
        out[box] = library(light).maximum(out[box], light)
    return out


def lanes(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """Likewise how much of a pixel lanes from village to village, and to a town, cover: in 0…1."""
    out = arrays.zeros((y1 - y0, x1 - x0), device)
    for _, box, away in _passing(seed, 1, level, x0, y0, x1, y1, device):
        lane = line(away.far * np.float32(_scale(level)), WIDE[level])
        out[box] = library(lane).maximum(out[box], lane)
    return out


def beside(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """From how many pixels farther right, and down, these pixels take their colour, so that a road or a lane which the
    level above has shown is no haze; and how near that is, in 0…1: float32 ``(3, y1-y0, x1-x0)``; 0 at `FIRST`."""
    out = arrays.zeros((3, y1 - y0, x1 - x0), device)
    if level <= FIRST:
        return out
    for kind, haze in enumerate(HAZE):
        for _, box, away in _passing(seed, kind, level, x0, y0, x1, y1, device):
            near = (1 - away.far * np.float32(_scale(level) / haze)).clip(0, 1)
            go = 2 * haze * near * (2 * single(away.aside > 0) - 1)  # as in a mirror
            arrays.nearest(out[(slice(None), *box)], -go * away.sin, go * away.cos, near)
    return out


def ribbons(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """Likewise how much of a town what lies beside the roads and lanes that lead out of one is: in 0…1."""
    out = arrays.zeros((y1 - y0, x1 - x0), device)
    for kind, wide in enumerate(RIBBON):
        for road, box, away in _passing(seed, kind, level, x0, y0, x1, y1, device):
            beside = (2 - away.far * np.float32(2 / wide)).clip(0, 1) * HOUSES
            for town, along in (road.begin, away.along), (road.end, away.whole - away.along):
                end = np.float32(town.radius * OUT[0] + OUT[1])
                share = beside * ((end - along) * np.float32(1 / OUT[1])).clip(0, 1)
                out[box] = library(share).maximum(out[box], share)
    return out


class Away(NamedTuple):
    """How far pixels are from a road, all in pixels of `SCALED`."""

    far: np.ndarray    # ``(h, w)``
    along: np.ndarray  # how far along it, from where it begins, of the `whole` of it
    whole: np.float32
    aside: np.ndarray  # likewise, to the right of who goes along it; on the left less than 0
    cos: np.float32    # the direction from end to end
    sin: np.float32


def _scale(level: int) -> float:
    """Pixels of a level in one of `SCALED`, along and across."""
    return 2.0 ** (level - SCALED)


@lru_cache(maxsize=4)  # a tile asks four times
def _passing(seed: int, kind: int, level: int, x0: int, y0: int, x1: int, y1: int, device
             ) -> list[tuple[Road, tuple[slice, slice], Away]]:
    """The roads of a kind that may be seen in a box, of each the part where it may be, and how far away it is there;
    none above `FIRST`."""
    if level < FIRST:
        return []
    scale, found = _scale(level), []
    for road in near(seed, x0 / scale, y0 / scale, x1 / scale, y1 / scale, kind):
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
        cos, sin = np.float32(across / far), np.float32(along / far)
        at = (xs * cos + ys * sin) * np.float32(1 / far)
        aside = ys * cos - xs * sin
        on = at.clip(0, 1)
        bend = (2 * on - 1) * np.float32(4 * road.skewed) + np.float32(4 * road.bent)
        curve = on * (1 - on)
        steep = ((1 - 2 * on) * bend + curve * np.float32(8 * road.skewed)) * np.float32(1 / far)
        aside = aside - curve * bend
        beyond = (at - on) * np.float32(far)  # either end
        away = root(aside * aside / (1 + steep * steep) + beyond * beyond)
        box = np.s_[top - y0:bottom - y0, left - x0:right - x0]
        found.append((road, box, Away(away, on * np.float32(far), np.float32(far), aside, cos, sin)))
    return found
