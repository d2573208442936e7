"""Where land is tilled or built on, for every (seed, level, X, Y): there fields are shown, elsewhere woods and streams.

Shown both everywhere, a network that cannot know which of them the real picture would have had draws a little of
each, which is mud. A sum of smooth noises, 20 km wide and less, says which; every level has the same, and finer ones
besides, so that a border is as rough from near as from far.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit. What changes here changes pixels: `generator.REVISION`.
"""

import numpy as np

from model.cover import sign, smooth
from model.parcels import FIRST, hashed

WIDEST, FINEST = 256, 32  # pixels of `FIRST`, and of the level that looks: squares of the widest noise and the finest
ROUGH = np.float32(0.72)  # how strong a noise is, in terms of the next wider
STEP = 8                  # pixels, along and across, that are told one number
BLURRED = np.float32(0.04)  # how far from its border land is neither
BIAS = np.float32(0.05)   # a little more of the land is tilled


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """How tilled the pixels x0…x1, y0…y1 of a level are: float32 ``(y1-y0, x1-x0)`` in 0…1; wild above `FIRST`. x wraps
    at the level's width."""
    total = np.zeros((y1 - y0, x1 - x0), np.float32)
    if level < FIRST:
        return total
    size, strength = WIDEST << (level - FIRST), np.float32(1)
    while size >= FINEST:
        key = hashed(np.uint64(0), seed, 0x11A5D, size << (15 - level))
        total += strength * smooth(key, level, size, x0, y0, x1, y1, STEP)
        size, strength = size // 2, strength * ROUGH
    return (np.float32(0.5) + np.float32(0.6) * sign(total + BIAS, BLURRED)).clip(0, 1)
