"""Farmland, for every (seed, level, X, Y): crisp fields, hedges, tracks and furrows, the same in every window.

Where the level above has shown the border of a field, there is a haze some pixels wide; but which field a pixel lies in
is known (`parcels`), so its colour is taken from farther inside. Beside rows whose lane is dark grow hedges, beside
those where it is light run tracks, as roads do between districts; the ends of a field have either, or nothing. At z15
one sees how some are ploughed. Where a town ends it ends at fields.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels:
`generator.REVISION`.
"""

from functools import partial

import numpy as np

from model import arrays, land_use, parcels
from model.arrays import library, scaled, single
from model.cover import rolling
from model.grid import SCALE
from model.parcels import FIRST, Divided, line

CHANNELS = 6
FINEST = 15                       # the level that has furrows, and whose own fields have no hedges
RULING = parcels.Ruling((7.0, parcels.ROWS[1]))  # of the fields that a network is shown
HAZE, BESIDE = 6.0, 10.0          # pixels of any level within which a border is a haze, and one that has a road
SHARP = np.float32(1 / 0.75)      # ... and, inverted, how far from a crisp one colours are mixed
HEDGE = {11: 0.3, 13: 0.5, 15: 1.6}  # pixels of a level: half of how wide hedges are, ...
TRACK = {11: 0.15, 13: 0.3, 15: 0.9}  # ... and tracks; of larger fields a little more
ROAD = {11: 0.2, 13: 0.8, 15: 3.2}  # ... and roads between districts
DARK, LIGHT = -0.35, 0.35         # how light lanes are at most that are hedges, and at least if they are tracks
ENDS = 0.45, 0.75                 # likewise, of what is 0…1 for every field, for its ends
ROUGH = {8: 0.9, 4: 1.0, 2: 0.6}  # how uneven hedges are, by noises of so many pixels ...
CROP = {4: 0.5, 2: 1.0}           # ... and what grows, of any level
FURROWS, APART, DEEP = 0.5, (3.0, 7.0), (0.1, 0.4)  # how many fields show them; from one to the next; how deep
KEPT = 0.95                       # of how much of a town a place may be that is still a field


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """What farmland is like at the pixels x0…x1, y0…y1 of a level: float32 ``(6, y1-y0, x1-x0)``: from how many pixels
    farther right, and down, its colour is to be taken; how light it is, in -1…1; how much of a pixel hedges cover, and
    tracks; and of how much of a town a place is before it is built on. Where no land is tilled it may be anything; 0
    above `FIRST`. x wraps at the level's width. `device`: None for an array."""
    place = x0, y0, x1, y1
    if level < FIRST:
        return arrays.zeros((CHANNELS, y1 - y0, x1 - x0), device)
    tilled = land_use.field(seed, level, *place, device)
    out = parcels.told(partial(_told, level=level), CHANNELS, seed, level, *place, FIRST, True, RULING, device, tilled)

    def uneven(noises: dict[int, float]):
        return sum(rolling((seed, 0xFA53), level, size, *place, device) * np.float32(by) for size, by in noises.items())

    out[2] += uneven(CROP)
    if level == FINEST:
        out[3] *= (1 + uneven(ROUGH)).clip(0, 1)
    return out


def _told(of: Divided, share, level: int):
    """Of each pixel of a level, of ground that is so divided: ``(6, h, w)``, but for what no field decides."""
    lib, light, kept = library(of.border), of.road * 0, of.road * 0
    scale, cos, sin = np.float32(of.parts[0].scale), of.cos, of.sin  # the direction of what lies across rows
    border, road = of.border * scale, single(of.road > 0)
    track, hedge = road * line(border, ROAD[level]), of.road * 0
    inward = (HAZE + (BESIDE - HAZE) * road - border).clip(0, None)
    right, down = (inward * way for way in of.inward()) if scale > 1 else (light, light)
    for part in of.parts:
        ruled, scale = part.ruled, np.float32(part.scale)
        if part.turned is not None:
            cos, sin = lib.where(part.turned, -sin, cos), lib.where(part.turned, cos, sin)
        aside, ahead = ruled.aside * scale, ruled.ahead * scale
        if scale > 1:  # the level above has shown it
            across = _inward(aside, ruled.wide * scale, ruled.across < 0.5)
            along = _inward(ahead, single(ruled.units * ruled.long) * scale, ruled.along < ruled.units * 0.5)
            right, down = right + across * cos - along * sin, down + across * sin + along * cos
        if level < FINEST or scale > 1:
            end, larger = scaled(ruled.key << 10, 0, 1), 1.4 if scale > SCALE else 1.0
            for far, dark, pale in ((aside, ruled.lane < DARK, ruled.lane > LIGHT),
                                    (ahead, end < ENDS[0], end > ENDS[1])):
                hedge = lib.maximum(hedge, single(dark) * line(far, HEDGE[level] * larger))
                track = lib.maximum(track, single(pale) * line(far, TRACK[level] * larger))
    if level == FINEST:
        at = ruled.across * ruled.wide / scaled(ruled.key << 14, *APART)
        deep = single(scaled(ruled.key << 4, 0, 1) < FURROWS) * scaled(ruled.key << 28, *DEEP)
        light = deep * (lib.abs(at - lib.floor(at) - np.float32(0.5)) * 4 - 1)
    if len(of.parts) > 1:
        kept = scaled(of.parts[1].ruled.key << 18, 0, KEPT)
    return lib.stack([right, down, light, hedge, track * (1 - hedge), kept])


def _inward(far, wide, low):
    """How many pixels farther, away from the border, so `far` away, of something `wide`, its haze ends: at most in the
    middle. `low`: whether the border is where it begins."""
    lib = library(far)
    go = lib.minimum((HAZE - far).clip(0, None), (wide * np.float32(0.5) - far).clip(0, None))
    return go * (far * SHARP).clip(0, 1) * (2 * single(low) - 1)
