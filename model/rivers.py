"""Rivers, for every (seed, level, X, Y): how much of a pixel is one, the same in every window.

They run where a sum of smooth noises changes sign, so they wind and do not end, but for where a wider noise says that
there is less and less water: a spring. A river is as many metres wide at every level; noises down to four pixels of the
level that looks bend it, the finer the less, so that it stays in the bed that the level above has shown.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels:
`generator.REVISION`.
"""

import numpy as np

from model import arrays
from model.arrays import library, root
from model.cover import rolling

FIRST = 9                           # the level from which there are any
KINDS = {512: 1.2, 256: 0.5}        # half of how many of its pixels the widest are, along noises so many pixels wide
FLOW = 2                            # as wide are those that say how much water there is, and ...
DRY = np.float32(0.1)               # ... where there is none
FINEST = 4                          # pixels of a level: of the finest noises that bend them
ROUGH = np.float32(0.85)            # how steep a noise is, in terms of the next wider
FLAT = np.float32(0.35)             # where a sum of noises is flat, it is taken to be so steep: no lakes


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How much of the pixels x0…x1, y0…y1 of a level is river: float32 ``(y1-y0, x1-x0)`` in 0…1; 0 above `FIRST`. x
    wraps at the level's width. `device`: None for an array."""
    water = arrays.zeros((y1 - y0, x1 - x0), device)
    for wide, widest in KINDS.items() if level >= FIRST else ():
        water = library(water).maximum(water, _river(seed, level, wide, widest, (x0, y0, x1 + 1, y1 + 1), device))
    return water


def _river(seed: int, level: int, wide: int, widest: float, place: tuple[int, int, int, int], device):
    """Of one kind; less the last row and column."""
    scale = 1 << (level - FIRST)

    def noise(which, size):
        return rolling((seed, 0x21FE6, wide, which), level, size, *place, device)
    half = ((noise(1, FLOW * wide * scale) + DRY).clip(0, 1) * np.float32(widest * scale))[:-1, :-1]
    if device is None and not half.any():
        return half
    octaves, steep = [], np.float32(1)
    while wide * scale >> len(octaves) >= FINEST:
        octaves.append((wide * scale >> len(octaves), steep))
        steep = steep * ROUGH
    steepest = 3 * sum(float(steep) for _, steep in octaves)  # a noise changes by 2 a square along, and as much across
    bed, rest = 0, sum(size * float(steep) for size, steep in octaves)
    for size, steep in octaves:
        bed = bed + noise(0, size) * (steep * np.float32(size))
        rest -= size * float(steep)  # what the finer ones can add: however they bend it, the river is elsewhere
        if device is None and abs(bed).min() > rest + (half.max() + 1) * steepest:
            return np.zeros_like(half)
    across, along = bed[:-1, 1:] - bed[:-1, :-1], bed[1:, :-1] - bed[:-1, :-1]
    far = abs(bed[:-1, :-1]) / root(across * across + along * along + FLAT * FLAT)
    middle = np.float32(0.5)  # of a pixel
    return (middle + half - far).clip(0, 1) - (middle - half - far).clip(0, 1)
