"""Rocks, for every (seed, level, X, Y): the light on bare mountains from above, the same in every window.

A rugged ground of smooth noises, folded where they change sign: between folds it slopes one way, as a face of rock
does. Folds are 2 to 8 pixels apart, the wider the higher, and those of the level above are seen in what is enlarged; of
noises that two levels show both have the same.

Integers are hashed as for `parcels`, and all else is sums and products, so that no platform's libm decides a last
digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels: `generator.REVISION`.
"""

import numpy as np

from model import arrays
from model.cover import rolling

FIRST = 11                         # the level from which there are any
FOLDS = {8: 2.4, 4: 1.8, 2: 1.0}   # how high noises of so many pixels are, folded
STEEPEST = np.float32(1.5)         # slope that is as light, or as dark, as any


def slopes(names: tuple[int, ...], folds: dict[int, float], bent: tuple[float, ...], level: int,
           x0: int, y0: int, x1: int, y1: int, device=None, lattices: int = 1):
    """How steeply a ground falls to the north-west at these pixels of a level, float32 ``(y1-y0, x1-x0)``: `folds` are
    how high noises of so many pixels are, folded; each has been bent by as much as `bent` says of those half as wide, a
    quarter, and so on, down to two pixels. Every noise is the sum of as many `lattices` of squares, half of one
    apart."""
    def noise(size):
        made = rolling(names, level, size, x0, y0, x1 + 1, y1 + 1, device)
        for which in range(1, lattices):
            off = which * size // 2
            made += rolling((*names, which), level, size, x0 + off, y0 + off, x1 + 1 + off, y1 + 1 + off, device)
        return made

    sizes = {size >> halved for size in folds for halved in range(len(bent) + 1) if size >> halved >= 2}
    noises = {size: noise(size) for size in sizes}
    high = arrays.zeros((y1 + 1 - y0, x1 + 1 - x0), device)
    for size, fold in folds.items():
        noise = noises[size]
        for halved, by in enumerate(bent, 1):
            if size >> halved in noises:
                noise = noise + noises[size >> halved] * np.float32(by)
        high -= abs(noise) * np.float32(fold)
    return high[1:, 1:] - high[:-1, :-1]


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light or dark rocks are at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``, of mean 0 and
    deviation 0.35 or so; 0 above `FIRST`. x wraps at the level's width. `device`: None for an array."""
    if level < FIRST:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    return slopes((seed, 0x90C45), FOLDS, (), level, x0, y0, x1, y1, device).clip(-STEEPEST, STEEPEST)
