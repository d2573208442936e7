"""`procedural`: a planet that the seed invents, painted with the colours and the texture of Blue Marble.

The shape and the climate come from `terrain`, the paint from `photograph`. Slow colour follows the climate of each place; on top
lies real texture from places that look alike, in overlapping patches whose windows keep its strength; coasts follow the height.
"""

import numpy as np
from PIL import Image

from .photograph import COLDEST, HOTTEST, SOIL, WARM, MOIST, Patches, Photograph, likeness, photograph
from .sphere import Noise, integers, points
from .terrain import Terrain, terrain

REVISION = 1            # bump when a seed's planet changes
ROWS = 2700             # 5400×2700, as Blue Marble: z5
PATCH = 144             # pixels, at that size
FINE = 5                # label of the stream of random numbers


def planet(seed: int, rows: int = ROWS) -> np.ndarray:
    """The seed's planet as a plate carrée picture in Blue Marble's own tone, uint8 (rows, 2·rows, 3).

    A pure function of the seed (0 … 2⁶⁴-1); `rows` is a multiple of 4.
    """
    patch = max(4 * round(PATCH * rows / ROWS / 4), 8)
    stock = photograph(rows, patch)
    ground = terrain(seed, rows // 4)
    land = _land_colour(seed, ground, stock, rows // 2)
    sea = _sea_colour(ground, stock, rows // 2)
    relief = _local_spread(ground.height)

    is_land = _coast(seed, ground, rows)
    textures = [_texture(seed, 10, stock, stock.land_patches, land, relief, patch, is_land),
                _texture(seed, 20, stock, stock.sea_patches, sea, 0 * relief, patch, ~is_land)]
    out = np.empty((rows, 2 * rows, 3), np.uint8)
    for channel in range(3):
        colours = [_enlarge(picture[..., channel], rows) for picture in (land, sea)]
        value = np.where(is_land, colours[0] + textures[0][channel], colours[1] + textures[1][channel])
        out[..., channel] = np.clip(np.rint(value), 0, 255)
    return out


def _land_colour(seed: int, ground: Terrain, stock: Photograph, rows: int) -> np.ndarray:
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
    return table.reshape(-1, 3).astype(np.float32)[index]


def _sea_colour(ground: Terrain, stock: Photograph, rows: int) -> np.ndarray:
    level = np.clip(_enlarge(ground.floor, rows) * (len(stock.sea) - 1), 0, len(stock.sea) - 1)
    return stock.sea[level.astype(np.int32)]


def _coast(seed: int, ground: Terrain, rows: int) -> np.ndarray:
    """Where land is, bool (rows, 2·rows): the coarse height, frayed by finer noise."""
    height = np.where(ground.height > 0, np.minimum(ground.height, 1), ground.height / 3)
    return _enlarge(height, rows) > 0


def _local_spread(height: np.ndarray) -> np.ndarray:
    """Standard deviation of the land's height (km) in squares of a 32nd … of the picture, spread back over it."""
    return np.maximum(height, 0)


def _texture(seed, label, stock, patches: Patches, slow, relief, patch, wanted) -> list[np.ndarray]:
    """Texture to be added to the slow colour where `wanted`: three float32 (rows, 2·rows)."""
    rows, columns = wanted.shape
    step = patch // 2
    window = np.sin(np.pi * (np.arange(patch) + 0.5) / patch).astype(np.float32)
    window = window[:, None] * window       # squares add up to 1 where windows overlap: the texture keeps its variance
    out = np.zeros((rows + patch, columns + patch, 3), np.float32)
    tops, lefts = np.meshgrid(np.arange(-step, rows, step), np.arange(0, columns, step), indexing="ij")
    tops, lefts = tops.ravel(), lefts.ravel()
    inside = np.pad(wanted, ((step, patch), (0, patch)))
    needed = np.array([inside[t + step:t + step + patch, left:left + patch].any() for t, left in zip(tops, lefts, strict=True)])
    tops, lefts = tops[needed], lefts[needed]
    if not len(tops):
        return [out[:rows, :columns, c] for c in range(3)]

    middle = np.clip((tops + step) * slow.shape[0] // rows, 0, slow.shape[0] - 1)
    across = ((lefts + step) % columns) * slow.shape[1] // columns
    box = np.asarray([_boxed(slow[..., c], patch * slow.shape[0] // rows) for c in range(3)])
    spread = _spread(relief, patch * relief.shape[0] // rows)
    place = likeness(90 - 180 * (tops + step) / rows, box[:, middle, across].T,
                     spread[middle * relief.shape[0] // slow.shape[0], across * relief.shape[1] // slow.shape[1]])
    dice = integers(seed, label, 2 * len(tops)).reshape(2, -1)
    for top, left, like, pick, turn in zip(tops, lefts, place, *dice, strict=True):
        distance = ((patches.like - like) ** 2).sum(axis=1)
        near = np.argpartition(distance, 12)[:12]
        near = near[np.argsort(distance[near], kind="stable")]
        best = near[int(pick % np.uint64(1 + np.searchsorted(distance[near][1:], 2 * distance[near][0] + 1.0)))]
        row, column = patches.row[best], patches.column[best]
        cut = stock.texture[row:row + patch, column:column + patch]
        southern = (row + step) * 2 > rows
        if southern != ((top + step) * 2 > rows):
            cut = cut[::-1]
        if turn & np.uint64(1):
            cut = cut[:, ::-1]
        out[top + step:top + step + patch, left:left + patch] += cut * window[..., None]
    out[:, :patch] += out[:, columns:]
    return [out[step:step + rows, :columns, c] for c in range(3)]


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
