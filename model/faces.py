"""Faces of snowy mountains, for every (seed, level, X, Y): the light on their slopes, the same in every window.

A ground of ridges: smooth noises folded where they change sign, as `rocks` are. Each is bent by smaller ones before it
is folded, so that a ridge winds and has ribs; from one to the next it is a valley, 4 to 16 pixels wide. Of noises that
two levels show both have the same, so that what is finer lies on the slopes that the level above has shown.

Integers are hashed as for `parcels`, and all else is sums and products, so that no platform's libm decides a last
digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels: `generator.REVISION`.
"""

import numpy as np

from model import arrays
from model.rocks import slopes

FIRST = 9                           # the level from which there are any
FOLDS = {16: 2.6, 8: 1.3, 4: 0.6}   # how high noises of so many pixels are, folded
BENT = 0.7, 0.4                     # by how much of the noises half and a quarter as wide
STEEPEST = -1.0, 0.5                # slopes that are as dark, and as light, as any: snow in the sun is white
MEAN = np.float32(0.019)            # of how much more that leaves of shade


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light or dark snow is at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``, of mean 0 and
    deviation 0.4 or so; 0 above `FIRST`. x wraps at the level's width. `device`: None for an array."""
    if level < FIRST:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    return slopes((seed, 0xFACE5), FOLDS, BENT, level, x0, y0, x1, y1, device).clip(*STEEPEST) + MEAN
