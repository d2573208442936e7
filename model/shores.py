"""Shores, for every (seed, level, X, Y): how far land reaches out, and where it is a beach, the same in every window.

Smooth noises say how far the sea reaches in, from bays to coves; those of so many metres are one at all levels, so that
what is finer winds about what the level above has shown. Wider ones say where there are beaches.

Integers are hashed as for `parcels`, and all else is sums and products, so that no platform's libm decides a last
digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels: `generator.REVISION`.
"""

import numpy as np

from model import arrays
from model.cover import rolling

FIRST = 9                                     # the level from which there are any
HIGH = {32: 0.7, 16: 0.55, 8: 0.35, 4: 0.2}   # of noises of so many pixels
NARROW = 11                                   # the level from which a beach has a pixel
STRETCHES = 8, 4                              # pixels of `FIRST`: of the noises that say where there are beaches ...
SANDY = np.float32(2.0)                       # ... and how soon they do


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How far the sea reaches in at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``, of mean 0 and
    deviation 0.3 or so; 0 above `FIRST`. x wraps at the level's width. `device`: None for an array."""
    total = arrays.zeros((y1 - y0, x1 - x0), device)
    if level >= FIRST:
        for size, high in HIGH.items():
            total += rolling((seed, 0x5804E), level, size, x0, y0, x1, y1, device) * np.float32(high)
    return total


def beaches(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """Likewise how much of a beach a shore has: in 0…1; 0 above `NARROW`."""
    if level < NARROW:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    sandy = sum(rolling((seed, 0xBEAC4), level, size << (level - FIRST), x0, y0, x1, y1, device) for size in STRETCHES)
    return (sandy * SANDY).clip(0, 1)
