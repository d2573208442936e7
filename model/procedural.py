"""`procedural`: a planet that the seed invents, painted with the colours and the texture of Blue Marble.

The shape and the climate come from `terrain`, the paint from `photograph`. Slow colour follows the climate of each
place; on top lies real texture from places that look alike, in overlapping patches whose windows keep its strength;
coasts follow the height.
"""

from functools import lru_cache
from threading import Lock

import numpy as np
from PIL import Image

from model.base import Base, PlateCarree, base_zoom
from model.photograph import (
    COLDEST,
    HOTTEST,
    MOIST,
    SEA_LATITUDE,
    SOIL,
    WARM,
    Patches,
    Photograph,
    likeness,
    photograph,
)
from model.sphere import Noise, integers, latitudes
from model.terrain import Terrain, terrain

REVISION = 1            # bump when a seed's planet changes
ROWS = 2700             # 5400×2700, as Blue Marble: z5
OVERVIEW_ROWS = 1352    # a smaller drawing of the same planet serves the zooms up to …
OVERVIEW_ZOOM = 3       # … this one, in a quarter of the time
KEPT = 6                # planets in memory, 60 MB each
PATCH = 144 / 2700      # a patch's side, of the picture's rows
CHOICE = 40             # patches to choose among
FINE = 5                # label of the stream of random numbers


class Planet(Base):
    """A seed's planet as base imagery, drawn when it is first looked at."""

    zoom = base_zoom(2 * ROWS)

    def __init__(self, seed: int, tone: np.ndarray | None = None):
        self.seed, self.tone = seed, tone

    def region(self, z, x0, y0, x1, y1):
        rows = OVERVIEW_ROWS if z <= OVERVIEW_ZOOM else ROWS
        with _drawing:
            pixels = _drawn(self.seed, rows)
        picture = pixels.region(z, x0, y0, x1, y1)
        return picture if self.tone is None else self.tone[picture]


_drawing = Lock()       # whoever asks for the same planet meanwhile waits for it


@lru_cache(maxsize=2 * KEPT)
def _drawn(seed: int, rows: int) -> PlateCarree:
    return PlateCarree(planet(seed, rows))


