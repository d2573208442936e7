"""What is asked for: a box, or the polygons of a GeoJSON file."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.features import geometry_mask

from model import grid
from model.region import MAX_LATITUDE, BadBox, Box, Region


@dataclass(frozen=True)
class Area:
    """A box in degrees, and the polygons inside it that count (none: all of it).

    ``polygons`` have longitudes that run on past 180 where the area crosses the antimeridian, as the box has.
    """

    box: Box
    polygons: tuple[dict, ...] = field(default=(), repr=False)

    @classmethod
    def from_geojson(cls, path: Path) -> "Area":
        """The polygons of a GeoJSON file (geometry, feature or collection). Raises BadBox."""
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadBox(f"{path} cannot be read as GeoJSON: {error}") from None
        try:
            polygons = [np.asarray(ring, float)[:, :2] for ring in _outer_rings(document)]
            rings = list(_polygons(document))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise BadBox(f"{path} is no sound GeoJSON: {error}") from None
        if not polygons:
            raise BadBox(f"{path} holds no polygon; points and lines have no area to render.")
        # RFC 7946 cuts what crosses the antimeridian in two. The eastern half is put back beside the western one where
        # that makes the whole narrower.
        plain = (min(p[:, 0].min() for p in polygons), max(p[:, 0].max() for p in polygons))
        turns = [360.0 if p[:, 0].max() <= 0 else 0.0 for p in polygons]
        turned = (
            min(p[:, 0].min() + t for p, t in zip(polygons, turns, strict=True)),
            max(p[:, 0].max() + t for p, t in zip(polygons, turns, strict=True)),
        )
        if plain[1] - plain[0] <= turned[1] - turned[0]:
            turns, (west, east) = [0.0] * len(polygons), plain
        else:
            west, east = turned
        south, north = min(p[:, 1].min() for p in polygons), max(p[:, 1].max() for p in polygons)
        box = Box.of(float(west), float(south), float(east), float(north))
        return cls(box, tuple(_moved(p, turn) for p, turn in zip(rings, turns, strict=True)))

    def touches(self, z: int, x: int, y: int, region: Region) -> bool:
        """Whether tile (x, y) of zoom ``z`` shows any of it; ``region`` is the area's at a zoom as deep or deeper."""
        if not region.touches(z, x, y):
            return False
        if not self.polygons:
            return True
        size = grid.TILE << z
        return any(
            not self.outside(z, x * grid.TILE + turn, y * grid.TILE, grid.TILE, grid.TILE, step=32, generous=True).all()
            for turn in (0, size)
        )

    def outside(self, z: int, x0: int, y0: int, width: int, height: int, step: int = 1, generous: bool = False):
        """Which pixels of a rectangle at zoom ``z`` lie outside the polygons, bool (height/step, width/step).

        A pixel counts by its centre, or with ``generous`` by any touch.
        """
        # Polygons are in degrees; in Web Mercator's pixels they would only need their latitudes bent, so bend them.
        shapes = [_in_pixels(polygon, z) for polygon in self.polygons]
        return geometry_mask(
            shapes,
            out_shape=(-(-height // step), -(-width // step)),
            transform=Affine(step, 0, x0, 0, step, y0),
            all_touched=generous,
        )


def _polygons(document: dict):
    """Every polygon's list of rings, out of any GeoJSON object."""
    kind = document["type"]
    if kind == "FeatureCollection":
        for feature in document["features"]:
            yield from _polygons(feature)
    elif kind == "Feature":
        if document["geometry"]:
            yield from _polygons(document["geometry"])
    elif kind == "GeometryCollection":
        for geometry in document["geometries"]:
            yield from _polygons(geometry)
    elif kind == "Polygon":
        yield document["coordinates"]
    elif kind == "MultiPolygon":
        yield from document["coordinates"]


def _outer_rings(document: dict):
    for rings in _polygons(document):
        yield rings[0]


def _moved(rings: list, turn: float) -> dict:
    return {"type": "Polygon", "coordinates": [[(p[0] + turn, p[1]) for p in ring] for ring in rings]}


def _in_pixels(polygon: dict, z: int) -> dict:
    def bend(lon: float, lat: float) -> tuple[float, float]:
        return grid.lonlat_to_pixel(z, lon, min(max(lat, -MAX_LATITUDE), MAX_LATITUDE))

    return {"type": "Polygon", "coordinates": [[bend(*point) for point in ring] for ring in polygon["coordinates"]]}
