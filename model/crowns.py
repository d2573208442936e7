"""Crowns of trees, for every (seed, level, X, Y): the light on a wood from above, the same in every window.

A wood is a bumpy ground of smooth noises, 2 to 8 pixels wide: what falls to the south-east is in shade, and what lies
deep between crowns is dark. Of noises that two levels show both have the same.

Integers are hashed as for `parcels`, and all else is sums and products, so that no platform's libm decides a last
digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels: `generator.REVISION`.
"""

import numpy as np

from model import arrays
from model.cover import rolling

FIRST = 13                       # the level from which there are any
BUMPS = {8: 0.6, 4: 1.0, 2: 0.8}  # how high noises of so many pixels are
SLOPE, TOP = np.float32(0.9), np.float32(0.8)  # how light a slope is, and what is high
DEEP, DARK = np.float32(-0.2), np.float32(0.6)  # below which it is dark between crowns, and how much
MEAN = np.float32(0.05)          # of how dark that is


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light or dark woods are at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``, of mean 0 and
    deviation 0.4 or so; 0 above `FIRST`. x wraps at the level's width. `device`: None for an array."""
    if level < FIRST:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    high = arrays.zeros((y1 + 1 - y0, x1 + 1 - x0), device)
    for size, bumps in BUMPS.items():
        high += rolling((seed, 0xC7077), level, size, x0, y0, x1 + 1, y1 + 1, device) * np.float32(bumps)
    here = high[:-1, :-1]
    return (high[1:, 1:] - here) * SLOPE + here * TOP + (here - DEEP).clip(None, 0) * DARK + MEAN