def planet(seed: int, rows: int = ROWS) -> np.ndarray:
    """The seed's planet as a plate carrée picture in Blue Marble's own tone, uint8 (rows, 2·rows, 3).

    A pure function of the seed (0 … 2⁶⁴-1); `rows` is a multiple of 4.
    """
    patch = max(4 * round(PATCH * rows / 4), 8)
    stock = photograph(rows, patch)
    ground = terrain(seed, rows // 4)
    relief = np.maximum(ground.height, 0)
    is_land = _coast(seed, ground, rows)
    out = np.empty((rows, 2 * rows, 3), np.uint8)
    for label, wanted, slow, patches, rough in (
            (10, is_land, _land_colour(ground, stock, rows // 2), stock.land_patches, relief),
            (20, ~is_land, _sea_colour(ground, stock, rows // 2), stock.sea_patches, 0 * relief)):
        texture = _texture(seed, label, stock, patches, slow, rough, patch, wanted)
        for channel in range(3):
            value = _enlarge(slow[..., channel], rows) + texture[..., channel]
            np.copyto(out[..., channel], np.clip(np.rint(value), 0, 255), where=wanted, casting="unsafe")
    return out


def _land_colour(ground: Terrain, stock: Photograph, rows: int) -> np.ndarray:
    """Slow colour of the land (rows, 2·rows, 3) float32."""
    warm = (_enlarge(ground.temperature, rows) - COLDEST) * ((WARM - 1) / (HOTTEST - COLDEST))
    axes = [(warm, WARM), (_enlarge(ground.moisture, rows) * (MOIST - 1), MOIST),
            (_enlarge(ground.soil, rows) * (SOIL - 1), SOIL)]
    fine = 4                # the table enlarged, so that the nearest entry is near enough
    table = stock.land
    index = 0
    for axis, (value, count) in enumerate(axes):
        steps = np.linspace(0, count - 1, fine * count)
        low = np.minimum(steps.astype(int), count - 2)
        part = (steps - low).reshape((-1,) + (1,) * (table.ndim - 1))
        moved = np.moveaxis(table, axis, 0)
        table = np.moveaxis(moved[low] * (1 - part) + moved[low + 1] * part, 0, axis)
        scaled = np.clip(value * ((fine * count - 1) / (count - 1)) + 0.5, 0, fine * count - 1).astype(np.int32)
        index = index * (fine * count) + scaled
    return table.reshape(-1, 3).astype(np.float32)[index] * _enlarge(_shade(ground.height), rows)[..., None]


def _sea_colour(ground: Terrain, stock: Photograph, rows: int) -> np.ndarray:
    level = np.clip(_enlarge(ground.floor, rows) * (len(stock.sea) - 1), 0, len(stock.sea) - 1)
    return stock.sea[level.astype(np.int32)]


def _coast(seed: int, ground: Terrain, rows: int) -> np.ndarray:
    """Where land is, bool (rows, 2·rows): the coarse shore, frayed by finer noise close to it."""
    shore = _enlarge(ground.shore, rows).copy().ravel()
    near = np.flatnonzero(np.abs(shore) < 0.05)
    latitude = np.pi * (0.5 - (near // (2 * rows) + 0.5) / rows)
    longitude = np.pi * ((near % (2 * rows) + 0.5) / rows - 1)
    where = np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
                      np.sin(latitude)]).astype(np.float32)
    shore[near] += np.float32(0.016) * Noise(seed, FINE).fractal(where, 0.06 * ROWS, 3, 0.7)
    return (shore > 0).reshape(rows, 2 * rows)


def _shade(height: np.ndarray) -> np.ndarray:
    """How much brighter a slope of the land is for lying in light from the north-west; about 1."""
    over = np.maximum(height, 0)
    around = np.maximum(np.cos(latitudes(len(over))), 0.2)[:, None]
    slope = (np.roll(over, -1, axis=1) - np.roll(over, 1, axis=1)) / around
    slope[1:-1] += over[2:] - over[:-2]
    return np.clip(1 + 0.16 * slope * (len(over) / 675), 0.72, 1.25).astype(np.float32)


def _texture(seed: int, label: int, stock: Photograph, patches: Patches, slow: np.ndarray, relief: np.ndarray,
             patch: int, wanted: np.ndarray) -> np.ndarray:
    """Texture to be added to the slow colour where `wanted`, float32 (rows, 2·rows, 3)."""
    rows, columns = wanted.shape
    step = patch // 2
    window = np.sin(np.pi * (np.arange(patch) + 0.5) / patch).astype(np.float32)
    window = window[:, None] * window       # squares add up to 1 where windows overlap: the texture keeps its variance
    out = np.zeros((rows + 2 * patch, columns + patch, 3), np.float32)
    tops, lefts = np.meshgrid(np.arange(-step, rows, step), np.arange(0, columns, step), indexing="ij")
    tops, lefts = tops.ravel(), lefts.ravel()
    inside = np.pad(wanted, ((step, 2 * patch), (0, patch)))
    needed = np.array([inside[top + step:top + step + patch, left:left + patch].any()
                       for top, left in zip(tops, lefts, strict=True)])
    tops, lefts = tops[needed], lefts[needed]
    if not len(tops):
        return out[:rows, :columns]

    middle = np.clip((tops + step) * slow.shape[0] // rows, 0, slow.shape[0] - 1)
    across = ((lefts + step) % columns) * slow.shape[1] // columns
    box = np.asarray([_boxed(slow[..., c], patch * slow.shape[0] // rows) for c in range(3)])
    spread = _spread(relief, patch * relief.shape[0] // rows)
    stretch = 1 if patches is stock.land_patches else SEA_LATITUDE
    place = likeness(stretch * (90 - 180 * (tops + step) / rows), box[:, middle, across].T,
                     spread[middle * relief.shape[0] // slow.shape[0], across * relief.shape[1] // slow.shape[1]])
    dice = integers(seed, label, 3 * len(tops)).reshape(3, -1)
    slack = patch // 4
    for top, left, like, pick, turn, shift in zip(tops, lefts, place, *dice.tolist(), strict=True):
        distance = ((patches.like - like) ** 2).sum(axis=1)
        near = np.argpartition(distance, min(CHOICE, len(distance) - 1))[:CHOICE]
        near = near[np.argsort(distance[near], kind="stable")]
        best = near[pick % int(np.searchsorted(distance[near], 2 * distance[near[0]] + 2, side="right"))]
        row = min(max(patches.row[best] + shift % slack - slack // 2, 0), rows - patch)
        column = min(max(patches.column[best] + (shift >> 20) % slack - slack // 2, 0), columns - patch)
        cut = stock.texture[row:row + patch, _stretch(row, top, rows, patch, columns) + column]
        if ((row + step) * 2 > rows) != ((top + step) * 2 > rows):      # from the other hemisphere: mirror it
            cut = cut[::-1]
        if turn & 1:
            cut = cut[:, ::-1]
        out[top + step:top + step + patch, left:left + patch] += cut * window[..., None]
    out[:, :patch] += out[:, columns:]
    return out[step:step + rows, :columns]


def _stretch(row: int, top: int, rows: int, patch: int, columns: int) -> np.ndarray:
    """Columns of a patch to take when it moves to another latitude, where a degree of longitude is shorter."""
    there, here = (np.cos(np.pi * (0.5 - (y + patch / 2) / rows)) for y in (row, top))
    share = np.clip(here / there, 0.08, 1)
    if share > 0.9:
        return np.arange(patch)
    return np.rint((np.arange(patch) - patch / 2) * share + patch / 2).astype(np.int64)


def _boxed(field: np.ndarray, size: int) -> np.ndarray:
    """Mean over squares of about `size` pixels around each pixel."""
    small = Image.fromarray(np.ascontiguousarray(field)).reduce(max(size // 2, 1))
    return np.asarray(small.resize((field.shape[1], field.shape[0]), Image.BILINEAR))


def _spread(field: np.ndarray, size: int) -> np.ndarray:
    mean = _boxed(field, 2 * size)
    return np.sqrt(np.maximum(_boxed((field - mean) ** 2, 2 * size), 0))


def _enlarge(field: np.ndarray, rows: int) -> np.ndarray:
    """A field enlarged to (rows, 2·rows) without a seam at ±180°."""
    scale = rows // field.shape[0]
    if scale == 1:
        return field
    pad = 4
    wide = np.concatenate([field[:, -pad:], field, field[:, :pad]], axis=1)
    wide = Image.fromarray(np.ascontiguousarray(wide, np.float32)).resize((wide.shape[1] * scale, rows), Image.BICUBIC)
    return np.asarray(wide)[:, pad * scale:-pad * scale]
