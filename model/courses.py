"""Rivers that run where streams do, for every (seed, level, X, Y): how much of a pixel is water, the same in every
window.

The widest `streams` are rivers, wide and less wide; they begin thin, flow into one another, and end in a lake where
none of the springs around is lower. Smooth noises bend them as they bend valleys (`ridges`), and finer ones besides,
down to four pixels of the level that looks, the finer the less: so a river stays in the bed that the level above has
shown, as many metres wide.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels:
`generator.REVISION`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from model import arrays, streams
from model.arrays import library, root

FIRST = 9                            # the level from which there are any
HALF = {32: 0.6, 16: 0.25, 8: 0.1}   # of `FIRST`'s pixels, half of how many rivers are, of streams so far apart
LAKE = 0.035                         # ... and, of their squares, half of how much their lakes are
BESIDE = 0.5                         # squares from a wider river from which one flows into it
BENT = *streams.BENT, 0.04, 0.03, 0.015  # by how many squares noises half as wide as they, a quarter, ... bend them
FINEST, FINER = 4, 0.5               # pixels: of the finest; by how much less such noises bend than those twice as wide
STEEP = 3                            # how much nearer bending may bring a river
BANK, SHOWN = 24, 1.0                # pixels beside a river that are near to it; half of one that is shown above
EVERY, UNSEEN = 8, 72                # so many pixels apart one looks for a river, which may be so many nearer between
FLAT = np.float32(0.35)              # where it changes by no more from pixel to pixel, how far it is nobody knows


class Near(NamedTuple):
    """A stream: its square, and what `streams` knows of it; half of how much of a square its lake is, if it ends in
    one there, and whether no other flows into it; and the pixels where it may be seen."""

    column: int
    row: int
    x: np.float32
    y: np.float32
    along: np.float32
    down: np.float32
    share: np.float32
    lake: float
    begins: bool
    box: tuple[int, int, int, int]


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How much of the pixels x0…x1, y0…y1 of a level is river or lake, and how near they are to one that the level
    above has shown: float32 ``(2, y1-y0, x1-x0)`` in 0…1; 0 above `FIRST`. x wraps at the level's width. `device`: None
    for an array."""
    water = arrays.zeros((2, y1 - y0, x1 - x0), device)
    if level < FIRST:
        return water
    scale, place = 1 << (level - streams.FIRST), (x0, y0, x1 + 1, y1 + 1)
    finest = min(HALF) * scale
    found = streams.streams(seed, level, finest, x0 // finest - 4, y0 // finest - 4, x1 // finest + 5,
                            y1 // finest + 5, BESIDE)
    for apart, half in HALF.items():
        size, half = apart * scale, half * (1 << (level - FIRST))
        water = library(water).maximum(water, _rivers(seed, level, size, half, found[size], place, device))
    return water


def _rivers(seed: int, level: int, size: int, half: float, found: streams.Streams, place: tuple[int, int, int, int],
            device):
    """Of streams so many pixels apart; less the last row and column."""
    x0, y0, x1, y1 = place
    reach = max(BANK, STEEP * (half + 1))
    near = list(_near(found, size, reach, place))
    far = arrays.zeros((y1 - y0, x1 - x0), device) + np.float32(reach)
    none = arrays.zeros((2, y1 - y0 - 1, x1 - x0 - 1), device)
    if not near:
        return none
    bent, rest = [0, 0], sum(float(by) for _, by in bends(size)) + (reach + half + UNSEEN) / size
    for noise, by in bends(size):
        for axis in (0, 1):
            bent[axis] = bent[axis] + streams.bend(seed, level, axis, noise, *place, device) * by
        rest -= float(by)  # what the finer ones can add: however they bend it, the river is elsewhere
        if device is None and noise > FINEST and not any(
                _away(of, size, place, bent, EVERY, device)[0].min() < (rest + of.lake)**2 for of in near):
            return none
    for of in near:
        left, top, right, bottom = of.box
        square, at = _away(of, size, place, bent, 1, device)
        wide = np.float32(half) * at if of.begins else np.float32(of.lake * size or half)
        away = root(square) * np.float32(size) - wide
        here = np.s_[top - y0:bottom - y0, left - x0:right - x0]
        far[here] = library(away).minimum(far[here], away)
    across, down = far[:-1, 1:] - far[:-1, :-1], far[1:, :-1] - far[:-1, :-1]
    far = far[:-1, :-1]
    bank = (1 - far * np.float32(1 / BANK)).clip(0, float(half >= SHOWN))
    far = far / root(across * across + down * down + FLAT * FLAT)
    return library(far).stack([(np.float32(0.5) - far).clip(0, min(1.0, 2 * half)), bank])


def bends(size: int) -> Iterator[tuple[int, np.float32]]:
    """The noises that bend streams so many pixels apart, and by how many of their squares."""
    for halved in range(1, size.bit_length()):
        if size >> halved >= FINEST:
            finer = max(0, halved - len(BENT))
            yield size >> halved, np.float32(BENT[halved - finer - 1] * FINER**finer)


def _away(of: Near, size: int, place: tuple[int, int, int, int], bent: list, step: int, device):
    """What `streams.away` has of every so many of the pixels where a stream may be seen."""
    left, top, right, bottom = of.box
    us, vs = (arrays.put((np.arange(begin, end, step) - at * size).astype(np.float32) / np.float32(size), device)
              for begin, end, at in ((left, right, of.column), (top, bottom, of.row)))
    here = np.s_[top - place[1]:bottom - place[1]:step, left - place[0]:right - place[0]:step]
    return streams.away(of.x - us - bent[0][here], of.y - vs[:, None] - bent[1][here], of.along, of.down, of.share)


def _near(found: streams.Streams, size: int, reach: float, place: tuple[int, int, int, int]) -> Iterator[Near]:
    """Of streams those that come, at their nearest, within so many pixels of a place."""
    known = [of.ravel() for of in found.known[:5]]
    squares = list(np.ndindex(*found.known.shape[1:]))
    ends = {(row + int(np.floor(y + down)), column + int(np.floor(x + along)))
            for (row, column), x, y, along, down, _ in zip(squares, *known, strict=True) if along or down}
    bend = sum(float(by) for _, by in bends(size)) + 2 * reach / size
    for square, x, y, along, down, share in zip(squares, *known, strict=True):
        row, column = square[0] + found.row, square[1] + found.column
        lake = 0.0 if along or down else LAKE
        box = []
        for axis, (off, at, by) in enumerate(((column, x, along), (row, y, down))):
            first, last = sorted((float(off + at), float(off + at + by)))
            box.append((max(place[axis], int(np.floor((first - bend - lake) * size))),
                        min(place[2 + axis], int(np.ceil((last + bend + lake) * size)))))
        (left, right), (top, bottom) = box
        if left < right and top < bottom:
            yield Near(column, row, x, y, along, down, share, lake, square not in ends, (left, top, right, bottom))
