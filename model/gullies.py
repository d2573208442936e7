"""Eroded mountains, for every (seed, level, X, Y): the light on ridges, spurs and gullies, the same in every window.

On smooth hills lie stripes that run downhill, on the slopes of these narrower ones, and so on, each half as wide (the
idea is that of Johansen's erosion filter; `readings.Relief` makes the stripes). `FIRST` has hills, and stripes of 72,
36, 18 and 9 pixels. Every finer level stands on the slopes of the one above and adds stripes of 18 and 9 pixels of its
own: so a ridge stays where it is down to 4 m, and gets spurs, and these gullies.

The last digits of convolutions are the processor's own, as the network's are. What changes here changes pixels:
`generator.REVISION`.
"""

from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional as F

from model import arrays
from model.arrays import hashed
from model.grid import width
from model.readings import Relief, limited

CHANNELS = 2
FIRST = 7             # the level whose hills are its own, as are those of coarser ones
GRIDS = 4, 2          # pixels of the grids on which the stripes of 18 and 9 pixels are computed
HILLS = 8, 16         # ... those of 36 and 72, and, on the last, the hills
STEEP = 0.9           # slope of stripes, in units of the hills'
KEPT = 0.8            # of a level's slopes is left of the level above's: else the finest would have no say
LIGHT = 0.7, 2.6, 3.0  # how much light and dark hills, wide stripes and narrow ones give: of variance one or so


class Stripes(Relief):
    """Filters that find stripes; these are less even than relief's: there are plains, and weak slopes have few."""

    FLAT, FAINT = 0.9, 0.6


@lru_cache(maxsize=4)
def bank(device=None) -> Stripes:
    """The same for all on a device."""
    return Stripes().to(device or "cpu")


def white(seed: int, level: int, grid: int, which: int, x0: int, y0: int, x1: int, y1: int,
          device=None) -> torch.Tensor:
    """Numbers of variance one of these squares of `grid` pixels: ``(1, 1, y1-y0, x1-x0)``. x wraps."""
    key = hashed(np.uint64(0), seed, level, which)
    columns, rows = np.arange(x0, x1) % (width(level) // grid), np.arange(y0, y1)
    return torch.as_tensor(arrays.grid(key, columns, rows, -(3**0.5), 3**0.5, device))[None, None]


def cut(found: torch.Tensor, at: tuple[int, int], x0: int, y0: int, x1: int, y1: int) -> torch.Tensor:
    """Of an image whose first pixel is at x, y `at` those of a box."""
    return found[..., y0 - at[1]:y1 - at[1], x0 - at[0]:x1 - at[0]]


def around(x0: int, y0: int, x1: int, y1: int, times: int) -> tuple[int, int, int, int]:
    """The squares of `times` pixels that a box touches, and one more on every side."""
    return x0 // times - 1, y0 // times - 1, -(-x1 // times) + 1, -(-y1 // times) + 1


def twice(found: torch.Tensor, box: tuple[int, int, int, int], wanted: tuple[int, int, int, int]) -> torch.Tensor:
    """An image of a box, twice as large: the pixels `wanted` of it."""
    return cut(Relief.enlarge(found), (2 * box[0] + 1, 2 * box[1] + 1), *wanted)


def stripes(seed: int, level: int, grid: int, box: tuple[int, int, int, int], slope: torch.Tensor,
            device=None):
    """Of a box of squares of `grid` pixels, with their slope ``(1, 2, h, w)``: that of stripes down it, and light."""
    x0, y0, x1, y1 = box
    reach = Relief.RADIUS
    found = white(seed, level, grid, grid, x0 - reach, y0 - reach, x1 + reach, y1 + reach, device)
    return bank(device).gullies(found, slope)


def formed(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None) -> tuple[torch.Tensor, torch.Tensor]:
    """Light on wide and on narrow forms, and the slope along x and y, of these pixels: both ``(1, 2, h, w)``."""
    pixels = x0, y0, x1, y1
    fine = around(*pixels, GRIDS[1])
    coarse = around(*fine, GRIDS[0] // GRIDS[1])
    slope = ground(seed, level, coarse, device)
    light = LIGHT[0] * bank(device).lit(slope)
    side, form = stripes(seed, level, GRIDS[0], coarse, slope, device)
    slope, light = twice(torch.cat([slope + STEEP * side, light + LIGHT[1] * form], 1), coarse, fine).split([2, 1], 1)
    side, form = stripes(seed, level, GRIDS[1], fine, slope, device)
    slope, light = twice(torch.cat([slope + STEEP * side, light, LIGHT[2] * form], 1), fine, pixels).split([2, 2], 1)
    return light, slope


def ground(seed: int, level: int, box: tuple[int, int, int, int], device=None) -> torch.Tensor:
    """The slope that a level stands on, of a box of squares of 4 pixels: that of the level above; or hills, and wide
    stripes on them."""
    if level > FIRST:
        return KEPT * formed(seed, level - 2, *box, device)[1]
    narrow = around(*box, 2)
    wide = around(*narrow, 2)
    slope = hills(seed, level, HILLS[1], wide, device)
    for grid, mine, wanted in ((HILLS[1], wide, narrow), (HILLS[0], narrow, box)):
        side, _ = stripes(seed, level, grid, mine, slope, device)
        slope = twice(slope + STEEP * side, mine, wanted)
    return slope


def hills(seed: int, level: int, grid: int, box: tuple[int, int, int, int], device=None) -> torch.Tensor:
    """The slope of smooth hills, of variance one, on a box of squares of `grid` pixels: ``(1, 2, h, w)``."""
    x0, y0, x1, y1 = box
    reach = Relief.RADIUS
    found = white(seed, level, grid, 0, x0 - reach, y0 - reach, x1 + reach, y1 + reach, device)
    return F.conv2d(found, bank(device).hills)


@torch.inference_mode()
def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """Light on wide and on narrow forms of the pixels x0…x1, y0…y1 of a level: float32 ``(2, y1-y0, x1-x0)``, of
    variance one or so. x wraps at the level's width. `device`: None for an array."""
    made = limited(formed(seed, level, x0, y0, x1, y1, device)[0])[0]
    return made.numpy() if device is None else made
