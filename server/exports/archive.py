"""Tiles as tiles: a PMTiles archive (one file for any static web host), or a folder ``z/x/y``."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from server.exports.job import Workshop, put, writing

_TYPES = {"png": TileType.PNG, "webp": TileType.WEBP, "jpg": TileType.JPEG}


def write_pmtiles(workshop: Workshop, about: dict, step: Callable[[], None]) -> Path:
    """A clustered archive of all tiles, in the workshop; ``step()`` is called for each.

    Pixels stream through; the directory (some 300 bytes a tile) is in memory until the end, as the format's own
    library has it.
    """
    job, path = workshop.job, workshop.folder / "archive"
    with writing(workshop.output), open(path, "wb") as file:
        writer = Writer(file)
        # The library would collect the tiles under /tmp, which is often small or in memory.
        writer.tile_f.close()
        writer.tile_f = open(workshop.folder / "archive-tiles", "w+b")  # noqa: SIM115  finalize() closes it
        for address in job.tiles():
            writer.write_tile(zxy_to_tileid(address.z, address.x, address.y), workshop.path(address).read_bytes())
            step()
        writer.tile_f.flush()
        west, south, east, north = job.area.box
        if east > 180:  # the header knows no boxes across the antimeridian
            west, east = -180.0, 180.0
        lon, lat = job.area.box.centre
        header = {
            "tile_type": _TYPES[job.ext], "tile_compression": Compression.NONE,
            "min_lon_e7": round(west * 1e7), "min_lat_e7": round(south * 1e7),
            "max_lon_e7": round(east * 1e7), "max_lat_e7": round(north * 1e7),
            "center_zoom": job.zooms[0], "center_lon_e7": round(lon * 1e7), "center_lat_e7": round(lat * 1e7),
        }  # fmt: skip
        writer.finalize(header, {**about, "format": job.ext, "type": "baselayer"})
        file.flush()
        os.fsync(file.fileno())
    (workshop.folder / "archive-tiles").unlink()
    return path


def write_folder(workshop: Workshop, about: dict) -> Path:
    """The tiles as they are, with a ``metadata.json`` that says what they are."""
    with writing(workshop.output):
        put(workshop.tiles / "metadata.json", json.dumps({**about, "format": workshop.job.ext}, indent=1).encode())
    return workshop.tiles
