"""The shape and the climate of an invented planet, at a coarse resolution: what grows where, and how deep the sea is.

Drifting plates give mountain chains, rifts, island arcs and mid-ocean ridges; noise gives the rest. Winds carry
moisture from the sea over the land until mountains wring it out. Units: height in km above the sea, temperature in °C.
"""

from dataclasses import dataclass

import numpy as np

from model.sphere import Noise, directions, latitudes, points, smooth, uniforms

PLATES, NATURE, SHAPE, WEATHER = 1, 2, 3, 4     # labels of the streams of random numbers


@dataclass(frozen=True)
class Nature:
    """What kind of planet a seed is."""

    sea: float          # share of the surface under water
    warmth: float       # °C added everywhere
    wetness: float      # added to the moisture, itself about 0 … 1
    redness: float      # added to the soil's hue, 0 … 1
    plates: int
    roughness: float    # strength of the finer octaves of the land's shape

    @classmethod
    def of(cls, seed: int) -> "Nature":
        u = uniforms(seed, NATURE, 8)
        # Most planets lie near the Earth; the cube makes a few go far.
        swing = lambda value, reach: float(reach * (0.5 * (2 * value - 1) + 0.5 * (2 * value - 1) ** 3))  # noqa: E731
        return cls(sea=0.64 + swing(u[0], 0.17), warmth=swing(u[1], 9), wetness=swing(u[2], 0.22),
                   redness=swing(u[3], 0.35), plates=9 + int(u[4] * 14), roughness=0.57 + 0.09 * float(u[5]))


@dataclass(frozen=True)
class Terrain:
    """Fields (H, 2H) float32 of one planet."""

    shore: np.ndarray           # 0 on the coast, positive on land; continuous, about -1 … 1
    height: np.ndarray          # km; negative under the sea
    temperature: np.ndarray     # °C
    moisture: np.ndarray        # rank among the land, 0 driest … 1 wettest
    soil: np.ndarray            # rank of its redness, 0 … 1
    floor: np.ndarray           # brightness of the sea floor, 0 abyss … 1 shallows


def temperature_at(latitude: np.ndarray, height: np.ndarray) -> np.ndarray:
    """°C of the year's mean: from latitude (radians) and height (km), about as on Earth."""
    return 28 - 52 * np.sin(latitude) ** 2 - 6.0 * np.maximum(height, 0)


def terrain(seed: int, rows: int) -> Terrain:
    """The planet of a seed with `rows` rows; a pure function of both."""
    nature, where = Nature.of(seed), points(rows)
    latitude = latitudes(rows)[:, None]
    shape, weather = Noise(seed, SHAPE), Noise(seed, WEATHER)

    # Bend space before looking anything up: plates and coasts lose their straight lines.
    bend = np.stack([shape.fractal(where, 1.7, 5, 0.55, shift) for shift in (1, 2, 3)])
    bent = where + np.float32(0.16) * bend
    crust, push, pull = _plates(seed, nature, where + np.float32(0.11) * bend)
    detail = shape.fractal(bent, 1.15, 8, nature.roughness, 4)
    crests = shape.ridges(where + np.float32(0.05) * bend, 5.5, 6, 5)

    raw = 0.62 * detail + 0.75 * crust - 0.28 * pull * (crust > 0) + 0.34 * push * (0.35 + crests)
    level = _quantile(raw, np.cos(latitude), nature.sea)
    above = raw - level
    inland = smooth((above > 0).astype(np.float32), 3.0)

    # Plains near the coast, plateaus inside, chains where plates collide, old worn hills elsewhere.
    old = shape.fractal(where, 2.3, 3, 0.5, 6)
    height = (0.55 * above + 0.5 * np.maximum(inland - 0.45, 0)
              + 6.4 * push * np.clip(2.5 * above, 0, 1) * (0.12 + 0.88 * crests)
              + 1.5 * np.maximum(old, 0) * np.clip(1.5 * above, 0, 1) * crests)
    height = np.where(above > 0, np.maximum(height, 0.002), 3 * above).astype(np.float32)

    blur = weather.fractal(where, 3.0, 6, 0.6)
    regional = weather.fractal(where, 1.5, 4, 0.6, 5)
    temperature = temperature_at(latitude + 0.03 * blur + 0.05 * regional, height) + nature.warmth
    moisture = _moisture(height, latitude, regional) + 0.12 * blur + 0.06 * weather.fractal(where, 24, 3, 0.7, 1)
    moisture = _rank(moisture, height > 0, latitude) + nature.wetness
    soil = 0.5 + 0.3 * weather.fractal(where, 2.2, 7, 0.6, 2) + nature.redness
    floor = _floor(above, smooth((above > 0).astype(np.float32), 1.6), pull, push, crust,
                   weather.fractal(bent, 2.6, 7, 0.6, 3), shape.ridges(bent, 9, 4, 7))
    water = above <= 0
    floor = 0.4 * floor + 0.6 * _rank(floor, water, latitude)
    fields = (above, height, temperature, np.clip(moisture, 0, 1), np.clip(soil, 0, 1), floor)
    return Terrain(*(field.astype(np.float32) for field in fields))


