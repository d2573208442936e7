"""Fields, for every (seed, level, X, Y): what farmland and towns look like from above, the same in every window.

Districts are Worley's cells (1996) of about a hundred pixels; each is ruled into rows by a direction of its own, and
its rows into parcels. What is read of the noise (`readings`) has no straight line longer than its rim; here every
district is known by its number. Nested, there are districts at `FIRST` alone, with roads between some of them, and
every finer level rules the parcels of the one above, so that a field keeps its borders down to 4 m.

Integers are hashed, and all else is sums, products, quotients and square roots, so that no platform's libm decides a
last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels: `generator.REVISION`.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model import arrays
from model.arrays import double, hashed, library, odd, quotient, replaced, scaled, single, uniform, whole
from model.grid import width

CHANNELS = 2             # brightness, and how green it is
FIRST = 11               # the level from which there are any: at 305 m a pixel is larger than a field
SIZE = 128               # pixels of the squares in each of which one district begins
ROWS = 4.0, 48.0         # pixels: how wide rows are; of the wide ones a level draws borders and lanes
LONG = 0.8, 2.5          # how much longer a parcel is than its row is wide, ...
UNEVEN = 0.6, 1.6        # ... times this, in one row
LANE, LANES = 0.9, 1.3   # half width in pixels of the lanes along rows, and how light or dark they are at most
SPREAD = np.float32(1.5)  # how light, dark or green a parcel is at most
STRENGTH, FAINTEST = (-0.4, 1.8), np.float32(0.1)  # of a district; below a tenth it is a tenth: not all land is ruled
ROADS = -1.0, 2.0        # how light a road between districts is; below 0 there is none
STRIP = 48               # rows that are worked on at once: what is written is still in the cache when it is read
EDGE = 10.0              # pixels from its border where a larger parcel is half as light or dark


class Ruling(NamedTuple):
    """What kind of parcels."""

    rows: tuple[float, float] = ROWS  # pixels: how wide their rows are
    strength: tuple[float, float] = STRENGTH
    begins: int = FIRST               # nested ones: the level that has districts


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, nested: bool = False,
          ruling: Ruling = Ruling(), device=None):
    """Parcels of the pixels x0…x1, y0…y1 of a level: float32 ``(2, y1-y0, x1-x0)``, of variance one or so; 0 above
    `FIRST`.

    x wraps at the level's width. `nested`: a level's parcels lie in those of the level above, as far as the one where
    the `ruling` begins, whose borders are seen too; else each level has its own. `device`: None for an array.
    """
    if level < FIRST:
        return arrays.zeros((CHANNELS, y1 - y0, x1 - x0), device)
    first = min(ruling.begins, level) if nested else level
    return told(_painted, CHANNELS, seed, level, x0, y0, x1, y1, first, nested, ruling, device)


def told(tell: Callable[..., np.ndarray], channels: int, seed: int, level: int, x0: int, y0: int,
         x1: int, y1: int, first: int, nested: bool, ruling: Ruling, device=None, share=None):
    """What one can `tell` of pixels by how their ground is divided: float32 ``(channels, y1-y0, x1-x0)``. `first`: the
    level that has districts. `share`: a number of each pixel ``(y1-y0, x1-x0)`` that is told, too; where that is 0 all
    else may be."""
    world, around, scale = hashed(np.uint64(0), seed, first), width(first) // SIZE, 2.0 ** (level - first)
    size = int(SIZE * scale)
    if device is not None:
        here = _squares(world, around, (x0, y0, x1, y1), scale, nested, ruling, device)
        return tell(here) if share is None else tell(here, share)
    out = np.zeros((channels, y1 - y0, x1 - x0), np.float32)
    for a, b in _strips(y0, y1, size):
        for left in range(x0 // size, (x1 - 1) // size + 1):
            top, c, d = a // size, max(x0, left * size), min(x1, (left + 1) * size)
            box, first_row, last_row = np.s_[..., a - y0:b - y0, c - x0:d - x0], a, b
            if share is not None:
                columns, rows = (np.flatnonzero(share[box].any(axis)) for axis in (0, 1))
                if not len(rows):
                    continue
                c, d, first_row, last_row = c + columns[0], c + columns[-1] + 1, a + rows[0], a + rows[-1] + 1
                box = np.s_[..., first_row - y0:last_row - y0, c - x0:d - x0]
            ys, xs = ((np.arange(*ends, dtype=np.float32) + np.float32(0.5)) / np.float32(scale)
                      for ends in ((first_row - top * size, last_row - top * size), (c - left * size, d - left * size)))
            districts = _districts(world, around, left, top, ruling)
            here = _square(districts, xs[None], ys[:, None], scale, nested, ruling)
            out[box] = tell(here) if share is None else tell(here, share[box])
    return out


def _strips(y0: int, y1: int, size: int) -> Iterator[tuple[int, int]]:
    """The rows y0…y1 in parts of at most `STRIP`, each in one row of squares."""
    while y0 < y1:
        end = min(y0 + STRIP, (y0 // size + 1) * size, y1)
        yield y0, end
        y0 = end


class Ruled(NamedTuple):
    """Ground ruled into rows and parcels, seen pixel by pixel; all ``(h, w)``, lengths in pixels of its own level."""

    light: np.ndarray   # of each pixel's parcel
    green: np.ndarray
    lane: np.ndarray    # how light or dark a lane beside its row is, ...
    aside: np.ndarray   # ... and how far away
    ahead: np.ndarray   # how far the parcel's nearer end is
    key: np.ndarray     # uint64: the parcel
    across: np.ndarray  # where in the parcel: across its row, in terms of ...
    wide: np.ndarray    # ... how wide that is, ...
    along: np.ndarray   # ... and along it, in terms of its `long`, of which the parcel has `units`; float64
    long: np.ndarray
    units: np.ndarray


class Part(NamedTuple):
    """How the parcels of one level, seen from a finer one, are ruled."""

    ruled: Ruled
    strength: np.ndarray       # how strongly one sees them
    scale: float               # how much larger they are seen than at their own level
    turned: np.ndarray | None  # whether rows lie along those of the part before, not across; None: it is the first


class Divided(NamedTuple):
    """How ground is divided, pixel by pixel."""

    key: np.ndarray            # uint64: the district
    border: np.ndarray | None  # how far the border of the district is, in pixels of the level that has them; ...
    road: np.ndarray           # ... and how light a road there is, if parcels are nested
    cos: np.ndarray            # the direction of the district's rows
    sin: np.ndarray
    parts: list[Part]          # the widest parcels first
    inward: Callable[[], tuple]  # if nested, asks for the way, right and down, from the district's border


def _rule(key, x, y, rows, phase, longer, lane) -> Ruled:
    """Rows `rows` px wide across x, beginning at `phase` of one, and parcels along y, `longer` than that."""
    lib = library(x)
    across = x / rows + phase
    row = lib.floor(across)
    key = hashed(key, whole(row))
    long = rows * longer * scaled(key, *UNEVEN)
    # Of every two neighbours in a row, half are one parcel: rows of equal ones look like bricks.
    along = y / long + scaled(key << 24, -9, 9)
    number = whole(lib.floor(along))
    both = hashed(key, number >> 1)
    one = odd(both)
    parcel = lib.where(one, both, hashed(both, number))
    begin, end = double(lib.where(one, number & ~1, number)), double(lib.where(one, number | 1, number) + 1)
    light, green = (scaled(bits, -SPREAD, SPREAD) for bits in (parcel, parcel << 24))
    across, units = across - row, end - begin
    return Ruled(light, green, lane, lib.minimum(across, 1 - across) * rows,
                 single(lib.minimum(along - begin, end - along) * long), parcel,
                 across, rows, along - begin, long, units)


class Districts(NamedTuple):
    """The nine districts that begin in and around a square; lengths in pixels of the level that has them."""

    key: np.ndarray       # uint64 ``(9,)``
    x: np.ndarray         # where they begin, from the square's corner, float32 as all that follows
    y: np.ndarray
    cos: np.ndarray       # the direction of their rows
    sin: np.ndarray
    strength: np.ndarray
    rules: tuple          # what `_rule` wants of them: rows, phase, longer, lane
    apart: np.ndarray     # from one another ``(9, 9)``, ...
    road: np.ndarray      # ... and how light the road between them is


@lru_cache(maxsize=256)
def _districts(world, around: int, left: int, top: int, ruling: Ruling) -> Districts:
    near = [(np.uint64(hashed(world, (left + i) % around, top + j)), i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)]
    keys = np.array([key for key, _, _ in near])
    x = SIZE * (uniform(keys, 0) + np.array([i for _, i, _ in near], np.float32))
    y = SIZE * (uniform(keys, 1) + np.array([j for _, _, j in near], np.float32))
    # The direction by the tangent of half its angle, which needs no sine.
    half = uniform(keys, 2, -0.4142, 0.4142)
    rules = (wide(uniform(keys, 3), ruling.rows), uniform(keys, 5, -9, 9), uniform(keys, 6, *LONG),
             uniform(keys, 7, -LANES, LANES))
    return Districts(keys, x, y, (1 - half**2) / (1 + half**2), 2 * half / (1 + half**2),
                     np.maximum(uniform(keys, 4, *ruling.strength), FAINTEST), rules,
                     np.sqrt((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2),
                     np.maximum(uniform(keys[:, None] ^ keys, 0, *ROADS), np.float32(0)))


def _square(districts: Districts, x, y, scale: float, nested: bool, ruling: Ruling) -> Divided:
    """Some pixels of one square: which district is nearest, what that one has ruled there, and what has been ruled in
    its parcels since, `scale` times finer."""
    # Those that cannot be the nearest or the second anywhere here are left out.
    ends = [np.stack([v.min() - p, p - v.max()]) for v, p in ((x, districts.x), (y, districts.y))]
    least = sum(np.square(end.max(0).clip(0)) for end in ends)
    most = sum(np.square(end.min(0)) for end in ends)
    near = np.flatnonzero(least <= 1.001 * np.sort(most)[1] + 0.001)
    first, second, nearest, other = _two_nearest(
        near, ((x - districts.x[n]) ** 2 + (y - districts.y[n]) ** 2 for n in near))
    return _divided(districts, x, y, nearest, other, (first, second), scale, nested, ruling)


def _squares(world, around: int, box: tuple[int, int, int, int], scale: float, nested: bool, ruling: Ruling,
             device) -> Divided:
    """A box in one piece, on a device, where what costs is to begin: each pixel knows which square it lies in."""
    x0, y0, x1, y1 = box
    size, at = int(SIZE * scale), []
    for begin, end in ((x0, x1), (y0, y1)):
        of, square = np.arange(begin, end), np.arange(begin, end) // size
        at.append((((of - square * size).astype(np.float32) + np.float32(0.5)) / np.float32(scale),
                   square - square[0], range(square[0], square[-1] + 1)))
    (xs, column, lefts), (ys, row, tops) = at
    found = [_districts(world, around, left, top, ruling) for top in tops for left in lefts]
    key, x, y, cos, sin, strength, rules, apart, road = zip(*found, strict=True)
    here = Districts(*(arrays.put(np.concatenate([part.ravel() for part in of]), device)
                       for of in (key, x, y, cos, sin, strength)),
                     tuple(arrays.put(np.concatenate(of), device) for of in zip(*rules, strict=True)),
                     *(arrays.put(np.concatenate([part.ravel() for part in of]), device) for of in (apart, road)))
    xs, ys, square = (arrays.put(of, device) for of in (xs[None], ys[:, None], row[:, None] * len(lefts) + column))
    count = len(found[0].key)
    mine = square * count
    first, second, nearest, other = _two_nearest(
        range(count), ((xs - here.x.take(mine + n)) ** 2 + (ys - here.y.take(mine + n)) ** 2 for n in range(count)))
    return _divided(here, xs, ys, mine + nearest, mine + other, (first, second), scale, nested, ruling)


def _divided(districts: Districts, x, y, nearest, other, away, scale: float, nested: bool, ruling: Ruling) -> Divided:
    """The ground at x, y, of which the numbers of the `nearest` district and of the `other` that is near are known, and
    how far `away` they are, squared."""
    lib = library(x)
    first, second = away
    border, road = None, lib.zeros_like(first)
    count = len(districts.apart.ravel()) // len(districts.key)  # those in and around a square
    pair = nearest * count + other % count
    if nested:
        apart = districts.apart.take(pair)
        border = (second - first) / (2 * apart)
        road = districts.road.take(pair) / fainter(border, scale)

    def mine(of_districts):
        return of_districts.take(nearest)

    dx, dy, cos, sin = x - mine(districts.x), y - mine(districts.y), mine(districts.cos), mine(districts.sin)
    x, y = dx * cos + dy * sin, dy * cos - dx * sin
    key = mine(districts.key)
    ruled = _rule(key, x, y, *map(mine, districts.rules))
    parts = [Part(ruled, mine(districts.strength), scale, None)]
    while scale > 1:
        # Four times as near, each is ground to be ruled, along or across.
        bits = [hashed(ruled.key, i) for i in range(2)]
        x, y = 4 * x, 4 * y
        turned = odd(bits[0])
        x, y, scale = lib.where(turned, y, x), lib.where(turned, -x, y), scale / 4
        ruled = _rule(bits[0], x, y, wide(scaled(bits[0], 0, 1), ruling.rows), scaled(bits[0] << 24, -9, 9),
                      scaled(bits[1], *LONG), scaled(bits[1] << 24, -LANES, LANES))
        parts.append(Part(ruled, scaled(bits[1] << 12, *ruling.strength).clip(FAINTEST, None), scale, turned))

    def inward():
        return tuple((of.take(nearest) - of.take(other)) / apart for of in (districts.x, districts.y))

    return Divided(key, border, road, cos, sin, parts, inward)


def _painted(of: Divided):
    """Brightness and greenness ``(2, h, w)``."""
    lib = library(of.road)
    total = lib.stack([of.road, lib.zeros_like(of.road)])
    for ruled, strength, scale, _ in of.parts[:-1]:  # a level draws their borders, beside which they are light and dark
        edge = lib.minimum(ruled.aside, ruled.ahead) * (scale / EDGE)
        total = total + strength * _seen(ruled, 1 / (1 + edge * edge), scale)
    ruled, strength, _, _ = of.parts[-1]
    return total + strength * _seen(ruled, 1, 1)


def _two_nearest(numbers, away: Iterable) -> tuple:
    """Of distances ``(h, w)`` to what has these numbers: the least, the second, and whose they are."""
    numbers, away = iter(numbers), iter(away)
    first, number = next(away), next(numbers)
    lib = library(first)
    nearest, other = (lib.full_like(first, number, dtype=lib.int64) for _ in range(2))
    second = lib.full_like(first, np.inf)
    for number, distance in zip(numbers, away, strict=True):
        nearer = distance < first
        than_second = (distance < second) & ~nearer
        for value, where in ((first, nearer), (distance, than_second)):
            second = replaced(second, value, where)
        for value, where in ((nearest, nearer), (number, than_second)):
            other = replaced(other, value, where)
        first, nearest = replaced(first, distance, nearer), replaced(nearest, number, nearer)
    return first, second, nearest, other


def fainter(aside, scale: float):
    """How many times fainter a lane is so far `aside`, in pixels of its level: it grows half as fast as that."""
    from_lane = quotient(aside * np.float32(scale**0.5), np.float32(LANE))
    return 1 + (from_lane * from_lane) ** 2


def line(aside, half: float):
    """How much of a pixel so far `aside` from the middle of a line lies on it; it is `half` as wide on either side."""
    return (np.float32(half + 0.5) - aside).clip(0, 1) * np.float32(min(1.0, 2 * half))


def _seen(ruled: Ruled, share, scale: float):
    """Brightness and greenness ``(2, h, w)`` of parcels, `share` of them, seen `scale` times enlarged."""
    light = ruled.light * share + ruled.lane / fainter(ruled.aside, scale)
    return library(light).stack([light, ruled.green * share])


def wide(share, rows: tuple[float, float]):
    """How wide rows are, of numbers in 0…1: narrow ones are more."""
    narrowest, widest = np.float32(rows)
    return share * (widest - narrowest) * share + narrowest
