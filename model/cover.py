"""Land cover, for every (seed, level, X, Y): woods and clearings, and streams, the same in every window.

Where a sum of smooth noises changes sign there is a border. Every level has such noises of its own, 64 pixels wide,
and all have the finer ones in common, down to four pixels of the level that looks: so a wood keeps its outline, which
shows more the nearer one comes, and has clearings that only a finer level knows. Streams run along such borders.

Integers are hashed as for `parcels`, and all else is sums, products, quotients and square roots, so that no platform's
libm decides a last digit; `arrays` has them for NumPy and for a GPU. What changes here changes pixels:
`generator.REVISION`.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from model import arrays
from model.arrays import hashed, picked, quotient, root, stretched
from model.grid import width

CHANNELS = 2             # brightness, and how green it is
FIRST = 9                # the level from which there are any
OWN, FINEST = (32, 64), 4  # pixels: squares of a level's own noises, and of the finest that all have in common
ROUGH = np.float32(0.95)  # how steep a noise is, in terms of the next wider
STEEP = np.float32(1.2) / ROUGH  # ... and the widest of all
SHARP, EDGE = np.float32(0.7), np.float32(12.0)  # pixels within which a border is sharp, and from which it fades
SPREAD = np.float32(1.5)  # how light, dark or green land is at most
REGION, FAINT = 512, np.float32(0.15)  # pixels of the squares in which woods are dark, or light, and where neither
STEP = 8                 # pixels, along and across, that are told one number of that
STREAM, BANKS = np.float32(1.0), np.float32(1.6)  # half width of a stream, pixels; how light or dark it is
HAZE, FLAT = np.float32(7), np.float32(0.16)  # pixels within which a border is a haze; what has none near
REGIONAL = "light", "green", "water"
KINDS = {name: number for number, name in enumerate(("shared", "land", "stream", *REGIONAL), 1)}


def field(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """Cover of the pixels x0…x1, y0…y1 of a level: float32 ``(2, y1-y0, x1-x0)``, of variance one or so; 0 above
    `FIRST`. x wraps at the level's width. `device`: None for an array."""
    place, out = (x0, y0, x1, y1), arrays.zeros((CHANNELS, y1 - y0, x1 - x0), device)
    made = {} if device is None else at_once(seed, level, place, device)

    def noise(kind: str, of: int, size: int, step: int = 1):
        if device is None:
            return splines(key(seed, level, kind, of, size), level, size, *place, step)
        return made[kind, of, size]
    shared = arrays.zeros(out.shape[1:], device)
    for of, scale, sizes in grounds(level):
        for size in sizes:
            shared += noise("shared", 0, size) * steep(size, level)
        ground, stream = 1 * shared, 1 * shared  # what is added to them is their own
        for own in (scale * own for own in OWN):
            ground += noise("land", of, own) * steep(own, level)
            stream += noise("stream", of, 2 * own) * (2 * steep(own, level))
        border = sign(ground, SHARP)
        ground = quotient(ground, EDGE)
        border /= 1 + ground * ground
        light, green, water = (repeated(sign(noise(kind, of, REGION * scale, STEP), FAINT), *place, STEP)
                               for kind in REGIONAL)
        stream = quotient(stream, STREAM * np.float32(scale**0.5))
        bed = 1 / (1 + (stream * stream) ** 2)
        out[0] += border * light * SPREAD + bed * water * BANKS
        out[1] += border * green * SPREAD + bed
    return out


