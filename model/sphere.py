"""Noise and smoothing on a sphere that is drawn as a plate carrée picture.

A picture is an array (H, 2H): row 0 lies at the north pole, column 0 at 180° W. Noise is drawn in space and read where
the sphere cuts it, so that it has no seam at ±180° and no pinch at a pole. Its random integers come from Philox alone.
"""

from functools import lru_cache

import numpy as np

LATTICE = 64                    # cells of the noise cube along an edge; the cube repeats
CHUNK = 1 << 16                 # points looked up at once: the intermediate arrays stay in the processor's cache


def integers(seed: int, label: int, count: int) -> np.ndarray:
    """`count` random uint64: a pure function of the seed (0 … 2⁶⁴-1) and of what they are for (`label`)."""
    return np.random.Philox(key=np.array([seed, label], np.uint64)).random_raw(count)


def uniforms(seed: int, label: int, count: int) -> np.ndarray:
    """`count` float64 in [0, 1), exact multiples of 2⁻⁵³."""
    return (integers(seed, label, count) >> np.uint64(11)) * 2.0**-53


def directions(seed: int, label: int, count: int) -> np.ndarray:
    """`count` points spread evenly over the sphere, (count, 3) float64."""
    z, turn = uniforms(seed, label, 2 * count).reshape(2, count)
    z, turn = 2 * z - 1, 2 * np.pi * turn
    ring = np.sqrt(1 - z * z)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)


def latitudes(height: int) -> np.ndarray:
    """Latitude in radians of each row's centre, (height,) float32."""
    return (np.pi * (0.5 - (np.arange(height) + 0.5) / height)).astype(np.float32)


@lru_cache(maxsize=4)
def points(height: int) -> np.ndarray:
    """The pixels' centres as unit vectors, (3, height, 2·height) float32."""
    latitude = latitudes(height)[:, None]
    longitude = (np.pi * ((np.arange(2 * height) + 0.5) / height - 1)).astype(np.float32)
    around = np.cos(latitude)
    return np.stack([around * np.cos(longitude), around * np.sin(longitude),
                     np.broadcast_to(np.sin(latitude), (height, 2 * height))])


class Noise:
    """A field of smooth random values in space: mean 0, standard deviation about 1."""

    def __init__(self, seed: int, label: int):
        cube = uniforms(seed, label, LATTICE**3).astype(np.float32).reshape((LATTICE,) * 3) - np.float32(0.5)
        for axis in range(3):   # a bell over the cells hides that the lattice is a lattice
            cube = cube + 0.5 * (np.roll(cube, 1, axis) + np.roll(cube, -1, axis))
        cube /= cube.std()
        self._cube = np.pad(cube, (0, 1), mode="wrap").ravel()      # one more cell, so that no index wraps below
        self._seed, self._label = seed, label

    def octave(self, where: np.ndarray, frequency: float, shift: int = 0) -> np.ndarray:
        """Values (…) float32 at the unit vectors `where` (3, …); `frequency` lattice cells make the sphere's radius."""
        turned = _rotation(self._seed, self._label + 1000 + shift, frequency) @ where.reshape(3, -1)
        offset = LATTICE * uniforms(self._seed, self._label + 2000 + shift, 3).astype(np.float32)
        out = np.empty(turned.shape[1], np.float32)
        for start in range(0, out.size, CHUNK):
            stop = start + CHUNK
            out[start:stop] = self._lookup(turned[:, start:stop] + offset[:, None])
        return out.reshape(where.shape[1:])

    def fractal(self, where: np.ndarray, frequency: float, octaves: int, fall: float = 0.5,
                shift: int = 0) -> np.ndarray:
        """Octaves, each twice as fine and `fall` times as strong as the one before, scaled to standard deviation 1."""
        total, strength, power = 0.0, 1.0, 0.0
        for octave in range(octaves):
            total = total + np.float32(strength) * self.octave(where, frequency * 2**octave, 20 * shift + octave)
            power, strength = power + strength**2, strength * fall
        return total / np.float32(np.sqrt(power))

    def ridges(self, where: np.ndarray, frequency: float, octaves: int, shift: int = 0) -> np.ndarray:
        """Sharp crests with branching spurs, 0 … 1; the finer octaves grow on the crests of the coarser."""
        total, weight, strength, most = 0.0, 1.0, 1.0, 0.0
        for octave in range(octaves):
            crest = 1 - np.minimum(np.abs(self.octave(where, frequency * 2**octave, 20 * shift + octave)), 1)
            crest = crest * crest * weight
            total, most = total + np.float32(strength) * crest, most + strength
            weight, strength = np.minimum(crest * 1.6, 1), strength * 0.55
        return total / np.float32(most)

    def _lookup(self, at: np.ndarray) -> np.ndarray:
        """Trilinear value of the cube at (3, N) in cells."""
        at -= LATTICE * np.floor(at / LATTICE)
        cell = np.minimum(at.astype(np.int32), LATTICE - 1)
        x, y, z = at - cell
        row, layer = LATTICE + 1, (LATTICE + 1) ** 2
        corner = cell[0] + row * cell[1] + layer * cell[2]
        rows = []
        for step in (0, row, layer, layer + row):
            left = self._cube.take(corner + step)
            rows.append(left + x * (self._cube.take(corner + (step + 1)) - left))
        near, far = rows[0] + y * (rows[1] - rows[0]), rows[2] + y * (rows[3] - rows[2])
        return near + z * (far - near)


def _rotation(seed: int, label: int, scale: float) -> np.ndarray:
    """A turn of space times `scale`, (3, 3) float32: octaves do not line up, nor does the lattice with the axes."""
    first, second = directions(seed, label, 2)
    second = second - (first @ second) * first
    second /= np.sqrt(second @ second)
    return (scale * np.stack([first, second, np.cross(first, second)])).astype(np.float32)


def smooth(picture: np.ndarray, degrees: float) -> np.ndarray:
    """A picture (H, 2H) blurred by a Gaussian of that standard deviation on the ground, float32.

    Along a row the Gaussian widens towards the poles, where a degree of longitude is shorter.
    """
    height, width = picture.shape
    sigma = degrees * height / 180
    wave = np.fft.rfftfreq(width).astype(np.float32)
    spread = sigma / np.maximum(np.cos(latitudes(height)), sigma / width)[:, None]
    rows = np.fft.rfft(picture, axis=1) * np.exp(-2 * (np.pi * wave * spread) ** 2)
    rows = np.fft.irfft(rows, width, axis=1)
    # Over a pole a column goes on down the opposite meridian.
    whole = np.concatenate([rows, np.roll(rows[::-1], width // 2, axis=1)])
    wave = np.fft.rfftfreq(2 * height)[:, None]
    whole = np.fft.irfft(np.fft.rfft(whole, axis=0) * np.exp(-2 * (np.pi * wave * sigma) ** 2), 2 * height, axis=0)
    return whole[:height].astype(np.float32)
