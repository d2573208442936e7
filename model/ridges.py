"""Ridges and valleys of mountains, for every (seed, level, X, Y): their light, the same in every window.

Mountains are what `streams` have left: the ground rises with the distance from the nearest one, and on it, again, with
that from the nearest of those half as far apart, and so on: ridges are where two are as near. Smooth noises bend all
that.

A level has streams 4 to 32 pixels apart, and those that two levels have are the same: so valleys that the level above
has shown stay where they are, and get side valleys. Of the light on the wider ones what that level has shown is left
out, but for the edges, which it cannot show.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels:
`generator.REVISION`.
"""

import numpy as np

from model import arrays, streams
from model.arrays import library, picked, root
from model.grid import SCALE
from model.streams import FIRST, Streams

SLOPES = {32: 0.6, 16: 0.55, 8: 0.45, 4: 0.28}  # how steep the ground is at streams so many pixels apart
FINEST = min(SLOPES)
LEFT = np.float32(0.8)      # share of the light on wide ones that is left out, for the level above has shown it

SORTED = 1.8                # how much more of what is light, or dark, around there is laid over them than light
SNOWY = 0.55                # how much less light on snow
LIGHT = -2.0, 1.6           # slopes that are as dark, and as light, as any; ...
STEEPEST = -1.6, 0.5        # ... and as any snow is
MEAN = 0.06                 # of how much more that leaves of shade
BARE = 1.3, 2.0             # slopes away from the light that begin to be rock, and are nothing else, ...
ROCKY = 8.0                 # ... and by how much more rock is laid over them than light


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light or dark the mountains are at the pixels x0…x1, y0…y1 of a level: what the level above has not shown,
    and all of it; float32 ``(2, y1-y0, x1-x0)``, of mean 0 and deviation 0.5 and 0.9 or so; 0 above `FIRST`. x wraps at
    the level's width. `device`: None for an array."""
    place = x0, y0, x1, y1
    if level < FIRST:
        return arrays.zeros((2, y1 - y0, x1 - x0), device)
    found = streams.streams(seed, level, FINEST, x0 // FINEST - 2, y0 // FINEST - 2, x1 // FINEST + 3, y1 // FINEST + 3)
    whole = own = lit(seed, level, found, SLOPES, *place, device)
    if level > FIRST:
        above = x0 // SCALE - 1, y0 // SCALE - 1, -(-x1 // SCALE) + 1, -(-y1 // SCALE) + 1
        wider = {size // SCALE: of for size, of in found.items()}
        slopes = {size // SCALE: slope for size, slope in SLOPES.items() if size >= SCALE * FINEST}
        shown = lit(seed, level - 2, wider, slopes, *above, device)
        own = whole - LEFT * enlarged(shown, *place, device)
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
    for halved, by in enumerate(streams.BENT, 1):
        if size >> halved >= 2:
            for axis in (0, 1):
                noise = streams.bend(seed, level, axis, size >> halved, *box, device) * np.float32(by)
                noise = noise.reshape(r1 - r0, size, c1 - c0, size)
                noise = (noise.permute if device else noise.transpose)(1, 3, 0, 2).reshape(size * size, -1)
                x, y = (x, y + noise) if axis else (x + noise, y)
    nearest = None
    for spring_x, spring_y, along, down, share in found.around(c0, r0, c1, r1, device)[:5].swapaxes(0, 1):
        square, _ = streams.away(spring_x - x, spring_y - y, along, down, share)
        nearest = square if nearest is None else library(square).minimum(nearest, square, out=nearest)
    nearest = root(nearest).reshape(size, size, r1 - r0, c1 - c0)
    nearest = (nearest.permute if device else nearest.transpose)(2, 0, 3, 1).reshape(box[3] - box[1], box[2] - box[0])
    return nearest[y0 - box[1]:y1 - box[1], x0 - box[0]:x1 - box[0]]


def enlarged(above, x0: int, y0: int, x1: int, y1: int, device=None):
    """Of numbers of the level above, from a pixel before that of x0, y0 on, those of these pixels, bilinearly."""
    for axis, (begin, end) in enumerate(((y0, y1), (x0, x1))):
        at = np.arange(begin, end)
        before = (at + 2) // SCALE - begin // SCALE
        share = ((at % SCALE * 2 + 5) % 8 / 8).astype(np.float32)
        share = arrays.put(share[:, None] if axis == 0 else share, device)
        before, after = (picked(above, arrays.put(of, device), axis) for of in (before, before + 1))
        above = before * (1 - share) + after * share
    return above
