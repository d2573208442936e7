"""Somewhere interesting: an honest search through the coarse pixels of a planet. No list of places, no network.

Two looks. The first cuts the whole planet at a coarse zoom into cells of 8×8 pixels (16×16 for rivers) and scores each
for what is sought. The second takes the best of them, looks at the same ground in the base's own finest pixels, scores
again and says why. Water, ice, green and bare ground are told apart by colour alone: a red planet has no coast, and the
search says so. Towns and dunes are not the base's, but a seed's (`towns`, `dunes`): of towns the second look takes the
largest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model import dunes, land_use, towns
from model.base import Base
from model.errors import ElsewhereError
from model.grid import ground_resolution, lonlat_to_pixel, pixel_to_lonlat, width
from model.ground import PALE, RUDDY

KINDS = ("coast", "river", "mountains", "desert", "dunes", "town")
NAMES = {"coast": "coast", "river": "river mouth", "mountains": "mountains", "desert": "desert's edge",
         "dunes": "sand", "town": "land for a town"}
SEARCH_ZOOM = 3  # 2048 px around the planet, 20 km each at the equator
CELL = {kind: 16 if kind == "river" else 8 for kind in KINDS}  # pixels; a river needs its land and its sea
CANDIDATES = 96  # cells of the first look that get a second
LARGE = 60.0  # pixels of z11: the radius of a town that is worth as much as the land that it lies on
FARTHEST = 66.0  # degrees of latitude: nearer the poles Mercator shows mostly ice, enlarged
# Scores below these are not worth a visit.
LEAST = {"coast": 1.0, "river": 0.006, "mountains": 5.0, "desert": 0.12, "dunes": 0.5, "town": 0.1}


class NothingFound(ElsewhereError):
    code = "nothing_found"


@dataclass(frozen=True)
class Place:
    """A place worth a visit, and why."""

    kind: str
    lat: float
    lon: float
    score: float
    reason: str


@dataclass(frozen=True)
class Ground:
    """What the pixels are: boolean arrays of one shape ``(…, H, W)``, and their brightness in grey levels 0–255."""

    water: np.ndarray
    ice: np.ndarray
    green: np.ndarray
    bare: np.ndarray
    sand: np.ndarray
    brightness: np.ndarray


def classify(pixels: np.ndarray) -> Ground:
    """Water, ice, green and bare ground, and sand, by colour: uint8 ``(…, H, W, 3)`` -> `Ground`."""
    r, g, b = (pixels[..., k].astype(np.int16) for k in range(3))
    low, high = np.minimum(np.minimum(r, g), b), np.maximum(np.maximum(r, g), b)
    water = ((5 * b > 6 * r) & (5 * b > 4 * g) & (low < 140)) | (high < 32)  # blue to teal, or dark as a deep lake
    ice = (low > 165) & (high - low < 36) & ~water
    green = (g >= r) & (g > b) & ~water & ~ice
    bare = (r > g) & (g > b) & (high > 90) & ~water & ~ice
    sand = np.any([(r >= min(bright)) & (r - g >= min(warm)) for bright, warm in (PALE, RUDDY)], axis=0) & bare
    return Ground(water, ice, green, bare, sand, 0.3 * r + 0.59 * g + 0.11 * b)


def shoreline(water: np.ndarray) -> np.ndarray:
    """How often water meets land between neighbours, in sides of the square: about 1 for a straight shore across it."""
    across = (water[..., :, 1:] != water[..., :, :-1]).sum((-2, -1))
    down = (water[..., 1:, :] != water[..., :-1, :]).sum((-2, -1))
    return np.hypot(across, down) / water.shape[-1]


def narrows(water: np.ndarray) -> np.ndarray:
    """Water with land close by on both sides, at most three pixels wide: fjords, inlets, river mouths."""
    narrow = np.zeros_like(water)
    for axis in (-1, -2):
        land = ~water
        before = np.roll(land, 1, axis) | np.roll(land, 2, axis)
        after = np.roll(land, -1, axis) | np.roll(land, -2, axis)
        narrow |= water & before & after
    narrow[..., :2, :] = narrow[..., -2:, :] = False  # np.roll went around these
    narrow[..., :, :2] = narrow[..., :, -2:] = False
    return narrow


def roughness(ground: Ground) -> np.ndarray:
    """Mean step of brightness from pixel to pixel, in grey levels."""
    light = ground.brightness
    return (np.abs(np.diff(light, axis=-1)).mean((-2, -1)) + np.abs(np.diff(light, axis=-2)).mean((-2, -1))) / 2


def evenness(ground: Ground) -> np.ndarray:
    """In 0…1: 1 of plains, 0 of mountains."""
    return np.clip(1.5 - roughness(ground) / 8, 0, 1)


def contrast(ground: Ground) -> np.ndarray:
    """How much brighter bare ground is than green, in grey levels (0 where one of them is missing)."""
    bare, green = (
        (ground.brightness * mask).sum((-2, -1)) / np.maximum(mask.sum((-2, -1)), 1)
        for mask in (ground.bare, ground.green)
    )
    return np.maximum(bare - green, 0) * (bare > 0) * (green > 0)


def plume(ground: Ground) -> np.ndarray:
    """Share of pixels that are brown, the sea on one side and green land on the other: mud, carried out by a river."""
    sea, green = ground.water & (ground.brightness > 32), ground.green
    reach = max(2, sea.shape[-1] // 8)
    mud = np.zeros_like(sea)
    for axis in (-1, -2):
        for side in (-1, 1):
            near_sea = np.any([np.roll(sea, side * k, axis) for k in range(1, reach + 1)], axis=0)
            near_green = np.any([np.roll(green, -side * k, axis) for k in range(1, reach + 1)], axis=0)
            mud |= ground.bare & near_sea & near_green
    inner = slice(reach // 2, -(reach // 2))  # np.roll went around the rim
    return share(mud[..., inner, inner])


def share(mask: np.ndarray) -> np.ndarray:
    return mask.mean((-2, -1))


def score(kind: str, ground: Ground) -> np.ndarray:
    """How good an example of a kind each square is, 0 where it is none: ``(…)`` for a ground ``(…, H, W)``."""
    water, ice, green, bare = (share(mask) for mask in (ground.water, ground.ice, ground.green, ground.bare))
    if kind == "coast":
        return shoreline(ground.water) * ((water > 0.2) & (water < 0.8) & (ice < 0.1))
    if kind == "river":
        sea = share(ground.water & (ground.brightness > 32))  # lakes are darker
        mouth = (sea > 0.06) & (water < 0.75) & (green > 0.2) & (ice < 0.02)
        return green * (share(narrows(ground.water)) + 4 * plume(ground)) * mouth
    if kind == "mountains":
        return roughness(ground) * (1 + np.minimum(ice, 0.3)) * ((water < 0.04) & (ice < 0.6))
    if kind == "desert":
        return np.minimum(bare, green) * contrast(ground) / 60 * ((water < 0.03) & (ice < 0.02))
    if kind == "dunes":
        return share(ground.sand) * evenness(ground)
    if kind == "town":
        light = ground.brightness.mean((-2, -1))
        open_land = np.clip((light - 60) / 30, 0, 1)  # woods are dark
        return (green + bare) * evenness(ground) * open_land * ((green > 0.3) & (water < 0.05) & (ice < 0.01))
    raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")


def reason(kind: str, ground: Ground, metres: float) -> str:
    """Why this square was chosen, in the numbers it was chosen by. `metres` per pixel."""
    masks = (ground.water, ground.ice, ground.green, ground.bare)
    water, ice, green, bare = (f"{100 * share(mask):.0f} %" for mask in masks)
    grain = f"{metres / 1000:.1f} km"
    if kind == "coast":
        times = f"{shoreline(ground.water):.1f}"
        return f"A ragged coast: {water} water, and a shore {times} times as long as a straight one ({grain} pixels)."
    if kind == "river":
        if plume(ground) > 0.01:
            mud = f"{100 * plume(ground):.0f} %"
            return f"A shore of mud, as a river leaves it: on {mud} of this ground, between green land and the sea."
        return f"A mouth or a narrows: water at most {3 * metres / 1000:.0f} km wide between banks {green} green."
    if kind == "mountains":
        snow = f", snow or bright rock on {ice}" if share(ground.ice) > 0.01 else ""
        return f"Mountains: {roughness(ground):.0f} grey levels from one {grain} pixel to the next{snow}."
    if kind == "dunes":
        return f"A sea of sand: {100 * share(ground.sand):.0f} % of this ground ({grain} pixels), and dunes on dunes."
    if kind == "town":
        return f"The plain around it is {green} green, {bare} bare ({grain} pixels)."
    brighter = f"brighter by {contrast(ground):.0f} grey levels than the {green} of green beside it"
    return f"A desert’s edge: {bare} bare ground, {brighter} ({grain} pixels)."


def cells(pixels: np.ndarray, size: int) -> np.ndarray:
    """Cut uint8 ``(H, W, 3)`` into squares: ``(H/size, W/size, size, size, 3)``."""
    h, w = pixels.shape[0] // size, pixels.shape[1] // size
    return pixels[: h * size, : w * size].reshape(h, size, w, size, 3).swapaxes(1, 2)


def candidates(scores: np.ndarray, count: int) -> Iterator[tuple[int, int]]:
    """Rows and columns of the best cells, no two of them neighbours. `scores` is ``(rows, columns)``; columns wrap."""
    taken = np.zeros(scores.shape, bool)
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        row, column = divmod(int(flat), scores.shape[1])
        if scores[row, column] <= 0 or count == 0:
            return
        if not taken[row, column]:
            yield row, column
            count -= 1
            taken[max(row - 2, 0) : row + 3, np.arange(column - 2, column + 3) % scores.shape[1]] = True


def largest_town(base: Base, seed: int, x: int, y: int, side: int) -> towns.Town | None:
    """The largest town of a seed in a square of the base's pixels, if one lies on a plain."""
    scale = 1 << (towns.SCALED - base.zoom)
    box = x * scale, y * scale, (x + side) * scale, (y + side) * scale
    for town in sorted(towns.within(seed, *box), key=lambda town: -town.radius):
        left, top = int(town.x) - 4, int(town.y) - 4
        if town.radius > LARGE / 2 and land_use.plains(base, towns.SCALED, left, top, left + 8, top + 8).mean() > 0.9:
            return town
    return None


