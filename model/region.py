"""A piece of the map that somebody asks for: a box in degrees, and the rectangle of pixels that covers it.

Boxes may cross the antimeridian. Inside, longitudes then simply run past 180 (and pixel columns past the width of the
map), so that a box is always one rectangle; only a tile's *name* is wrapped back.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from model import grid
from model.errors import ElsewhereError

HALF_WORLD = 20037508.342789244  # metres: half the equator of Web Mercator's sphere
MAX_LATITUDE = 85.0511287798066  # where Web Mercator's square ends


class BadBox(ElsewhereError):
    """A box that encloses nothing, or nothing of the map."""

    code = "bad_box"


class Box(NamedTuple):
    """Degrees, ``west < east <= west + 360``; ``east`` exceeds 180 where the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, west: float, south: float, east: float, north: float) -> "Box":
        """Check a box as people write it: ``west > east`` crosses the antimeridian. Raises BadBox."""
        said = f"{west:g},{south:g},{east:g},{north:g}"
        if not all(map(math.isfinite, (west, south, east, north))):
            raise BadBox(f"The box {said} is not four numbers: W,S,E,N in degrees, as in 6.9,43.6,7.5,44.")
        if not (-180 <= west <= 180 and -180 <= east <= 540):
            raise BadBox(f"The box {said} leaves the map: longitudes run from -180 to 180.")
        if not (-90 <= south <= 90 and -90 <= north <= 90):
            raise BadBox(f"The box {said} leaves the map: latitudes run from -90 to 90. The order is W,S,E,N.")
        if south >= north:
            raise BadBox(f"The box {said} encloses nothing: its south is not below its north. The order is W,S,E,N.")
        if west == east:
            raise BadBox(f"The box {said} encloses nothing: its west is its east.")
        if south >= MAX_LATITUDE or north <= -MAX_LATITUDE:
            raise BadBox(f"The box {said} lies beyond the map, which ends at {MAX_LATITUDE:.2f} degrees.")
        if east < west:
            east += 360
        if east - west > 360:
            raise BadBox(f"The box {said} is wider than the world.")
        return cls(west, max(south, -MAX_LATITUDE), east, min(north, MAX_LATITUDE))

    @classmethod
    def parse(cls, text: str) -> "Box":
        """``"W,S,E,N"`` in degrees. Raises BadBox."""
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            raise BadBox(f"The box {text!r} is not four numbers: W,S,E,N in degrees, as in 6.9,43.6,7.5,44.") from None
        return cls.of(west, south, east, north)

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude (-180…180) and latitude of the middle."""
        return (self.west + self.east + 360) / 2 % 360 - 180, (self.south + self.north) / 2


class Region(NamedTuple):
    """Pixels ``[x0, x1) × [y0, y1)`` of zoom ``z``; ``x1`` exceeds the map's width across the antimeridian."""

    z: int
    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def covering(cls, box: Box, z: int) -> "Region":
        """The smallest whole pixels that cover a box."""
        # A box drawn on a pixel's edge must not gain a row of pixels through its last bits.
        slack = 1e-6
        left, top = grid.lonlat_to_pixel(z, box.west, box.north)
        size = grid.width(z)
        bottom = grid.lonlat_to_pixel(z, box.west, box.south)[1]
        right = left + (box.east - box.west) / 360 * size
        x0, y0 = math.floor(left + slack), max(0, math.floor(top + slack))
        x1, y1 = math.ceil(right - slack), min(size, math.ceil(bottom - slack))
        return cls(z, x0, min(y0, size - 1), max(x1, x0 + 1), max(y1, y0 + 1))

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    @property
    def metres_per_pixel(self) -> float:
        """In EPSG:3857's own metres, which are true at the equator only."""
        return 2 * HALF_WORLD / grid.width(self.z)

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine (a, b, c, d, e, f) from pixel (column, row) to EPSG:3857."""
        step = self.metres_per_pixel
        return step, 0.0, self.x0 * step - HALF_WORLD, 0.0, -step, HALF_WORLD - self.y0 * step

    @property
    def lonlat(self) -> Box:
        """The box in degrees of these pixels."""
        west, north = grid.pixel_to_lonlat(self.z, self.x0, self.y0)
        south = grid.pixel_to_lonlat(self.z, self.x0, self.y1)[1]
        return Box(west, south, west + self.width / grid.width(self.z) * 360, north)

    @property
    def columns(self) -> range:
        """Tile columns, unwrapped."""
        return range(self.x0 // grid.TILE, -(-self.x1 // grid.TILE))

    @property
    def rows(self) -> range:
        return range(self.y0 // grid.TILE, -(-self.y1 // grid.TILE))

    @property
    def tile_count(self) -> int:
        """Different tiles: a region as wide as the world may meet its first column again at its end."""
        return min(len(self.columns), 1 << self.z) * len(self.rows)

    def touches(self, z: int, x: int, y: int) -> bool:
        """Whether tile (x, y) of a zoom ``z`` not deeper than ours shows any of these pixels."""
        size = grid.TILE << (self.z - z)  # that tile's edge, in our pixels
        if not (y * size < self.y1 and (y + 1) * size > self.y0):
            return False
        return any((x * size + turn) < self.x1 and (x + 1) * size + turn > self.x0 for turn in (0, grid.width(self.z)))


def hilbert_tiles(z: int, touches: Callable[[int, int, int], bool]) -> Iterator[tuple[int, int]]:
    """Tiles (x, y) of zoom ``z`` along the Hilbert curve, where ``touches(z, x, y)`` of them and all above them holds.

    That is the order of a PMTiles archive; and neighbours in it share ancestors, so little is made twice.
    It descends the quadtree, and holds one path of it at a time.
    """

    def descend(level: int, x: int, y: int, swap: bool, flip: bool) -> Iterator[tuple[int, int]]:
        if not touches(level, x, y):
            return
        if level == z:
            yield x, y
            return
        # The curve's four quarters in order, in its own frame: (0,0) (0,1) (1,1) (1,0). The first is transposed,
        # the last transposed and turned by half; `swap` and `flip` carry both down.
        for quarter, (i, j) in enumerate(((0, 0), (0, 1), (1, 1), (1, 0))):
            a, b = (j, i) if swap else (i, j)
            if flip:
                a, b = 1 - a, 1 - b
            turned = quarter in (0, 3)
            yield from descend(level + 1, 2 * x + a, 2 * y + b, swap ^ turned, flip ^ (quarter == 3))

    yield from descend(0, 0, 0, False, False)


def zoom_for(resolution: float, latitude: float) -> int:
    """The zoom whose ground resolution at a latitude is nearest (by ratio) to ``resolution`` metres per pixel."""
    if not resolution > 0:
        raise BadBox(f"A resolution of {resolution} m/pixel cannot be made; give metres per pixel, 4 to 156543.")
    finest = grid.ground_resolution(0, latitude)
    return min(grid.MAX_ZOOM, max(0, round(math.log2(finest / resolution))))
