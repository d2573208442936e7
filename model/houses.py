"""Houses of towns, for every (seed, level, X, Y): roofs, their shadows, streets and trees, the same in every window.

Streets run between the districts and the blocks of parcels that a town's network is shown at z13 (`towns`). A block is
all of one kind: houses in gardens, or wall to wall, or works, or a park. Its lots are those of z15; a long one is more
than one house's. z13 has the means of what z15 has, of every other of its pixels; z11 has blocks, z9 their mean.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels:
`generator.REVISION`.
"""

import math
from functools import partial
from typing import NamedTuple

import numpy as np

from model import arrays, parcels, roads, towns
from model.arrays import hashed, library, scaled, single
from model.cover import rolling
from model.parcels import Divided
from model.towns import Sites, Town

FIRST, BLOCKS, FINEST = 9, 11, 15  # the levels that have any, blocks, all; lengths below are in pixels of the finest
CHANNELS = 6                      # how much is covered, red, green and blue of that, where it ends, and towns
FARMS, FARMED = Sites(32, 0.5, 1.2, 2.2), 13  # where farms lie, and the level from which they are seen
FEW = np.float32(0.4)             # how much of a town they are at most

STREET, AVENUE, PAVEMENT = 1.0, 2.0, 0.6  # half of how wide streets are between blocks, and between districts; beside
PARK, WORKS, WALLED = 0.06, 0.2, 0.5  # of what is 0…1 in the mean, below which a block is one; else it has gardens
ALIKE = 0.25                      # how much more or less that is in a district
DEEP = 1.3, 4.0                   # how much longer than wide a house's share of its lot is at least; more, of works
EDGE, EDGES = (0.7, 0.0), (1.3, 0.5)  # from its edge to the house, in gardens and else; and by how much farther at most
EMPTY = 0.08                      # lots that have none
YARDS = 0.12, 0.5, 0.7            # how much of a lot is paved, in gardens, between walls, and of works
FALLEN = 0.7, 1.7                 # how far shadows fall, to the right and down
UNEVEN, PITCHED = 0.12, np.float32(0.09)  # by how much roofs are lighter and darker, and their sides
USUAL, DULL = 0.4, 0.8            # roofs that are as most in their district; no white ones are usual
TREES = {8: 0.6, 4: 1.0, 2: 0.5}  # how dense trees are, noises of so many pixels
LEAFY = -0.1, 0.35                # ... and where there are none, and nothing else
INWARD = np.float32(0.6)          # how much farther out streets reach than houses
COVERED = 0.53, 0.9, 0.95         # how much of a block is covered, in gardens, between walls, and of works
GRAIN = {4: 0.5, 2: 0.7}          # how uneven they are where no block is seen, by noises of so many pixels
PLANTED, TINTED = 0.42, np.float32(0.4)  # ... and of the rest of it by trees, and how much it is coloured by its roofs

# Grey levels over 255.
ASPHALT, ROAD, PAVED, SHADE = (0.50, 0.49, 0.46), (0.66, 0.63, 0.57), (0.56, 0.53, 0.48), (0.16, 0.17, 0.19)
LEAVES, BLOCK = (0.21, 0.26, 0.15), (0.60, 0.55, 0.50)
ROOFS = (0.72, 0.69, 0.64), (0.58, 0.54, 0.49), (0.60, 0.44, 0.35), (0.44, 0.42, 0.41), (0.84, 0.82, 0.78)
DARK = np.float32(0.6)            # how dark shade is


class Kinds(NamedTuple):
    """How much of what kind blocks are, pixel by pixel, 0 or 1."""

    gardens: np.ndarray
    walled: np.ndarray
    works: np.ndarray
    park: np.ndarray

    def each(self, gardens: float, walled: float, works: float) -> np.ndarray:
        """A number for each kind; 0 for parks."""
        return self.gardens * np.float32(gardens) + self.walled * np.float32(walled) + self.works * np.float32(works)


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None, ribbons: bool = False):
    """What is built at the pixels x0…x1, y0…y1 of a level: float32 ``(6, y1-y0, x1-x0)`` in 0…1: how much of a pixel
    that covers; red, green and blue, times that; from where in a town on it is there, 0 at its edge; and how much of a
    town, or of a farm, the pixel is: where that is 0 all else is anything. 0 above `FIRST`. x wraps at the level's
    width. `device`: None for an array. `ribbons`: with those beside roads (`roads.ribbons`)."""
    place = x0, y0, x1, y1
    out = arrays.zeros((CHANNELS, y1 - y0, x1 - x0), device)
    if level < FIRST:
        return out

    def here(box):
        return out[:, box[1] - y0:box[3] - y0, box[0] - x0:box[2] - x0]

    parts, near = [], towns.near(seed, level, *place)
    if near:
        out[5] = towns.field(seed, level, *place, device, step=1)
    if ribbons and level >= BLOCKS:
        beside = roads.ribbons(seed, level, *place, device)
        out[5] = library(beside).maximum(out[5], beside)
    if near and level < BLOCKS:
        names = seed, 0x7037A
        grain = sum(rolling(names, level, size, *place, device) * np.float32(by) for size, by in GRAIN.items())
        out[:4] = (grain * np.float32(0.5) + np.float32(COVERED[0])).clip(0, 1) * _covering(BLOCK, grain)
        out[4] = (0.5 - grain).clip(0, 1)
    elif level >= BLOCKS and (near or ribbons):
        # What is nowhere to be seen need not be made; to ask a GPU whether it is would take as long.
        town = out[5] > 0 if device is None else np.ones(out.shape[1:], bool)
        columns, rows = (np.flatnonzero(town.any(axis)) for axis in (0, 1))
        if len(rows):
            parts.append(tuple(map(int, (x0 + columns[0], y0 + rows[0], x0 + columns[-1] + 1, y0 + rows[-1] + 1))))
    for farm in farms(seed, level, *place):
        box, share = _yard(farm, level, place, device)
        here(box)[5] = library(share).maximum(here(box)[5], share)
        parts.append(box)
    for box in parts:
        here(box)[:5] = built(seed, level, *box, here(box)[5], device)
    return out