def search(base: Base, kind: str, seed: int) -> list[Place]:
    """The places of one kind on a planet, best first; raises `NothingFound`.

    The seed only changes which of the good ones come first: its digest takes up to a third off a place's score.
    """
    zoom = min(SEARCH_ZOOM, base.zoom)
    size, cell = width(zoom), CELL[kind]
    top = int(lonlat_to_pixel(zoom, 0, FARTHEST)[1]) // cell * cell
    first = score(kind, classify(cells(base.region(zoom, 0, top, size, size - top), cell)))
    places = []
    for row, column in candidates(first, CANDIDATES):
        scale = 1 << (base.zoom - zoom)
        x, y, side = column * cell * scale, (top + row * cell) * scale, cell * scale
        ground = classify(base.region(base.zoom, x, y, x + side, y + side))
        value = float(score(kind, ground))
        if value < LEAST[kind]:
            continue
        lon, lat = pixel_to_lonlat(base.zoom, x + side / 2, y + side / 2)
        why = reason(kind, ground, ground_resolution(base.zoom, lat))
        if kind == "town":
            town = largest_town(base, seed, x, y, side)
            if town is None:
                continue
            lon, lat = pixel_to_lonlat(towns.SCALED, town.x % width(towns.SCALED), town.y)
            across = 2 * town.radius * ground_resolution(towns.SCALED, lat) / 1000
            why, value = f"A town {across:.0f} km across, that only this seed has. {why}", value * town.radius / LARGE
        if kind == "dunes":
            left, north = (int(v) - 16 for v in lonlat_to_pixel(dunes.FIRST, lon, lat))
            value *= float(dunes.seas(seed, dunes.FIRST, left, north, left + 32, north + 32).mean())
        digest = hashlib.blake2b(f"{seed} {kind} {row} {column}".encode(), digest_size=2).digest()
        taste = 1 - int.from_bytes(digest, "big") / 0xFFFF / 3
        places.append(Place(kind, lat, lon, value * taste, why))
    if not places:
        raise NothingFound(f"The search found no {NAMES[kind]} on this planet.")
    return sorted(places, key=lambda place: -place.score)
