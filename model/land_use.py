"""Where land is tilled or built on, for every (seed, level, X, Y): there fields are shown, elsewhere woods and streams.

Mountains are not tilled, and what is a mountain only the base knows: where it changes from pixel to pixel.

Shown both everywhere, a network that cannot know which of them the real picture would have had draws a little of
each, which is mud. A sum of smooth noises, 20 km wide and less, says which; every level has the same, and finer ones
besides, so that a border is as rough from near as from far.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit. What changes here changes pixels: `generator.REVISION`.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model import arrays, ground
from model.arrays import hashed
from model.base import Base
from model.cover import repeated, sign, splines
from model.parcels import FIRST

WIDEST, FINEST = 256, 32  # pixels of `FIRST`, and of the level that looks: squares of the widest noise and the finest
ROUGH = np.float32(0.72)  # how strong a noise is, in terms of the next wider
STEP = 8                  # pixels, along and across, that are told one number
BLURRED = np.float32(0.04)  # how far from its border land is neither
BIAS = np.float32(0.05)   # a little more of the land is tilled
AROUND = 4                # pixels of the base around each that say how plain it is
COARSE = 5                # the zoom of the base that is asked, if it is not coarser
# Grey levels from one of them to the next, along and across: farmland of Blue Marble has 3 to 5, hills 6 to 8, the
# Himalaya 10 to 30. What is below the first is a plain, what is above the second none.
PLAIN, RUGGED = np.float32(7), np.float32(10)
EVEN, STEEP = np.float32(4.5), np.float32(11)  # ... and what is below this first has no hills, above the second all
BESIDE = 1                # ... and that say whether it lies in the sea
OFFSHORE = 0.2, 0.6       # the share of land beside it where nobody lives, and where it is no matter
SEA = 4                   # grey levels by which blue is above red and green where it is sea: a coast is no mountain


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """How tilled the pixels x0…x1, y0…y1 of a level are: float32 ``(y1-y0, x1-x0)`` in 0…1; wild above `FIRST`. x wraps
    at the level's width. `device`: None for an array."""
    if level < FIRST:
        return arrays.zeros((y1 - y0, x1 - x0), device)
    total, size, strength = 0, WIDEST << (level - FIRST), np.float32(1)
    while size >= FINEST:
        key = hashed(np.uint64(0), seed, 0x11A5D, size << (15 - level))
        total = total + splines(key, level, size, x0, y0, x1, y1, STEP, device) * strength
        size, strength = size // 2, strength * ROUGH
    share = (sign(total + BIAS, BLURRED) * np.float32(0.6) + np.float32(0.5)).clip(0, 1)
    return repeated(share, x0, y0, x1, y1, STEP)


def plain(base: np.ndarray) -> np.ndarray:
    """How plain pixels of a base are: uint8 ``(h + 2·AROUND, w + 2·AROUND, 3)`` -> float32 ``(h, w)`` in 0…1."""
    return ((RUGGED - change(base)) / (RUGGED - PLAIN)).clip(0, 1)


def hilly(base: np.ndarray) -> np.ndarray:
    """Likewise how hilly they are: mountains are, hills that are tilled are a little."""
    return _rising(change(base), EVEN, STEEP)


def habitable(base: np.ndarray) -> np.ndarray:
    """Likewise how much they lie in land where people live: neither sand nor snow nor great woods. A condition says
    that, too (`ground`), but not one that shows a town: white roofs are snow to it, and red ones sand."""
    pixels = base.astype(np.int32)
    land = _land(pixels)
    sums, count = _around(pixels * land[..., None]), _around(land)
    red, green, blue = (sums / np.maximum(count, 1)[..., None]).astype(np.float32).transpose(2, 0, 1)
    share = _rising(green - red, *ground.SANDY) * _rising(np.minimum(red, blue), *ground.SNOWY)
    share *= _rising((red + green + blue) / 3, *ground.WOODED)
    near = AROUND - BESIDE
    beside = _around(land[near:-near, near:-near], BESIDE).astype(np.float32)
    return share * _rising(beside, *(of * (2 * BESIDE + 1) ** 2 for of in OFFSHORE))


def _around(values: np.ndarray, around: int = AROUND) -> np.ndarray:
    """Sums of so many pixels around each: ``(h + 2·around, w + 2·around, …)`` -> ``(h, w, …)``."""
    return sliding_window_view(values, (2 * around + 1,) * 2, (0, 1)).sum((-2, -1))


def _rising(x: np.ndarray, none: float, full: float) -> np.ndarray:
    """From 0 where x is `none` to 1 where it is `full`."""
    return ((x - np.float32(none)) / np.float32(full - none)).clip(0, 1)


def change(base: np.ndarray) -> np.ndarray:
    """Likewise by how many grey levels they change from one to the next."""
    pixels = base.astype(np.int32)
    land = _land(pixels)
    grey = pixels.sum(2)
    changes, counted = np.zeros(grey.shape, np.int32), np.zeros(grey.shape, np.int32)
    for axis, after, before in ((0, np.s_[1:], np.s_[:-1]), (1, np.s_[:, 1:], np.s_[:, :-1])):
        both = land[after] & land[before]
        changes[after] += np.abs(np.diff(grey, axis=axis)) * both
        counted[after] += both
    changes, counted = (_around(x).astype(np.float32) for x in (changes, counted))
    return changes * np.float32(2 / 3) / np.maximum(counted, 1)  # along and across, a mean of three colours


ALL = plain, hilly, habitable


def _land(pixels: np.ndarray) -> np.ndarray:
    """Which pixels of a base are."""
    return pixels[..., 2] <= pixels[..., :2].max(2) + SEA


def plains(base: Base, level: int, x0: int, y0: int, x1: int, y1: int, device=None, cut: bool = False):
    """How plain the base is under the pixels x0…x1, y0…y1 of a level finer than it: float32 ``(y1-y0, x1-x0)``.
    `device`: None for an array. `cut`: as versions before there were towns have it, of which a window did not look at
    the pixel of the base before its first, so that neighbours were told slightly different numbers."""
    return known(base, level, x0, y0, x1, y1, [plain], device, cut)[0]


def known(base: Base, level: int, x0: int, y0: int, x1: int, y1: int,
          what: Iterable[Callable[[np.ndarray], np.ndarray]], device=None, cut: bool = False) -> list:
    """Likewise all that functions like `plain` say of it."""
    zoom = min(base.zoom, COARSE)
    (left, across), (top, along) = (_between(*ends, 1 << (level - zoom)) for ends in ((x0, x1), (y0, y1)))
    first, last = (left.min(), top.min()), (left.max() + 2, top.max() + 2)
    before = AROUND + (not cut)
    pixels = base.region(zoom, *(int(v) - before for v in first), *(int(v) + AROUND for v in last))
    fields = []
    for told in what:
        of = told(pixels)[before - AROUND:, before - AROUND:]
        rows = of[top - first[1]] * (1 - along) + of[top - first[1] + 1] * along
        found = rows[:, left - first[0]] * (1 - across[:, 0]) + rows[:, left - first[0] + 1] * across[:, 0]
        fields.append(repeated(arrays.put(found, device), x0, y0, x1, y1, STEP))
    return fields


def _between(begin: int, end: int, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every `STEP` pixels from begin to end the coarser pixel before, and how far they are from it, ``(n, 1)``."""
    at = (np.arange(begin // STEP * STEP, end, STEP) + STEP / 2) / scale - 0.5
    before = np.floor(at)
    return before.astype(np.int64), (at - before).astype(np.float32)[:, None]
