"""Dunes, for every (seed, level, X, Y): the light on a sea of sand, the same in every window.

Every level has dunes of its own, `APART` pixels from crest to crest, for dunes lie on dunes: 3 km apart at z9, 55 m at
z15. Those of the level above are in its condition already, but for their crests, which are made sharp again. A dune is
one tooth of a saw: a long slope, which is lit, up to the crest, and a short one, in shade. Smooth noises bend the saw;
two lie across one another, and of these the higher is seen, so that crests meet and end.

Integers are hashed as for `parcels`, and all else is sums, products and quotients, so that no platform's libm decides a
last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels: `generator.REVISION`.
"""

import numpy as np

from model import arrays
from model.arrays import hashed, library, uniform
from model.cover import rolling
from model.grid import width

FIRST = 9                  # the level from which there are any
APART = 14                 # pixels from crest to crest, if nothing bends the saw
TURNED = 0.25, 0.2         # tangent of half the angle to the meridian at most, and that between the two saws
BENT = {256: 6.0, 64: 2.0, 32: 1.2, 16: 0.6, 8: 0.25}  # by how many teeth noises of so many pixels bend it
CREST = np.float32(0.72)   # of a tooth the share before its crest
LIT, SHADED = np.float32(0.9), np.float32(1.5)  # how light it is before its crest, how dark behind
EDGE = 0.9                 # pixels in which light turns to shade
BLURRED = 1.5              # ... and how much softer that is when it has been enlarged
HIGH = np.float32(0.8), {64: 0.9, 32: 0.6}      # of dunes, and by how much noises of so many pixels change it
HIGHEST = 1.3
SEAS = 512, 128            # pixels of `FIRST`: of the noises that say where there are many
FEWEST, SHORES = np.float32(0.3), np.float32(1.6)


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How light or dark sand is at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)``, of deviation a half
    or so; 0 above `FIRST`. x wraps at the level's width. `device`: None for an array."""
    place = x0, y0, x1, y1
    if level < FIRST:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    total = _seen(seed, level, level, place, device)
    if level - 2 >= FIRST:
        total = total + _seen(seed, level, level - 2, place, device)
    return total * seas(seed, level, *place, device=device)


def seas(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How many dunes there are at the pixels x0…x1, y0…y1 of a level: float32 ``(y1-y0, x1-x0)`` in `FEWEST`…1."""
    sea = sum(_noise(seed, 0, level, size << (level - FIRST), (x0, y0, x1, y1), device) for size in SEAS)
    return (sea * SHORES + np.float32(1)).clip(float(FEWEST), 1)


def _noise(seed: int, which: int, level: int, size: int, place, device):
    """In -1…1: of squares so many pixels wide, the same at every level."""
    return rolling((seed, 0xD07E5, which), level, size, *place, device)


def _seen(seed: int, level: int, of: int, place: tuple[int, int, int, int], device):
    """Light on the dunes of a level, at that or, as far as that cannot show their crests, at the next."""
    scale = 1 << (level - of)
    fine, coarse = (np.float32(EDGE / (APART * by)) for by in (scale, 1 / BLURRED))
    shown = []
    for saw in range(2):
        at, high = _saw(seed, saw, level, of, place, device)
        light = _light(at, fine)
        shown.append((_height(at) * high, (light - _light(at, coarse) if scale > 1 else light) * high))
    (first, light), (second, other) = shown
    return library(first).where(first >= second, light, other)


def _saw(seed: int, saw: int, level: int, of: int, place: tuple[int, int, int, int], device):
    """Where on a tooth each pixel lies, 0…1, and how high the dunes are there; both ``(h, w)``."""
    x0, y0, x1, y1 = place
    scale, names = 1 << (level - of), 100 * of + 10 * saw
    half = uniform(hashed(np.uint64(0), seed, 0xD07E5, of), 0, -TURNED[0], TURNED[0]) + saw * np.float32(TURNED[1])
    across, along = (float(part) / (APART * scale) for part in ((1 - half**2) / (1 + half**2),
                                                                2 * half / (1 + half**2)))
    around = width(level)
    across = round(across * around) / around  # teeth to a pixel: a whole number around the world
    xs, ys = ((teeth - np.floor(teeth)).astype(np.float32) for teeth in
              ((np.arange(x0, x1) % around + 0.5) * across, (np.arange(y0, y1) + 0.5) * along))
    xs, ys = (arrays.put(of_axis, device) for of_axis in (xs[None], ys[:, None]))
    at, high = xs + ys, HIGH[0]
    for size, teeth in BENT.items():
        at = at + _noise(seed, names + 1, level, size * scale, place, device) * np.float32(teeth)
    for size, by in HIGH[1].items():
        high = high + _noise(seed, names + 2, level, size * scale, place, device) * np.float32(by)
    return at - library(at).floor(at), high.clip(0, HIGHEST)


def _light(at, edge: np.float32):
    """Of places on a tooth; light turns to shade within `edge` of the crest, on either side."""
    lit = at * at * (LIT / (CREST * CREST))
    shaded = (at - 1) * (SHADED / (1 - CREST))
    behind = ((at - CREST) * (np.float32(0.5) / edge) + np.float32(0.5)).clip(0, 1)
    return lit + (shaded - lit) * behind


def _height(at):
    """Of places on a tooth: 0…1."""
    return library(at).minimum(at * (1 / CREST), (1 - at) * (1 / (1 - CREST)))
