"""Crags, for every (seed, level, X, Y): the light on snowy mountains, the same in every window.

A ground of ridges: smooth noises folded where they change sign, as `rocks` are, the wider the higher, and each bent by
smaller ones, so that a ridge winds and has spurs. What is widest only the first level shows, for the others see it in
what is enlarged; of noises that two levels show both have the same, so that what is finer lies on the slopes that the
level above has shown. Where it slopes most, away from the light, snow does not lie (`underlay.craggy`).

Integers are hashed as for `parcels`, and all else is sums and products, so that no platform's libm decides a last
digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels: `generator.REVISION`.
"""

from model import arrays
from model.rocks import slopes

FIRST = 9                                                  # the level from which there are any
FOLDS = {128: 18.0, 64: 12.0, 32: 7.0, 16: 3.0, 8: 0.9}    # how high noises of so many pixels are, folded, on that ...
FINER = {32: 5.0, 16: 3.0, 8: 1.1}                         # ... and on those after it
BENT = 0.6, 0.3             # by how much of the noises half and a quarter as wide
LATTICES = 2                # of squares, half of one apart, that each noise is the sum of: of one alone they are seen
STEEPEST = -1.0, 0.4        # slopes that are as dark, and as light, as any snow is
MEAN = 0.03                 # of half of what more that leaves of shade: more, and all of the snow in the sun is white
BARE = 0.8, 1.6             # slopes away from the light that begin to be rock, and are nothing else, ...
ROCKY = 2.0                 # ... and by how much more rock is laid over them than light


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light or dark the ground is at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``, of mean 0 and
    deviation 0.7 or so; 0 above `FIRST`. x wraps at the level's width. `device`: None for an array."""
    if level < FIRST:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    folds = FOLDS if level == FIRST else FINER
    return slopes((seed, 0xC4A65), folds, BENT, level, x0, y0, x1, y1, device, LATTICES)