def _plates(seed: int, nature: Nature, where: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crust (-1 ocean … 1 continent), and how hard plates collide (`push`) and part (`pull`) near borders, 0 … 1."""
    count = nature.plates
    centres = directions(seed, PLATES, count).astype(np.float32)
    drift = directions(seed, PLATES + 10, count) * uniforms(seed, PLATES + 20, count)[:, None]
    kind = uniforms(seed, PLATES + 30, count)
    order = np.argsort(kind, kind="stable")
    crust = np.empty(count, np.float32)
    crust[order] = np.linspace(-1, 1, count)

    closeness = np.tensordot(centres, where, axes=1)                    # (count, H, W): cosine of the distance
    first = closeness.argmax(axis=0)
    best = closeness.max(axis=0)
    np.put_along_axis(closeness, first[None], -9, axis=0)
    second = closeness.argmax(axis=0)
    gap = best - closeness.max(axis=0)                                  # 0 on the border

    # Approach of two plates turning about their own axes, at the middle of their border.
    middle = centres[:, None] + centres[None]
    towards = centres[None] - centres[:, None]
    speed = np.cross(drift[:, None] - drift[None], middle)
    approach = (speed * towards).sum(-1) / np.maximum(np.sqrt((towards**2).sum(-1)), 1e-3)
    meeting = approach[first, second].astype(np.float32)
    near = np.exp(-((gap / np.float32(0.085)) ** 2))
    level = crust[first] * (0.5 + 0.5 * np.tanh(gap * 14)) + crust[second] * (0.5 - 0.5 * np.tanh(gap * 14))
    return (smooth(level, 2.5), smooth(near * np.clip(1.6 * meeting, 0, 1), 0.7),
            smooth(near * np.clip(-1.6 * meeting, 0, 1), 0.7))


def _moisture(height: np.ndarray, latitude: np.ndarray, regional: np.ndarray) -> np.ndarray:
    """What rains on the land, about 0 … 1: belts of latitude, and what winds bring from the sea past the mountains."""
    degrees = np.abs(np.degrees(latitude))
    bent = np.abs(np.degrees(latitude) + 7 * regional)
    belts = np.interp(bent, [0, 8, 17, 24, 31, 42, 55, 70, 90], [1, 0.95, 0.5, 0.12, 0.2, 0.62, 0.75, 0.6, 0.5])
    trade = np.interp(degrees, [0, 24, 36, 58, 66, 90], [1, 0.9, 0.05, 0.05, 0.7, 0.8])     # share of easterly wind
    coarse = height[::2, ::2]
    thin = np.maximum(np.cos(latitude[::2, 0]), 0.1)
    carried = [_carry(coarse, 1, thin), _carry(coarse, -1, thin)]           # from the west, from the east
    rain = carried[0] * (1 - trade[::2]) + carried[1] * trade[::2]
    rain = smooth(rain.astype(np.float32), 1.4).repeat(2, 0).repeat(2, 1)[:height.shape[0], :height.shape[1]]
    return (0.34 * belts + 0.62 * rain + 0.1 * regional).astype(np.float32)


def _carry(height: np.ndarray, step: int, thin: np.ndarray) -> np.ndarray:
    """Moisture of an air column that blows along each row, twice round the planet so that the start is forgotten."""
    rows, width = height.shape
    loss = np.exp(-thin * (360 / width) / 22)           # a land breeze dries by 1/e in 22° of the equator
    soak = np.exp(-thin * (360 / width) / 5)
    over, land = np.maximum(height, 0), height > 0
    air, before, out = np.full(rows, 0.7), over[:, -step], np.empty_like(height)
    for turn in range(2 * width):
        column = (turn * step) % width
        now = over[:, column]
        wrung = air * np.exp(-0.55 * np.maximum(now - before, 0))
        rained = air - wrung
        air = np.where(land[:, column], wrung * loss, 1 - (1 - wrung) * soak)
        out[:, column] = air + 2.0 * rained
        before = now
    return out


def _floor(above, shelf, pull, push, crust, rough, ridges):
    """Brightness of the sea floor: bright shelves that break off, dark abyss, mid-ocean ridges, trenches."""
    edge = above + 0.55 * shelf + 0.05 * rough
    bank = 1 / (1 + np.exp(-(edge + 0.02) * 26))
    abyss = 0.34 + 0.17 * rough + 0.16 * crust + 0.5 * pull * (0.4 + ridges) + 0.12 * ridges - 0.22 * push
    return np.clip(0.72 * np.clip(abyss, 0, 1) * (1 - bank) + bank * (0.86 + 0.1 * np.clip(1 + 3 * above, 0, 1)), 0, 1)


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """The level that `share` of the sphere's surface lies below; rows count by `weight` (H, 1)."""
    edges = np.linspace(float(values.min()), float(values.max()), 2049)
    counts, _ = np.histogram(values, edges, weights=np.broadcast_to(weight, values.shape))
    return float(edges[1 + np.searchsorted(np.cumsum(counts), share * counts.sum())])


def _rank(values: np.ndarray, among: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Each value's rank, 0 … 1, among those pixels, by area."""
    weight = np.broadcast_to(np.cos(latitude), values.shape)[among]
    counts, edges = np.histogram(values[among], 512, weights=weight)
    return np.interp(values, edges[1:], np.cumsum(counts) / max(counts.sum(), 1e-9)).astype(np.float32)
