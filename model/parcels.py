"""Fields, for every (seed, level, X, Y): what farmland and towns look like from above, the same in every window.

Districts are Worley's cells (1996) of about a hundred pixels; each is ruled into rows by a direction of its own, and
its rows into parcels. What is read of the noise (`readings`) has no straight line longer than its rim; here every
district is known by its number. Integers are hashed (splitmix64, Steele et al. 2014), and all else is sums, products
and quotients, so that no platform's libm decides a last digit. What changes here changes pixels: `generator.REVISION`.
"""

import numpy as np

from model.grid import width

CHANNELS = 2             # brightness, and how green it is
FIRST = 11               # the level from which there are any: at 305 m a pixel is larger than a field
SIZE = 128               # pixels of the squares in each of which one district begins
ROWS = 4.0, 48.0         # pixels: how wide rows are; of the wide ones a level draws borders and lanes
LONG = 0.8, 2.5          # how much longer a parcel is than its row is wide, ...
UNEVEN = 0.6, 1.6        # ... times this, in one row
LANE, LANES = 0.9, 1.3   # half width in pixels of the lanes along rows, and how light or dark they are at most
STRENGTH = -0.4, 1.8     # of a district; below a tenth it is a tenth: not all land is ruled

_GOLDEN, _FIRST, _SECOND = (np.uint64(v) for v in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_24 = np.uint64(24)


def hashed(key, *parts) -> np.ndarray:
    """A key, uint64, of a key and integers, broadcast."""
    with np.errstate(over="ignore"):
        for part in parts:
            key = (key ^ np.asarray(part).astype(np.uint64)) + _GOLDEN
            key = (key ^ (key >> np.uint64(30))) * _FIRST
            key = (key ^ (key >> np.uint64(27))) * _SECOND
            key = key ^ (key >> np.uint64(31))
    return key


def uniform(key, which: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Number `which` of a key, in low…high."""
    return scaled(hashed(key, which), low, high)


def scaled(bits, low: float, high: float) -> np.ndarray:
    """The uppermost 24 bits, as a number in low…high."""
    share = (bits >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
    return np.float32(low) + np.float32(high - low) * share


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """Parcels of the pixels x0…x1, y0…y1 of a level: float32 ``(2, y1-y0, x1-x0)``, of variance one or so; 0 above
    `FIRST`.

    x wraps at the level's width.
    """
    if level < FIRST:
        return np.zeros((CHANNELS, y1 - y0, x1 - x0), np.float32)
    world, around = hashed(np.uint64(0), seed, level), width(level) // SIZE
    out = np.empty((CHANNELS, y1 - y0, x1 - x0), np.float32)
    for top in range(y0 // SIZE, (y1 - 1) // SIZE + 1):
        for left in range(x0 // SIZE, (x1 - 1) // SIZE + 1):
            a, b = max(y0, top * SIZE), min(y1, (top + 1) * SIZE)
            c, d = max(x0, left * SIZE), min(x1, (left + 1) * SIZE)
            ys, xs = (np.arange(*ends, dtype=np.float32) + np.float32(0.5)
                      for ends in ((a - top * SIZE, b - top * SIZE), (c - left * SIZE, d - left * SIZE)))
            out[:, a - y0:b - y0, c - x0:d - x0] = _square(world, around, left, top, xs[None], ys[:, None])
    return out


def _square(world, around: int, left: int, top: int, x, y) -> np.ndarray:
    """Some pixels of one square: which of nine districts is nearest, and what that one has ruled there."""
    near = [(np.uint64(hashed(world, (left + i) % around, top + j)), i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)]
    keys = np.array([key for key, _, _ in near])
    px = SIZE * (uniform(keys, 0) + np.array([i for _, i, _ in near], np.float32))
    py = SIZE * (uniform(keys, 1) + np.array([j for _, _, j in near], np.float32))
    nearest = np.stack([(x - u) ** 2 + (y - v) ** 2 for u, v in zip(px, py, strict=True)]).argmin(0)
    # The direction by the tangent of half its angle, which needs no sine.
    half = uniform(keys, 2, -0.4142, 0.4142)
    cos, sin = (1 - half**2) / (1 + half**2), 2 * half / (1 + half**2)
    rows = uniform(keys, 3)
    rows = ROWS[0] + np.float32(ROWS[1] - ROWS[0]) * rows * rows  # narrow ones are more
    strength = np.maximum(uniform(keys, 4, *STRENGTH), np.float32(0.1))

    def mine(of_districts):
        return of_districts[nearest]

    dx, dy = x - mine(px), y - mine(py)
    across, along = dx * mine(cos) + dy * mine(sin), dy * mine(cos) - dx * mine(sin)
    across = across / mine(rows) + mine(uniform(keys, 5, -9, 9))
    row = np.floor(across)
    key = hashed(mine(keys), row.astype(np.int64))
    long = mine(rows * uniform(keys, 6, *LONG)) * scaled(key, *UNEVEN)
    # Of every two neighbours in a row, half are one parcel: rows of equal ones look like bricks.
    number = np.floor(along / long + scaled(key << _24, -9, 9)).astype(np.int64)
    both = hashed(key, number >> 1)
    parcel = np.where(both & np.uint64(1), both, hashed(both, number))
    from_lane = np.minimum(across - row, 1 - (across - row)) * mine(rows) / np.float32(LANE)
    lane = mine(uniform(keys, 7, -LANES, LANES)) / (1 + (from_lane * from_lane) ** 2)
    spread = np.float32(1.5)
    light, green = (scaled(bits, -spread, spread) for bits in (parcel, parcel << _24))
    return mine(strength) * np.stack([light + lane, green])