def spread(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """The same, with houses beside the roads that lead out of a town."""
    return field(seed, level, x0, y0, x1, y1, device, ribbons=True)


def farms(seed: int, level: int, x0: int, y0: int, x1: int, y1: int) -> list[Town]:
    """Those that are seen in the pixels x0…x1, y0…y1 of a level; none above `FARMED`."""
    if level < FARMED:
        return []
    scale, size, reach = 2.0 ** (level - towns.SCALED), FARMS.size, FARMS.least + FARMS.more
    left, top, right, bottom = (end / scale for end in (x0, y0, x1, y1))
    columns, rows = (range(int((begin - reach) // size), int((end + reach) // size) + 1)
                     for begin, end in ((left, right), (top, bottom)))
    found = [towns.sited(seed, len(towns.KINDS), FARMS, column, row) for row in rows for column in columns]
    return [farm for farm in found if farm and left - farm.radius < farm.x < right + farm.radius
            and top - farm.radius < farm.y < bottom + farm.radius]


def _yard(farm: Town, level: int, place: tuple[int, int, int, int], device):
    """The pixels of a place that a farm may have, and how much of a town they are."""
    scale, ends, at = 2.0 ** (level - towns.SCALED), [], []
    for begin, end, middle in ((place[0], place[2], farm.x), (place[1], place[3], farm.y)):
        first = max(begin, math.floor((middle - farm.radius) * scale))
        last = max(first, min(end, math.ceil((middle + farm.radius) * scale)))
        ends.append((first, last))
        off = (np.arange(first, last) + 0.5) / scale - middle
        at.append(arrays.put((off / farm.radius).astype(np.float32), device))
    (left, right), (top, bottom) = ends
    square = at[0] * at[0] + (at[1] * at[1])[:, None]
    return (left, top, right, bottom), (1 - square).clip(0, 1) * FEW


def built(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, share, device=None):
    """Likewise, where so great a `share` of the pixels, ``(y1-y0, x1-x0)``, is a town: ``(5, y1-y0, x1-x0)``."""
    if level == FINEST:
        return _built(seed, level, x0, y0, x1, y1, share, device)
    share = arrays.stretched(arrays.stretched(share, 2, 0), 2, 1)
    made = _built(seed, level + 1, 2 * x0, 2 * y0, 2 * x1, 2 * y1, share, device)
    made = made[:, ::2] + made[:, 1::2]
    return (made[..., ::2] + made[..., 1::2]) * np.float32(0.25)


def _built(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, share, device):
    """The same, at the finest level or between two."""
    place = level, x0, y0, x1, y1
    lots = level > towns.QUARTERS
    made = parcels.told(partial(_lots, step=1 << (FINEST - level)) if lots else _blocks, 5 + lots,
                        towns.planned(seed), *place, first=towns.QUARTERS, nested=True, ruling=towns.STREETS,
                        device=device, share=share)
    if lots:
        made, open_ground = made[:5], made[5:]
        trees = 0
        for size, dense in TREES.items():
            size >>= FINEST - level
            trees = trees + rolling((seed, 0x70379), level, size, x0, y0, x1, y1, device)[None] * np.float32(dense)
        trees = _rising(trees, *LEAFY) * open_ground
        made[:4] += trees * _covering(LEAVES, trees)
    road = roads.field(seed, *place, device)[None].clip(0, 1)
    made[:4] += road * (_covering(ROAD, road) - made[:4])
    made[4:] -= road * made[4:]
    return made


def _kinds(of: Divided, lot, share) -> Kinds:
    """Those of blocks, and of their lots, whose keys are given: the less of a town, the more have gardens."""
    number = scaled(of.parts[0].ruled.key << 12, 0, 1) + scaled(of.key, -ALIKE, ALIKE)
    number = number + single(share < scaled(lot << 36, 0, 1))
    park, works, walled = (single(number < most) for most in (PARK, WORKS, WALLED))
    return Kinds(1 - walled, walled - works, works - park, park)


def _from_street(of: Divided):
    """How far pixels are from the nearest street's edge, less than 0 on it."""
    block, lib = of.parts[0].ruled, library(of.border)
    return lib.minimum(lib.minimum(block.aside, block.ahead) * 4 - STREET, of.border * 4 - AVENUE)


def _usual(of: Divided):
    """Which roofs are usual in the district: 0…1."""
    return scaled(of.key << 24, 0, DULL)


def _roof(which):
    """The colour of roofs, by a number in 0…1: ``(3, h, w)``."""
    return _put(np.array(ROOFS, np.float32).T, which)[:, arrays.whole(which * np.float32(len(ROOFS) - 0.001))]


def _lots(of: Divided, share, step: int):
    """What is built, ``(5, h, w)``, but for trees and roads, where a pixel is `step` wide, and how much of a pixel may
    have trees."""
    lot, turned, lib = of.parts[1].ruled, of.parts[1].turned, library(of.border)
    kinds, from_street = _kinds(of, lot.key, share), _from_street(of)

    def inside(far):  # how much of a pixel is, whose middle is so far inside
        return (far * np.float32(1 / step) + np.float32(0.5)).clip(0, 1)

    # A house's share of the lot, and where in that: u across its row, v along.
    u, v, long = lot.across * lot.wide, single(lot.along * lot.long), single(lot.units * lot.long)
    deep = long / lib.floor(long / (lot.wide * (DEEP[0] + DEEP[1] * kinds.works))).clip(1, None)
    which = lib.floor(v / deep)
    v = v - which * deep
    key = hashed(lot.key, arrays.whole(which))
    least, more = kinds.each(EDGE[0], EDGE[1], EDGE[1]), kinds.each(EDGES[0], EDGES[1], EDGES[1])
    left, right, top, bottom = (least + more * scaled(key << by, 0, 1) for by in (0, 8, 16, 24))

    def walls(u, v):  # how far inside of them
        return lib.minimum(lib.minimum(u - left, lot.wide - right - u), lib.minimum(v - top, deep - bottom - v))

    right_and_down = of.cos + of.sin, of.cos - of.sin  # one pixel of either: across the district's rows, and along
    x, y = (lib.where(turned, *of) for of in (right_and_down[::-1], (-right_and_down[0], right_and_down[1])))
    fallen = scaled(key << 32, *FALLEN)
    stands = (1 - kinds.park) * single(scaled(lot.key << 12, 0, 1) >= EMPTY)
    roof = stands * inside(lib.minimum(walls(u, v), from_street - PAVEMENT))
    shade = DARK * stands * inside(walls(u - fallen * x, v - fallen * y)) * (1 - roof)
    street = inside(-from_street)
    paved = kinds.each(*YARDS) * (1 - street)

    rare = scaled(key << 40, 0, 1) * np.float32(1 / (1 - USUAL))
    colour = _roof(lib.where(rare < 1, rare, _usual(of)))
    sunny = 1 - 2 * single(u >= lot.wide * np.float32(0.5))
    colour *= 1 + scaled(key << 20, -UNEVEN, UNEVEN) + (1 - kinds.works) * sunny * x * PITCHED
    made = street * _covering(ASPHALT, street) + paved * _covering(PAVED, street)
    made += shade * (_covering(SHADE, street) - made)
    made *= 1 - roof
    made[0] += roof
    made[1:] += roof * colour
    ends = scaled(lot.key << 24, 0, 1) * (1 - INWARD * street)
    return lib.concatenate([made, ends[None], ((1 - made[0]) * (kinds.gardens + kinds.park))[None]])


def _blocks(of: Divided, share):
    """What is built in the mean of blocks, ``(5, h, w)``, but for roads."""
    lib, step, block = library(of.border), 1 << (FINEST - BLOCKS - 1), of.parts[0].ruled.key
    kinds = _kinds(of, block, share)
    street = (_from_street(of) * np.float32(-1 / step) + np.float32(0.5)).clip(0, 1)
    covered = kinds.each(*COVERED) * (1 - street)
    trees = (1 - street - covered) * (kinds.gardens + kinds.park) * np.float32(PLANTED)
    light = 1 + scaled(block << 30, -UNEVEN, UNEVEN)
    colour = _covering(BLOCK, street)[1:] * light
    mean = _put(np.array(ROOFS, np.float32).mean(0)[:, None, None], street)
    colour += TINTED * (_roof(_usual(of)) - mean)
    made = street * _covering(ASPHALT, street) + trees * _covering(LEAVES, street)
    made[0] += covered
    made[1:] += covered * colour
    return lib.concatenate([made, (scaled(block << 24, 0, 1) * (1 - INWARD * street))[None]])


def _covering(colour: tuple[float, float, float], like):
    """What covers all of a pixel, and its colour: ``(4, 1, 1)``."""
    return _put(np.array((1.0, *colour), np.float32)[:, None, None], like)


def _put(array: np.ndarray, like):
    """An array, where another is."""
    return arrays.put(array, None if library(like) is np else like.device)


def _rising(x, none: float, full: float):
    """From 0 where x is `none` to 1 where it is `full`."""
    return ((x - np.float32(none)) * np.float32(1 / (full - none))).clip(0, 1)