def beside(seed: int, level: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """From how many pixels farther right, and down, these pixels take their colour, so that the border of a wood which
    the level above has shown is no haze; and how near that is, in 0…1: float32 ``(3, y1-y0, x1-x0)``; 0 at `FIRST`."""
    out = arrays.zeros((3, y1 - y0, x1 - x0), device)
    place, lib = (x0 - 1, y0 - 1, x1 + 1, y1 + 1), arrays.library(out)

    def noise(kind: str, of: int, size: int):
        return splines(key(seed, level, kind, of, size), level, size, *place, 1, device) * steep(size, level)

    shared = arrays.zeros((y1 - y0 + 2, x1 - x0 + 2), device)
    for of, scale, sizes in grounds(level):
        shared += sum(noise("shared", 0, size) for size in sizes)
        if of < level:
            ground = shared + sum(noise("land", of, scale * own) for own in OWN)
            high, right, down = (ground[1:-1, 1:-1], ground[1:-1, 2:] - ground[1:-1, :-2],
                                 ground[2:, 1:-1] - ground[:-2, 1:-1])
            slope = root(right * right + down * down + FLAT)  # twice of a pixel's
            far = 2 * lib.abs(high) / slope
            near = (1 - far / HAZE).clip(0, 1)
            go = HAZE * near * (far / SHARP).clip(0, 1) * (2 * arrays.single(high > 0) - 1) / slope
            arrays.nearest(out, right * go, down * go, near)
    return out


def grounds(level: int) -> Iterator[tuple[int, int, list[int]]]:
    """The levels that a level shows, its own first: how much coarser they are, and the sizes, in its pixels, of the
    noises that they have in common with all finer ones, and these have not."""
    size = FINEST
    for of in range(level, FIRST - 1, -2):
        scale, sizes = 1 << (level - of), []
        while size < OWN[0] * scale:
            sizes.append(size)
            size *= 2
        yield of, scale, sizes


def key(seed: int, level: int, kind: str, of: int, size: int) -> np.uint64:
    """Of a noise of squares so many pixels of a level wide."""
    return hashed(np.uint64(0), seed, KINDS[kind], of, size << (15 - level))


def layers(level: int) -> Iterator[tuple[str, int, int, int]]:
    """All noises of a level: of what kind and which level, how wide, and the pixels that are told one number."""
    for of, scale, sizes in grounds(level):
        yield from (("shared", 0, size, 1) for size in sizes)
        for own in OWN:
            yield from (("land", of, scale * own, 1), ("stream", of, 2 * scale * own, 1))
        yield from ((kind, of, REGION * scale, STEP) for kind in REGIONAL)


def at_once(seed: int, level: int, place: tuple[int, int, int, int], device) -> dict:
    """All noises of a level by kind, level and size, on a device, where those of a size cost no more than one."""
    made, alike = {}, {}
    for kind, of, size, step in layers(level):
        alike.setdefault((size, step), []).append((kind, of, size))
    for (size, step), those in alike.items():
        keys = np.array([key(seed, level, *which) for which in those])[:, None, None]
        made |= zip(those, splines(keys, level, size, *place, step, device), strict=True)
    return made


def steep(size: int, level: int) -> np.float32:
    """How high a noise of so wide squares is, in pixels of the level: about as high as it is wide."""
    factor = STEEP
    for _ in range((OWN[-1] << level - FIRST).bit_length() - size.bit_length()):
        factor = factor * ROUGH  # one by one: a power is some libm's
    return factor * np.float32(size)


def sign(x, within: np.float32):
    """-1 or 1, but for where x is nearer to 0 than `within` or so."""
    return x / root(x * x + within * within)


def splines(key, level: int, size: int, x0: int, y0: int, x1: int, y1: int, step: int, device=None):
    """Noise of squares `size` pixels wide, float32 in -1…1: quadratic B-splines of a number each. One of it for every
    square of `step` pixels, from the one that x0, y0 lies in: ``(h, w)``; on a device of several keys ``(n, 1, 1)``, if
    they are given: ``(n, h, w)``."""
    (columns, left, across), (rows, top, along) = (_squares(*ends, size, step, device) for ends in ((x0, x1), (y0, y1)))
    known = arrays.grid(key, columns % (width(level) // size), rows, -1.0, 1.0, device)
    if device is not None:  # in few operations, for to begin with one takes as long as the rest of it
        lines = sum((picked(known, top.flatten(), -2).unflatten(-2, (3, -1)) * along[..., None]).unbind(-3))
        first, second, third = (picked(lines, left.flatten(), -1).unflatten(-1, (3, -1)) * across).unbind(-2)
        return first + second + third
    lines = sum(known[top[i]] * along[i][:, None] for i in range(3))
    made = picked(lines, left[0], 1)
    made *= across[0]
    for i in (1, 2):
        part = picked(lines, left[i], 1)
        part *= across[i]
        made += part
    return made


def rolling(names: tuple[int, ...], level: int, size: int, x0: int, y0: int, x1: int, y1: int, device=None):
    """The same at each of these pixels, of the key with such names: that of so many metres is one at every level."""
    return splines(hashed(np.uint64(0), *names, size << (15 - level)), level, size, x0, y0, x1, y1, 1, device)


def repeated(values, x0: int, y0: int, x1: int, y1: int, step: int):
    """One number for every square of `step` pixels, from the one that x0, y0 lies in: of the pixels x0…x1, y0…y1."""
    rows = stretched(values, step, 0)[y0 % step:][:y1 - y0]
    return stretched(rows, step, 1)[:, x0 % step:][:, :x1 - x0]


@lru_cache(maxsize=256)
def _squares(begin: int, end: int, size: int, step: int, device=None) -> tuple:
    """Squares, and of every `step` pixels from begin to end which three of them each is made of, and their shares, both
    ``(3, n)``. (A field asks for the same some times.)"""
    first, shares = _weights(begin // step * step, end, size, step)
    squares = np.arange(first.min(), first.max() + 3)
    return squares, *(arrays.put(x, device) for x in (first - first[0] + np.arange(3)[:, None], shares))


def _weights(begin: int, end: int, size: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every `step` pixels from begin to end the first of three squares that each is made of, and their shares."""
    at = (np.arange(begin, end, step) - begin // size * size + np.float32(step / 2)) / np.float32(size)
    nearest = np.floor(at)
    off = (at - nearest - np.float32(0.5)).astype(np.float32)
    half = np.float32(0.5)
    shares = np.stack([(half - off) ** 2 / 2, np.float32(0.75) - off * off, (half + off) ** 2 / 2])
    return nearest.astype(np.int64) + begin // size - 1, shares
