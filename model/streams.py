"""Streams of every (seed, level, X, Y), the same in every window: those that valleys are cut by, and rivers run in.

Every square of some width has a spring, and from there a stream flows straight to that spring of the eight around it to
which it falls most steeply; how high a spring lies, the streams twice as wide tell, and of the widest smooth hills. So
streams run down valleys towards wider ones, and are found without asking what is far away (the idea is that of Dendry,
Gaillard et al. 2019). They run beside the wider ones as well, as gullies do; of rivers, those that come near a wider
one flow into it.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit. There are few, so NumPy makes them for a GPU, too. What changes here changes pixels:
`generator.REVISION`.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model import arrays
from model.arrays import hashed, library, root
from model.cover import rolling, splines
from model.grid import width

FIRST, WIDEST = 7, 32       # of streams, none are wider apart than so many pixels of this level
OFF = 0.45                  # how far a spring is from the middle of its square, in squares
HILLS = {4: 2.0, 2: 0.7}    # how high noises so many of the widest squares wide are, ...
UNEVEN = 0.15               # ... and what every spring has besides
BENT = 0.094, 0.047         # by how many squares noises half as wide as they and a quarter bend them
# Squares from which the nearest stream may come, and those to whose spring one may flow.
NEAR = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if abs(dx) + abs(dy) < 4]
AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]
TINY = np.float32(1e-6)


class Streams(NamedTuple):
    """Of squares from a first column and row on: each one's spring, in squares from its corner, the way from there to
    where its stream ends, 1 by the square of that, how high the spring lies and how much higher the end does; all in
    squares ``(7, rows, columns)``."""

    known: np.ndarray
    column: int
    row: int

    def around(self, c0: int, r0: int, c1: int, r1: int, device=None):
        """Of every square of a box the streams that may be the nearest of its points: their springs from its corner,
        and all else, ``(7, len(NEAR), rows·columns)``."""
        found = np.empty((len(self.known), len(NEAR), (r1 - r0) * (c1 - c0)), np.float32)
        for at, (dy, dx) in enumerate(NEAR):
            top, left = r0 + dy - self.row, c0 + dx - self.column
            found[:, at] = self.known[:, top:top + r1 - r0, left:left + c1 - c0].reshape(len(found), -1)
            found[0, at] += np.float32(dx)
            found[1, at] += np.float32(dy)
        return arrays.put(found, device)


def away(x, y, along, down, share):
    """The square of how far streams are from a point, of which their springs are at x, y, both written over; and where
    each is nearest, from its spring, 0, to its end, 1."""
    at = x * along
    at += y * down
    at *= -share
    library(at).clip(at, 0, 1, out=at)
    x += at * along
    y += at * down
    x *= x
    y *= y
    x += y
    return x, at


def bend(seed: int, level: int, axis: int, size: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """The noise so many pixels wide that bends streams along x, or y: float32 ``(y1-y0, x1-x0)`` in -1…1."""
    return rolling((seed, 0x21D71 + axis), level, size, x0, y0, x1, y1, device)


@lru_cache(maxsize=64)  # neighbouring windows have the widest in common
def streams(seed: int, level: int, size: int, c0: int, r0: int, c1: int, r1: int, beside: float = 0.0
            ) -> dict[int, Streams]:
    """Of a box of squares `size` pixels wide, and of all wider ones around it, by size. `beside`: who springs so near,
    in squares, to a wider stream flows into it."""
    box = left, top, right, bottom = c0 - 1, r0 - 1, c1 + 1, r1 + 1
    columns, rows = np.arange(left, right), np.arange(top, bottom)
    key = hashed(np.uint64(0), seed, 0x21D6E, size << (15 - level))

    def random(which: int, middle: float, off: float):
        return arrays.grid(hashed(key, which), columns % (width(level) // size), rows, middle - off, middle + off, None)
    x, y = random(1, 0.5, OFF), random(2, 0.5, OFF)
    if size == WIDEST << (level - FIRST):
        wider, high = {}, random(3, 0.0, UNEVEN)
        for times, by in HILLS.items():
            of = splines(hashed(key, 3, times), level, size * times, *(size * at for at in box), size)
            high = high + of * np.float32(by)
    else:
        above = left // 2, top // 2, (right - 1) // 2 + 1, (bottom - 1) // 2 + 1
        wider = streams(seed, level, 2 * size, above[0] - 2, above[1] - 2, above[2] + 2, above[3] + 2, beside)
        high, to_wider, far = risen(wider[2 * size], above, columns, rows, x, y)
    along, down, steepest, fall = (np.zeros((r1 - r0, c1 - c0), np.float32) for _ in range(4))
    mine = np.s_[1:-1, 1:-1]
    for dy, dx in AROUND:
        its = np.s_[1 + dy:1 + dy + r1 - r0, 1 + dx:1 + dx + c1 - c0]
        to_x, to_y = x[its] - x[mine] + np.float32(dx), y[its] - y[mine] + np.float32(dy)
        lower = high[its] - high[mine]
        steep = lower / root(to_x * to_x + to_y * to_y)
        chosen = steep < steepest
        for of, value in ((steepest, steep), (fall, lower), (along, to_x), (down, to_y)):
            np.copyto(of, value, where=chosen)
    if wider and beside:
        for of, value in ((along, to_wider[0]), (down, to_wider[1]), (fall, -far)):
            np.copyto(of, value[mine], where=far[mine] < np.float32(beside))
    share = 1 / (along * along + down * down + TINY)
    return wider | {size: Streams(np.stack([x[mine], y[mine], along, down, share, high[mine], fall]), c0, r0)}


def risen(wider: Streams, box: tuple[int, int, int, int], columns: np.ndarray, rows: np.ndarray, x: np.ndarray,
          y: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Of springs at x, y of each of the squares of these columns and rows how high they lie, the way to the nearest of
    the streams twice as wide, of which a box holds them, and how far that is: in their own squares, ``(rows, columns)``
    each."""
    found = wider.around(*box).reshape(7, len(NEAR), box[3] - box[1], box[2] - box[0])
    found = found[:, :, (rows // 2 - box[1])[:, None], columns // 2 - box[0]]
    half, odd = np.float32(0.5), [(of % 2).astype(np.float32) for of in (columns, rows)]
    x, y = found[0] - (odd[0] + x) * half, found[1] - (odd[1][:, None] + y) * half
    square, at = away(x.copy(), y.copy(), *found[2:5])
    nearest = square.argmin(0)[None]
    x, y, square, at, along, down, high, fall = (np.take_along_axis(of, nearest, 0)[0] for of in (
        x, y, square, at, found[2], found[3], found[5], found[6]))
    far = 2 * root(square)
    return 2 * (high + at * fall) + far, (2 * (x + at * along), 2 * (y + at * down)), far
