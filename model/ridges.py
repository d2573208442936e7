"""Ridges and valleys of mountains, for every (seed, level, X, Y): their light, the same in every window.

Mountains are what streams have left. Every square of some width has a spring, and from there a stream flows straight to
that spring of the eight around it to which it falls most steeply; how high a spring lies, the streams twice as wide
tell, and of the widest hills. So streams run down valleys into wider ones, as they do, and are found without asking
what is far away (the idea is that of Dendry, Gaillard et al. 2019). The ground rises with the distance from the nearest
stream, and on it, again, with that from the nearest of half the width, and so on: ridges are where two are as near.
Smooth noises bend all that.

A level has streams 4 to 32 pixels apart, and those that two levels have are the same: so valleys that the level above
has shown stay where they are, and get side valleys. Of the light on the wider ones what that level has shown is left
out, but for the edges, which it cannot show.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels:
`generator.REVISION`.
"""

from typing import NamedTuple

import numpy as np

from model import arrays
from model.arrays import hashed, library, picked, root
from model.cover import rolling, splines
from model.grid import SCALE, width

FIRST = 7                                     # the level from which there are any
SLOPES = {32: 0.6, 16: 0.55, 8: 0.45, 4: 0.22}  # how steep the ground is at streams so many pixels apart
FINEST, WIDEST = min(SLOPES), max(SLOPES)     # of any level; and of `FIRST`, than which none are wider
OFF = 0.45                                    # how far a spring is from the middle of its square, in squares
BENT = 0.094, 0.047                           # by how much, likewise, noises half and a quarter as wide bend it all
HILLS = {4: 2.0, 2: 0.7}                      # how high noises so many of the widest squares wide are, ...
UNEVEN = 0.15                                 # ... and what every spring has besides
LEFT = np.float32(0.8)                        # share of the light on wide ones that is left out
# Squares from which the nearest stream may come.
NEAR = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if abs(dx) + abs(dy) < 4]
BESIDE = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]
TINY = np.float32(1e-6)

