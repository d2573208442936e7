"""Web Mercator's tile pyramid: pure arithmetic. Pixels are counted from the north-west corner of the world."""

import math
import operator

from model.errors import BadTile, TileOutside

TILE = 256          # pixels
SCALE = 4           # every level is so many times finer than its condition
MAX_ZOOM = 15       # 4.78 m/px at the equator
EQUATOR_RESOLUTION = 156543.03392804097  # 2π·6378137 / 256, metres per pixel of zoom 0 at the equator


def width(z: int) -> int:
    """Width and height of the whole world in pixels at zoom z."""
    return TILE << z


def check_tile(z, x, y) -> None:
    """Raise `BadTile` if any is not an integer, `TileOutside` if there is no such tile in zooms 0…15."""
    try:
        z, x, y = (operator.index(v) for v in (z, x, y))
    except TypeError:
        raise BadTile(f"a tile is three integers z/x/y, not {z!r}/{x!r}/{y!r}") from None
    if not 0 <= z <= MAX_ZOOM:
        raise TileOutside(f"zoom {z} is outside 0…{MAX_ZOOM}")
    if not (0 <= x < 1 << z and 0 <= y < 1 << z):
        raise TileOutside(f"tile {z}/{x}/{y} is outside the map: x and y go from 0 to {(1 << z) - 1} at zoom {z}")


def pixel_latitude(z: int, py: float) -> float:
    """Latitude in degrees of a pixel row's position (0 is the north edge)."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * py / width(z)))))


def lonlat_to_pixel(z: int, lon: float, lat: float) -> tuple[float, float]:
    """Pixel position of a place; latitudes beyond ±85.05° fall outside 0…width."""
    s = math.sin(math.radians(lat))
    return ((lon + 180) / 360 * width(z),
            (0.5 - math.log((1 + s) / (1 - s)) / (4 * math.pi)) * width(z))


def pixel_to_lonlat(z: int, px: float, py: float) -> tuple[float, float]:
    return px / width(z) * 360 - 180, pixel_latitude(z, py)


def tile_latitude(z: int, y: int) -> float:
    """Latitude of a tile's centre."""
    return pixel_latitude(z, (y + 0.5) * TILE)


def bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in degrees."""
    west, north = pixel_to_lonlat(z, x * TILE, y * TILE)
    east, south = pixel_to_lonlat(z, (x + 1) * TILE, (y + 1) * TILE)
    return west, south, east, north


def ground_resolution(z: int, lat: float) -> float:
    """Metres per pixel on the ground: 156543.034·cos(lat)/2^z."""
    return EQUATOR_RESOLUTION * math.cos(math.radians(lat)) / (1 << z)
