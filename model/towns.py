"""Towns, for every (seed, level, X, Y): how built-up the ground is, and its streets, the same in every window.

One in so many squares of the ground has a town, and of smaller ones a village: at a place of its own, of a size of its
own, small ones more often, its edge bent by smooth noises as that of tilled land is. Streets are parcels (`parcels`)
in narrow rows, whose quarters begin at `QUARTERS`: there blocks, and in these, four times as near, houses.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit. What changes here changes pixels: `generator.REVISION`.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model import arrays, parcels
from model.arrays import hashed, library, quotient, single, uniform
from model.cover import repeated, splines
from model.grid import width

CHANNELS = 1                # how built-up it is
FIRST = 9                   # the level from which there are any; lengths below are in pixels of `SCALED`
SCALED = 11
WIDEST, FINEST = 32, 16     # pixels of `SCALED`, and of the level that looks: squares of the noises that bend edges
ROUGH = np.float32(0.75)    # how strong a noise is, in terms of the next wider
BENT = np.float32(0.45)     # the widest, in units of a town's radius
EDGE = np.float32(0.35)     # likewise: within which houses become fewer
STEP = 4                    # pixels, along and across, that are told one number
QUARTERS = 13               # the level whose districts streets are ruled in
STREETS = parcels.Ruling((5.0, 11.0), (0.7, 1.6), QUARTERS)
GREEN = np.float32(0.4)     # how green houses are, in terms of fields


class Sites(NamedTuple):
    """Where towns of a kind may lie."""

    size: int       # pixels of `SCALED`, of the squares in each of which there is one ...
    chance: float   # ... or is not
    least: float    # radius, pixels of `SCALED`, ...
    more: float     # ... and by how much the largest is larger


KINDS = Sites(256, 0.6, 9.0, 70.0), Sites(64, 0.3, 3.0, 4.0)


class Town(NamedTuple):
    """One, in pixels of `SCALED`."""

    x: float
    y: float
    radius: float


@lru_cache(maxsize=8192)  # neighbours ask for the same
def town(seed: int, kind: int, column: int, row: int) -> Town | None:
    """That of a square, if it has one; columns wrap."""
    return sited(seed, kind, KINDS[kind], column, row)


def sited(seed: int, kind: int, sites: Sites, column: int, row: int) -> Town | None:
    """Likewise, of any kind of sites."""
    key = hashed(np.uint64(0), seed, 0x70375, kind, column % (width(SCALED) // sites.size), row)
    if uniform(key, 0) >= sites.chance:
        return None
    x, y = (sites.size * (at + float(uniform(key, which))) for at, which in ((column, 1), (row, 2)))
    size = float(uniform(key, 3))
    return Town(x, y, sites.least + sites.more * size * size * size)


def within(seed: int, x0: int, y0: int, x1: int, y1: int) -> list[Town]:
    """The towns, no villages, of the squares that begin in these pixels of `SCALED`."""
    size = KINDS[0].size
    return [found for row in range(-(-y0 // size), -(-y1 // size)) for column in range(-(-x0 // size), -(-x1 // size))
            if (found := town(seed, 0, column, row))]


@lru_cache(maxsize=4)  # asked for twice, where it is a GPU that is to know
def near(seed: int, level: int, x0: int, y0: int, x1: int, y1: int) -> list[Town]:
    """Those that may reach into the pixels x0…x1, y0…y1 of a level; none above `FIRST`."""
    if level < FIRST:
        return []
    xs, ys = _at(level, x0, x1, STEP), _at(level, y0, y1, STEP)
    return [place for kind, sites in enumerate(KINDS)
            for row in range(int(ys[0] // sites.size) - 1, int(ys[-1] // sites.size) + 2)
            for column in range(int(xs[0] // sites.size) - 1, int(xs[-1] // sites.size) + 2)
            if (place := town(seed, kind, column, row)) and _reaches(place, xs, ys)]


def _at(level: int, begin: int, end: int, step: int) -> np.ndarray:
    """Where every `step` pixels of a level are, in pixels of `SCALED`."""
    return (np.arange(begin // step * step, end, step) + np.float32(step / 2)) / np.float32(2.0 ** (level - SCALED))


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None, step: int = STEP):
    """How built-up the pixels x0…x1, y0…y1 of a level are: float32 ``(y1-y0, x1-x0)`` in 0…1; 0 above `FIRST`. x wraps
    at the level's width. `device`: None for an array. `step`: pixels, along and across, that are told one number."""
    here = near(seed, level, x0, y0, x1, y1)
    if not here:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    xs, ys = (arrays.put(_at(level, *ends, step), device) for ends in ((x0, x1), (y0, y1)))
    bent, strength = arrays.zeros((len(ys), len(xs)), device), BENT
    for size in _widths(level):
        key = hashed(np.uint64(0), seed, 0x70376, size << (15 - level))
        bent += splines(key, level, size, x0, y0, x1, y1, step, device) * strength
        strength *= ROUGH
    lib, share = library(bent), arrays.zeros(bent.shape, device)
    for place in here:
        away = lib.sqrt(lib.square(xs - place.x)[None] + lib.square(ys - place.y)[:, None])
        away = single(quotient(away, np.float32(place.radius)))
        share = lib.maximum(share, quotient(1 - away - bent, EDGE))
    return repeated(share.clip(0, 1), x0, y0, x1, y1, step)


def _widths(level: int) -> list[int]:
    """Pixels of the squares of the noises that a level bends edges by, the widest first."""
    widest = WIDEST << (level - SCALED) if level > SCALED else WIDEST >> (SCALED - level)
    return [widest >> n for n in range(16) if widest >> n >= (FINEST if level > SCALED else STEP)]


def _reaches(place: Town, xs: np.ndarray, ys: np.ndarray) -> bool:
    """Whether a town may reach into what lies between these pixels of `SCALED`."""
    reach = 2.8 * place.radius  # noises are at most BENT / (1 - ROUGH)
    return (xs[0] - reach < place.x < xs[-1] + reach) and (ys[0] - reach < place.y < ys[-1] + reach)


def streets(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """What `parcels.field` would be if all were a town: float32 ``(2, y1-y0, x1-x0)``; 0 above `SCALED`."""
    ruled = parcels.field(planned(seed), level, x0, y0, x1, y1, nested=level > QUARTERS, ruling=STREETS, device=device)
    ruled[1] *= GREEN
    return ruled


def planned(seed: int) -> int:
    """The seed of what towns are ruled by: parcels of another world."""
    return seed ^ 0x70377