SORTED = 1.8                # how much more of what is light, or dark, around there is laid over them than light
SNOWY = 0.8                 # how much less light on snow
LIGHT = -2.0, 1.6           # slopes that are as dark, and as light, as any; ...
STEEPEST = -1.6, 0.5        # ... and as any snow is
MEAN = 0.06                 # of how much more that leaves of shade
BARE = 0.9, 1.5             # slopes away from the light that begin to be rock, and are nothing else, ...
ROCKY = 4.0                 # ... and by how much more rock is laid over them than light


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


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light or dark the mountains are at the pixels x0…x1, y0…y1 of a level: what the level above has not shown,
    and all of it; float32 ``(2, y1-y0, x1-x0)``, of mean 0 and deviation 0.5 and 0.9 or so; 0 above `FIRST`. x wraps at
    the level's width. `device`: None for an array."""
    place = x0, y0, x1, y1
    if level < FIRST:
        return arrays.zeros((2, y1 - y0, x1 - x0), device)
    found = streams(seed, level, FINEST, x0 // FINEST - 2, y0 // FINEST - 2, x1 // FINEST + 3, y1 // FINEST + 3)
    whole = own = lit(seed, level, found, SLOPES, *place, device)
    if level > FIRST:
        above = x0 // SCALE - 1, y0 // SCALE - 1, -(-x1 // SCALE) + 1, -(-y1 // SCALE) + 1
        wider = {size // SCALE: of for size, of in found.items()}
        slopes = {size // SCALE: slope for size, slope in SLOPES.items() if size >= SCALE * FINEST}
        shown = lit(seed, level - 2, wider, slopes, *above, device)
        own = whole - LEFT * enlarged(shown, x0, y0, x1, y1)
    return library(whole).stack([own, whole])


def lit(seed: int, level: int, found: dict[int, Streams], slopes: dict[int, float], x0: int, y0: int, x1: int, y1: int,
        device=None):
    """How steeply the ground falls to the north-west at these pixels: ``(y1-y0, x1-x0)``."""
    high = 0
    for size, slope in slopes.items():
        high = high + far(seed, level, size, found[size], x0, y0, x1 + 1, y1 + 1, device) * np.float32(size * slope)
    return high[1:, 1:] - high[:-1, :-1]


def far(seed: int, level: int, size: int, found: Streams, x0: int, y0: int, x1: int, y1: int, device=None):
    """How far the corners of these pixels are from the nearest of the streams `size` pixels apart, in those squares:
    ``(y1-y0, x1-x0)``."""
    c0, r0, c1, r1 = x0 // size, y0 // size, -(-x1 // size), -(-y1 // size)
    box = c0 * size, r0 * size, c1 * size, r1 * size
    corners = np.arange(size, dtype=np.float32) / np.float32(size)
    x, y = (arrays.put(of.ravel()[:, None], device) for of in np.meshgrid(corners, corners))
    for halved, by in enumerate(BENT, 1):
        if size >> halved >= 2:
            for axis in (0, 1):
                noise = rolling((seed, 0x21D71 + axis), level, size >> halved, *box, device) * np.float32(by)
                noise = noise.reshape(r1 - r0, size, c1 - c0, size)
                noise = (noise.permute if device else noise.transpose)(1, 3, 0, 2).reshape(size * size, -1)
                x, y = (x, y + noise) if axis else (x + noise, y)
    nearest = None
    for at in found.around(c0, r0, c1, r1, device)[:5].swapaxes(0, 1):
        square, _ = away(at[0] - x, at[1] - y, *at[2:])
        nearest = square if nearest is None else library(square).minimum(nearest, square)
    nearest = root(nearest).reshape(size, size, r1 - r0, c1 - c0)
    nearest = (nearest.permute if device else nearest.transpose)(2, 0, 3, 1).reshape(box[3] - box[1], box[2] - box[0])
    return nearest[y0 - box[1]:y1 - box[1], x0 - box[0]:x1 - box[0]]


def away(x, y, along, down, share):
    """The square of how far streams are from a point, of which their springs are at x, y; and where each is nearest,
    from its spring, 0, to its end, 1."""
    at = (-(x * along + y * down) * share).clip(0, 1)
    x, y = x + at * along, y + at * down
    return x * x + y * y, at


def streams(seed: int, level: int, size: int, c0: int, r0: int, c1: int, r1: int) -> dict[int, Streams]:
    """Of a box of squares `size` pixels wide, and of all wider ones around it, by size."""
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
        wider = streams(seed, level, 2 * size, above[0] - 2, above[1] - 2, above[2] + 2, above[3] + 2)
        high = risen(wider[2 * size], above, columns, rows, x, y)
    along, down, steepest, fall = (np.zeros((r1 - r0, c1 - c0), np.float32) for _ in range(4))
    mine = np.s_[1:-1, 1:-1]
    for dy, dx in BESIDE:
        its = np.s_[1 + dy:1 + dy + r1 - r0, 1 + dx:1 + dx + c1 - c0]
        to_x, to_y = x[its] - x[mine] + np.float32(dx), y[its] - y[mine] + np.float32(dy)
        lower = high[its] - high[mine]
        steep = lower / root(to_x * to_x + to_y * to_y)
        chosen = steep < steepest
        for of, value in ((steepest, steep), (fall, lower), (along, to_x), (down, to_y)):
            np.copyto(of, value, where=chosen)
    share = 1 / (along * along + down * down + TINY)
    return wider | {size: Streams(np.stack([x[mine], y[mine], along, down, share, high[mine], fall]), c0, r0)}


def risen(wider: Streams, box: tuple[int, int, int, int], columns: np.ndarray, rows: np.ndarray, x: np.ndarray,
          y: np.ndarray) -> np.ndarray:
    """How high springs lie, at x, y of each of the squares of these columns and rows, above the nearest of the streams
    twice as wide, of which a box holds them: in their own squares, ``(rows, columns)``."""
    found = wider.around(*box).reshape(7, len(NEAR), box[3] - box[1], box[2] - box[0])
    found = found[:, :, (rows // 2 - box[1])[:, None], columns // 2 - box[0]]
    half = np.float32(0.5)
    square, at = away(found[0] - (columns % 2 + x) * half, found[1] - ((rows % 2)[:, None] + y) * half, *found[2:5])
    nearest = square.argmin(0)[None]
    square, at, high, fall = (np.take_along_axis(of, nearest, 0)[0] for of in (square, at, found[5], found[6]))
    return (high + at * fall + root(square)) * 2


def enlarged(above, x0: int, y0: int, x1: int, y1: int):
    """Of numbers of the level above, from a pixel before that of x0, y0 on, those of these pixels, bilinearly."""
    for axis, (begin, end) in enumerate(((y0, y1), (x0, x1))):
        at = np.arange(begin, end)
        before = (at + 2) // SCALE - begin // SCALE
        share = ((at % SCALE * 2 + 5) % 8 / 8).astype(np.float32)
        share = arrays.put(share[:, None] if axis == 0 else share, above.device if library(above) is not np else None)
        before = [arrays.put(of, above.device if library(above) is not np else None) for of in (before, before + 1)]
        above = picked(above, before[0], axis) * (1 - share) + picked(above, before[1], axis) * share
    return above
